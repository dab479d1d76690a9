//! Lists, page by page.

use jiff::Timestamp;
use serde_json::{Value, json};
use stafett_domain::{AttemptId, BatchId, JobStatus, RecordKind, SendId, SendStatus};
use uuid::Uuid;

use super::sample::{EXPIRES, activity, at, organisation, record, send};
use super::table::Table;
use crate::key::{self, SendRef};
use crate::{ACTIVITIES_SHOWN, History, Job, JobFilter, SendFilter, SendHeader, Span, Wanted};

/// A send that is one of many: made at that second, as its id says, and accepted then.
fn nth(number: u64) -> SendRef {
    let made = uuid::Timestamp::from_unix_time(at(0).as_second().unsigned_abs() + number, 0, 0, 0);
    let id = Uuid::new_v7(made).as_u128() & !0xFFFF_FFFF_FFFF_u128 | u128::from(number);
    SendRef::new(organisation(1), SendId(Uuid::from_u128(id)))
}

/// A table with so many accepted sends, at places from 1 on; each has what `change` makes of its header.
async fn many(count: u64, change: impl Fn(u64, &mut Value)) -> (Table, History, Vec<SendRef>) {
    let table = Table::new();
    let history = table.history();
    history.accepted(&send(1), [1, 0, 0, 1]).await;
    let items = |key: key::Key| table.item(&key).unwrap();
    let (header, activities) = (items(send(1).header()), items(send(1).activities()));
    let jobs = RecordKind::ALL.map(|stage| items(send(1).job(stage).key()));
    let sends: Vec<_> = (1..=count).map(nth).collect();
    for (seq, send) in (1..).zip(&sends) {
        let mut header = header.clone();
        (header["id"], header["seq"], header["acceptedAt"]) =
            (json!(send.send), json!(seq), json!(at(i64::try_from(seq).unwrap())));
        change(seq, &mut header);
        table.put(&send.header(), &header);
        table.put(&send.activities(), &activities);
        for (stage, job) in RecordKind::ALL.into_iter().zip(&jobs) {
            table.put(&send.job(stage).key(), job);
        }
        let place = json!({"send": send.send, "expires": header["expires"]});
        table.put(&key::order(&organisation(1), seq), &place);
    }
    (table, history, sends)
}

/// All pages of a list of sends: the places on each.
async fn pages(history: &History, filter: &SendFilter, limit: usize, now: Timestamp) -> Vec<Vec<u64>> {
    let (mut pages, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let page = history.sends(&organisation(1), filter, limit, cursor.as_deref(), now).await.unwrap();
        pages.push(page.items.iter().map(|listed| listed.item.send.header.seq.unwrap()).collect());
        assert!(pages.len() < 50, "it goes round");
        cursor = page.next;
        if cursor.is_none() {
            return pages;
        }
    }
}

fn failed_jobs() -> JobFilter {
    let failed = |job: &Job| job.status == JobStatus::Failed;
    JobFilter { wanted: Some(Box::new(failed)), ..JobFilter::default() }
}

fn filter(statuses: &[SendStatus]) -> SendFilter {
    let statuses = statuses.to_vec();
    let wanted: Option<Wanted<SendHeader>> = (!statuses.is_empty())
        .then(|| Box::new(move |send: &SendHeader| statuses.contains(&send.status)) as Wanted<_>);
    SendFilter { wanted, ..SendFilter::default() }
}

#[tokio::test]
async fn sends_are_listed_newest_first_page_by_page() {
    let (table, history, sends) = many(7, |_, _| ()).await;
    let all = SendFilter::default();
    for (limit, expected) in [
        (3, vec![vec![7, 6, 5], vec![4, 3, 2], vec![1]]),
        (6, vec![vec![7, 6, 5, 4, 3, 2], vec![1]]),
        (7, vec![vec![7, 6, 5, 4, 3, 2, 1]]),
        (1, (1..=7).rev().map(|seq| vec![seq]).collect()),
    ] {
        assert_eq!(pages(&history, &all, limit, at(60)).await, expected);
    }
    // One may go on behind any item of a page.
    let page = history.sends(&organisation(1), &all, 5, None, at(60)).await.unwrap();
    let after = page.items[1].after.clone();
    let rest = history.sends(&organisation(1), &all, 1, Some(&after), at(60)).await.unwrap();
    assert_eq!(rest.items[0].item.send.header.seq, Some(5));
    assert_eq!(pages(&Table::new().history(), &all, 3, at(60)).await, [Vec::<u64>::new()]);

    // One that cannot be read, one that was not accepted, one that expired and one that is gone leave gaps.
    table.set(&sends[6].header(), "activityCount", "many");
    table.set(&sends[5].header(), "seq", Value::Null);
    table.set(&sends[4].header(), "expires", at(59).as_second());
    table.delete(&sends[3].header());
    table.set(&sends[2].job(RecordKind::Duty).key(), "status", "sleeping");
    assert_eq!(pages(&history, &all, 3, at(60)).await, [vec![], vec![2], vec![1]]);
    table.set(&key::order(&organisation(1), 2), "send", "no id");
    assert_eq!(pages(&history, &all, 7, at(60)).await, [vec![1]]);
}

