//! The typed descriptions of what the local stack creates.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::TemplateError;
use super::intrinsics::{Resolver, text};

/// Everything that the local stack creates.
#[derive(Debug)]
pub struct Resources {
    /// Tables, by logical id.
    pub tables: Vec<Table>,
    /// Queues, by logical id, dead-letter queues among them.
    pub queues: Vec<Queue>,
    /// Functions, by logical id.
    pub functions: Vec<Function>,
    /// The HTTP API's CORS headers, if it has any.
    pub cors: Option<Cors>,
}

/// An HTTP API's CORS headers: what browsers may do from other origins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Cors {
    /// Origins that may call: `*`, or each as a browser names it.
    pub allow_origins: Vec<String>,
    pub allow_methods: Vec<String>,
    pub allow_headers: Vec<String>,
    pub expose_headers: Vec<String>,
    /// Seconds that a browser need not ask again.
    pub max_age: u64,
}

/// A DynamoDB table.
#[derive(Debug)]
pub struct Table {
    /// The name that functions know it by.
    pub name: String,
    /// The body of the `CreateTable` call.
    pub create: Value,
    /// The attribute with the second after which an item is gone.
    pub expiry_attribute: Option<String>,
}

/// An SQS queue.
#[derive(Debug, Clone)]
pub struct Queue {
    /// The last part of its address.
    pub name: String,
    pub url: String,
    /// How long a received message stays invisible.
    pub visibility_timeout: Duration,
    pub retention: Duration,
    /// Where messages go that were received too often.
    pub redrive: Option<Redrive>,
}

/// A queue's redrive policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redrive {
    pub dead_letter_queue: String,
    /// After how many receives a message goes there.
    pub max_receive_count: u32,
}

/// A Lambda function.
#[derive(Debug, Clone)]
pub struct Function {
    /// The name of its package, which is that of its crate: `users`, `api`.
    pub name: String,
    pub function_name: String,
    pub arn: String,
    pub timeout: Duration,
    /// In megabytes.
    pub memory_size: u64,
    pub environment: BTreeMap<String, String>,
    pub queue_sources: Vec<QueueSource>,
    pub schedules: Vec<Schedule>,
    pub routes: Vec<Route>,
}

/// An event source mapping.
#[derive(Debug, Clone)]
pub struct QueueSource {
    pub queue: String,
    pub arn: String,
    /// Messages per invocation, at most.
    pub batch_size: usize,
    /// Invocations at a time, at most.
    pub max_concurrency: Option<usize>,
    /// Whether the answer names the messages that failed.
    pub partial_responses: bool,
    pub enabled: bool,
}

/// A schedule rule.
#[derive(Debug, Clone)]
pub struct Schedule {
    pub name: String,
    pub every: Duration,
    pub enabled: bool,
}

/// A route of the HTTP API.
#[derive(Debug, Clone)]
pub struct Route {
    /// An HTTP method, or `ANY`.
    pub method: String,
    /// A path, whose last part may be `{name+}`, which stands for one or more parts.
    pub path: String,
    /// Whose tokens are asked for, if any.
    pub authorizer: Option<Authorizer>,
}

impl Route {
    /// As the gateway writes it in events: `ANY /v1/{proxy+}`.
    pub fn key(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// A JWT authorizer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorizer {
    /// The only accepted `iss`.
    pub issuer: String,
    /// The accepted `aud`, one of them.
    pub audience: Vec<String>,
}

pub(super) fn describe(document: &Value, resolver: &Resolver<'_>) -> Result<Resources, TemplateError> {
    let mut resources =
        Resources { tables: Vec::new(), queues: Vec::new(), functions: Vec::new(), cors: None };
    for (logical_id, resource) in object(document, "Resources")? {
        let source = Source { logical_id, properties: &resource["Properties"], resolver };
        match resource["Type"].as_str() {
            Some("AWS::DynamoDB::Table") => resources.tables.push(table(&source)?),
            Some("AWS::SQS::Queue") => resources.queues.push(queue(&source)?),
            Some("AWS::Serverless::Function") => resources.functions.push(function(&source, document)?),
            Some("AWS::Serverless::HttpApi") => resources.cors = cors(&source)?,
            _ => {}
        }
    }
    resources.functions.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(resources)
}

/// One resource while it is being read.
struct Source<'a> {
    logical_id: &'a str,
    properties: &'a Value,
    resolver: &'a Resolver<'a>,
}

