//! The OpenAPI document.

use serde_json::{Map, Value, json};
use stafett_domain::schema::request_schemas;

use crate::contract::operation::{AnswerHeader, Operation};
use crate::contract::{example, problems, schemas};

const ABOUT: &str = "\
What an admin frontend calls behind its button \"Skicka till Skolverket\", and what it shows as Historik.

A **send** is one press of the button. It has four jobs, users, duties, groups and activities, which run in this order, \
each when the one before has succeeded. An organiser's sends run one after another. Ask for a send with \
`GET /v1/sends/{send}` as often as its `Retry-After` says, with the `ETag` of the last answer in `If-None-Match`, until \
its status is one that ends it.

Every call but those of the service itself needs a token (`Authorization: Bearer …`) of the identity provider that the \
service is set up with. The organiser is read from the token: nothing of another organiser is ever shown, and its ids \
answer like ids that do not exist. `sends:write` sends. `history:read` reads, with civic numbers, EPPNs, e-mail \
addresses, protected persons' names, sent objects and Skolverket's own texts hidden. `history:personal` reads all of it, \
and each such reading is logged.

Names of attributes are camelCase; persons, duties, groups and activities have those of SS 12000. Times are UTC, RFC 3339. \
Lists are `{items, nextCursor}`, requested with `limit` and `cursor`; a page may hold fewer items than `limit`, even none, \
and have a next one. Errors are returned as `application/problem+json` (RFC 9457) with a `type` of their own and a text in \
English (`detail`) and Swedish (`detailSv`). A parameter of the query that a call does not know is an error. Bodies of \
requests may be gzip, and answers are where `Accept-Encoding` allows it.";

/// A group of calls.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    Sending,
    History,
    Service,
}

/// A call with its description.
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// The `operationId`, from which clients make the name of a function.
    pub(crate) id: &'static str,
    pub(crate) tag: Tag,
    pub(crate) summary: &'static str,
    pub(crate) description: &'static str,
    /// The description of the successful response.
    pub(crate) answer: &'static str,
    /// The names of the schemas that its body may have; empty if it takes no body.
    pub(crate) bodies: &'static [&'static str],
    pub(crate) body_is_optional: bool,
    pub(crate) body_examples: &'static [BodyExample],
    pub(crate) operation: Operation,
}

/// An example of a request body.
pub(crate) struct BodyExample {
    pub(crate) name: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) json: &'static str,
}

impl Tag {
    const ALL: [Self; 3] = [Self::Sending, Self::History, Self::Service];

    fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "Sending",
            Self::History => "History",
            Self::Service => "Service",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Sending => "Check, send, send in parts, cancel, resume.",
            Self::History => "What became of it: sends, jobs, every record, every call.",
            Self::Service => "About the service itself, and the caller's organiser.",
        }
    }
}

/// The document that describes these calls.
pub(super) fn document(calls: &[Call]) -> Value {
    let mut generator = schemas::generator();
    let mut answers = Vec::new();
    for call in calls {
        let contents = call.operation.contents.iter();
        answers.push(contents.map(|(media, schema)| (*media, schema(&mut generator).to_value())).collect());
    }
    let problems = problems::components(&mut generator);
    let mut schemas = generator.take_definitions(true);
    schemas.extend(request_schemas());
    problems::list_types(&mut schemas);
    let mut paths = Map::new();
    for (call, contents) in calls.iter().zip(answers) {
        let path = paths.entry(call.path).or_insert_with(|| json!({}));
        path[call.method] = call.described(contents, &schemas);
    }
    let tags = Tag::ALL.map(|tag| json!({"name": tag.as_str(), "description": tag.description()}));
    let mut responses = problems;
    responses.insert("NotModified".to_owned(), not_modified(calls));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Stafett",
            "version": "1",
            "summary": "Takes a school authority's test data and hands it over to Skolverket's test service.",
            "description": ABOUT,
        },
        "servers": [{"url": "/"}],
        "tags": tags,
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {
                "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                "description": "A token of the identity provider, with the organisation number in a claim and scopes in \
                                `scope` or `scp`: a text with spaces between them, or a list.",
            }},
            "responses": responses,
            "schemas": schemas,
        },
    })
}

impl Call {
    fn described(&self, contents: Vec<(&'static str, Value)>, schemas: &Map<String, Value>) -> Value {
        let Operation { parameters, scope, takes_body, status, headers, not_modified, problems, .. } =
            &self.operation;
        let mut responses = Map::from_iter([(status.to_string(), self.success(contents, headers, schemas))]);
        let refer = |name: &str| json!({"$ref": format!("#/components/responses/{name}")});
        if *not_modified {
            responses.insert("304".to_owned(), refer("NotModified"));
        }
        for status in problems {
            responses.insert(status.to_string(), refer(&format!("Problem{status}")));
        }
        let mut operation = json!({
            "operationId": self.id,
            "tags": [self.tag.as_str()],
            "summary": self.summary,
            "security": scope.iter().map(|scope| json!({"token": [scope]})).collect::<Value>(),
            "responses": responses,
        });
        if !self.description.is_empty() {
            operation["description"] = self.description.into();
        }
        if !parameters.is_empty() {
            operation["parameters"] = parameters.iter().map(|parameter| parameter.described()).collect();
        }
        if *takes_body {
            operation["requestBody"] = self.body();
        }
        operation
    }

    fn success(
        &self,
        contents: Vec<(&'static str, Value)>,
        headers: &[AnswerHeader],
        schemas: &Map<String, Value>,
    ) -> Value {
        let content = |(media, schema): (&str, Value)| {
            let mut content = json!({"schema": schema});
            if schema.get("$ref").is_some() {
                content["examples"] = json!({"example": {"value": example::of(&schema, schemas)}});
            }
            (media.to_owned(), content)
        };
        let content: Map<_, _> = contents.into_iter().map(content).collect();
        let mut success = json!({"description": self.answer, "content": content});
        if !headers.is_empty() {
            success["headers"] = described(headers);
        }
        success
    }

    fn body(&self) -> Value {
        let refer = |name: &&str| json!({"$ref": format!("#/components/schemas/{name}")});
        let schema = match self.bodies {
            [only] => refer(only),
            several => json!({"oneOf": several.iter().map(refer).collect::<Value>()}),
        };
        let example = |example: &BodyExample| {
            let value: Value = serde_json::from_str(example.json).unwrap_or_default();
            (example.name.to_owned(), json!({"summary": example.summary, "value": value}))
        };
        let examples: Map<_, _> = self.body_examples.iter().map(example).collect();
        let content = json!({"application/json": {"schema": schema, "examples": examples}});
        let mut body = json!({"content": content});
        if !self.body_is_optional {
            body["required"] = true.into();
        }
        body
    }
}

fn not_modified(calls: &[Call]) -> Value {
    // All calls that are polled have the same headers.
    let headers = calls.iter().find(|call| call.operation.not_modified).map(|call| &call.operation.headers);
    let headers = headers.map(|headers| described(headers)).unwrap_or_default();
    json!({"description": "The caller has this answer already.", "headers": headers})
}

fn described(headers: &[AnswerHeader]) -> Value {
    let header = |header: &AnswerHeader| {
        let mut described = json!({"description": header.description, "schema": {"type": header.schema}});
        if header.always {
            described["required"] = true.into();
        }
        (header.name.to_owned(), described)
    };
    headers.iter().map(header).collect::<Map<_, _>>().into()
}
