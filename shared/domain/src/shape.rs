//! The form of a body as data, and the one walker that holds a body against it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::characters;
use crate::finding::{Finding, FindingCode, Findings, Kind, Mender, Severity};
use crate::id::RecordId;
use crate::json::Frame;
use crate::known_words::may_be_quoted;
use crate::skolverket_id::{SchoolUnitCode, TestCode};
use crate::stage::StageName;
use crate::submission::list_of;
use crate::table::{self, Attribute, Code, LONGEST_NAME, Shape};

/// A record's own id, or one that a reference names, as it stands in the body.
pub(crate) struct Named {
    pub(crate) stage: StageName,
    pub(crate) pointer: String,
    pub(crate) text: String,
    /// The record that it stands in, where that one's id can be read.
    pub(crate) within: Option<RecordId>,
}

/// What a walk has found.
#[derive(Default)]
pub(crate) struct Walk {
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

impl Walk {
    /// `linked`: the references are gathered, too.
    pub(crate) fn new(linked: bool) -> Self {
        Self { linked, ..Self::default() }
    }

    /// Holds a record against its form. Says whether it is sound.
    pub(crate) fn record(&mut self, stage: StageName, index: usize, record: &Value) -> bool {
        let before = self.findings.total(Severity::Error);
        self.record_id = record.get("id").and_then(Value::as_str).and_then(record_id);
        self.within(Step::Name(list_of(stage)), |walk| {
            walk.within(Step::Index(index), |walk| walk.visit(record, table::record(stage), None));
        });
        self.record_id = None;
        self.findings.total(Severity::Error) == before
    }

