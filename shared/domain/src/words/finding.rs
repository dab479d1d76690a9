//! Findings as people read them: each alone, grouped by kind, and as they stand with an accepted record.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Serialize, Serializer};

use crate::kind::attribute::{Code, JsonType};
use crate::kind::finding_code::{FindingCode, Mender, Severity};
use crate::kind::id::RecordId;
use crate::kind::record_kind::RecordKind;
use crate::rules::finding::{Detail, Finding, FindingKind, Findings, KindCount};
use crate::words::text::Text;

/// English and Swedish.
type Words = (Cow<'static, str>, Cow<'static, str>);

/// Findings of one rule and code.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(example = FindingGroup::all(&[KindCount::example()]).pop())]
pub struct FindingGroup {
    /// Which, and how many.
    #[serde(flatten)]
    pub count: KindCount,
    /// Whether they refuse a send whatever `options.validation` says.
    pub binding: bool,
    /// Where they are fixed, in general.
    pub mender: Mender,
    /// English: what is wrong, and why it matters.
    pub en: &'static str,
    /// Swedish: the same.
    pub sv: &'static str,
    /// The first 100 of them, or fewer if 100 would be too large; left out if only numbers are known.
    #[schemars(length(max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<Finding>>,
}

/// A finding of a record that was accepted all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(example = FindingCode::SchoolYearMissing.of_record())]
pub struct RecordFinding {
    /// What is wrong, or worth a look.
    pub code: FindingCode,
    /// How much it weighs.
    pub severity: Severity,
    /// Where it is fixed.
    pub mender: Mender,
    /// English: what it means, and what to do.
    pub en: &'static str,
    /// Swedish: the same.
    pub sv: &'static str,
}

impl Findings {
    /// By rule and code, with what is listed of each.
    pub fn groups(&self) -> Vec<FindingGroup> {
        let mut groups = FindingGroup::all(self.counts());
        for group in &mut groups {
            let own = self.listed().filter(|finding| finding.kind == group.count.kind);
            group.findings = Some(own.cloned().collect());
        }
        groups
    }
}

impl FindingGroup {
    /// Of each kind its words and its number: by rule, those of no rule first, errors before warnings.
    pub fn all(counts: &[KindCount]) -> Vec<Self> {
        let mut counts = counts.to_vec();
        counts.sort_by_key(|count| (count.kind.rule, count.kind.severity == Severity::Warning));
        let group = |count: KindCount| {
            let code = count.kind.code;
            let (en, sv) = code.text();
            Self { count, binding: code.is_binding(), mender: code.mender(), en, sv, findings: None }
        };
        counts.into_iter().map(group).collect()
    }
}

impl FindingCode {
    /// The finding as it stands with an accepted record.
    pub fn of_record(self) -> RecordFinding {
        let (en, sv) = self.text();
        let severity = FindingKind::accepted(self).severity;
        RecordFinding { code: self, severity, mender: self.mender(), en, sv }
    }
}

impl Finding {
    /// What is wrong, why it matters, and what to do.
    pub fn text(&self) -> Text {
        let (en, sv) = self.words();
        Text { sv: sv.into_owned(), en: en.into_owned() }
    }

    fn words(&self) -> Words {
        match &self.detail {
            Some(detail) => of_detail(detail, self.count),
            None => {
                let (en, sv) = self.kind.code.text();
                (en.into(), sv.into())
            }
        }
    }
}

/// One thing that is wrong. No text holds a value of the body.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ShownFinding<'a> {
    /// JSON Pointer into the body; of an absent attribute: where it should be.
    pointer: &'a str,
    #[serde(flatten)]
    kind: FindingKind,
    /// Where it is fixed.
    mender: Mender,
    /// The record that it is about, where its id is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    record_id: Option<RecordId>,
    /// Of an attribute that is left out, which is reported once: in how many places it is. The pointer is the first one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u32>,
    /// English: what is wrong, and what to do.
    en: Cow<'static, str>,
    /// Swedish: the same.
    sv: Cow<'static, str>,
}

