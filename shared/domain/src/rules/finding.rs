//! What is wrong with a body that was sent to us, or worth a warning: where, by which rule, and who fixes it.
//!
//! Codes, numbers and names of attributes only: no value of the body, which may be a name or a civic number. The words
//! are in `words/`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::attribute::{Code, JsonType};
use crate::kind::finding_code::{FindingCode, Mender, Severity};
use crate::kind::id::RecordId;
use crate::kind::record_kind::RecordKind;
use crate::rules::record_findings::RecordFindings;
use crate::state::options::Validation;

/// How many findings of one kind are listed at most; the rest is only counted. Thousands of them have few causes,
/// and the answer must stay small.
pub const MAX_LISTED: usize = 100;
/// How many records are named for a kind whose findings are not stored themselves.
const FIRST_RECORDS: usize = 10;

/// What findings have in common that count as one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct FindingKind {
    /// The number of the rule that is broken, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<u8>,
    /// What is wrong.
    pub code: FindingCode,
    /// How much it weighs.
    pub severity: Severity,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where: a JSON Pointer (RFC 6901) into the body. Of an absent attribute: where it should be.
    pub pointer: String,
    /// The rule, what is wrong, and how much it weighs.
    pub kind: FindingKind,
    /// Where it is fixed.
    pub mender: Mender,
    /// The record that it is about, where its id is known.
    pub record_id: Option<RecordId>,
    /// How many places it stands for, where that is one finding for all of them: the pointer is the first one's.
    pub count: Option<u32>,
    /// What exactly is wrong, where the code alone says too little.
    pub(crate) detail: Option<Detail>,
}

/// What exactly is wrong with the form of a body. Names are those of attributes, and never a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Detail {
    /// A required attribute of this name is absent.
    Required(&'static str),
    /// Neither an id nor the code that may stand for it is there.
    NeitherIdNorCode(Code),
    /// Both are there.
    BothIdAndCode(Code),
    /// It must have this type, and is `null` or of another.
    Type { expected: JsonType, is_null: bool },
    /// It must be a whole number within these bounds.
    OutsideBounds { min: i64, max: i64 },
    /// It must be one of these words.
    OutsideVocabulary(&'static [&'static str]),
    /// A list must have this many entries.
    Entries { min: usize, max: Option<usize> },
    /// A name must have at most so many characters.
    TooLongName { most: usize },
    /// It must be a UUID in lower case.
    NotUuid,
    /// It must be a code of this form.
    NotCode(Code),
    /// An attribute of this name is not known here.
    Unknown(String),
    /// So many attributes are not known here, and their names may be personal data.
    UnknownUnnamed(usize),
    /// Skolverket does not take this attribute.
    NotTaken(String),
    /// Another record of the send has this id.
    SharedId,
    /// No record of this kind has this id. `external`: it may be at Skolverket already.
    NotInSend { to: RecordKind, external: bool },
    /// A record of another kind than this one has this id.
    OfAnotherKind { to: RecordKind },
    /// The record is larger than so many bytes, which is what a call takes.
    TooLarge { most: usize },
    /// The record has the right form and cannot be read all the same.
    Unreadable,
}

/// How many findings of a kind there are, and which records they are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KindCount {
    #[serde(flatten)]
    pub kind: FindingKind,
    /// How many.
    pub count: u32,
    /// The first ten different records that they are about; absent if none has a readable id, and for findings that
    /// were stored before this field existed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 10))]
    pub first_record_ids: Vec<RecordId>,
}

/// All findings of a body: of each kind how many there are, and the first [`MAX_LISTED`] of them; and which records
/// have which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    listed: Vec<Finding>,
    counts: Vec<KindCount>,
    records: RecordFindings,
}

impl KindCount {
    /// One student without a school year, for descriptions.
    pub(crate) fn example() -> Self {
        Self { kind: FindingKind::of(FindingCode::SchoolYearMissing), count: 1, first_record_ids: Vec::new() }
    }
}

impl FindingKind {
    /// Of a code that has one rule and one severity.
    pub fn of(code: FindingCode) -> Self {
        Self { rule: code.rule(), code, severity: code.severity() }
    }

    /// A breach of the body's form: an error by the rule of the attribute, if it has one.
    pub(crate) fn form(code: FindingCode, rule: Option<u8>) -> Self {
        Self { rule, code, severity: Severity::Error }
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(self) -> Self {
        Self { severity: Severity::Warning, ..self }
    }

    /// That of a finding of this code with a record that was accepted. Of what is binding that can only be a reference
    /// to a record that may be at Skolverket already (rule 2).
    pub(crate) fn accepted(code: FindingCode) -> Self {
        if code.is_binding() { Self::form(code, Some(2)).warning() } else { Self::of(code) }
    }

    /// Whether findings of this kind keep a send from being accepted.
    pub fn refuses(&self, validation: Validation) -> bool {
        self.severity == Severity::Error && (validation == Validation::Strict || self.code.is_binding())
    }
}

impl Finding {
    /// One of this kind. `pointer`: where.
    pub fn new(kind: FindingKind, pointer: String) -> Self {
        Self { pointer, kind, mender: kind.code.mender(), record_id: None, count: None, detail: None }
    }

