//! The audit log: one line for each read with `history:personal`, at every log level. The line holds no value that was
//! read. The template keeps this function's log for longer than the other logs.

use sha2::{Digest, Sha256};
use stafett_domain::Access;
use stafett_history::JobKey;
use stafett_runtime::telemetry;
use uuid::Uuid;

use crate::http::caller::Reader;

impl Reader {
    /// Logs that this caller read `records` records of a job, if it may see personal data. `route` is a word for the
    /// route within the job, never the path.
    pub(crate) fn log_reading(&self, job: &JobKey, route: &'static str, records: usize) {
        if self.access != Access::Personal {
            return;
        }
        tracing::info!(
            target: telemetry::AUDIT, event = "history.read", subject = plain_subject(&self.subject), organisation = %job.send.organisation,
            send = %job.send.send, stage = %job.stage, route, records, "personal data was read"
        );
    }
}

/// A token's subject for the log. Some issuers put an e-mail address, a user name or a civic number there, so only a
/// UUID is logged unchanged. For any other subject the first 8 bytes of its SHA-256 are logged. To find the lines of a
/// known subject, use `printf %s SUBJECT | sha256sum | cut -c1-16`.
fn plain_subject(subject: &str) -> String {
    match Uuid::try_parse(subject) {
        Ok(_) if subject.len() == 36 => subject.to_owned(),
        _ => {
            let beginning = Sha256::digest(subject.as_bytes()).into_iter().take(8);
            beginning.fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_subject_that_says_nothing_of_a_person_stands_as_it_is() {
        let opaque = "7b1f0a52-3c1e-4a53-9d4e-8f60a4a2c111";
        assert_eq!(plain_subject(opaque), opaque);
        assert_eq!(plain_subject("abc"), "sha256:ba7816bf8f01cfea");
        for personal in ["admin@example.se", "197410129801", "anna.andersson", "Anna Andersson", "å", ""] {
            let shown = plain_subject(personal);
            assert!(shown.starts_with("sha256:") && shown.len() == 23, "{shown}");
        }
        assert_ne!(plain_subject("a@example.se"), plain_subject("b@example.se"));
    }
}
