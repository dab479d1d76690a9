//! The one walker that holds a body against its form, which is data (`kind/attribute.rs`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::kind::attribute::{self, Attribute, Code, LONGEST_NAME, Shape, may_be_quoted};
use crate::kind::characters;
use crate::kind::finding_code::{FindingCode, Mender, Severity};
use crate::kind::id::RecordId;
use crate::kind::record_kind::RecordKind;
use crate::kind::skolverket_id::{SchoolUnitCode, TestCode};
use crate::rules::finding::{Detail, Finding, FindingKind, Findings};
use crate::submission::json::Frame;

/// A record's own id, or one that a reference names, as it stands in the body.
pub(crate) struct Named {
    pub(crate) kind: RecordKind,
    pub(crate) pointer: String,
    pub(crate) text: String,
    /// The record that it stands in, where that one's id can be read.
    pub(crate) within: Option<RecordId>,
}

/// A body held against its form: what was found, and the ids and references that it has.
#[derive(Default)]
pub(crate) struct FormCheck {
    pub(crate) findings: Findings,
    pub(crate) ids: Vec<Named>,
    pub(crate) references: Vec<Named>,
    path: Vec<Step>,
    /// The record that is being looked at.
    record_id: Option<RecordId>,
    /// Whether references are gathered.
    linked: bool,
    /// By attribute, written without places: what was met that is left out.
    not_taken: BTreeMap<String, NotTaken>,
}

/// An attribute that is left out.
struct NotTaken {
    count: u32,
    /// Where it was met first, and in which record.
    pointer: String,
    within: Option<RecordId>,
}

#[derive(Clone, Copy)]
enum Step {
    Name(&'static str),
    Index(usize),
}

/// The form of UUID that is taken (domain rule 1): lower case, with hyphens.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

fn record_id(text: &str) -> Option<RecordId> {
    text.parse().ok().filter(|_| is_uuid(text))
}

impl FormCheck {
    /// `linked`: the references are gathered, too.
    pub(crate) fn new(linked: bool) -> Self {
        Self { linked, ..Self::default() }
    }

    /// Checks the form of a record. Returns whether it is sound.
    pub(crate) fn record(&mut self, kind: RecordKind, index: usize, record: &Value) -> bool {
        let before = self.findings.total(Severity::Error);
        self.record_id = record.get("id").and_then(Value::as_str).and_then(record_id);
        self.within(Step::Name(kind.list()), |check| {
            check.within(Step::Index(index), |check| check.visit(record, attribute::record(kind), None));
        });
        self.record_id = None;
        self.findings.total(Severity::Error) == before
    }

    /// Holds what a body is beside its records against its form.
    pub(crate) fn frame(&mut self, frame: &Frame, attributes: &'static [Attribute]) {
        let length = |name| RecordKind::of_list(name).and_then(|kind| frame.lengths[kind]);
        for attribute in attributes {
            match (&attribute.shape, length(attribute.name)) {
                (Shape::List { min, max, .. }, Some(length)) => {
                    if length < *min || max.is_some_and(|max| length > max) {
                        self.within(Step::Name(attribute.name), |check| {
                            check.count(*min, *max, attribute.rule);
                        });
                    }
                }
                _ => self.attribute(&frame.attributes, attribute),
            }
        }
        self.unknown(&frame.attributes, |name| attributes.iter().any(|attribute| attribute.name == name));
    }

    fn visit(&mut self, value: &Value, shape: &'static Shape, rule: Option<u8>) {
        match (shape, value) {
            (Shape::Text, Value::String(_)) | (Shape::Flag, Value::Bool(_)) => {}
            (Shape::Name, Value::String(name)) => self.name(name, rule),
            (Shape::Eppns, Value::Null) => self.no_eppn(),
            (Shape::Eppns, Value::Array(list)) => self.eppns(list, rule),
            (Shape::Integer { min, max }, Value::Number(number)) if number.is_i64() || number.is_u64() => {
                if !number.as_i64().is_some_and(|number| (*min..=*max).contains(&number)) {
                    self.fault(FindingCode::NotAllowed, rule, Detail::OutsideBounds { min: *min, max: *max });
                }
            }
            (Shape::OneOf(words), Value::String(word)) => {
                if !words.contains(&word.as_str()) {
                    self.fault(FindingCode::NotAllowed, rule, Detail::OutsideVocabulary(words));
                }
            }
            (Shape::OwnId(kind), Value::String(text)) => {
                self.uuid(text, Some(1));
                let (pointer, within) = (pointer(&self.path), self.record_id);
                self.ids.push(Named { kind: *kind, pointer, text: text.clone(), within });
            }
            (Shape::To(relation), Value::Object(reference)) => {
                let id = self.id_of(reference, None, shape.not_taken(), Some(2));
                if let Some(text) = id.filter(|_| self.linked) {
                    let pointer = format!("{}/id", pointer(&self.path));
                    let within = self.record_id;
                    self.references.push(Named { kind: relation.to, pointer, text: text.to_owned(), within });
                }
            }
            (Shape::SkolverketId(code), Value::Object(reference)) => {
                self.id_of(reference, Some(*code), shape.not_taken(), Some(3));
            }
            (Shape::Object(attributes), Value::Object(object)) => self.object(object, attributes),
            (Shape::List { of, min, max }, Value::Array(list)) => {
                if list.len() < *min || max.is_some_and(|max| list.len() > max) {
                    self.count(*min, *max, rule);
                }
                for (index, entry) in list.iter().enumerate() {
                    self.within(Step::Index(index), |check| check.visit(entry, of, rule));
                }
            }
            (Shape::NotTaken, _) => self.leave_out(),
            _ => {
                let detail = Detail::Type { expected: shape.json_type(), is_null: value.is_null() };
                self.fault(FindingCode::WrongType, rule, detail);
            }
        }
    }

