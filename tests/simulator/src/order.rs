use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::Kind;
use crate::reference::Reference;

/// What one organisation has sent and which outcomes it has read: from these the judge decides whether a stage
/// came too early.
///
/// A job is settled when its outcomes have been read, or those of a later job with the same records: a caller that
/// never saw the answer to its bulk call sends the records once more and reads the second job.
///
/// A job that the caller cannot know, or for which it need not wait, is set aside: it holds back only the records that
/// refer to its own, and only until their outcomes are known from elsewhere.
#[derive(Default)]
pub(crate) struct Order {
    jobs: Vec<Sent>,
    records: HashMap<(Kind, Uuid), Trace>,
}

struct Sent {
    kind: Kind,
    id: Uuid,
    number: u64,
    /// Those whose outcomes have not been read.
    records: Vec<Uuid>,
    standing: Standing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It holds back all other kinds.
    Open,
    /// It holds back what refers to its records, group members included.
    Aside,
    /// Read, but some records were left out of the answer: they hold back what refers to them.
    LeftOver,
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
        self.jobs.push(Sent { kind, id, number, records, standing: Standing::Open });
    }

    /// The caller cannot know the job, or need not wait for it.
    pub(crate) fn set_aside(&mut self, id: Uuid) {
        let open = self.jobs.iter_mut().find(|job| job.id == id && job.standing == Standing::Open);
        if let Some(job) = open {
            job.standing = Standing::Aside;
        }
    }

    /// The job's outcomes have been answered to the caller, but for those left out.
    pub(crate) fn read(&mut self, id: Uuid, left_out: &HashSet<Uuid>) {
        let Some(job) = self.jobs.iter_mut().find(|job| job.id == id) else { return };
        for record in job.records.iter().filter(|record| !left_out.contains(record)) {
            let trace = self.records.entry((job.kind, *record)).or_default();
            trace.read = trace.read.max(Some(job.number));
        }
        job.records.retain(|record| left_out.contains(record));
        job.standing = Standing::LeftOver;
        self.drop_settled();
    }

    /// A bulk call was refused because of that record: an outcome too, if no job is left to be asked for another.
    pub(crate) fn refused(&mut self, kind: Kind, record: Uuid) {
        let to_be_asked =
            |job: &Sent| job.standing != Standing::Aside && job.kind == kind && job.records.contains(&record);
        if self.jobs.iter().any(to_be_asked) {
            return;
        }
        if let Some(trace) = self.records.get_mut(&(kind, record)) {
            trace.read = Some(trace.sent);
            self.drop_settled();
        }
    }

    fn drop_settled(&mut self) {
        let records = &self.records;
        self.jobs.retain(|job| job.records.iter().any(|record| is_unread(records, job, record)));
    }

    /// The jobs of other kinds that are not settled.
    pub(crate) fn open_beside(&self, kind: Kind) -> impl Iterator<Item = (Kind, Uuid)> {
        let open = self.jobs.iter().filter(move |job| job.kind != kind && job.standing == Standing::Open);
        open.map(|job| (job.kind, job.id))
    }

    /// Whether the reference is to a record that was sent and whose outcome has not been read since. One that was
    /// never sent is no matter of order: the record that refers to it is checked on its own.
    pub(crate) fn unread(&self, reference: &Reference) -> bool {
        let trace = self.records.get(&(reference.kind, reference.id));
        trace.is_some_and(|trace| trace.read < Some(trace.sent))
    }

    /// Whether the reference is to an unread record of a job that was set aside.
    pub(crate) fn is_aside(&self, reference: &Reference) -> bool {
        let aside = |job: &&Sent| job.standing == Standing::Aside && job.kind == reference.kind;
        self.jobs
            .iter()
            .filter(aside)
            .any(|job| job.records.contains(&reference.id) && is_unread(&self.records, job, &reference.id))
    }
}

