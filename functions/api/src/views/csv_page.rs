//! Record rows as CSV for Swedish spreadsheets: UTF-8 with a byte order mark, `;` between cells, CRLF at the end of a
//! line, quoted as in RFC 4180. Every page begins with a header line.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use csv::{Terminator, Writer, WriterBuilder};
use stafett_domain::{RecordKind, Row, first_seen};
use stafett_history::SendRef;

use crate::contract::operation::{AnswerHeader, Operation, Output};
use crate::http::accept::weights;
use crate::http::answer::{RetryAfter, set_cache_headers};
use crate::http::problem::Problem;
use crate::http::size_limit::{SizeLimit, escaped_len};
use crate::views::record::{AnyRow, RecordView};

/// The default and the largest number of rows of a page.
pub(crate) const CSV_ROWS: usize = 10_000;
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The language of names and labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Swedish,
    English,
}

/// Whether the caller asks for CSV: `Accept` names it, and prefers it to JSON.
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
    /// Swedish, unless the caller prefers English.
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

/// A page of rows as CSV.
pub(crate) struct CsvPage {
    stage: RecordKind,
    language: Language,
    lines: Writer<Vec<u8>>,
    size_limit: SizeLimit,
}

impl CsvPage {
    /// A page with its header line and no rows.
    pub(crate) fn new(stage: RecordKind, language: Language) -> Result<Self, Problem> {
        let mut lines = WriterBuilder::new()
            .delimiter(b';')
            .terminator(Terminator::CRLF)
            .from_writer(BYTE_ORDER_MARK.to_vec());
        let before = [("Status", "Status"), ("Namn", "Name")];
        let behind = [
            ("Anmärkningar", "Findings"),
            ("Meddelanden", "Messages"),
            ("Poster som inte godtogs", "Records not accepted"),
            ("Id", "Id"),
        ];
        let names = before.iter().chain(columns(stage)).chain(&behind);
        lines
            .write_record(names.map(|(sv, en)| language.of_both(sv, en)))
            .map_err(|error| Problem::internal(&error))?;
        Ok(Self { stage, language, lines, size_limit: SizeLimit::new() })
    }

    /// Adds a row if it fits; returns whether it did.
    pub(crate) fn add(&mut self, record: &RecordView) -> Result<bool, Problem> {
        let label = self.language.of_both(record.outcome_label.sv, record.outcome_label.en);
        let AnyRow(row) = &record.row;
        let (name, own) = cells(row);
        // A message may quote what is masked.
        let quotes = !is_protected(row);
        let status = record.unknown_status.iter().map(|status| {
            let name = self.language.of_both("Okänd status", "Unknown status");
            format!("{name}: {status}")
        });
        let messages = record.messages.iter().map(ToString::to_string);
        let messages: Vec<_> = status.chain(messages).filter(|_| quotes).collect();
        let findings = record.findings.iter().map(|finding| self.language.of_both(finding.sv, finding.en));
        let findings: Vec<_> = findings.collect();
        let without: Vec<_> = record.without.iter().map(ToString::to_string).collect();
        let before = [label.to_owned(), name];
        let behind = [findings.join(" | "), messages.join(" | "), without.join(" "), row.id().to_string()];
        let cells: Vec<_> = before.into_iter().chain(own).chain(behind).map(|cell| harmless(&cell)).collect();
        let fits = self.size_limit.take_bytes(cells.iter().map(|cell| largest_len(cell)).sum());
        if fits {
            self.lines.write_record(cells).map_err(|error| Problem::internal(&error))?;
        }
        Ok(fits)
    }

    /// The page as a response. `next`: the address of the next page.
    pub(crate) fn answer(
        self,
        send: &SendRef,
        next: Option<&str>,
        retry_after: Option<RetryAfter>,
    ) -> Result<CsvAnswer, Problem> {
        let content = self.lines.into_inner().map_err(|error| Problem::internal(&error))?;
        let mut response = content.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
        let name = format!("attachment; filename=\"stafett-{}-{}.csv\"", self.stage, send.send);
        headers.insert(
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(&name).map_err(|error| Problem::internal(&error))?,
        );
        if let Some(next) = next {
            let link = format!("<{next}>; rel=\"next\"");
            headers.insert(
                header::LINK,
                HeaderValue::from_str(&link).map_err(|error| Problem::internal(&error))?,
            );
        }
        set_cache_headers(headers, retry_after, true);
        Ok(CsvAnswer(response))
    }
}

