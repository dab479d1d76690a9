//! The simulator of Skolverket: how a stack calls another one than its own, and which accepted records the built-in one
//! keeps between runs. Its jobs and tokens are gone with the program, as they may be at Skolverket; the functions then
//! send again and ask for new ones.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use stafett_simulator::{Kind, Simulator};
use uuid::Uuid;

use crate::notice::notice;

/// The options with which a stack calls this simulator instead of the built-in one.
pub fn options(simulator: &Simulator) -> [String; 6] {
    [
        "--skolverket-url".to_owned(),
        simulator.provisioning_url(),
        "--token-url".to_owned(),
        simulator.token_url(),
        "--open-data-url".to_owned(),
        simulator.open_data_url(),
    ]
}

/// Gives the simulator the records that the file names, and adds those that it accepts from now on: a line each, with
/// organisation, kind and id.
pub fn keep(simulator: &Simulator, path: &Path) -> std::io::Result<()> {
    let mut file = File::options().create(true).append(true).open(path)?;
    let text = std::fs::read_to_string(path)?;
    for (organisation, kind, id) in text.lines().filter_map(record) {
        simulator.restore(organisation, kind, id);
    }
    if !text.is_empty() && !text.ends_with('\n') {
        // A line that was cut off when the program was killed: its outcome has not been read.
        file.write_all(b"\n")?;
    }
    simulator.on_accepted(move |organisation, kind, id| {
        if let Err(error) = writeln!(file, "{organisation} {} {id}", kind.segment()) {
            notice(format_args!("the simulator's records are not kept: {error}"));
        }
    });
    Ok(())
}

fn record(line: &str) -> Option<(&str, Kind, Uuid)> {
    let mut parts = line.split(' ');
    let organisation = parts.next()?;
    Some((organisation, Kind::from_segment(parts.next()?)?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use stafett_simulator::Limits;

    use super::*;

    #[tokio::test]
    async fn a_line_that_was_cut_off_is_left_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("skolverket.accepted");
        let id = Uuid::new_v4();
        std::fs::write(&path, format!("5567044268 persons {id}\n5567044268 duties 0b3f")).unwrap();
        for _ in 0..2 {
            let simulator = Simulator::start(Limits::default()).await.unwrap();
            keep(&simulator, &path).unwrap();
            assert_eq!(simulator.stored("5567044268", Kind::Persons), [id]);
            assert!(simulator.stored("5567044268", Kind::Duties).is_empty());
        }
    }
}