/// Whether a job's record has been read neither from it nor from a later one.
fn is_unread(records: &HashMap<(Kind, Uuid), Trace>, job: &Sent, record: &Uuid) -> bool {
    records.get(&(job.kind, *record)).and_then(|trace| trace.read) < Some(job.number)
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

        order.read(job, &HashSet::new());
        assert!(open(&order, Kind::Duties).is_empty());
        assert!(!order.unread(&person(record)));
    }

    #[test]
    fn a_record_sent_again_is_unread_again() {
        let mut order = Order::default();
        let (first, second, record) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
        order.sent(Kind::Persons, first, 1, vec![record]);
        order.read(first, &HashSet::new());
        order.sent(Kind::Persons, second, 2, vec![record]);
        order.read(first, &HashSet::new());
        assert!(order.unread(&person(record)));
        order.read(second, &HashSet::new());
        assert!(!order.unread(&person(record)));
    }

    #[test]
    fn a_later_job_with_the_same_records_settles_a_lost_one() {
        let mut order = Order::default();
        let (lost, repeat) = (Uuid::new_v4(), Uuid::new_v4());
        let records = [Uuid::new_v4(), Uuid::new_v4()];
        order.sent(Kind::Persons, lost, 1, records.to_vec());
        order.sent(Kind::Persons, repeat, 2, records[..1].to_vec());
        order.read(repeat, &HashSet::new());
        assert_eq!(open(&order, Kind::Duties), [lost], "one of its records is still unread");

        let rest = Uuid::new_v4();
        order.sent(Kind::Persons, rest, 3, records[1..].to_vec());
        order.read(rest, &HashSet::new());
        assert!(open(&order, Kind::Duties).is_empty());
    }

    #[test]
    fn what_was_never_sent_is_not_unread() {
        assert!(!Order::default().unread(&person(Uuid::new_v4())));
    }

    #[test]
    fn a_job_set_aside_holds_back_only_what_refers_to_it() {
        let mut order = Order::default();
        let (hidden, repeat, record) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
        order.sent(Kind::Persons, hidden, 1, vec![record]);
        order.set_aside(hidden);
        assert!(open(&order, Kind::Groups).is_empty());
        assert!(order.is_aside(&person(record)) && order.unread(&person(record)));
        assert!(!order.is_aside(&person(Uuid::new_v4())));

        order.sent(Kind::Persons, repeat, 2, vec![record]);
        assert_eq!(open(&order, Kind::Groups), [repeat]);
        order.read(repeat, &HashSet::new());
        assert!(!order.is_aside(&person(record)) && !order.unread(&person(record)));
        assert!(order.jobs.is_empty());
    }

    #[test]
    fn a_refusal_is_an_outcome_unless_a_job_can_be_asked() {
        let mut order = Order::default();
        let (hidden, job, record, other) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
        order.sent(Kind::Persons, hidden, 1, vec![record, other]);
        order.set_aside(hidden);
        order.refused(Kind::Persons, record);
        assert!(!order.is_aside(&person(record)) && !order.unread(&person(record)));
        assert!(order.is_aside(&person(other)));

        order.sent(Kind::Persons, job, 2, vec![other]);
        order.refused(Kind::Persons, other);
        assert!(order.unread(&person(other)));
        order.refused(Kind::Persons, Uuid::new_v4());
    }

    #[test]
    fn what_an_answer_leaves_out_is_unread_until_it_is_answered() {
        let mut order = Order::default();
        let (job, seen, left) = (Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4());
        order.sent(Kind::Persons, job, 1, vec![seen, left]);
        order.read(job, &HashSet::from([left]));
        assert!(open(&order, Kind::Duties).is_empty());
        assert!(!order.unread(&person(seen)) && order.unread(&person(left)));
        assert!(!order.is_aside(&person(left)), "a group may go without it");
        order.read(job, &HashSet::new());
        assert!(!order.unread(&person(left)));
    }
}
