//! The AWS parameter store (SSM): the two calls that read settings.
//!
//! The calls use the same parts as AWS's own clients: the same signature, retries and time-outs. The full SSM client
//! has 350,000 lines for these two calls, eight times as many as the SQS client, and took longer to compile than
//! everything else here.

use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_sdk_sqs::error::{ErrorMetadata, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{
    HttpRequest, HttpResponse, OrchestratorError, SensitiveOutput,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::SigningRegion;
use aws_types::service_config::ServiceConfigKey;
use aws_types::{SdkConfig, SigningName};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::aws_error::error_code;

/// The longest time for a call with its retries: a step must keep enough time for its own work.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(8);
/// The code that AWS returns for a parameter that does not exist.
const NOT_FOUND: &str = "ParameterNotFound";
/// The number of parameters in one answer: the maximum that AWS allows.
const PAGE: u32 = 10;

/// The parameter store cannot be used. Holds AWS's code, or the kind of transport failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the parameter store cannot be reached: {0}")]
pub struct ParameterError(pub(crate) String);

/// A parameter that was read.
pub(crate) struct Parameter {
    /// Its full name.
    pub(crate) name: String,
    /// Its value, decrypted.
    pub(crate) value: SecretString,
}

/// The parameter store of one region.
#[derive(Debug, Clone)]
pub(crate) struct Parameters {
    get: Call,
    by_path: Call,
}

/// The request is JSON. The answer is JSON that may hold keys, so its `Debug` shows nothing.
type Call = Operation<Value, SecretString, Refusal>;

/// AWS refused the call.
#[derive(Debug, thiserror::Error)]
#[error("refused")]
struct Refusal(ErrorMetadata);

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

impl Parameters {
    /// Creates the store. `config` is the same as for AWS's other clients.
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self { get: call(config, "GetParameter"), by_path: call(config, "GetParametersByPath") }
    }

    /// A parameter's value; `None` if the parameter does not exist.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<SecretString>, ParameterError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(rename = "Parameter")]
            parameter: Found,
        }
        match self.get.invoke(json!({"Name": name, "WithDecryption": true})).await {
            Ok(answer) => Ok(Some(read::<Answer>(&answer)?.parameter.value.into())),
            Err(SdkError::ServiceError(refused)) if refused.err().code() == Some(NOT_FOUND) => Ok(None),
            Err(error) => Err(ParameterError(error_code(&error))),
        }
    }

    /// All parameters directly under a path.
    pub(crate) async fn under(&self, path: &str) -> Result<Vec<Parameter>, ParameterError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            parameters: Vec<Found>,
            next_token: Option<String>,
        }
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let mut request = json!({"Path": path, "WithDecryption": true, "MaxResults": PAGE});
            if let Some(token) = next {
                request["NextToken"] = Value::String(token);
            }
            let answer = self.by_path.invoke(request).await;
            let answer: Answer = read(&answer.map_err(|error| ParameterError(error_code(&error)))?)?;
            let parameters = answer.parameters.into_iter();
            found.extend(parameters.map(|one| Parameter { name: one.name, value: one.value.into() }));
            next = answer.next_token;
            if next.is_none() {
                return Ok(found);
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    name: String,
    value: String,
}

fn read<T: serde::de::DeserializeOwned>(answer: &SecretString) -> Result<T, ParameterError> {
    // The error is not shown: it may quote the parameter.
    serde_json::from_str(answer.expose_secret())
        .map_err(|_| ParameterError("an answer that cannot be read".to_owned()))
}

/// One call of the service (AWS JSON 1.1).
fn call(config: &SdkConfig, operation: &'static str) -> Call {
    let region = config.region().cloned();
    let place = region.as_ref().map_or("us-east-1", |region| region.as_ref());
    let endpoint =
        endpoint_from_environment(config).unwrap_or_else(|| format!("https://ssm.{place}.amazonaws.com"));
    let timeouts = config.timeout_config().map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
    let mut builder = Operation::builder()
        .service_name("SSM")
        .operation_name(operation)
        .endpoint_url(&endpoint)
        .with_connection_poisoning()
        .standard_retry(&config.retry_config().cloned().unwrap_or_else(RetryConfig::standard))
        .retry_classifier(TransientErrorClassifier::<Refusal>::new())
        .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
        .retry_classifier(HttpStatusCodeClassifier::default())
        .timeout_config(timeouts.operation_timeout(LONGEST).build())
        .runtime_plugin(signed(config, region.map(SigningRegion::from)));
    if let Some(http) = config.http_client() {
        builder = builder.http_client(http);
    }
    builder
        .serializer(move |body: Value| {
            let mut request = HttpRequest::new(SdkBody::from(body.to_string()));
            request.set_method("POST")?;
            request.set_uri("/")?;
            request.headers_mut().insert("content-type", "application/x-amz-json-1.1");
            request.headers_mut().insert("x-amz-target", format!("AmazonSSM.{operation}"));
            Ok(request)
        })
        .deserializer(answer)
        .build()
}

/// The address from the environment. AWS's clients use the same variables: `AWS_ENDPOINT_URL_SSM`, `AWS_ENDPOINT_URL`.
fn endpoint_from_environment(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("SSM")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    config.service_config()?.load_config(key)
}

/// Signs the calls with the credentials of the other clients.
fn signed(config: &SdkConfig, region: Option<SigningRegion>) -> StaticRuntimePlugin {
    let mut layer = Layer::new("ssm");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SensitiveOutput);
    let mut signing_options = SigningOptions::default();
    signing_options.double_uri_encode = true;
    signing_options.normalize_uri_path = true;
    layer.store_put(SigV4OperationSigningConfig {
        region,
        name: Some(SigningName::from_static("ssm")),
        signing_options,
        ..SigV4OperationSigningConfig::default()
    });
    let mut components = RuntimeComponentsBuilder::new("ssm");
    components.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
        StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
    )));
    components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
    components.set_identity_cache(Some(IdentityCache::no_cache()));
    if let Some(credentials) = config.credentials_provider() {
        components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
    }
    StaticRuntimePlugin::new().with_config(layer.freeze()).with_runtime_components(components)
}

fn answer(response: &HttpResponse) -> Result<SecretString, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        let text =
            std::str::from_utf8(body).map_err(|_| OrchestratorError::other("an answer that is no text"))?;
        return Ok(text.into());
    }
    let refusal: Value = serde_json::from_slice(body).unwrap_or_default();
    // Some services put a namespace before the code.
    let code = refusal["__type"].as_str().and_then(|code| code.rsplit('#').next()).unwrap_or("Unknown");
    Err(OrchestratorError::operation(Refusal(ErrorMetadata::builder().code(code).build())))
}
