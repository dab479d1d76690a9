//! All routes, each with its path, its handler and its description. The router and the API description are built from
//! this one list. The query of a request is checked against the parameters of its route.

use std::sync::Arc;

use axum::Router;
use axum::extract::Extension;
use axum::handler::Handler;
use axum::middleware;
use axum::routing::{self, MethodRouter};
use serde_json::json;
use stafett_domain::{Outcome, RecordKind};

use crate::api::Shared;
use crate::contract::operation::Described;
use crate::contract::parameter::{Parameter, Place};
use crate::contract::{BodyExample, Call, Description, Tag};
use crate::filters;
use crate::handlers::{
    access, activities, attempts, jobs, organiser, records, sends, service, uploads, validations,
};
use crate::http::page::limit_parameter;
use crate::http::query;
use crate::views::csv_page::CSV_ROWS;

const CLASS: BodyExample = BodyExample {
    name: "class",
    summary: "A class with a test; one student's school year is missing, and Skolverket is to judge",
    json: include_str!("../../../tests/fixtures/prov-matematik.json"),
};

/// A route with its description.
struct Route {
    call: Call,
    handler: MethodRouter<Shared>,
}

fn get<T, Arguments, H>(path: &'static str, id: &'static str, tag: Tag, handler: H) -> Route
where
    T: 'static,
    H: Handler<T, Shared> + Described<Arguments>,
{
    Route { call: call::<Arguments, H>("get", path, id, tag), handler: routing::get(handler) }
}

fn post<T, Arguments, H>(path: &'static str, id: &'static str, tag: Tag, handler: H) -> Route
where
    T: 'static,
    H: Handler<T, Shared> + Described<Arguments>,
{
    Route { call: call::<Arguments, H>("post", path, id, tag), handler: routing::post(handler) }
}

fn call<Arguments, H: Described<Arguments>>(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    tag: Tag,
) -> Call {
    let mut operation = H::operation();
    // Every call returns 400 for an unknown query parameter.
    operation.problems.insert(400);
    Call {
        method,
        path,
        id,
        tag,
        summary: "",
        description: "",
        answer: "",
        bodies: &[],
        body_is_optional: false,
        body_examples: &[],
        operation,
    }
}

impl Route {
    /// Sets the summary, in one line, and the description of the successful response.
    fn about(mut self, summary: &'static str, answer: &'static str) -> Self {
        (self.call.summary, self.call.answer) = (summary, answer);
        self
    }

    fn described(self, description: &'static str) -> Self {
        Self { call: Call { description, ..self.call }, ..self }
    }

    /// Adds parameters that the handler reads from the query.
    fn queried(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        parameters.into_iter().for_each(|parameter| self.call.operation.takes(parameter));
        self
    }

    /// Sets the request body: it has one of these schemas.
    fn body(self, bodies: &'static [&'static str], body_examples: &'static [BodyExample]) -> Self {
        Self { call: Call { bodies, body_examples, ..self.call }, ..self }
    }

    fn optional_body(self) -> Self {
        Self { call: Call { body_is_optional: true, ..self.call }, ..self }
    }

    /// Adds the statuses of problems that the handler itself returns. The extractors add theirs.
    fn refused(mut self, problems: &[u16]) -> Self {
        self.call.operation.problems.extend(problems);
        self
    }
}