impl Serialize for Finding {
    /// As the API shows it: with its words.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { pointer, kind, mender, record_id, count, detail: _ } = self;
        let (en, sv) = self.words();
        let (kind, mender, record_id, count) = (*kind, *mender, *record_id, *count);
        ShownFinding { pointer, kind, mender, record_id, count, en, sv }.serialize(serializer)
    }
}

impl JsonSchema for Finding {
    fn schema_name() -> Cow<'static, str> {
        "Finding".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ShownFinding::json_schema(generator)
    }
}

fn words(en: impl Into<Cow<'static, str>>, sv: impl Into<Cow<'static, str>>) -> Words {
    (en.into(), sv.into())
}

/// What exactly is wrong. `count`: at how many places, where one finding stands for all of them.
fn of_detail(detail: &Detail, count: Option<u32>) -> Words {
    match detail {
        Detail::Required(name) => words(
            format!("The attribute {name} is required; give it."),
            format!("Attributet {name} är obligatoriskt; ange det."),
        ),
        Detail::NeitherIdNorCode(code) => {
            let name = code.name();
            words(format!("Give either id or {name}."), format!("Ange antingen id eller {name}."))
        }
        Detail::BothIdAndCode(code) => {
            let name = code.name();
            words(
                format!("Give either id or {name}, not both."),
                format!("Ange antingen id eller {name}, inte båda."),
            )
        }
        Detail::Type { expected, is_null } => of_type(*expected, *is_null),
        Detail::OutsideBounds { min, max } => words(
            format!("Must be a whole number from {min} to {max}."),
            format!("Ska vara ett heltal från {min} till {max}."),
        ),
        Detail::OutsideVocabulary(allowed) => {
            let allowed = allowed.join(", ");
            words(
                format!("Not an allowed value. Use one of: {allowed}."),
                format!("Otillåtet värde. Använd ett av: {allowed}."),
            )
        }
        Detail::Entries { min, max } => of_entries(*min, *max),
        Detail::TooLongName { most } => words(
            format!("Must be at most {most} characters; shorten it."),
            format!("Ska vara högst {most} tecken; korta det."),
        ),
        Detail::NotUuid => words(
            "Must be a UUID in lower case: 8-4-4-4-12 hexadecimal digits.",
            "Ska vara ett UUID med gemener: 8-4-4-4-12 hexadecimala siffror.",
        ),
        Detail::NotCode(Code::SchoolUnit) => words("Must be 8 digits.", "Ska vara 8 siffror."),
        Detail::NotCode(Code::Test) => words(
            "Must be 1 to 40 characters of A-Z, a-z, 0-9 and _.",
            "Ska vara 1 till 40 tecken av A-Z, a-z, 0-9 och _.",
        ),
        Detail::Unknown(name) => words(
            format!("The attribute {name} is not known here; check its spelling or leave it out."),
            format!("Attributet {name} är okänt här; kontrollera stavningen eller utelämna det."),
        ),
        Detail::UnknownUnnamed(unnamed) => words(
            format!(
                "Unknown attributes here: {unnamed}. Their names are not repeated, as they could be personal data; \
                 leave them out."
            ),
            format!(
                "Okända attribut här: {unnamed}. Namnen återges inte eftersom de kan vara personuppgifter; utelämna \
                 dem."
            ),
        ),
        Detail::NotTaken(attribute) => {
            let count = count.unwrap_or(1);
            words(
                format!(
                    "Skolverket does not take the attribute {attribute} from senders. It is left out of what is sent; \
                     places: {count}."
                ),
                format!(
                    "Skolverket tar inte emot attributet {attribute}. Det utelämnas ur det som skickas; antal ställen: \
                     {count}."
                ),
            )
        }
        Detail::SharedId => words(
            "Another record of the send has this id. Ids are unique over persons, duties, groups and activities \
             together; give each record its own.",
            "En annan post i sändningen har detta id. Id:n är unika över personer, tjänstgöringar, grupper och \
             aktiviteter tillsammans; ge varje post ett eget.",
        ),
        Detail::NotInSend { to, external } => of_missing(*to, *external),
        Detail::OfAnotherKind { to } => {
            let (en, sv, list) = of_kind(*to);
            words(
                format!("This id is a record of another kind. Give the id of a {en} in {list}."),
                format!("Detta id hör till en annan sorts post. Ange id för en {sv} i {list}."),
            )
        }
        Detail::TooLarge { most } => words(
            format!(
                "The record is larger than the {most} bytes that one call to Skolverket takes. Divide it, or shorten \
                 its texts and lists."
            ),
            format!(
                "Posten är större än de {most} byte som ett anrop till Skolverket rymmer. Dela den, eller korta dess \
                 texter och listor."
            ),
        ),
        Detail::Unreadable => words(
            "This record cannot be read. Compare it with the description of the interface.",
            "Posten kan inte läsas. Jämför den med beskrivningen av gränssnittet.",
        ),
    }
}

