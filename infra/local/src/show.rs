//! The sends that are made at the start, shown while they run and when they have ended.

mod client;
mod text;

use std::io::Write;
use std::time::Duration;

use crate::notice::notice;
use crate::options::Options;
use crate::stack::{Stack, example_send};
use client::{Client, ClientError, Job, Send};

/// Between two polls of a send: often enough to see its jobs move.
const POLL_EVERY: Duration = Duration::from_millis(200);
/// Polls in a row that may fail: a function that was just killed is no reason to stop polling.
const FAILED_POLLS: u32 = 10;
/// Rows of the table at most; a send of a whole municipality would fill the terminal for minutes.
const MAX_ROWS: usize = 200;

/// Makes the sends that were asked for and shows each until it has ended. Whether all of them succeeded, warnings
/// allowed.
pub async fn sends(options: &Options, stack: &Stack, screen: &mut impl Write) -> bool {
    match try_sends(options, stack, screen).await {
        Ok(all_succeeded) => all_succeeded,
        Err(error) => {
            notice(error);
            false
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum ShowError {
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("{0}: {1}")]
    File(String, std::io::Error),
    #[error("standard output: {0}")]
    Screen(#[from] std::io::Error),
}

/// A send that has been accepted.
struct Accepted {
    name: String,
    posted: jiff::Timestamp,
    send: Send,
}

async fn try_sends(options: &Options, stack: &Stack, screen: &mut impl Write) -> Result<bool, ShowError> {
    let client = Client::new(stack.url(), &options.organisation_number, stack.tokens().clone())?;
    let mut all_succeeded = true;
    let mut accepted = Vec::new();
    // All are given in before the first is looked at: they wait for each other as they would for any caller.
    for (name, body) in bodies(options)? {
        let posted = stack.clock().now();
        match client.send(body).await {
            Ok(send) => accepted.push(Accepted { name, posted, send }),
            Err(error) => {
                all_succeeded = false;
                notice(format_args!("{name} was not accepted: {error}"));
            }
        }
    }
    let mut ended = Vec::new();
    for accepted in accepted {
        let send = follow(&client, stack, accepted, screen).await?;
        all_succeeded &= send.has_succeeded();
        ended.push(send);
    }
    if !ended.is_empty() {
        writeln!(screen, "\n{}", text::next_steps(client.url(), &client.token()?, &ended))?;
        screen.flush()?;
    }
    Ok(all_succeeded)
}

fn bodies(options: &Options) -> Result<Vec<(String, String)>, ShowError> {
    if options.send.is_empty() {
        let (name, body) = example_send();
        return Ok(vec![(name.display().to_string(), body.to_owned())]);
    }
    let read = |path: &std::path::PathBuf| {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(body) => Ok((name, body)),
            Err(error) => Err(ShowError::File(name, error)),
        }
    };
    options.send.iter().map(read).collect()
}

async fn follow(
    client: &Client,
    stack: &Stack,
    accepted: Accepted,
    screen: &mut impl Write,
) -> Result<Send, ShowError> {
    let Accepted { name, posted, mut send } = accepted;
    writeln!(screen, "\n{name} is send {}", send.id)?;
    for activity in &send.activities {
        writeln!(screen, "  {}", text::activity(activity))?;
    }
    if let Some(position) = send.queue_position.filter(|position| *position > 0) {
        writeln!(screen, "  waiting, place {position}")?;
    }
    let mut shown: Vec<Job> = Vec::new();
    let mut failed_polls = 0;
    loop {
        for job in send.jobs.iter().filter(|job| job.status != "waiting" && !shown.contains(job)) {
            let time = stack.clock().now().strftime("%H:%M:%S");
            writeln!(screen, "  {time}  {}", text::job(job))?;
        }
        screen.flush()?;
        shown.clone_from(&send.jobs);
        if send.has_ended() {
            break;
        }
        tokio::time::sleep(POLL_EVERY).await;
        match client.poll(&send.id).await {
            Ok(now) => {
                send = now;
                failed_polls = 0;
            }
            Err(error) => {
                failed_polls += 1;
                if failed_polls == FAILED_POLLS {
                    return Err(error.into());
                }
            }
        }
    }
    // By the send's own time: it may have ended while another one was being shown.
    let took = send.ended_at.map_or(0.0, |ended| ended.duration_since(posted).as_secs_f64());
    history(client, &send, screen).await?;
    writeln!(screen, "\n{name}: {} {took:.1} s after it was sent", send.status)?;
    screen.flush()?;
    Ok(send)
}

async fn history(client: &Client, send: &Send, screen: &mut impl Write) -> Result<(), ShowError> {
    let total = send.job("users").map_or(0, |job| job.counts.total);
    writeln!(screen, "\nusers ({total})")?;
    let rows = client.users(&send.id, MAX_ROWS).await?;
    writeln!(screen, "{}", text::users(&rows))?;
    if let Some(more) = usize::try_from(total).ok().and_then(|total| total.checked_sub(rows.len()))
        && more > 0
    {
        writeln!(screen, "  … and {more} more")?;
    }
    for job in send.jobs.iter().filter(|job| job.stage != "users") {
        writeln!(screen, "{}", text::job(job))?;
    }
    for job in &send.jobs {
        if let Some(reason) = &job.reason {
            writeln!(screen, "  {}: {}", job.stage, reason.en)?;
        }
    }
    Ok(())
}
