use std::collections::HashMap;

use uuid::Uuid;

use crate::Kind;
use crate::reference::Reference;

/// What one organisation has sent and which outcomes it has read: the ground on which the judge tells whether a stage
/// came too early.
///
/// A job is settled when its outcomes have been read, or those of a later job with the same records: a caller that
/// never saw the answer to its bulk call sends the records once more and reads the second job.
#[derive(Default)]
pub(crate) struct Order {
    jobs: Vec<Sent>,
    records: HashMap<(Kind, Uuid), Trace>,
}

struct Sent {
    kind: Kind,
    id: Uuid,
    number: u64,
    records: Vec<Uuid>,
}

#[derive(Default)]
struct Trace {
    /// The number of the last job with the record.
    sent: u64,
    /// The number of the last such job whose outcomes were read.
    read: Option<u64>,
}

impl Order {
    /// A bulk call was accepted; `number` grows from job to job.
    pub(crate) fn sent(&mut self, kind: Kind, id: Uuid, number: u64, records: Vec<Uuid>) {
        for record in &records {
            self.records.entry((kind, *record)).or_default().sent = number;
        }
        self.jobs.push(Sent { kind, id, number, records });
    }

    /// The job's outcomes have been answered to the caller.
    pub(crate) fn read(&mut self, id: Uuid) {
        let Some(position) = self.jobs.iter().position(|job| job.id == id) else { return };
        let job = self.jobs.remove(position);
        for record in job.records {
            let trace = self.records.entry((job.kind, record)).or_default();
            trace.read = trace.read.max(Some(job.number));
        }
        let records = &self.records;
        self.jobs.retain(|job| {
            let read = |record: &Uuid| records.get(&(job.kind, *record)).and_then(|trace| trace.read);
            job.records.iter().any(|record| read(record) < Some(job.number))
        });
    }

    /// The jobs of other kinds that are not settled.
    pub(crate) fn open_beside(&self, kind: Kind) -> impl Iterator<Item = (Kind, Uuid)> {
        self.jobs.iter().filter(move |job| job.kind != kind).map(|job| (job.kind, job.id))
    }

    /// Whether the reference is to a record that was sent and whose outcome has not been read since. One that was
    /// never sent is no matter of order: the record that refers to it is checked on its own.
    pub(crate) fn unread(&self, reference: &Reference) -> bool {
        let trace = self.records.get(&(reference.kind, reference.id));
        trace.is_some_and(|trace| trace.read < Some(trace.sent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(order: &Order, kind: Kind) -> Vec<Uuid> {
        order.open_beside(kind).map(|(_, id)| id).collect()
    }

    fn person(id: Uuid) -> Reference {
        Reference { kind: Kind::Persons, id, attribute: "person" }
    }

    #[test]
    fn a_job_is_open_to_other_kinds_until_it_is_read() {
        let mut order = Order::default();
        let (job, record) = (Uuid::new_v4(), Uuid::new_v4());
        order.sent(Kind::Persons, job, 1, vec![record]);
        assert!(open(&order, Kind::Persons).is_empty());
        assert_eq!(open(&order, Kind::Duties), [job]);
        assert!(order.unread(&person(record)));

        order.read(job);
        assert!(open(&order, Kind::Duties).is_empty());
        assert!(!order.unread(&person(record)));
    }

    #[test]
    fn a_record_sent_again_is_unread_again() {
        let mut order = Order::default();
        let (first, second, record) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
        order.sent(Kind::Persons, first, 1, vec![record]);
        order.read(first);
        order.sent(Kind::Persons, second, 2, vec![record]);
        order.read(first);
        assert!(order.unread(&person(record)));
        order.read(second);
        assert!(!order.unread(&person(record)));
    }

    #[test]
    fn a_later_job_with_the_same_records_settles_a_lost_one() {
        let mut order = Order::default();
        let (lost, repeat) = (Uuid::new_v4(), Uuid::new_v4());
        let records = [Uuid::new_v4(), Uuid::new_v4()];
        order.sent(Kind::Persons, lost, 1, records.to_vec());
        order.sent(Kind::Persons, repeat, 2, records[..1].to_vec());
        order.read(repeat);
        assert_eq!(open(&order, Kind::Duties), [lost], "one of its records is still unread");

        let rest = Uuid::new_v4();
        order.sent(Kind::Persons, rest, 3, records[1..].to_vec());
        order.read(rest);
        assert!(open(&order, Kind::Duties).is_empty());
    }

    #[test]
    fn what_was_never_sent_is_not_unread() {
        assert!(!Order::default().unread(&person(Uuid::new_v4())));
    }
}