fn of_type(expected: JsonType, is_null: bool) -> Words {
    let (en, sv) = match expected {
        JsonType::Text => ("a text", "en text"),
        JsonType::Flag => ("true or false", "true eller false"),
        JsonType::Integer => ("a whole number", "ett heltal"),
        JsonType::Object => ("an object", "ett objekt"),
        JsonType::List => ("a list", "en lista"),
        JsonType::Absent => ("absent", "utelämnat"),
    };
    let (hint_en, hint_sv) = if is_null {
        (", not null; leave out what has no value", ", inte null; utelämna det som saknar värde")
    } else {
        ("", "")
    };
    words(format!("Must be {en}{hint_en}."), format!("Ska vara {sv}{hint_sv}."))
}

fn of_entries(min: usize, max: Option<usize>) -> Words {
    match max {
        Some(max) if max == min => {
            words(format!("Must have exactly {min} entry."), format!("Ska ha exakt {min} post."))
        }
        Some(max) => words(
            format!("Must have {min} to {max} entries; remove the others."),
            format!("Ska ha {min} till {max} poster; ta bort övriga."),
        ),
        None => words(
            format!("Must have at least {min} entry; add one."),
            format!("Ska ha minst {min} post; lägg till en."),
        ),
    }
}

fn of_missing(to: RecordKind, external: bool) -> Words {
    let (en, sv, list) = of_kind(to);
    if external {
        words(
            format!(
                "There is no {en} with this id in the send. Skolverket refuses the record unless it has that one from \
                 an earlier send. If it has not, add it to {list}."
            ),
            format!(
                "Det finns ingen {sv} med detta id i sändningen. Skolverket avvisar posten om den inte finns där från \
                 en tidigare sändning. Om den inte gör det, lägg till den i {list}."
            ),
        )
    } else {
        words(
            format!("There is no {en} with this id in the send. Add it to {list} or remove the reference."),
            format!(
                "Det finns ingen {sv} med detta id i sändningen. Lägg till den i {list} eller ta bort hänvisningen."
            ),
        )
    }
}

/// A record of this kind in English and in Swedish, and its list in a body.
fn of_kind(kind: RecordKind) -> (&'static str, &'static str, &'static str) {
    let (en, sv) = match kind {
        RecordKind::Person => ("person", "person"),
        RecordKind::Duty => ("duty", "tjänstgöring"),
        RecordKind::Group => ("group", "grupp"),
        RecordKind::Activity => ("test activity", "aktivitet"),
    };
    (en, sv, kind.list())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_that_an_accepted_send_does_not_hold_is_a_warning() {
        assert_eq!(FindingCode::MissingReference.of_record().severity, Severity::Warning);
        assert_eq!(FindingCode::CivicNumberCheckDigit.of_record().severity, Severity::Error);
    }
}