#[tokio::test]
async fn a_filtered_page_ends_after_so_many_reads() {
    let (_, history, _) = many(230, |seq, header| {
        if [1, 100, 229].contains(&seq) {
            header["status"] = json!("failed");
        }
    })
    .await;
    let failed = filter(&[SendStatus::Failed, SendStatus::Cancelled]);
    // A page reads at most a hundred sends.
    assert_eq!(pages(&history, &failed, 10, at(999)).await, [vec![229], vec![100], vec![1]]);
    assert_eq!(pages(&history, &failed, 1, at(999)).await, [vec![229], vec![], vec![100], vec![1]]);
    assert_eq!(
        pages(&history, &filter(&[SendStatus::Cancelled]), 10, at(999)).await,
        [(); 3].map(|()| Vec::<u64>::new())
    );
}

#[tokio::test]
async fn sends_are_found_by_the_time_of_their_acceptance() {
    let (_, history, _) = many(230, |_, _| ()).await;
    let accepted = |from, to| SendFilter { accepted: Span { from, to }, ..SendFilter::default() };
    for (from, to, expected) in [
        (Some(at(228)), None, vec![230, 229, 228]),
        (Some(at(5)), Some(at(8)), vec![7, 6, 5]),
        (None, Some(at(3)), vec![2, 1]),
        (Some(at(231)), None, vec![]),
    ] {
        let found = pages(&history, &accepted(from, to), 50, at(999)).await;
        assert_eq!(found.concat(), expected, "{from:?} to {to:?}");
    }
    // The walk ends where all sends are too old.
    assert_eq!(pages(&history, &accepted(Some(at(228)), None), 50, at(999)).await.len(), 3);
    let old = at(230) + jiff::SignedDuration::from_mins(6);
    assert_eq!(pages(&history, &accepted(Some(old), None), 50, at(999)).await.len(), 1);
}

#[tokio::test]
async fn sends_are_found_by_an_activity_that_they_hold() {
    let table = Table::new();
    let history = table.history();
    let many_activities = u32::try_from(ACTIVITIES_SHOWN).unwrap() + 5;
    for (number, activities) in [(1, 1), (2, many_activities), (3, 3)] {
        history.accepted(&send(number), [1, 0, 0, activities]).await;
    }
    let holding = async |batch| {
        let activity = Some(record(RecordKind::Activity, batch, 0));
        pages(&history, &SendFilter { activity, ..SendFilter::default() }, 9, at(9)).await.concat()
    };
    assert_eq!(holding(0).await, [3, 2, 1]);
    assert_eq!(holding(2).await, [3, 2]);
    assert_eq!(holding(many_activities - 1).await, [2], "behind those that its small item holds");
    assert_eq!(holding(99).await, Vec::<u64>::new());
    let shown = history.send(&send(2), at(9)).await.unwrap().unwrap();
    assert_eq!(shown.activities.len(), ACTIVITIES_SHOWN);
    let all = history.activities(&send(2), at(9)).await.unwrap().unwrap();
    assert!(
        all == (0..many_activities)
            .map(|batch| activity(record(RecordKind::Activity, batch, 0)))
            .collect::<Vec<_>>()
    );
    // Expired, or not accepted.
    assert!(history.activities(&send(2), Timestamp::from_second(EXPIRES).unwrap()).await.unwrap().is_none());
    assert!(history.send(&send(2), Timestamp::from_second(EXPIRES).unwrap()).await.unwrap().is_none());
    history.received(&send(4), [1, 0, 0, 1]).await;
    assert!(history.send(&send(4), at(9)).await.unwrap().is_none());
    assert!(history.seen_job(&send(4).job(RecordKind::Person), at(9)).await.unwrap().is_none());
    assert!(history.seen_job(&send(3).job(RecordKind::Person), at(9)).await.unwrap().is_some());
}

/// All pages of a list of jobs: place and stage of each.
async fn job_pages(history: &History, filter: &JobFilter, limit: usize) -> Vec<Vec<(u64, usize)>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = history.jobs(&organisation(1), filter, limit, after, at(999)).await.unwrap();
        let position = |job: &crate::ListedJob| job.send.route.position(job.job.stage).unwrap();
        let jobs = page.items.iter().map(|listed| (listed.item.send.seq.unwrap(), position(&listed.item)));
        pages.push(jobs.collect());
        assert!(pages.len() < 50, "it goes round");
        let Some(next) = page.next else { return pages };
        let (seq, stage) = next.split_once('.').unwrap();
        after = Some((seq.parse().unwrap(), stage.parse().unwrap()));
    }
}

