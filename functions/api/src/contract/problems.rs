//! Every problem that the API returns, by status, with its texts.

use std::collections::BTreeMap;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use stafett_domain::{AuthorizationCause, Findings, RecordKind, Text};

use crate::http::parameter_fault::ParameterFault;
use crate::http::problem::{Body, Problem};

/// Statuses that the gateway returns, too: for a body above its own limit, and if the function does not respond.
const RETURNED_BY_THE_GATEWAY: [u16; 3] = [413, 500, 503];

/// The gateway's response to a request that it does not pass on.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "the gateway writes it")]
struct GatewayRefusal {
    #[schemars(example = &"Unauthorized")]
    message: String,
}

/// The responses: `Problem{status}` for every status.
pub(super) fn components(generator: &mut SchemaGenerator) -> Map<String, Value> {
    let mut by_status: BTreeMap<u16, Map<String, Value>> = BTreeMap::new();
    for problem in one_of_each() {
        let body = serde_json::to_value(problem.body()).unwrap_or_default();
        let name = body["type"].as_str().and_then(|kind| kind.rsplit(':').next()).unwrap_or_default();
        let example = json!({"summary": body["title"], "value": body});
        by_status.entry(problem.status().as_u16()).or_default().insert(name.to_owned(), example);
    }
    let schema = generator.subschema_for::<Body<'_>>().to_value();
    let gateways = json!({"schema": generator.subschema_for::<GatewayRefusal>().to_value()});
    let response = |(status, examples): (u16, Map<String, Value>)| {
        let titles: Vec<&str> = examples.values().filter_map(|example| example["summary"].as_str()).collect();
        let description = titles.join("; ");
        let mut content = json!({"application/problem+json": {"schema": schema, "examples": examples}});
        if RETURNED_BY_THE_GATEWAY.contains(&status) {
            content["application/json"] = gateways.clone();
        }
        (format!("Problem{status}"), json!({"description": description, "content": content}))
    };
    let mut responses: Map<String, Value> = by_status.into_iter().map(response).collect();
    let refused =
        "No token, or one that the gateway does not accept. The gateway answers this, not the service.";
    let content = json!({"application/json": gateways});
    responses.insert("Problem401".to_owned(), json!({"description": refused, "content": content}));
    responses
}

/// Adds the types of all problems to the schema of a problem.
pub(super) fn list_types(schemas: &mut Map<String, Value>) {
    let types = one_of_each().map(|problem| problem.body().r#type.into());
    if let Some(property) =
        schemas.get_mut("Problem").and_then(|problem| problem.pointer_mut("/properties/type"))
    {
        property["enum"] = types.collect::<Vec<Value>>().into();
    }
}

fn one_of_each() -> impl Iterator<Item = Problem> {
    let readable = Text {
        en: "The body is not JSON: line 1, column 1. Nothing was stored. Correct it and send again."
            .to_owned(),
        sv: "Innehållet är inte JSON: rad 1, kolumn 1. Inget har sparats. Rätta det och skicka igen."
            .to_owned(),
    };
    std::iter::successors(Some(Problem::NotReadable(readable)), after)
}

/// The next problem in the list. A new problem without a place here does not compile.
fn after(problem: &Problem) -> Option<Problem> {
    Some(match problem {
        Problem::NotReadable(_) => Problem::IdempotencyKey,
        Problem::IdempotencyKey => {
            Problem::Parameter(ParameterFault::Word { name: "stage", allowed: RecordKind::WORDS })
        }
        Problem::Parameter(_) => Problem::Scope("history:read"),
        Problem::Scope(_) => Problem::NoOrganiser,
        Problem::NoOrganiser => Problem::NotFound,
        Problem::NotFound => Problem::MethodNotAllowed,
        Problem::MethodNotAllowed => Problem::Ended,
        Problem::Ended => Problem::NotEnded,
        Problem::NotEnded => Problem::NothingToResume,
        Problem::NothingToResume => Problem::Superseded,
        Problem::Superseded => Problem::Submitted,
        Problem::Submitted => Problem::NotAuthorized(AuthorizationCause::CertificateExpired),
        Problem::NotAuthorized(_) => Problem::Environment,
        Problem::Environment => Problem::PartsMoved,
        Problem::PartsMoved => Problem::TooLarge,
        Problem::TooLarge => Problem::ContentEncoding,
        Problem::ContentEncoding => Problem::WrongParts { missing: vec![2], beyond: vec![4] },
        Problem::WrongParts { .. } => Problem::KeyReused,
        Problem::KeyReused => Problem::InvalidSend(Findings::default()),
        Problem::InvalidSend(_) => Problem::CorrectionNotSent,
        Problem::CorrectionNotSent => Problem::Internal,
        Problem::Internal => Problem::Unavailable,
        Problem::Unavailable => return None,
    })
}
