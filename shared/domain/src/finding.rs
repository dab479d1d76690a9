//! What is wrong with a body that was sent to us, or worth a warning: where, by which rule, and who mends it.
//!
//! No text here ever holds a value of the body: it may be a name or a civic number.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::id::RecordId;

mod about;
mod by_record;
mod code;

pub use by_record::{RecordFinding, RecordFindings};
pub use code::FindingCode;

/// How many findings of one kind are listed at most; the rest is only counted. Thousands of them have few causes,
/// and the answer must stay small.
pub const MAX_LISTED: usize = 100;
/// How many records are named of a kind, where its findings themselves are not kept.
const FIRST_RECORDS: usize = 10;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// Skolverket will refuse it, or has said that it must be otherwise.
    Error,
    /// Skolverket takes it; somebody should look at it all the same.
    Warning,
}

/// Where a finding is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mender {
    /// In the register of students, staff and groups.
    StudentRegister,
    /// Where federated user names are given out.
    IdentityProvider,
    /// In Skolverket's register of school units.
    SchoolUnitRegister,
    /// In the system that sends.
    ThisSystem,
    /// In the organiser's settings here, by whoever operates the service.
    Operator,
}

/// What the sender wants done about errors that are not binding (see [`FindingCode::is_binding`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Validation {
    /// They refuse the send.
    #[default]
    Strict,
    /// They are kept with the send, which is accepted: Skolverket will judge.
    WarnOnly,
}

/// What findings have in common that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Kind {
    /// The number of the rule in the domain description that is broken, if one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<u8>,
    /// What is wrong.
    pub code: FindingCode,
    /// How much it weighs.
    pub severity: Severity,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Where: a JSON Pointer (RFC 6901) into the body. Of an absent attribute: where it should be.
    pub pointer: String,
    /// The rule, what is wrong, and how much it weighs.
    #[serde(flatten)]
    pub kind: Kind,
    /// Where it is mended.
    pub mender: Mender,
    /// The record that it is about, where its id is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_id: Option<RecordId>,
    /// How many places it stands for, where that is one finding for all of them: the pointer is the first one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// English: what is wrong, why it matters, and what to do.
    pub en: Cow<'static, str>,
    /// Swedish: the same.
    pub sv: Cow<'static, str>,
}

/// How many findings of a kind there are, and which records they are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KindCount {
    /// Which.
    #[serde(flatten)]
    pub kind: Kind,
    /// How many.
    pub count: u32,
    /// The first ten different records; none in what was stored before they were kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
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

/// Findings of a kind, for people.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Group<'a> {
    /// Which, and how many.
    #[serde(flatten)]
    pub count: KindCount,
    /// Whether they refuse a send whatever `options.validation` says.
    pub binding: bool,
    /// Where they are mended, in general.
    pub mender: Mender,
    /// English: what is wrong, and why it matters.
    pub en: &'static str,
    /// Swedish: the same.
    pub sv: &'static str,
    /// The first of them; left out where only numbers are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<Vec<&'a Finding>>,
}

impl Kind {
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

    /// Whether findings of this kind keep a send from being accepted.
    pub fn refuses(&self, validation: Validation) -> bool {
        self.severity == Severity::Error && (validation == Validation::Strict || self.code.is_binding())
    }
}

impl Finding {
    /// One of this kind, in the words of its code. `pointer`: where.
    pub fn new(kind: Kind, pointer: String) -> Self {
        let (en, sv) = kind.code.text();
        let mender = kind.code.mender();
        Self { pointer, kind, mender, record_id: None, count: None, en: en.into(), sv: sv.into() }
    }

    /// The same in words of its own.
    #[must_use]
    pub(crate) fn told(self, en: impl Into<Cow<'static, str>>, sv: impl Into<Cow<'static, str>>) -> Self {
        Self { en: en.into(), sv: sv.into(), ..self }
    }

    /// The same, mended elsewhere than is usual for its code.
    #[must_use]
    pub(crate) fn mended(self, mender: Mender) -> Self {
        Self { mender, ..self }
    }
}

impl Findings {
    /// Adds a finding of this kind about a record, where its id is known. It is made only if it is listed: a hostile
    /// body has millions.
    pub fn add(&mut self, kind: Kind, record: Option<RecordId>, finding: impl FnOnce() -> Finding) {
        let before = self.count(kind, 1, record.as_slice());
        if before < MAX_LISTED {
            self.listed.push(Finding { record_id: record, ..finding() });
        }
        // What refuses a send is told, and never kept with it.
        if let Some(record) = record.filter(|_| !kind.refuses(Validation::WarnOnly)) {
            self.records.add(record, kind.code);
        }
    }

    /// Adds a finding of a code with one rule and one severity, in the code's own words.
    pub(crate) fn broken(&mut self, code: FindingCode, record: RecordId, pointer: impl FnOnce() -> String) {
        let kind = Kind::of(code);
        self.add(kind, Some(record), || Finding::new(kind, pointer()));
    }

    /// Adds one finding that stands for `count` places, the first of them in this record. It is said once: the records
    /// are not marked with it.
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
    fn count(&mut self, kind: Kind, more: u32, records: &[RecordId]) -> usize {
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
        self.count(code.accepted_kind(), 1, &[record]);
        self.records.add(record, code);
    }

    /// Which records have which of the findings that a send may be accepted with.
    pub fn records(&self) -> &RecordFindings {
        &self.records
    }

    /// Adds to the records' findings one that is counted and not listed here.
    pub(crate) fn mark(&mut self, record: u64, code: FindingCode) {
        self.records.add_short(record, code);
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

    /// By rule and code, with what is listed of each.
    pub fn groups(&self) -> Vec<Group<'_>> {
        let mut groups = Group::all(&self.counts);
        for group in &mut groups {
            let own = self.listed.iter().filter(|finding| finding.kind == group.count.kind);
            group.findings = Some(own.collect());
        }
        groups
    }
}

impl Group<'_> {
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
