//! A part of a send that comes in parts.

use std::fmt;

use crate::kind::attribute;
use crate::kind::per_kind::PerKind;
use crate::kind::record::{Duty, Record};
use crate::kind::record_kind::RecordKind;
use crate::rules::conditions::Conditions;
use crate::state::facts::Facts;
use crate::submission::batch::{BatchRecord, Cutter, MAX_BODY_BYTES, PlannedBatch};
use crate::submission::entry::{self, Entry};
use crate::submission::reader::{self, Read, Rejection};

/// A part of a send that comes in parts: packed into calls as it is read, so that its records are never all there
/// beside it.
pub struct PackedPart {
    /// Its number, from 1.
    pub part: u32,
    /// Its calls. Facts are those that the record alone determines.
    pub batches: PerKind<Vec<PlannedBatch>>,
}

impl PackedPart {
    /// Reads a part: `{part, activities?, groups?, duties?, persons?}`. What its records refer to may be in other
    /// parts: rules over several records are looked at when all parts are there.
    ///
    /// # Errors
    /// [`Rejection::NotReadable`] if it is not a JSON object.
    pub fn read(body: &[u8], conditions: Conditions) -> Result<Read<Self>, Rejection> {
        let mut cutters: PerKind<Cutter> = PerKind::default();
        let (attributes, findings) =
            reader::read(body, attribute::PART, false, |_| true, &mut |found, findings| {
                let cutter = &mut cutters[found.kind];
                match found.kind {
                    RecordKind::Person => {
                        pack(cutter, entry::person(found, conditions, findings), Facts::of_person);
                    }
                    RecordKind::Duty => {
                        pack::<Duty>(cutter, entry::entry(found, findings), |_| Facts::default());
                    }
                    RecordKind::Group => pack(cutter, entry::group(found, findings), |_| Facts::default()),
                    RecordKind::Activity => {
                        pack(cutter, entry::activity(found, findings), Facts::of_activity);
                    }
                }
            })?;
        let mut batches = cutters.map(Cutter::finish);
        batches.values_mut().flatten().for_each(|batch| batch.add_findings(findings.records()));
        let content = Self { part: reader::number(&attributes, "part"), batches };
        Ok(Read { content, findings })
    }
}

impl fmt::Debug for PackedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PackedPart({})", self.part)
    }
}

fn pack<T: Record>(cutter: &mut Cutter, entry: Option<Entry<T>>, facts: impl FnOnce(&T) -> Facts) {
    if let Some(Entry { record, wire, .. }) = entry {
        cutter.add(MAX_BODY_BYTES, BatchRecord { wire: &wire, id: record.id(), facts: facts(&record) });
    }
}