impl Source<'_> {
    fn get(&self, property: &str) -> Result<Option<Value>, TemplateError> {
        self.properties.get(property).map(|value| self.resolver.resolve(value)).transpose()
    }

    fn seconds(&self, property: &str, default: u64) -> Result<Duration, TemplateError> {
        let seconds = match self.get(property)? {
            None => default,
            Some(value) => value.as_u64().ok_or_else(|| self.expected(property, "seconds"))?,
        };
        Ok(Duration::from_secs(seconds))
    }

    fn expected(&self, property: &str, expected: &'static str) -> TemplateError {
        TemplateError::Expected { path: format!("{}.{property}", self.logical_id), expected }
    }
}

fn table(source: &Source<'_>) -> Result<Table, TemplateError> {
    let name = source.resolver.physical_name(source.logical_id, "TableName")?;
    let mut create = Map::new();
    create.insert("TableName".to_owned(), Value::String(name.clone()));
    // Encryption and recovery have no local counterpart: the table lives in memory.
    for property in ["AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes"] {
        if let Some(value) = source.get(property)? {
            create.insert(property.to_owned(), value);
        }
    }
    let expiry = source.get("TimeToLiveSpecification")?;
    let expiry_attribute = expiry
        .filter(|expiry| expiry["Enabled"] == Value::Bool(true))
        .and_then(|expiry| expiry["AttributeName"].as_str().map(str::to_owned));
    Ok(Table { name, create: Value::Object(create), expiry_attribute })
}

fn cors(source: &Source<'_>) -> Result<Option<Cors>, TemplateError> {
    let Some(configuration) = source.get("CorsConfiguration")? else { return Ok(None) };
    let read = serde_json::from_value(configuration);
    read.map(Some).map_err(|_| source.expected("CorsConfiguration", "origins, methods, headers and an age"))
}

fn queue(source: &Source<'_>) -> Result<Queue, TemplateError> {
    let redrive = match source.get("RedrivePolicy")? {
        None => None,
        Some(policy) => {
            let arn = policy["deadLetterTargetArn"].as_str();
            let count = policy["maxReceiveCount"].as_u64().and_then(|count| u32::try_from(count).ok());
            let (Some(arn), Some(max_receive_count)) = (arn, count) else {
                return Err(source.expected("RedrivePolicy", "deadLetterTargetArn and maxReceiveCount"));
            };
            Some(Redrive { dead_letter_queue: last_part(arn, ':'), max_receive_count })
        }
    };
    Ok(Queue {
        name: source.resolver.physical_name(source.logical_id, "QueueName")?,
        url: source.resolver.queue_url(source.logical_id)?,
        // What AWS takes where the template says nothing: 30 s, four days.
        visibility_timeout: source.seconds("VisibilityTimeout", 30)?,
        retention: source.seconds("MessageRetentionPeriod", 345_600)?,
        redrive,
    })
}

fn function(source: &Source<'_>, document: &Value) -> Result<Function, TemplateError> {
    let globals = Source {
        logical_id: "Globals",
        properties: &document["Globals"]["Function"],
        resolver: source.resolver,
    };
    let code = source.get("CodeUri")?;
    let code = code.as_ref().and_then(Value::as_str).ok_or_else(|| source.expected("CodeUri", "a path"))?;
    let timeout = globals.seconds("Timeout", 3)?;
    let memory = match source.get("MemorySize")? {
        Some(own) => Some(own),
        None => globals.get("MemorySize")?,
    };
    let mut environment = variables(&globals)?;
    environment.extend(variables(source)?);
    let mut function = Function {
        name: last_part(code.trim_end_matches(".zip"), '/'),
        function_name: source.resolver.physical_name(source.logical_id, "FunctionName")?,
        arn: source.resolver.function_arn(source.logical_id)?,
        timeout: source.seconds("Timeout", timeout.as_secs())?,
        memory_size: memory.and_then(|memory| memory.as_u64()).unwrap_or(128),
        environment,
        queue_sources: Vec::new(),
        schedules: Vec::new(),
        routes: Vec::new(),
    };
    if let Some(Value::Object(events)) = source.get("Events")? {
        for (name, event) in &events {
            let path = format!("{}.{name}", source.logical_id);
            let properties = &event["Properties"];
            match event["Type"].as_str() {
                Some("SQS") => function.queue_sources.push(queue_source(properties, &path)?),
                Some("Schedule") => {
                    let (every, enabled) = (rate(properties, &path)?, properties["State"] != "DISABLED");
                    function.schedules.push(Schedule { name: name.clone(), every, enabled });
                }
                Some("HttpApi") => function.routes.push(route(properties, &path, document, source.resolver)?),
                _ => return Err(TemplateError::Expected { path, expected: "SQS, Schedule or HttpApi" }),
            }
        }
    }
    Ok(function)
}

