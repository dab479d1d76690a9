//! The queues on disk: every change a line, written before its caller is answered. A program that is killed has lost
//! nothing that it acknowledged; against a power cut nothing is done, this is a developer's machine.

use std::fs::File;
use std::io::{BufRead, BufReader, Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::queue::{Change, Queues};

/// The file is written anew when it has this many lines, and four times as many as it needs: a message has
/// about four (sent, received, perhaps put off, deleted).
const LINES_WORTH_WRITING_ANEW: usize = 2000;

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    lines: usize,
}

impl Journal {
    /// Puts the content of the file, if there is one, into `queues`, and opens it for more.
    pub(super) fn open(path: &Path, queues: &mut Queues) -> std::io::Result<Self> {
        match File::open(path) {
            Ok(file) => read(file, queues)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // Also ends a last line that was cut off: the next change begins on a line of its own.
        let (file, lines) = write_anew(path, queues)?;
        Ok(Self { path: path.to_owned(), file, lines })
    }

    /// Writes what has changed since the last time. When this returns, it outlives the program.
    pub(super) fn keep(&mut self, queues: &mut Queues) -> std::io::Result<()> {
        let changes = queues.take_changes();
        if changes.is_empty() {
            return Ok(());
        }
        self.lines += changes.len();
        self.file.write_all(&lines(&changes)?)?;
        if self.lines >= LINES_WORTH_WRITING_ANEW && self.lines >= 4 * queues.len() {
            (self.file, self.lines) = write_anew(&self.path, queues)?;
        }
        Ok(())
    }
}

fn read(file: File, queues: &mut Queues) -> std::io::Result<()> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut number = 0;
    while reader.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        if line.last() != Some(&b'\n') {
            // The program ended while it wrote this: nobody was answered that it was stored.
            return Ok(());
        }
        let change = serde_json::from_slice::<Change>(&line)
            .map_err(|error| Error::new(ErrorKind::InvalidData, format!("line {number}: {error}")))?;
        queues.apply(change);
        line.clear();
    }
    Ok(())
}

/// A file with nothing but what is there now, put in the old one's place in one step.
fn write_anew(path: &Path, queues: &mut Queues) -> std::io::Result<(File, usize)> {
    let beside = path.with_extension("new");
    let all = queues.all();
    let mut file = File::create(&beside)?;
    file.write_all(&lines(&all)?)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    queues.take_changes();
    Ok((file, all.len()))
}

fn lines(changes: &[Change]) -> std::io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for change in changes {
        serde_json::to_writer(&mut lines, change)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::Pace;
    use crate::sqs::settings::Settings;

    fn open(path: &Path) -> (Queues, Journal) {
        let mut queues = Queues::new(Pace::REAL);
        let journal = Journal::open(path, &mut queues).unwrap();
        (queues, journal)
    }

    #[test]
    fn what_was_written_is_there_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("queues.journal");
        let (mut queues, mut journal) = open(&path);
        queues.set("users", Settings::default());
        for body in ["a", "å\n"] {
            queues.send("users", body.to_owned(), 5, 1);
        }
        journal.keep(&mut queues).unwrap();
        queues.receive("users", 1, None, 6).unwrap();
        journal.keep(&mut queues).unwrap();
        drop(journal);
        assert_eq!(open(&path).0.all(), queues.all());
    }

    #[test]
    fn a_line_cut_off_is_left_out_and_any_other_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("queues.journal");
        let (mut queues, mut journal) = open(&path);
        queues.set("users", Settings::default());
        queues.send("users", "a".to_owned(), 0, 1);
        journal.keep(&mut queues).unwrap();
        let restored = queues.all();
        queues.send("users", "b".to_owned(), 0, 1);
        journal.keep(&mut queues).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        let (mut queues, mut journal) = open(&path);
        assert_eq!(queues.all(), restored);
        // The lines after it can be read.
        queues.send("users", "c".to_owned(), 0, 1);
        journal.keep(&mut queues).unwrap();
        assert_eq!(open(&path).0.all(), queues.all());

        std::fs::write(&path, b"{}\n").unwrap();
        let error = Journal::open(&path, &mut Queues::new(Pace::REAL)).unwrap_err();
        assert!(error.to_string().starts_with("line 1"), "{error}");
    }

    #[test]
    fn the_file_does_not_grow_for_ever() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("queues.journal");
        let (mut queues, mut journal) = open(&path);
        queues.set("users", Settings::default());
        for _ in 0..LINES_WORTH_WRITING_ANEW {
            queues.send("users", "a".to_owned(), 0, 1);
            journal.keep(&mut queues).unwrap();
            let received = queues.receive("users", 1, None, 1).unwrap();
            queues.delete("users", received[0].receipt.parse().unwrap());
            journal.keep(&mut queues).unwrap();
        }
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LINES_WORTH_WRITING_ANEW, "{lines}");
        assert_eq!(open(&path).0.all(), queues.all());
    }
}
