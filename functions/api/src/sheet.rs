//! Record rows as Swedish spreadsheets open them: CSV in UTF-8 with a byte order mark, `;` between cells, CRLF at the end
//! of a line, quoted as RFC 4180 says. Every page begins with a line of names.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use csv::{Terminator, Writer, WriterBuilder};
use stafett_domain::{Row, StageName};
use stafett_engine::history::SendRef;

use crate::answer::{mark, weights};
use crate::problem::Problem;
use crate::records::unreadable;
use crate::view::RecordView;

/// Rows of a page when nobody says, and at most.
pub(crate) const ROWS: usize = 10_000;
/// Bytes of a page, beyond which the rest is the next page's. A function's answer is at most 6 MB, 4.5 MB of that where
/// it is packed, and the gateway's form of it takes some.
const FULL: usize = 4_000_000;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The language of names and labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Swedish,
    English,
}

/// Whether the caller asks for CSV: named in `Accept`, and before JSON.
pub(crate) fn is_wanted(headers: &HeaderMap) -> bool {
    let weight = |kind: &str| {
        weights(headers, &header::ACCEPT)
            .filter(|(named, _)| named == kind)
            .map(|(_, weight)| weight)
            .fold(0.0, f32::max)
    };
    let csv = weight("text/csv");
    csv > 0.0 && csv > weight("application/json")
}

impl Language {
    /// Swedish, unless the caller says that it wants English rather.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let weight = |language: &str| {
            let of_it = |tag: &str| tag.split('-').next() == Some(language);
            weights(headers, &header::ACCEPT_LANGUAGE)
                .filter(|(tag, _)| of_it(tag))
                .map(|(_, weight)| weight)
                .fold(0.0, f32::max)
        };
        if weight("en") > weight("sv") { Self::English } else { Self::Swedish }
    }

    fn of_both(self, sv: &'static str, en: &'static str) -> &'static str {
        match self {
            Self::Swedish => sv,
            Self::English => en,
        }
    }
}

/// A page that is being written.
pub(crate) struct Sheet {
    stage: StageName,
    language: Language,
    lines: Writer<Vec<u8>>,
}

impl Sheet {
    /// A page with its line of names.
    pub(crate) fn new(stage: StageName, language: Language) -> Result<Self, Problem> {
        let mut lines = WriterBuilder::new()
            .delimiter(b';')
            .terminator(Terminator::CRLF)
            .from_writer(BYTE_ORDER_MARK.to_vec());
        let before = [("Status", "Status"), ("Namn", "Name")];
        let behind =
            [("Meddelanden", "Messages"), ("Poster som inte godtogs", "Records not accepted"), ("Id", "Id")];
        let names = before.iter().chain(columns(stage)).chain(&behind);
        lines.write_record(names.map(|(sv, en)| language.of_both(sv, en))).map_err(unreadable)?;
        Ok(Self { stage, language, lines })
    }

    /// Adds a row; says whether there was room for it.
    pub(crate) fn add(&mut self, record: &RecordView) -> Result<bool, Problem> {
        if self.lines.get_ref().len() >= FULL {
            return Ok(false);
        }
        let label = self.language.of_both(record.outcome_label.sv, record.outcome_label.en);
        let (name, own) = cells(&record.row);
        // A message may quote what is left out.
        let messages = record.messages.iter().filter(|_| !is_protected(&record.row));
        let messages: Vec<_> = messages.map(ToString::to_string).collect();
        let without: Vec<_> = record.without.iter().map(ToString::to_string).collect();
        let before = [label.to_owned(), name];
        let behind = [messages.join(" | "), without.join(" "), record.row.id().to_string()];
        let cells = before.into_iter().chain(own).chain(behind);
        self.lines.write_record(cells.map(harmless)).map_err(unreadable)?;
        Ok(true)
    }

    /// The page as an answer. `next`: the address of the one that follows.
    pub(crate) fn answer(
        self,
        send: &SendRef,
        next: Option<&str>,
        going_on: bool,
    ) -> Result<Response, Problem> {
        let content = self.lines.into_inner().map_err(unreadable)?;
        let mut response = content.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
        let name = format!("attachment; filename=\"stafett-{}-{}.csv\"", self.stage, send.send);
        headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).map_err(unreadable)?);
        if let Some(next) = next {
            let link = format!("<{next}>; rel=\"next\"");
            headers.insert(header::LINK, HeaderValue::from_str(&link).map_err(unreadable)?);
        }
        mark(headers, going_on, true);
        Ok(response)
    }
}

/// The names of what rows of a stage have of their own.
fn columns(stage: StageName) -> &'static [(&'static str, &'static str)] {
    match stage {
        StageName::Users => &[
            ("Roll", "Role"),
            ("Personnummer", "Civic number"),
            ("EPPN", "EPPN"),
            ("Årskurs", "School year"),
            ("Skolform", "School type"),
        ],
        StageName::Duties => {
            &[("Roll", "Role"), ("Person-id", "Person id"), ("Skolenhets-id", "School unit id")]
        }
        StageName::Groups => &[
            ("Grupptyp", "Group type"),
            ("Skolform", "School type"),
            ("Medlemmar", "Members"),
            ("Skolenhets-id", "School unit id"),
        ],
        StageName::Activities => &[
            ("Provkod", "Test code"),
            ("Skolenhetskod", "School unit code"),
            ("Grupper", "Groups"),
            ("Lärare", "Teachers"),
            ("Provaktivitets-id", "Test activity id"),
            ("Skolenhets-id", "School unit id"),
        ],
    }
}

