//! What the same run would cost if it were built in two other ways, reckoned from its own figures.

use serde::Serialize;

use super::figures::{Figures, whole};
use super::price::{Cost, Prices};
use super::skolverket::Calls;

/// Transitions of a standard workflow that does what the chain does; every state entered is one.
mod transitions {
    /// A send: its start, and its end.
    pub(super) const A_SEND: u64 = 2;
    /// A stage: list its batches, the map over them, the choice of what follows.
    pub(super) const A_STAGE: u64 = 3;
    /// A batch: submit, wait, poll, the choice whether it is done.
    pub(super) const A_BATCH: u64 = 4;
    /// A poll that came too early: wait, poll, choice.
    pub(super) const AN_EXTRA_POLL: u64 = 3;
    /// A call that was refused: wait, and the call again.
    pub(super) const A_REFUSED_CALL: u64 = 2;
}

/// Stages of a send.
const STAGES: u64 = 4;

/// The other ways.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Peers {
    pub(crate) item_a_record: ItemARecord,
    pub(crate) step_functions: StepFunctions,
}

/// One item of the history a record, instead of packed bodies and answers; all else alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ItemARecord {
    pub(crate) write_units: f64,
    pub(crate) cost: f64,
}

/// Step Functions Standard instead of the queues; all else alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StepFunctions {
    pub(crate) transitions: u64,
    pub(crate) cost: f64,
}

impl Peers {
    pub(crate) fn of(sends: u64, calls: &Calls, figures: &Figures, cost: &Cost, prices: &Prices) -> Self {
        let packed = figures.body_and_answer_write_units;
        let write_units = figures.write_units - packed + whole(calls.item_a_record_write_units);
        let item_a_record = ItemARecord {
            write_units,
            cost: cost.total - cost.write_units + prices.write_unit.of(write_units),
        };

        let transitions = sends * (transitions::A_SEND + STAGES * transitions::A_STAGE)
            + calls.batches * transitions::A_BATCH
            + calls.extra_polls * transitions::AN_EXTRA_POLL
            + (calls.too_fast + calls.failed) * transitions::A_REFUSED_CALL;
        let step_functions = StepFunctions {
            transitions,
            cost: cost.total - cost.queue_requests + prices.transition.of(whole(transitions)),
        };
        Self { item_a_record, step_functions }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_pay_for_what_they_do_otherwise_only() {
        let calls = Calls {
            batches: 4,
            extra_polls: 1,
            too_fast: 1,
            item_a_record_write_units: 90,
            ..Calls::default()
        };
        let figures = Figures { write_units: 50.0, body_and_answer_write_units: 20.0, ..Figures::default() };
        let cost = Cost { total: 1.0, write_units: 0.2, queue_requests: 0.1, ..Cost::default() };
        let prices = Prices::embedded().unwrap();
        let peers = Peers::of(1, &calls, &figures, &cost, &prices);
        assert_eq!(peers.item_a_record.write_units, 120.0);
        assert!((peers.item_a_record.cost - (0.8 + prices.write_unit.of(120.0))).abs() < 1e-9);
        assert_eq!(peers.step_functions.transitions, 14 + 16 + 3 + 2);
        assert!((peers.step_functions.cost - (0.9 + prices.transition.of(35.0))).abs() < 1e-9);
    }
}