    fn object(&mut self, object: &Map<String, Value>, attributes: &'static [Attribute]) {
        for attribute in attributes {
            self.attribute(object, attribute);
        }
        self.unknown(object, |name| attributes.iter().any(|attribute| attribute.name == name));
    }

    fn attribute(&mut self, object: &Map<String, Value>, attribute: &'static Attribute) {
        self.within(Step::Name(attribute.name), |check| match object.get(attribute.name) {
            Some(value) => check.visit(value, &attribute.shape, attribute.rule),
            None if matches!(attribute.shape, Shape::Eppns) => check.no_eppn(),
            None if attribute.required => {
                check.fault(FindingCode::MissingAttribute, attribute.rule, Detail::Required(attribute.name));
            }
            None => {}
        });
    }

    /// The text of `id` in a reference, if there is one. A reference to something of Skolverket's may have the
    /// code instead.
    fn id_of<'v>(
        &mut self,
        reference: &'v Map<String, Value>,
        accepted_code: Option<Code>,
        beside: &'static [Attribute],
        rule: Option<u8>,
    ) -> Option<&'v str> {
        let code_name = accepted_code.map(Code::name);
        for attribute in beside {
            self.attribute(reference, attribute);
        }
        self.unknown(reference, |name| {
            name == "id" || Some(name) == code_name || beside.iter().any(|attribute| attribute.name == name)
        });
        let id = reference.get("id");
        let code = accepted_code.and_then(|code| reference.get(code.name()).map(|value| (code, value)));
        let mut text = None;
        if let Some(value) = id {
            self.within(Step::Name("id"), |check| match value {
                Value::String(id) => {
                    check.uuid(id, rule);
                    text = Some(id.as_str());
                }
                _ => check.visit(value, &Shape::Text, rule),
            });
        }
        if let Some((code, value)) = code {
            self.within(Step::Name(code.name()), |check| check.code(code, value, rule));
        }
        match (id, code, accepted_code) {
            (None, None, None) => self.within(Step::Name("id"), |check| {
                check.fault(FindingCode::MissingAttribute, rule, Detail::Required("id"));
            }),
            (None, None, Some(code)) => {
                self.fault(FindingCode::MissingAttribute, rule, Detail::NeitherIdNorCode(code));
            }
            (Some(_), Some((code, _)), _) => {
                self.fault(FindingCode::NotAllowed, rule, Detail::BothIdAndCode(code));
            }
            _ => {}
        }
        text
    }

    /// A name, cut: an answer could not hold one as long as a body.
    fn name(&mut self, name: &str, rule: Option<u8>) {
        if characters::length(name) > LONGEST_NAME {
            self.fault(FindingCode::NameTooLong, rule, Detail::TooLongName { most: LONGEST_NAME });
        }
    }

    fn eppns(&mut self, list: &[Value], rule: Option<u8>) {
        let nothing = |entry: &Value| entry.is_null() || entry.as_str().is_some_and(characters::is_blank);
        if list.iter().all(nothing) {
            return self.no_eppn();
        }
        if list.len() > 1 {
            self.count(1, Some(1), rule);
        }
        for (index, entry) in list.iter().enumerate() {
            self.within(Step::Index(index), |check| check.visit(entry, &Shape::Text, rule));
        }
    }

    /// Reports a missing EPPN. It has a code of its own because not the sender but the identity provider must act.
    fn no_eppn(&mut self) {
        let (path, kind) = (&self.path, FindingKind::of(FindingCode::EppnMissing));
        self.findings.add(kind, self.record_id, || Finding::new(kind, pointer(path)));
    }

    /// Counts what is at the current place as left out.
    fn leave_out(&mut self) {
        let attribute = attribute_of(&self.path);
        match self.not_taken.get_mut(&attribute) {
            Some(met) => met.count = met.count.saturating_add(1),
            None => {
                let met = NotTaken { count: 1, pointer: pointer(&self.path), within: self.record_id };
                self.not_taken.insert(attribute, met);
            }
        }
    }

    /// Reports each attribute that is left out, once, with its count. Call it when everything was visited.
    pub(crate) fn report_not_taken(&mut self) {
        let kind = FindingKind::of(FindingCode::AttributeNotTaken);
        for (attribute, NotTaken { count, pointer, within }) in std::mem::take(&mut self.not_taken) {
            let finding = Finding::new(kind, pointer).with(Detail::NotTaken(attribute));
            self.findings.add_once(count, within, finding);
        }
    }

    fn uuid(&mut self, text: &str, rule: Option<u8>) {
        if !is_uuid(text) {
            self.fault(FindingCode::WrongFormat, rule, Detail::NotUuid);
        }
    }

    fn code(&mut self, code: Code, value: &Value, rule: Option<u8>) {
        let Value::String(text) = value else { return self.visit(value, &Shape::Text, rule) };
        let accepted = match code {
            Code::SchoolUnit => SchoolUnitCode::accepts(text),
            Code::Test => TestCode::accepts(text),
        };
        if !accepted {
            self.fault(FindingCode::WrongFormat, rule, Detail::NotCode(code));
        }
    }

    fn count(&mut self, min: usize, max: Option<usize>, rule: Option<u8>) {
        self.fault(FindingCode::WrongCount, rule, Detail::Entries { min, max });
    }

    fn unknown(&mut self, object: &Map<String, Value>, known: impl Fn(&str) -> bool) {
        let mut unnamed = 0_usize;
        for name in object.keys().filter(|name| !known(name)) {
            if may_be_quoted(name) {
                let (path, record_id) = (&self.path, self.record_id);
                let kind = FindingKind::form(FindingCode::UnknownAttribute, None);
                self.findings.add(kind, record_id, || {
                    let pointer = format!("{}/{name}", pointer(path));
                    Finding::new(kind, pointer).with(Detail::Unknown(name.clone()))
                });
            } else {
                unnamed += 1;
            }
        }
        // One fault for all of them: they share the parent's pointer, and would be the same text again.
        if unnamed > 0 {
            self.fault(FindingCode::UnknownAttribute, None, Detail::UnknownUnnamed(unnamed));
        }
    }

    fn within(&mut self, step: Step, visit: impl FnOnce(&mut Self)) {
        self.path.push(step);
        visit(self);
        self.path.pop();
    }

    fn fault(&mut self, code: FindingCode, rule: Option<u8>, detail: Detail) {
        let (path, record_id, kind) = (&self.path, self.record_id, FindingKind::form(code, rule));
        self.findings.add(kind, record_id, || {
            let found = Finding::new(kind, pointer(path)).with(detail);
            let mender = mender(kind, path).unwrap_or(found.mender);
            found.fixed_by(mender)
        });
    }
}