/// The router of all routes. The caller adds the fallbacks for other requests.
pub(crate) fn router() -> Router<Shared> {
    let (mut calls, mut router) = (Vec::new(), Router::new());
    for Route { call, handler } in routes() {
        let known: Arc<[&'static str]> = call.operation.names(Place::Query).collect();
        let check = middleware::from_fn(move |request, next| query::check(Arc::clone(&known), request, next));
        router = router.route(call.path, handler.route_layer(check));
        calls.push(call);
    }
    router.layer(Extension(Arc::new(Description::of(calls))))
}

fn routes() -> Vec<Route> {
    let mut routes = sending();
    routes.extend(history());
    routes.extend(service());
    routes
}

fn sending() -> Vec<Route> {
    vec![
        post("/v1/sends", "send", Tag::Sending, sends::new)
            .about("Send to Skolverket: the button", "Accepted: it will run. A send that takes parts is open for them.")
            .described(
                "Everything is checked and stored before the answer; the send then runs by itself, or waits for the \
                 organiser's sends before it. Objects are those of SS 12000. A code may stand where Skolverket wants a \
                 UUID: `schoolUnitCode`, `testCode`.\n\nA send larger than 4 MB comes in parts: `{\"upload\": true}` \
                 opens it.",
            )
            .body(
                &["NewSend", "NewUpload"],
                &[
                    CLASS,
                    BodyExample {
                        name: "upload",
                        summary: "A send that comes in parts",
                        json: r#"{"upload": true, "options": {"onRecordErrors": "continue"}}"#,
                    },
                ],
            )
            .refused(&[409, 422]),
        post("/v1/validations", "validate", Tag::Sending, validations::validate)
            .about("Check a send: every broken rule, and who would see whose results", "What is wrong with the body.")
            .described("The body of `POST /v1/sends`. Nothing is stored or sent.")
            .body(&["NewSend"], &[CLASS]),
        post("/v1/sends/{send}/records", "sendPart", Tag::Sending, uploads::records)
            .about("A part of a send that comes in parts", "Stored.")
            .described(
                "Parts are numbered from 1 and come in any order. A part that is sent again replaces the earlier one; of \
                 several at the same time the last one counts. What its records refer to may be in other parts.",
            )
            .body(
                &["Part"],
                &[BodyExample { name: "empty", summary: "A part without records", json: r#"{"part": 1}"# }],
            )
            .refused(&[409, 422]),
        post("/v1/sends/{send}/submit", "submit", Tag::Sending, uploads::submit)
            .about("Submit a send that came in parts", "Accepted: it will run.")
            .described(
                "References and ids are checked across the parts; pointers of faults begin with the part, \
                 `/parts/3/persons/7/id`. A send with faults stays open, so that parts can be sent again. What nobody \
                 submits within 24 hours is removed.",
            )
            .body(&["Submit"], &[BodyExample { name: "two", summary: "Two parts", json: r#"{"parts": 2}"# }])
            .refused(&[409, 422]),
        post("/v1/sends/{send}/resume", "resume", Tag::Sending, sends::resume)
            .about("Send again what was not accepted", "Accepted: it will run.")
            .described(
                "Of a send that has ended: a new send (`resumeOf`) of what was not accepted, and of what depended on \
                 it. The body may hold corrected records for those, or be `{}`.",
            )
            .body(
                &["Corrections"],
                &[BodyExample { name: "nothing", summary: "Nothing corrected", json: "{}" }],
            )
            .optional_body()
            .refused(&[409, 422]),
        post("/v1/sends/{send}/cancel", "cancel", Tag::Sending, sends::cancel)
            .about("Stop a send", "It is stopping, or has stopped.")
            .described(
                "A send that waits ends at once; one that runs ends when what is open has its outcome. What Skolverket \
                 has accepted stays there. A send that takes parts is cancelled at once: its parts are removed within \
                 minutes, and its address shows it as `cancelled` until 24 hours after it was opened.",
            )
            .refused(&[409]),
    ]
}

fn history() -> Vec<Route> {
    let time = || json!({"type": "string", "format": "date-time"});
    let uuid = json!({"type": "string", "format": "uuid"});
    // These limit what is read from the history, so they are not filters.
    let selection = || {
        [
            Parameter::query("activity", "Only those that hold this test activity.", uuid.clone()),
            Parameter::query("from", "Not before this time.", time()).such_as("2026-11-01T00:00:00Z"),
            Parameter::query("to", "Before this time.", time()),
        ]
    };
    let stages = json!({"type": "string", "enum": RecordKind::WORDS});
    let rows = "The most rows of the page: up to 100, of CSV up to 10,000.";
    vec![
        get("/v1/sends", "listSends", Tag::History, sends::list)
            .about("The organiser's sends, newest first", "A page of sends.")
            .queried(filters::parameters(filters::sends()))
            .queried(selection()),
        get("/v1/sends/{send}", "showSend", Tag::History, sends::show)
            .about("One send with its four jobs", "The send as it stands.")
            .described(
                "A send that takes parts is `receiving`, and shows those that were received; its counts are theirs. It \
                 is in no list until it is accepted.",
            ),
        get("/v1/sends/{send}/activities", "listSendActivities", Tag::History, activities::of_send)
            .about("All test activities of a send, in the order of the body", "A page of activities."),
        get("/v1/sends/{send}/access", "listAccess", Tag::History, access::list)
            .about("Who will see whose results", "A page of duties.")
            .described(
                "A teacher sees the results of every student in all groups of an activity; principals and school \
                 administrators those of the school unit. The duties of a send, in the order of the body.",
            ),
        get("/v1/activities", "listActivities", Tag::History, activities::list)
            .about("The organiser's test activities, the last changed first", "A page of activities.")
            .described("Each once, as the latest send that holds it has it.")
            .queried(filters::parameters(filters::sends()))
            .queried(filters::parameters(filters::activities())),
        get("/v1/jobs", "listJobs", Tag::History, jobs::list)
            .about("Historik: all jobs, those of the newest send first", "A page of jobs.")
            .queried([Parameter::query("stage", "Only those of this stage.", stages)])
            .queried(filters::parameters(filters::jobs()))
            .queried(selection()),
        get("/v1/sends/{send}/jobs/{stage}", "showJob", Tag::History, jobs::show)
            .about("One job, and why records of it were not simply accepted", "The job as it stands.")
            .described("Records with the same cause stand together, the most frequent cause first."),
        get("/v1/sends/{send}/jobs/{stage}/records", "listRecords", Tag::History, records::list)
            .about("A job's records as rows, in the order of the body", "A page of rows.")
            .described(
                "With `Accept: text/csv` a file as Swedish spreadsheets open it: UTF-8 with byte order mark, `;`, CRLF, \
                 Swedish headings (English with `Accept-Language: en`), up to 10,000 rows; the address of the next page \
                 is in the header `Link`. A cell that a spreadsheet would take for a formula has an apostrophe before it; \
                 control characters are spaces.",
            )
            .queried([
                limit_parameter(rows, CSV_ROWS, None),
                filters::words_parameter("outcome", "Only those with one of these outcomes", Outcome::WORDS)
                    .such_as("error,warning"),
            ]),
        get("/v1/sends/{send}/jobs/{stage}/records/{record}", "showRecord", Tag::History, records::show)
            .about("One record: its row, and with `history:personal` what was sent and every answer", "The record."),
        get("/v1/sends/{send}/jobs/{stage}/attempts", "listAttempts", Tag::History, attempts::list).about(
            "The job's calls to Skolverket: the last batch first, and of each batch the last call first",
            "A page of calls.",
        ),
        get("/v1/sends/{send}/jobs/{stage}/attempts/{attempt}", "showAttempt", Tag::History, attempts::show)
            .about("One call; with `history:personal` its bodies", "The call."),
    ]
}

fn service() -> Vec<Route> {
    vec![
        get("/v1/organiser", "showOrganiser", Tag::Service, organiser::show)
            .about("What is set for the organiser, and whether it can send", "The organiser.")
            .described("Nothing secret is in it. Changed settings are shown within a minute."),
        get("/v1/health", "health", Tag::Service, service::health)
            .about("Health check", "The service answers."),
        get("/v1/openapi.json", "openapi", Tag::Service, service::openapi)
            .about("This description, for programs", "OpenAPI 3.1."),
        get("/v1/docs", "docs", Tag::Service, service::docs)
            .about("This description, for people", "One HTML page that fetches nothing."),
    ]
}

/// All calls, for tests.
#[cfg(test)]
pub(crate) fn calls() -> Vec<Call> {
    routes().into_iter().map(|route| route.call).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_route_is_there_once_and_has_its_prose() {
        let (mut addresses, mut ids) = (HashSet::new(), HashSet::new());
        for call in calls() {
            assert!(
                addresses.insert((call.method, call.path)) && ids.insert(call.id),
                "{} {}",
                call.method,
                call.path
            );
            assert!(!call.summary.is_empty() && !call.answer.is_empty(), "{}", call.id);
            assert_eq!(call.operation.takes_body, !call.bodies.is_empty(), "{}", call.id);
        }
    }

    #[test]
    fn a_path_names_what_its_handler_reads_from_it() {
        for call in calls() {
            let named: HashSet<&str> = call.path.split(['{', '}']).skip(1).step_by(2).collect();
            assert_eq!(call.operation.names(Place::Path).collect::<HashSet<_>>(), named, "{}", call.path);
        }
    }
}