fn variables(source: &Source<'_>) -> Result<BTreeMap<String, String>, TemplateError> {
    let environment = source.get("Environment")?;
    let Some(Value::Object(variables)) = environment.as_ref().map(|value| &value["Variables"]) else {
        return Ok(BTreeMap::new());
    };
    variables
        .iter()
        .map(|(name, value)| {
            let value =
                text(value).ok_or_else(|| source.expected(&format!("Environment.{name}"), "a text"))?;
            Ok((name.clone(), value))
        })
        .collect()
}

fn queue_source(properties: &Value, path: &str) -> Result<QueueSource, TemplateError> {
    let expected =
        |property: &str, expected| TemplateError::Expected { path: format!("{path}.{property}"), expected };
    let arn = properties["Queue"].as_str().ok_or_else(|| expected("Queue", "an ARN"))?;
    let size = |value: &Value| value.as_u64().and_then(|size| usize::try_from(size).ok());
    let responses = properties["FunctionResponseTypes"].as_array();
    Ok(QueueSource {
        queue: last_part(arn, ':'),
        arn: arn.to_owned(),
        batch_size: size(&properties["BatchSize"]).ok_or_else(|| expected("BatchSize", "a number"))?,
        max_concurrency: size(&properties["ScalingConfig"]["MaximumConcurrency"]),
        partial_responses: responses
            .is_some_and(|types| types.iter().any(|kind| kind == "ReportBatchItemFailures")),
        enabled: properties["Enabled"] != Value::Bool(false),
    })
}

/// `rate(5 minutes)`.
fn rate(properties: &Value, path: &str) -> Result<Duration, TemplateError> {
    let expected = || TemplateError::Expected { path: format!("{path}.Schedule"), expected: "rate(n unit)" };
    let expression = properties["Schedule"].as_str().ok_or_else(expected)?;
    let inner =
        expression.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')).ok_or_else(expected)?;
    let (number, unit) = inner.split_once(' ').ok_or_else(expected)?;
    let seconds = match unit {
        "minute" | "minutes" => 60,
        "hour" | "hours" => 3600,
        "day" | "days" => 24 * 3600,
        _ => return Err(expected()),
    };
    let number: u64 = number.parse().map_err(|_| expected())?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

fn route(
    properties: &Value,
    path: &str,
    document: &Value,
    resolver: &Resolver<'_>,
) -> Result<Route, TemplateError> {
    let expected =
        |property: &str, expected| TemplateError::Expected { path: format!("{path}.{property}"), expected };
    let required =
        |property: &'static str| properties[property].as_str().ok_or_else(|| expected(property, "a text"));
    let api = required("ApiId")?;
    let auth = resolver.resolve(&document["Resources"][api]["Properties"]["Auth"])?;
    let authorizer = match properties["Auth"]["Authorizer"].as_str().or(auth["DefaultAuthorizer"].as_str()) {
        None | Some("NONE") => None,
        Some(name) => {
            let jwt = &auth["Authorizers"][name]["JwtConfiguration"];
            let issuer = jwt["issuer"].as_str().ok_or_else(|| expected("Auth", "an issuer"))?;
            let audience = jwt["audience"].as_array().ok_or_else(|| expected("Auth", "an audience"))?;
            Some(Authorizer {
                issuer: issuer.to_owned(),
                audience: audience.iter().filter_map(text).collect(),
            })
        }
    };
    Ok(Route {
        method: required("Method")?.to_ascii_uppercase(),
        path: required("Path")?.to_owned(),
        authorizer,
    })
}

fn object<'a>(value: &'a Value, property: &'static str) -> Result<&'a Map<String, Value>, TemplateError> {
    value[property]
        .as_object()
        .ok_or(TemplateError::Expected { path: property.to_owned(), expected: "an object" })
}

fn last_part(text: &str, separator: char) -> String {
    text.rsplit(separator).next().unwrap_or(text).to_owned()
}