    /// Holds what a body is beside its records against its form.
    pub(crate) fn frame(&mut self, frame: &Frame, attributes: &'static [Attribute]) {
        let length = |name| {
            let stage = StageName::ORDER.into_iter().find(|stage| list_of(*stage) == name);
            stage.and_then(|stage| frame.lengths.get(stage.index()).copied().flatten())
        };
        for attribute in attributes {
            match (&attribute.shape, length(attribute.name)) {
                (Shape::List { min, max, .. }, Some(length)) => {
                    if length < *min || max.is_some_and(|max| length > max) {
                        self.within(Step::Name(attribute.name), |walk| {
                            walk.count(*min, *max, attribute.rule);
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
                    self.fault(FindingCode::NotAllowed, rule, || {
                        (
                            format!("Must be a whole number from {min} to {max}."),
                            format!("Ska vara ett heltal från {min} till {max}."),
                        )
                    });
                }
            }
            (Shape::OneOf(words), Value::String(word)) => {
                if !words.contains(&word.as_str()) {
                    let words = words.join(", ");
                    self.fault(FindingCode::NotAllowed, rule, || {
                        (
                            format!("Not an allowed value. Use one of: {words}."),
                            format!("Otillåtet värde. Använd ett av: {words}."),
                        )
                    });
                }
            }
            (Shape::OwnId(stage), Value::String(text)) => {
                self.uuid(text, Some(1));
                let (pointer, within) = (pointer(&self.path), self.record_id);
                self.ids.push(Named { stage: *stage, pointer, text: text.clone(), within });
            }
            (Shape::To(stage), Value::Object(reference)) => {
                let id = self.id_of(reference, None, shape.not_taken(), Some(2));
                if let Some(text) = id.filter(|_| self.linked) {
                    let pointer = format!("{}/id", pointer(&self.path));
                    let within = self.record_id;
                    self.references.push(Named { stage: *stage, pointer, text: text.to_owned(), within });
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
                    self.within(Step::Index(index), |walk| walk.visit(entry, of, rule));
                }
            }
            (Shape::NotTaken, _) => self.leave_out(),
            _ => {
                let (en, sv) = shape.kind();
                let (hint_en, hint_sv) = match value {
                    Value::Null => (
                        ", not null; leave out what has no value",
                        ", inte null; utelämna det som saknar värde",
                    ),
                    _ => ("", ""),
                };
                self.fault(FindingCode::WrongType, rule, || {
                    (format!("Must be {en}{hint_en}."), format!("Ska vara {sv}{hint_sv}."))
                });
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
        self.within(Step::Name(attribute.name), |walk| match object.get(attribute.name) {
            Some(value) => walk.visit(value, &attribute.shape, attribute.rule),
            None if matches!(attribute.shape, Shape::Eppns) => walk.no_eppn(),
            None if attribute.required => walk.fault(FindingCode::MissingAttribute, attribute.rule, || {
                (
                    format!("The attribute {} is required; give it.", attribute.name),
                    format!("Attributet {} är obligatoriskt; ange det.", attribute.name),
                )
            }),
            None => {}
        });
    }

    /// The text of `id` in a reference, if there is one. A reference to something of Skolverket's may have the
    /// code instead.
    fn id_of<'v>(
        &mut self,
        reference: &'v Map<String, Value>,
        code: Option<Code>,
        beside: &'static [Attribute],
        rule: Option<u8>,
    ) -> Option<&'v str> {
        let code_name = code.map(Code::name);
        for attribute in beside {
            self.attribute(reference, attribute);
        }
        self.unknown(reference, |name| {
            name == "id" || Some(name) == code_name || beside.iter().any(|attribute| attribute.name == name)
        });
        let id = reference.get("id");
        let code = code.and_then(|code| reference.get(code.name()).map(|value| (code, value)));
        let mut text = None;
        if let Some(value) = id {
            self.within(Step::Name("id"), |walk| match value {
                Value::String(id) => {
                    walk.uuid(id, rule);
                    text = Some(id.as_str());
                }
                _ => walk.visit(value, &Shape::Text, rule),
            });
        }
        if let Some((code, value)) = code {
            self.within(Step::Name(code.name()), |walk| walk.code(code, value, rule));
        }
        match (id, code, code_name) {
            (None, None, None) => self.within(Step::Name("id"), |walk| {
                walk.fault(FindingCode::MissingAttribute, rule, || {
                    ("The attribute id is required; give it.", "Attributet id är obligatoriskt; ange det.")
                });
            }),
            (None, None, Some(name)) => self.fault(FindingCode::MissingAttribute, rule, || {
                (format!("Give either id or {name}."), format!("Ange antingen id eller {name}."))
            }),
            (Some(_), Some((code, _)), _) => {
                let name = code.name();
                self.fault(FindingCode::NotAllowed, rule, || {
                    (
                        format!("Give either id or {name}, not both."),
                        format!("Ange antingen id eller {name}, inte båda."),
                    )
                });
            }
            _ => {}
        }
        text
    }

    /// A name, which no answer of ours could hold were it as long as a body.
    fn name(&mut self, name: &str, rule: Option<u8>) {
        if characters::length(name) > LONGEST_NAME {
            self.fault(FindingCode::NameTooLong, rule, || {
                (
                    format!("Must be at most {LONGEST_NAME} characters; shorten it."),
                    format!("Ska vara högst {LONGEST_NAME} tecken; korta det."),
                )
            });
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
            self.within(Step::Index(index), |walk| walk.visit(entry, &Shape::Text, rule));
        }
    }

    /// Who is to act is not the sender, and has to be told in words of its own.
    fn no_eppn(&mut self) {
        let (path, kind) = (&self.path, Kind::of(FindingCode::EppnMissing));
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

    /// Says of each attribute that is left out, once, how often it was there. To be called when all was visited.
    pub(crate) fn tell_not_taken(&mut self) {
        let kind = Kind::of(FindingCode::AttributeNotTaken);
        for (attribute, NotTaken { count, pointer, within }) in std::mem::take(&mut self.not_taken) {
            let told = Finding::new(kind, pointer).told(
                format!(
                    "Skolverket does not take the attribute {attribute} from senders. It is left out of what is sent; \
                     places: {count}."
                ),
                format!(
                    "Skolverket tar inte emot attributet {attribute}. Det utelämnas ur det som skickas; antal ställen: \
                     {count}."
                ),
            );
            self.findings.add_once(count, within, told);
        }
    }

    fn uuid(&mut self, text: &str, rule: Option<u8>) {
        if !is_uuid(text) {
            self.fault(FindingCode::WrongFormat, rule, || {
                (
                    "Must be a UUID in lower case: 8-4-4-4-12 hexadecimal digits.",
                    "Ska vara ett UUID med gemener: 8-4-4-4-12 hexadecimala siffror.",
                )
            });
        }
    }

    fn code(&mut self, code: Code, value: &Value, rule: Option<u8>) {
        let Value::String(text) = value else { return self.visit(value, &Shape::Text, rule) };
        let (accepted, en, sv) = match code {
            Code::SchoolUnit => (SchoolUnitCode::accepts(text), "Must be 8 digits.", "Ska vara 8 siffror."),
            Code::Test => (
                TestCode::accepts(text),
                "Must be 1 to 40 characters of A-Z, a-z, 0-9 and _.",
                "Ska vara 1 till 40 tecken av A-Z, a-z, 0-9 och _.",
            ),
        };
        if !accepted {
            self.fault(FindingCode::WrongFormat, rule, || (en, sv));
        }
    }

    fn count(&mut self, min: usize, max: Option<usize>, rule: Option<u8>) {
        let (en, sv) = match max {
            Some(max) if max == min => {
                (format!("Must have exactly {min} entry."), format!("Ska ha exakt {min} post."))
            }
            Some(max) => (
                format!("Must have {min} to {max} entries; remove the others."),
                format!("Ska ha {min} till {max} poster; ta bort övriga."),
            ),
            None => (
                format!("Must have at least {min} entry; add one."),
                format!("Ska ha minst {min} post; lägg till en."),
            ),
        };
        self.fault(FindingCode::WrongCount, rule, || (en, sv));
    }

    fn unknown(&mut self, object: &Map<String, Value>, known: impl Fn(&str) -> bool) {
        let mut unnamed = 0_usize;
        for name in object.keys().filter(|name| !known(name)) {
            if may_be_quoted(name) {
                let (path, record_id) = (&self.path, self.record_id);
                let kind = Kind::form(FindingCode::UnknownAttribute, None);
                self.findings.add(kind, record_id, || {
                    Finding::new(kind, format!("{}/{name}", pointer(path))).told(
                        format!(
                            "The attribute {name} is not known here; check its spelling or leave it out."
                        ),
                        format!("Attributet {name} är okänt här; kontrollera stavningen eller utelämna det."),
                    )
                });
            } else {
                unnamed += 1;
            }
        }
        // One fault for all of them: they share the parent's pointer, and would be the same text again.
        if unnamed > 0 {
            self.fault(FindingCode::UnknownAttribute, None, || {
                (
                    format!(
                        "Unknown attributes here: {unnamed}. Their names are not repeated, as they could be \
                     personal data; leave them out."
                    ),
                    format!(
                        "Okända attribut här: {unnamed}. Namnen återges inte eftersom de kan vara \
                     personuppgifter; utelämna dem."
                    ),
                )
            });
        }
    }

    fn within(&mut self, step: Step, visit: impl FnOnce(&mut Self)) {
        self.path.push(step);
        visit(self);
        self.path.pop();
    }

    /// The words are made only for faults that are listed: a hostile body has millions.
    fn fault<T: Into<Cow<'static, str>>>(
        &mut self,
        code: FindingCode,
        rule: Option<u8>,
        words: impl FnOnce() -> (T, T),
    ) {
        let (path, record_id, kind) = (&self.path, self.record_id, Kind::form(code, rule));
        self.findings.add(kind, record_id, || {
            let (en, sv) = words();
            let found = Finding::new(kind, pointer(path)).told(en, sv);
            let mender = mender(kind, path).unwrap_or(found.mender);
            found.mended(mender)
        });
    }
}

/// Where a value of the right form is missing or wrong: in the register that it comes from. What has the wrong form
/// was written so by the sender.
fn mender(kind: Kind, path: &[Step]) -> Option<Mender> {
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
