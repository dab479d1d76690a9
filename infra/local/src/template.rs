//! Reads `infra/aws/template.yaml`, the one definition of tables, queues, functions and routes, and says what to create
//! from it on this machine.

mod error;
mod intrinsics;
mod resources;
mod values;

use std::path::Path;

use serde_json::Value;

pub use error::TemplateError;
pub use resources::{
    Authorizer, Cors, Function, Queue, QueueSource, Redrive, Resources, Route, Schedule, Table,
};
pub use values::{ACCOUNT, LocalValues, REGION, STACK_NAME};

const TEMPLATE: &str = include_str!("../../aws/template.yaml");

/// The template, read and not yet resolved.
#[derive(Debug)]
pub struct Template(Value);

impl Template {
    /// The template that this program was built with.
    pub fn embedded() -> Result<Self, TemplateError> {
        Self::parse(TEMPLATE)
    }

    /// The template of this file; without one, that which this program was built with.
    pub fn of(file: Option<&Path>) -> Result<Self, TemplateError> {
        let Some(file) = file else { return Self::embedded() };
        let text = std::fs::read_to_string(file);
        Self::parse(&text.map_err(|error| TemplateError::NotRead(file.to_owned(), error))?)
    }

    /// A template's text.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        serde_saphyr::from_str(text).map(Self).map_err(|error| TemplateError::Unreadable(error.to_string()))
    }

    /// The typed descriptions of what to create, every reference replaced by its local value. Resources of kinds that
    /// have no local counterpart (keys, policies) are left out.
    pub fn resources(&self, values: &LocalValues) -> Result<Resources, TemplateError> {
        resources::describe(&self.0, &intrinsics::Resolver::new(&self.0, values))
    }

    /// The embedded template's resources with made-up parameters, for tests.
    #[cfg(test)]
    pub(crate) fn described() -> Resources {
        let parameters =
            ["JwtIssuer", "JwtAudience", "CorsOrigins"].map(|name| (name.to_owned(), "x".to_owned()));
        let values = LocalValues { parameters: parameters.into(), ..LocalValues::default() };
        Self::embedded().unwrap().resources(&values).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> LocalValues {
        let parameters = [
            ("JwtIssuer", "http://issuer"),
            ("JwtAudience", "stafett"),
            ("CorsOrigins", "https://a.example.se, https://b.example.se"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        LocalValues {
            sqs_endpoint: "http://127.0.0.1:9".to_owned(),
            parameters: parameters.into(),
            ..LocalValues::default()
        }
    }

    fn resources() -> Resources {
        Template::embedded().unwrap().resources(&values()).unwrap()
    }

    fn function<'a>(resources: &'a Resources, name: &str) -> &'a Function {
        resources.functions.iter().find(|function| function.name == name).unwrap()
    }

    #[test]
    fn describes_the_table_with_its_index_and_expiry() {
        let resources = resources();
        let [table] = resources.tables.as_slice() else { panic!("one table") };
        assert_eq!(table.name, "stafett-Table");
        assert_eq!(table.create["KeySchema"][1]["AttributeName"], "sk");
        assert_eq!(table.create["GlobalSecondaryIndexes"][0]["IndexName"], "due");
        assert_eq!(table.expiry_attribute.as_deref(), Some("expires"));
    }

    #[test]
    fn describes_four_queues_with_dead_letter_queues() {
        let resources = resources();
        assert_eq!(resources.queues.len(), 8);
        let redriven: Vec<_> = resources.queues.iter().filter_map(|queue| queue.redrive.as_ref()).collect();
        assert_eq!(redriven.len(), 4);
        for redrive in redriven {
            assert_eq!(redrive.max_receive_count, 5);
            assert!(resources.queues.iter().any(|queue| queue.name == redrive.dead_letter_queue));
        }
        let users = resources.queues.iter().find(|queue| queue.name == "stafett-UsersQueue").unwrap();
        assert!(users.visibility_timeout >= 6 * function(&resources, "users").timeout);
        assert_eq!(users.retention.as_secs(), 14 * 24 * 3600);
        assert_eq!(users.url, format!("http://127.0.0.1:9/{ACCOUNT}/stafett-UsersQueue"));
    }

    #[test]
    fn describes_six_functions_with_environment_and_sources() {
        let resources = resources();
        let names: Vec<_> = resources.functions.iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["activities", "api", "duties", "groups", "users", "watchdog"]);
        let users = function(&resources, "users");
        assert_eq!(users.timeout.as_secs(), 30);
        assert_eq!(users.environment["TABLE_NAME"], "stafett-Table");
        assert_eq!(
            users.environment["USERS_QUEUE_URL"],
            format!("http://127.0.0.1:9/{ACCOUNT}/stafett-UsersQueue")
        );
        assert_eq!(users.environment["CALLS_PER_SECOND"], "4.8");
        let [source] = users.queue_sources.as_slice() else { panic!("one queue") };
        assert_eq!(source.queue, "stafett-UsersQueue");
        assert_eq!((source.batch_size, source.max_concurrency, source.partial_responses), (1, Some(5), true));
        let watchdog = function(&resources, "watchdog");
        assert_eq!(watchdog.schedules[0].every.as_secs(), 60);
    }

    #[test]
    fn describes_routes_with_and_without_authorization() {
        let resources = resources();
        let api = function(&resources, "api");
        assert_eq!(api.timeout.as_secs(), 29);
        let route = |key: &str| api.routes.iter().find(|route| route.key() == key).unwrap();
        let authorizer = route("ANY /v1/{proxy+}").authorizer.clone().unwrap();
        assert_eq!(authorizer.issuer, "http://issuer");
        assert_eq!(authorizer.audience, ["stafett"]);
        assert!(route("GET /v1/health").authorizer.is_none());
    }

    /// A browser sends no token with its preflight, and the answer must be that of the API.
    #[test]
    fn browsers_may_ask_without_a_token() {
        let resources = resources();
        let api = function(&resources, "api");
        let preflight = api.routes.iter().find(|route| route.key() == "OPTIONS /v1/{proxy+}").unwrap();
        assert!(preflight.authorizer.is_none());
        let cors = resources.cors.unwrap();
        assert_eq!(cors.allow_origins, ["https://a.example.se", "https://b.example.se"]);
        assert_eq!(cors.allow_methods, ["GET", "POST"]);
        for sent in ["authorization", "content-type", "idempotency-key", "if-none-match"] {
            assert!(cors.allow_headers.iter().any(|allowed| allowed == sent), "{sent}");
        }
        for read in ["etag", "link", "location", "retry-after"] {
            assert!(cors.expose_headers.iter().any(|exposed| exposed == read), "{read}");
        }
    }

    #[test]
    fn a_renamed_queue_is_renamed_everywhere() {
        let renamed = Template::parse(&TEMPLATE.replace("UsersQueue", "FirstLegQueue")).unwrap();
        let resources = renamed.resources(&values()).unwrap();
        let users = function(&resources, "users");
        assert_eq!(users.queue_sources[0].queue, "stafett-FirstLegQueue");
        assert!(users.environment["USERS_QUEUE_URL"].ends_with("/stafett-FirstLegQueue"));
        assert!(resources.queues.iter().any(|queue| queue.name == "stafett-FirstLegQueue"));
    }

    #[test]
    fn while_sending_is_paused_nothing_is_invoked_but_by_requests() {
        let enabled = |sending: &str| -> Vec<bool> {
            let mut values = values();
            values.parameters.insert("Sending".to_owned(), sending.to_owned());
            let functions = Template::embedded().unwrap().resources(&values).unwrap().functions;
            let sources = functions.iter().flat_map(|function| &function.queue_sources);
            let schedules = functions.iter().flat_map(|function| &function.schedules);
            sources.map(|source| source.enabled).chain(schedules.map(|schedule| schedule.enabled)).collect()
        };
        assert_eq!(enabled("running"), [true; 5]);
        assert_eq!(enabled("paused"), [false; 5]);
    }

    #[test]
    fn a_parameter_without_a_value_is_named() {
        let error = Template::embedded().unwrap().resources(&LocalValues::default()).unwrap_err();
        assert!(error.to_string().contains("the parameter Jwt"), "{error}");
    }

    /// The inequalities that at-least-once delivery rests on.
    #[test]
    fn durations_fit_into_each_other() {
        let resources = resources();
        for function in &resources.functions {
            let ms = |name: &str| function.environment[name].parse::<u128>().unwrap();
            assert!(function.timeout.as_millis() <= ms("CLAIM_MS"), "a claim outlives its holder");
            assert!(
                function.timeout.as_millis() < ms("OVERDUE_MS"),
                "what is discarded may still be written"
            );
            assert!(ms("SLOT_WAIT_MS") + ms("HTTP_TIMEOUT_MS") + 1000 < ms("CLAIM_MS"));
            for source in &function.queue_sources {
                let queue = resources.queues.iter().find(|queue| queue.name == source.queue).unwrap();
                assert!(queue.visibility_timeout >= function.timeout * 6, "what Lambda asks for");
            }
        }
    }
}
