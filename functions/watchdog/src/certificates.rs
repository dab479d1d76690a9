//! Checks how long each organiser's certificate is still valid, so that an operator knows before a send fails.
//! Organisers without sends are checked, too.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use stafett_runtime::{ParameterError, Process};

/// The time of the last check in this process.
#[derive(Default)]
pub(crate) struct Watch(Mutex<Option<Timestamp>>);

impl Watch {
    /// Whether there was no check yet, or `every` has passed since the last one.
    fn is_due(&self, now: Timestamp, every: Duration) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_none_or(|last| last + every <= now)
    }

    fn note(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// Checks all certificates if a check is due. Logs one line for each. An alarm watches the fewest days left.
    pub(crate) async fn check(&self, process: &Process, now: Timestamp) -> Result<(), ParameterError> {
        if !self.is_due(now, process.config.timing.certificate_watch) {
            return Ok(());
        }
        let mut least = None;
        for organiser in process.organisers.all(now).await?.into_iter().flatten() {
            let Some(certificate) = organiser.certificate() else { continue };
            let days_left = certificate.days_left(now);
            least = Some(least.map_or(days_left, |least: i64| least.min(days_left)));
            let organisation = &organiser.identity.organisation;
            if organiser.expiring(now).is_some() {
                tracing::warn!(
                    event = "organiser.certificate", organisation = %organisation, days_left,
                    "an organiser's certificate expires soon, or has"
                );
            } else {
                tracing::info!(
                    event = "organiser.certificate", organisation = %organisation, days_left,
                    "how long an organiser's certificate is good"
                );
            }
        }
        if let Some(least) = least {
            process.metrics.certificate_days_left(least);
        }
        self.note(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_checked_once_per_interval() {
        let (watch, hour) = (Watch::default(), Duration::from_hours(1));
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        assert!(watch.is_due(at(0), hour), "a new process looks");
        assert!(watch.is_due(at(60), hour), "and again as long as it has not done it");
        watch.note(at(60));
        assert!(!watch.is_due(at(60), hour));
        assert!(!watch.is_due(at(3_659), hour));
        assert!(watch.is_due(at(3_660), hour));
    }
}