    /// The same, and what exactly is wrong.
    #[must_use]
    pub(crate) fn with(self, detail: Detail) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// The same, fixed elsewhere than is usual for its code.
    #[must_use]
    pub(crate) fn fixed_by(self, mender: Mender) -> Self {
        Self { mender, ..self }
    }
}

impl Findings {
    /// Adds a finding of this kind about a record, where its id is known. It is made only if it is listed: a hostile
    /// body has millions.
    pub fn add(&mut self, kind: FindingKind, record: Option<RecordId>, finding: impl FnOnce() -> Finding) {
        let before = self.count(kind, 1, record.as_slice());
        if before < MAX_LISTED {
            self.listed.push(Finding { record_id: record, ..finding() });
        }
        // What refuses a send is reported, and never stored.
        if let Some(record) = record.filter(|_| !kind.refuses(Validation::WarnOnly)) {
            self.records.add(record, kind.code);
        }
    }

    /// Adds a finding of a code with one rule and one severity, in the code's own words.
    pub(crate) fn broken(&mut self, code: FindingCode, record: RecordId, pointer: impl FnOnce() -> String) {
        let kind = FindingKind::of(code);
        self.add(kind, Some(record), || Finding::new(kind, pointer()));
    }

    /// Adds one finding that stands for `count` places, the first of them in this record. It is reported once: the
    /// records' rows do not show it.
    pub(crate) fn add_once(&mut self, count: u32, record: Option<RecordId>, finding: Finding) {
        self.count(finding.kind, count, record.as_slice());
        self.listed.push(Finding { record_id: record, count: Some(count), ..finding });
    }

    /// Adds findings that were counted elsewhere and are not listed here.
    pub fn add_counts(&mut self, counts: &[KindCount]) {
        for KindCount { kind, count, first_record_ids } in counts {
            self.count(*kind, *count, first_record_ids);
        }
    }

    /// Adds `more` to its kind, and the records that these are about; gives how many there were before.
    fn count(&mut self, kind: FindingKind, more: u32, records: &[RecordId]) -> usize {
        let place = self.counts.iter().position(|count| count.kind == kind).unwrap_or_else(|| {
            self.counts.push(KindCount { kind, count: 0, first_record_ids: Vec::new() });
            self.counts.len() - 1
        });
        let Some(known) = self.counts.get_mut(place) else { return 0 };
        let before = known.count;
        known.count = before.saturating_add(more);
        for record in records {
            if known.first_record_ids.len() < FIRST_RECORDS && !known.first_record_ids.contains(record) {
                known.first_record_ids.push(*record);
            }
        }
        usize::try_from(before).unwrap_or(usize::MAX)
    }

    /// Adds a finding that a record was accepted with before, in an earlier send.
    pub fn carry(&mut self, record: RecordId, code: FindingCode) {
        self.count(FindingKind::accepted(code), 1, &[record]);
        self.records.add(record, code);
    }

    /// Which records have which of the findings that a send may be accepted with.
    pub fn records(&self) -> &RecordFindings {
        &self.records
    }

    /// Adds to the records' findings one that is counted and not listed here.
    pub(crate) fn add_code(&mut self, record: u64, code: FindingCode) {
        self.records.add_hash(record, code);
    }

    /// How many there are of each kind, in the order in which they were found first.
    pub fn counts(&self) -> &[KindCount] {
        &self.counts
    }

    /// How many there are of this severity, the unlisted ones included.
    pub fn total(&self, severity: Severity) -> u32 {
        let counts = self.counts.iter().filter(|count| count.kind.severity == severity);
        counts.fold(0, |sum, count| sum.saturating_add(count.count))
    }

    /// Whether one of them keeps a send from being accepted.
    pub fn refuse(&self, validation: Validation) -> bool {
        self.counts.iter().any(|count| count.kind.refuses(validation))
    }

    /// Those that keep a send from being accepted.
    #[must_use]
    pub fn refusing(mut self, validation: Validation) -> Self {
        self.counts.retain(|count| count.kind.refuses(validation));
        self.listed.retain(|finding| finding.kind.refuses(validation));
        self
    }

    /// Those that are listed, in the order in which they were found.
    pub fn listed(&self) -> impl Iterator<Item = &Finding> {
        self.listed.iter()
    }
}