/// Whether the row is about a person whose identity is protected.
fn is_protected(row: &Row) -> bool {
    match row {
        Row::Person(row) => row.protected,
        Row::Duty(row) => row.protected,
        Row::Group(_) | Row::Activity(_) => false,
    }
}

/// A row's name, and what it has of its own, in the order of [`columns`]. A file goes where nobody's scope is asked:
/// names and numbers of protected persons are not in it, whoever asks.
fn cells(row: &Row) -> (String, Vec<String>) {
    let protected = is_protected(row);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let personal = |value: &Option<String>| if protected { String::new() } else { text(value) };
    match row {
        Row::Person(row) => {
            let year = row.school_year.map(|year| year.to_string());
            let (civic_no, eppn) = (personal(&row.civic_no), personal(&row.eppn));
            let own = vec![text(&row.role), civic_no, eppn, text(&year), text(&row.school_type)];
            (personal(&row.name), own)
        }
        Row::Duty(row) => {
            (personal(&row.name), [&row.role, &row.person_id, &row.school_unit_id].map(text).into())
        }
        Row::Group(row) => {
            let members = Some(row.members.to_string());
            let own = [&row.group_type, &row.school_type, &members, &row.school_unit_id].map(text);
            (text(&row.name), own.into())
        }
        Row::Activity(row) => {
            let (groups, teachers) = (Some(row.groups.to_string()), Some(row.teachers.to_string()));
            let codes = [&row.test_code, &row.school_unit_code, &groups, &teachers];
            let own = codes.into_iter().chain([&row.test_activity_id, &row.school_unit_id]).map(text);
            (text(&row.name), own.collect())
        }
    }
}

/// A cell that no spreadsheet takes for a formula: what begins as one gets an apostrophe before it.
fn harmless(cell: String) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stafett_domain::{Facts, Outcome, rows};

    use super::*;

    const ID: &str = "0190a1b2-0000-4000-8000-000000000001";

    fn record(name: &str) -> RecordView {
        let body = serde_json::json!({"data": [{"id": ID, "displayName": name}]}).to_string();
        let row = rows(StageName::Groups, &body, &[Facts::default()]).unwrap().remove(0);
        let outcome = Outcome::Error;
        RecordView {
            outcome,
            outcome_label: outcome.label(),
            status_code: None,
            row,
            messages: Vec::new(),
            without: Vec::new(),
            guidance: None,
        }
    }

    fn written(name: &str) -> Vec<u8> {
        let mut sheet = Sheet::new(StageName::Groups, Language::Swedish).unwrap();
        assert!(sheet.add(&record(name)).unwrap());
        sheet.lines.into_inner().unwrap()
    }

    #[test]
    fn a_page_is_what_swedish_spreadsheets_open() {
        let expected = format!(
            "\u{feff}Status;Namn;Grupptyp;Skolform;Medlemmar;Skolenhets-id;Meddelanden;Poster som inte godtogs;Id\r\n\
             inte godtagen av Skolverket;\"6B; \"\"gul\"\"\";;;0;;;;{ID}\r\n"
        );
        assert_eq!(String::from_utf8(written("6B; \"gul\"")).unwrap(), expected);
    }

    #[test]
    fn every_column_has_a_name_and_every_name_a_column() {
        for stage in StageName::ORDER {
            let body = serde_json::json!({"data": [{"id": ID}]}).to_string();
            let row = rows(stage, &body, &[Facts::default()]).unwrap().remove(0);
            assert_eq!(cells(&row).1.len(), columns(stage).len(), "{stage}");
        }
    }

    #[test]
    fn csv_is_asked_for_by_name() {
        let accept = |value: &'static str| {
            is_wanted(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(value))]))
        };
        for csv in
            ["text/csv", "text/csv, */*", "application/json;q=0.5, text/csv;q=0.9", "Text/CSV;header=present"]
        {
            assert!(accept(csv), "{csv}");
        }
        for json in ["*/*", "application/json", "text/csv, application/json", "text/csv;q=0"] {
            assert!(!accept(json), "{json}");
        }
        assert!(!is_wanted(&HeaderMap::new()));
    }

    #[test]
    fn names_are_swedish_unless_english_is_wanted_rather() {
        let language = |value: &'static str| {
            Language::of(&HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, HeaderValue::from_static(value))]))
        };
        assert_eq!(Language::of(&HeaderMap::new()), Language::Swedish);
        for swedish in ["sv", "sv-SE, en;q=0.8", "de", "*"] {
            assert_eq!(language(swedish), Language::Swedish, "{swedish}");
        }
        for english in ["en", "en-GB, sv;q=0.8"] {
            assert_eq!(language(english), Language::English, "{english}");
        }
    }

    proptest! {
        #[test]
        fn whatever_a_name_is_it_comes_back_and_is_no_formula(name in "[=+@;\"'\r\n\t åa-]{0,12}") {
            let bytes = written(&name);
            let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(&bytes[BYTE_ORDER_MARK.len()..]);
            let lines: Vec<_> = reader.records().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(lines.len(), 1);
            let cell = &lines[0][1];
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']));
            prop_assert_eq!(cell.strip_prefix('\'').filter(|_| !name.starts_with('\'')).unwrap_or(cell), name.as_str());
        }
    }
}