/// The response with a page of CSV.
pub(crate) struct CsvAnswer(Response);

impl IntoResponse for CsvAnswer {
    fn into_response(self) -> Response {
        self.0
    }
}

impl Output for CsvAnswer {
    fn describe(operation: &mut Operation) {
        operation.contents.push(("text/csv", |generator| generator.subschema_for::<String>()));
        let of_csv = |name, description| AnswerHeader { name, description, schema: "string", always: false };
        operation.headers.extend([
            of_csv("Content-Disposition", "Of CSV: its name as a file."),
            of_csv("Link", "Of CSV: `<…>; rel=\"next\"`, where there are more rows."),
        ]);
    }
}

/// The headers of the columns that only rows of this kind have, in Swedish and English.
fn columns(stage: RecordKind) -> &'static [(&'static str, &'static str)] {
    match stage {
        RecordKind::Person => &[
            ("Roll", "Role"),
            ("Personnummer", "Civic number"),
            ("EPPN", "EPPN"),
            ("Årskurs", "School year"),
            ("Skolform", "School type"),
        ],
        RecordKind::Duty => {
            &[("Roll", "Role"), ("Person-id", "Person id"), ("Skolenhets-id", "School unit id")]
        }
        RecordKind::Group => &[
            ("Grupptyp", "Group type"),
            ("Skolform", "School type"),
            ("Medlemmar", "Members"),
            ("Skolenhets-id", "School unit id"),
        ],
        RecordKind::Activity => &[
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

/// A row's name, and its cells in the order of [`columns`]. Files are passed on without any check of scopes, so they
/// never hold names or numbers of protected persons, whatever the caller's scopes are.
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

/// The largest number of bytes that a cell can take: quoted, with its own quotes doubled, and with its separator.
fn largest_len(cell: &str) -> usize {
    let quotes = 2 + cell.matches('"').count();
    escaped_len(cell.as_bytes()) + quotes * escaped_len(b"\"") + escaped_len(b"\r\n")
}

/// Characters that begin a formula. The last one is the minus sign of Swedish numbers.
const FORMULA: [char; 5] = ['=', '+', '-', '@', '−'];

/// A cell that no spreadsheet reads as a formula. A space replaces each control character. A text that begins like a
/// formula gets an apostrophe in front, even if its first character is full-width or follows invisible characters: some
/// spreadsheets ignore both.
fn harmless(cell: &str) -> String {
    let cell: String = cell.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if first_seen(&cell).is_some_and(|sign| FORMULA.contains(&sign)) { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stafett_domain::{Facts, FindingCode, Outcome, rows};

    use super::*;

    const ID: &str = "0190a1b2-0000-4000-8000-000000000001";

    fn record(name: &str) -> RecordView {
        let body = serde_json::json!({"data": [{"id": ID, "displayName": name}]}).to_string();
        let row = rows(RecordKind::Group, &body, &[Facts::default()]).unwrap().remove(0);
        let outcome = Outcome::Error;
        RecordView {
            outcome,
            outcome_label: outcome.label(),
            status_code: None,
            row: AnyRow(row),
            findings: vec![FindingCode::GroupWithoutMembers.of_record()],
            messages: Vec::new(),
            more_messages: 0,
            unknown_status: None,
            without: Vec::new(),
            guidance: None,
        }
    }

    fn written(name: &str) -> Vec<u8> {
        let mut page = CsvPage::new(RecordKind::Group, Language::Swedish).unwrap();
        assert!(page.add(&record(name)).unwrap());
        page.lines.into_inner().unwrap()
    }

    #[test]
    fn a_status_that_is_not_known_stands_among_the_messages() {
        let mut page = CsvPage::new(RecordKind::Group, Language::English).unwrap();
        let unknown = RecordView { unknown_status: Some("Rejected".to_owned()), ..record("6B") };
        assert!(page.add(&unknown).unwrap());
        let written = String::from_utf8(page.lines.into_inner().unwrap()).unwrap();
        assert!(written.contains(";Unknown status: Rejected;"), "{written}");
    }

    #[test]
    fn a_page_is_what_swedish_spreadsheets_open() {
        let expected = format!(
            "\u{feff}Status;Namn;Grupptyp;Skolform;Medlemmar;Skolenhets-id;Anmärkningar;Meddelanden;Poster som inte godtogs;Id\r\n\
             inte godtagen av Skolverket;\"6B; \"\"gul\"\"\";;;0;;{};;;{ID}\r\n",
            FindingCode::GroupWithoutMembers.text().1
        );
        assert_eq!(String::from_utf8(written("6B; \"gul\"")).unwrap(), expected);
    }

    #[test]
    fn every_column_has_a_name_and_every_name_a_column() {
        for stage in RecordKind::ALL {
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

    #[test]
    fn a_formula_is_none_whatever_its_sign_and_whatever_stands_before_it() {
        for sign in ["=", "+", "-", "@", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "⁼", "₊", "⩵", "−"]
        {
            for before in [
                "",
                " ",
                "\t",
                "\r\n",
                "\u{a0}",
                "\u{3000}",
                "\u{200b}",
                "\u{feff}",
                "\u{ad}",
                "\u{202e}",
                "\u{0}\u{1b}",
            ] {
                let cell = harmless(&format!("{before}{sign}1+1"));
                assert!(cell.starts_with('\''), "{}", cell.escape_unicode());
            }
        }
        for plain in ["6B", "a=b", "Åsa-Li", "\u{200b}Anna", "'=1", "\"=1\"", "", " "] {
            assert_eq!(harmless(plain), plain);
        }
    }

    #[test]
    fn no_control_character_comes_into_a_cell() {
        let all: String = ('\u{0}'..='\u{ff}').filter(|c| c.is_control()).collect();
        let cell = harmless(&format!("a{all}b"));
        assert_eq!(cell, format!("a{}b", " ".repeat(all.chars().count())));
        let lines = String::from_utf8(written("6B\r\n=1;2")).unwrap();
        assert_eq!(lines.matches("\r\n").count(), 2, "{lines}");
    }

    #[test]
    fn a_page_grows_no_larger_than_an_answer_may_be() {
        for name in ["\"".repeat(180_000), "å".repeat(90_000), "x".repeat(180_000)] {
            let mut page = CsvPage::new(RecordKind::Group, Language::Swedish).unwrap();
            let rows = (0..100).take_while(|_| page.add(&record(&name)).unwrap()).count();
            let content = String::from_utf8(page.lines.into_inner().unwrap()).unwrap();
            let answer = serde_json::to_string(&content).unwrap();
            assert!(rows > 3 && rows < 100 && answer.len() <= 4_000_000, "{rows}: {}", answer.len());
        }
    }

    proptest! {
        #[test]
        fn whatever_a_name_is_it_comes_back_and_is_no_formula(name in "[=+@＝﹦;\"'\r\n\t\u{200b} åa-]{0,12}") {
            let bytes = written(&name);
            let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(&bytes[BYTE_ORDER_MARK.len()..]);
            let lines: Vec<_> = reader.records().collect::<Result<_, _>>().unwrap();
            prop_assert_eq!(lines.len(), 1);
            let cell = &lines[0][1];
            let seen = cell.trim_start_matches([' ', '\u{200b}']);
            prop_assert!(!seen.starts_with(['=', '+', '-', '@', '＝', '﹦']));
            let spaced = name.replace(['\r', '\n', '\t'], " ");
            let quoted = format!("'{spaced}");
            prop_assert!([spaced, quoted].contains(&cell.to_owned()));
        }
    }
}
