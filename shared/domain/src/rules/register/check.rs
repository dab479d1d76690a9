//! A send held against what is known of the registers (domain rules 3, 9 and 14).

use jiff::Timestamp;

use crate::kind::finding_code::FindingCode;
use crate::rules::finding::{Finding, FindingKind, Findings, KindCount};
use crate::rules::register::mention::{Mentions, Offer, Places};
use crate::rules::register::{Known, KnownUnit, Register, SchoolUnit};

impl Mentions {
    /// Adds to `findings` what the registers contradict. Gives the registers of which something was wanted that is not
    /// known: that part of the send is not checked.
    pub fn check(&self, known: &Known, now: Timestamp, findings: &mut Findings) -> Vec<Register> {
        let mut not_checked = Vec::new();
        if !self.check_school_units(known, findings) {
            not_checked.push(Register::SchoolUnits);
        }
        if !self.check_programmes(known, now, findings) {
            not_checked.push(Register::Programmes);
        }
        if !self.check_tests(known, findings) {
            not_checked.push(Register::TestActivities);
        }
        not_checked
    }

    /// Whether all could be checked.
    fn check_school_units(&self, known: &Known, findings: &mut Findings) -> bool {
        for (id, places) in &self.school_units.known {
            let code = match known.school_units.get(id) {
                Some(KnownUnit::Nowhere) => FindingCode::SchoolUnitUnknown,
                Some(KnownUnit::Others(_)) => FindingCode::SchoolUnitOfAnother,
                Some(KnownUnit::Own(unit)) if unit.is_out_of_use() => FindingCode::SchoolUnitOutOfUse,
                Some(KnownUnit::Own(_)) | None => continue,
            };
            report(findings, FindingKind::of(code), places, "");
        }
        for (offer, places) in &self.offers.known {
            // A unit that is not the organiser's is reported as such, and no more.
            let Some(KnownUnit::Own(unit)) = known.school_units.get(&offer.school_unit) else { continue };
            if let Some((code, attribute)) = offer.is_lacking(unit) {
                let kind = FindingKind::of(code);
                let kind = if offer.of_group { FindingKind { rule: Some(14), ..kind } } else { kind };
                report(findings, kind, places, attribute);
            }
        }
        !self.offers.more && self.school_units.all(|id| known.school_units.contains_key(id))
    }

    fn check_programmes(&self, known: &Known, now: Timestamp, findings: &mut Findings) -> bool {
        for (id, places) in &self.programmes.known {
            let code = match known.programmes.get(id) {
                Some(None) => FindingCode::EducationCodeUnknown,
                Some(Some(programme)) if programme.is_to_come(now) => FindingCode::EducationCodeToCome,
                Some(Some(programme)) if !programme.is_in_use() => FindingCode::EducationCodeOutOfUse,
                Some(Some(_)) | None => continue,
            };
            report(findings, FindingKind::of(code), places, "");
        }
        self.programmes.all(|id| known.programmes.contains_key(id))
    }

    fn check_tests(&self, known: &Known, findings: &mut Findings) -> bool {
        for (id, places) in &self.tests.known {
            if known.tests.get(id).is_some_and(Option::is_none) {
                report(findings, FindingKind::of(FindingCode::TestUnknown), places, "");
            }
        }
        self.tests.all(|id| known.tests.contains_key(id))
    }
}

impl Offer {
    /// What the unit does not offer, and the attribute that names it.
    fn is_lacking(&self, unit: &SchoolUnit) -> Option<(FindingCode, &'static str)> {
        if unit.lacks_type(self.school_type) {
            return Some((FindingCode::SchoolTypeNotOffered, "/schoolType"));
        }
        let year = self.school_year.filter(|year| unit.lacks_year(self.school_type, *year));
        year.map(|_| (FindingCode::SchoolYearNotOffered, "/schoolYear"))
    }
}

/// Reports a finding for each place, at `attribute` of it. Places that were not collected are counted, and the finding
/// is added to their records.
fn report(findings: &mut Findings, kind: FindingKind, places: &Places, attribute: &str) {
    for place in &places.first {
        let pointer = || format!("{}{attribute}", place.pointer());
        findings.add(kind, Some(place.record), || Finding::new(kind, pointer()));
    }
    places.more.iter().for_each(|record| findings.add_code(*record, kind.code));
    let kept = u32::try_from(places.first.len()).unwrap_or(u32::MAX);
    if let Some(count) = places.count.checked_sub(kept).filter(|count| *count > 0) {
        findings.add_counts(&[KindCount { kind, count, first_record_ids: Vec::new() }]);
    }
}
