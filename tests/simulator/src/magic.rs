//! Records that are known to go wrong, by their ids, as test card numbers are: for those who have only the API. The
//! table is in `infra/local/README.md`.

use std::time::Duration;

use uuid::Uuid;

use crate::{Fault, ScriptedOutcome};

/// The first eight digits of such an id. A product's own ids are random and never begin so.
const FIRST: u128 = 0xfaca_de00;

/// Longer than any caller waits.
const SILENCE: Duration = Duration::from_secs(120);

/// What becomes of a record with this id, whatever it holds; `sent`: how many calls have carried it.
pub(crate) fn outcome(record: Uuid, sent: u32) -> Option<ScriptedOutcome> {
    match (code(record)?, sent) {
        (0x0201, _) => Some(ScriptedOutcome::warning()),
        (0x0400, _) => Some(ScriptedOutcome::error("id")),
        (0x0500, ..=2) => Some(ScriptedOutcome::temporary_error()),
        _ => None,
    }
}

/// What goes wrong with a bulk call that carries a record with this id; `sent`: how many calls have, this one included.
pub(crate) fn fault(record: Uuid, sent: u32) -> Option<Fault> {
    match (code(record)?, sent) {
        (0x0404, 1) => Some(Fault::JobLost),
        (0x0429, 1) => Some(Fault::RateLimited { reset: Some(0.5) }),
        (0x0503, ..=3) => Some(Fault::Unavailable),
        (0x0504, 1) => Some(Fault::Slow(SILENCE)),
        _ => None,
    }
}

/// The second group of a magic id, read as it is written: `0503`.
fn code(record: Uuid) -> Option<u16> {
    let bits = record.as_u128();
    (bits >> 96 == FIRST).then(|| u16::try_from(bits >> 80 & 0xffff).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(code: &str) -> Uuid {
        format!("facade00-{code}-4000-8000-000000000001").parse().unwrap()
    }

    #[test]
    fn a_record_goes_wrong_as_often_as_the_table_says() {
        assert_eq!(outcome(id("0400"), 100), Some(ScriptedOutcome::error("id")));
        assert_eq!(outcome(id("0201"), 100), Some(ScriptedOutcome::warning()));
        let temporary = [1, 2, 3].map(|sent| outcome(id("0500"), sent).is_some());
        assert_eq!(temporary, [true, true, false]);
        let down = [1, 2, 3, 4].map(|sent| fault(id("0503"), sent).is_some());
        assert_eq!(down, [true, true, true, false]);
        for once in ["0404", "0429", "0504"] {
            assert_eq!([1, 2].map(|sent| fault(id(once), sent).is_some()), [true, false], "{once}");
        }
    }

    #[test]
    fn other_ids_are_nothing_special() {
        for other in ["facade01-0400-4000-8000-000000000001", "facade00-0401-4000-8000-000000000001"] {
            let other = other.parse().unwrap();
            assert!(outcome(other, 1).is_none() && fault(other, 1).is_none());
        }
    }
}