#[tokio::test]
async fn jobs_are_listed_last_stage_first_page_by_page() {
    let (table, history, sends) = many(5, |_, _| ()).await;
    let all: Vec<_> = (1..=5).rev().flat_map(|seq| (0..4).rev().map(move |stage| (seq, stage))).collect();
    for limit in [1, 3, 4, 5, 19, 20, 50] {
        let pages = job_pages(&history, &JobFilter::default(), limit).await;
        assert_eq!(pages.concat(), all, "{limit}");
        assert!(pages.iter().all(|page| page.len() <= limit));
    }
    let duties = JobFilter { stage: Some(RecordKind::Duty), ..JobFilter::default() };
    assert_eq!(job_pages(&history, &duties, 2).await.concat(), [5, 4, 3, 2, 1].map(|seq| (seq, 1)));
    table.set(&sends[1].job(RecordKind::Group).key(), "status", JobStatus::Failed);
    let failed = failed_jobs();
    assert_eq!(job_pages(&history, &failed, 2).await.concat(), [(2, 2)]);
}

#[tokio::test]
async fn a_filtered_page_of_jobs_ends_after_so_many_reads() {
    let (table, history, sends) = many(130, |_, _| ()).await;
    table.set(&sends[0].job(RecordKind::Person).key(), "status", JobStatus::Failed);
    table.set(&sends[129].job(RecordKind::Person).key(), "status", JobStatus::Failed);
    let failed = failed_jobs();
    assert_eq!(job_pages(&history, &failed, 5).await, [vec![(130, 0)], vec![(1, 0)]]);
    // Those that started before all that are asked for had ended.
    for send in &sends {
        table.set(&send.header(), "startedAt", at(1));
        table.set(&send.header(), "endedAt", at(2));
    }
    let started = JobFilter { started: Span { from: Some(at(500)), to: None }, ..JobFilter::default() };
    assert_eq!(job_pages(&history, &started, 5).await, [Vec::new()]);
}

#[tokio::test]
async fn attempts_and_batches_are_read_page_by_page() {
    let table = Table::new();
    let history = table.history();
    history.received(&send(1), [7, 0, 0, 1]).await;
    let ids: Vec<AttemptId> =
        ["0.1.0.t1", "0.1.0", "0.1.1", "0.1.10", "0.2.0", "1.1.0"].map(|id| id.parse().unwrap()).into();
    for (number, attempt) in ids.iter().enumerate() {
        let item = json!({
            "attempt": attempt, "call": "submit", "method": "POST", "path": "/", "startedAt": at(0),
            "durationMs": number, "requestBytes": 0, "responseBytes": 0, "expires": EXPIRES,
        });
        table.put(&send(1).job(RecordKind::Person).attempt(*attempt), &item);
    }
    for limit in 1..=7 {
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page =
                history.attempts(&send(1).job(RecordKind::Person), limit, cursor.as_deref()).await.unwrap();
            assert!(page.items.len() == limit || page.next.is_none());
            found.extend(page.items.into_iter().map(|listed| listed.item.attempt));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert!(found.iter().eq(ids.iter().rev()), "{limit}");
    }
    assert!(history.attempt(&send(1).job(RecordKind::Person), ids[0]).await.unwrap().is_some());
    assert!(history.attempt(&send(1).job(RecordKind::Duty), ids[0]).await.unwrap().is_none());
    let batches = async |first| {
        let found = history.batches(&send(1).job(RecordKind::Person), BatchId(first)).await;
        found.into_iter().map(|batch| batch.batch.0).collect::<Vec<_>>()
    };
    assert_eq!(batches(0).await, [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(batches(3).await, [3, 4, 5, 6]);
    assert_eq!(batches(7).await, Vec::<u32>::new());
}

#[tokio::test]
async fn a_later_send_that_holds_a_record_is_found_behind_many_others() {
    let (table, history, sends) = many(70, |_, _| ()).await;
    let is_superseded = async |seq, except: usize, id| {
        history.is_superseded(&organisation(1), seq, sends[except].send, &[id]).await.unwrap()
    };
    let ids = crate::RecordIds::of([(
        record(RecordKind::Person, 0, 0),
        crate::Place { stage: RecordKind::Person, batch: BatchId(0) },
    )]);
    history.put_record_ids(&sends[64], &ids, EXPIRES).await.unwrap();
    let held = record(RecordKind::Person, 0, 0);
    assert!(is_superseded(1, 0, held).await);
    assert!(!is_superseded(1, 64, held).await, "it is the one that is asked for");
    assert!(!is_superseded(65, 0, held).await, "it is not later");
    assert!(!is_superseded(1, 0, record(RecordKind::Person, 0, 1)).await);
    // Cancelled before it ran; and after.
    table.set(&sends[64].header(), "status", SendStatus::Cancelled);
    assert!(!is_superseded(1, 0, held).await);
    table.set(&sends[64].header(), "startedAt", at(0));
    assert!(is_superseded(1, 0, held).await);
}
