//! Values that the template takes from AWS: here they come from this machine.

use std::collections::BTreeMap;

/// The region that everything local is in.
pub const REGION: &str = "eu-north-1";
/// The account that everything local is in.
pub const ACCOUNT: &str = "000000000000";
/// The local stack's name, the first part of every name that AWS would make up.
pub const STACK_NAME: &str = "stafett";

/// Addresses and parameters, which differ from start to start.
#[derive(Debug, Clone, Default)]
pub struct LocalValues {
    /// Base URL of the SQS endpoint, without a slash at its end.
    pub sqs_endpoint: String,
    /// Addresses of queues by name, instead of those that the endpoint's base URL makes.
    pub queue_urls: BTreeMap<String, String>,
    /// Values for the template's parameters, instead of their defaults.
    pub parameters: BTreeMap<String, String>,
}