/// Where a value of the right form is missing or wrong: in the register that it comes from. What has the wrong form
/// was written so by the sender.
fn mender(kind: FindingKind, path: &[Step]) -> Option<Mender> {
    let of_content = matches!(
        kind.code,
        FindingCode::MissingAttribute
            | FindingCode::NotAllowed
            | FindingCode::WrongCount
            | FindingCode::NameTooLong
    );
    let at = |name: &str| path.iter().any(|step| matches!(step, Step::Name(at) if *at == name));
    match kind.rule {
        _ if !of_content || at("id") => None,
        Some(4) if at("eduPersonPrincipalNames") => Some(Mender::IdentityProvider),
        Some(4 | 7..=14) => Some(Mender::StudentRegister),
        _ => None,
    }
}

/// No name needs escaping: all are the table's.
fn pointer(path: &[Step]) -> String {
    path.iter()
        .map(|step| match step {
            Step::Name(name) => format!("/{name}"),
            Step::Index(index) => format!("/{index}"),
        })
        .collect()
}

/// The attribute at a place, without places in lists: `persons[].enrolments[].startDate`.
fn attribute_of(path: &[Step]) -> String {
    let mut attribute = String::new();
    for step in path {
        match step {
            Step::Index(_) => attribute.push_str("[]"),
            Step::Name(name) if attribute.is_empty() => attribute.push_str(name),
            Step::Name(name) => {
                attribute.push('.');
                attribute.push_str(name);
            }
        }
    }
    attribute
}
