//! A body read record by record: its form, its ids and its references.

use serde_json::{Map, Value};

use crate::kind::attribute::Attribute;
use crate::kind::finding_code::FindingCode;
use crate::kind::record_kind::RecordKind;
use crate::rules::finding::{Finding, FindingKind, Findings};
use crate::state::options::{Options, Validation};
use crate::submission::form::FormCheck;
use crate::submission::json::{self, Taker, Unreadable};
use crate::submission::reference_check;

/// Why a body is not a submission. Neither form holds a value of the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// Not a JSON object at all (HTTP 400).
    NotReadable(Unreadable),
    /// Readable and wrong (HTTP 422): everything that keeps it from being accepted.
    Faults(Findings),
}

/// The content of a body, as far as it could be read, and its findings.
#[derive(Debug)]
pub struct Read<T> {
    /// What can be used of it: records that cannot be read are not in it.
    pub content: T,
    /// All that is wrong with it, or worth a warning.
    pub findings: Findings,
}

impl<T> Read<T> {
    /// The whole content with its findings; or those that keep it from being accepted.
    ///
    /// # Errors
    /// [`Rejection::Faults`]
    pub fn accepted(self, validation: Validation) -> Result<(T, Findings), Rejection> {
        if self.findings.refuse(validation) {
            return Err(Rejection::Faults(self.findings.refusing(validation)));
        }
        Ok((self.content, self.findings))
    }
}

/// A record as it was found in a body.
pub(super) struct FoundRecord {
    pub(super) kind: RecordKind,
    /// Its place in its list.
    pub(super) index: usize,
    /// Whether its form is right.
    pub(super) sound: bool,
    pub(super) record: Value,
}

/// Reads a body that may have these attributes, record by record; gives those that are no lists of records. `linked`:
/// references are held against the records.
pub(super) fn read(
    body: &[u8],
    attributes: &'static [Attribute],
    linked: bool,
    external: impl FnOnce(&Map<String, Value>) -> bool,
    take: &mut dyn FnMut(FoundRecord, &mut Findings),
) -> Result<(Map<String, Value>, Findings), Rejection> {
    let mut reader = Reader { form: FormCheck::new(linked), take };
    let frame = json::read(body, &mut reader).map_err(Rejection::NotReadable)?;
    let mut form = reader.form;
    form.frame(&frame, attributes);
    form.report_not_taken();
    reference_check::check(&mut form, frame.lengths, external(&frame.attributes));
    Ok((frame.attributes, form.findings))
}

/// Holds each record against its form before it is taken.
struct Reader<'a> {
    form: FormCheck,
    take: &'a mut dyn FnMut(FoundRecord, &mut Findings),
}

impl Taker for Reader<'_> {
    fn record(&mut self, kind: RecordKind, index: usize, record: Value) {
        let sound = self.form.record(kind, index, &record);
        (self.take)(FoundRecord { kind, index, sound, record }, &mut self.form.findings);
    }

    fn duplicate_attribute(&mut self, pointer: String) {
        let kind = FindingKind::form(FindingCode::DuplicateAttribute, None);
        self.form.findings.add(kind, None, || Finding::new(kind, pointer));
    }
}

/// Reads a body without records that has to be right.
pub(super) fn frame(body: &[u8], attributes: &'static [Attribute]) -> Result<Map<String, Value>, Rejection> {
    let (content, findings) = read(body, attributes, true, |_| true, &mut |_, _| {})?;
    Ok(Read { content, findings }.accepted(Validation::Strict)?.0)
}

/// The options of a body, whose form was looked at.
pub(super) fn options(attributes: &mut Map<String, Value>) -> Options {
    attributes.remove("options").and_then(|options| serde_json::from_value(options).ok()).unwrap_or_default()
}

/// A number whose form was looked at.
pub(super) fn number(attributes: &Map<String, Value>, name: &str) -> u32 {
    let number = attributes.get(name).and_then(Value::as_u64);
    number.and_then(|number| u32::try_from(number).ok()).unwrap_or_default()
}
