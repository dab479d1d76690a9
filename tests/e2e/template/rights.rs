//! Rules about what functions may do, how long they may take, and how much the gateway lets through.

use serde_json::Value;

use super::document::{Document, each};

/// The gateway gives up after 30 s.
pub(super) fn api_timeout(document: &Document) -> Vec<String> {
    let slow = document.events("HttpApi").filter(|(_, function, _)| document.timeout(function) > 29);
    slow.map(|(name, ..)| name.to_owned()).collect()
}

/// Every statement of a policy or a role.
pub(super) fn statements(resource: &Value) -> Vec<&Value> {
    let own = resource["Policies"].as_array().into_iter().flatten().map(|policy| &policy["PolicyDocument"]);
    let documents = own.chain([&resource["PolicyDocument"]]).filter(|document| !document.is_null());
    documents.flat_map(|document| each(&document["Statement"])).collect()
}

fn policies(document: &Document) -> impl Iterator<Item = (&str, Vec<&Value>)> {
    let roles = document.resources("AWS::IAM::Role");
    let managed = document.resources("AWS::IAM::ManagedPolicy");
    roles.chain(managed).map(|(name, resource)| (name, statements(resource)))
}

/// Each action by its name.
pub(super) fn actions(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, statements) in policies(document) {
        for action in statements.iter().flat_map(|statement| each(&statement["Action"])) {
            let by_name = |action: &str| action.contains(':') && !action.contains('*');
            if !action.as_str().is_some_and(by_name) {
                faults.push(format!("{name}: {action}"));
            }
        }
    }
    faults
}

/// Everything on resources of this stack, but for network interfaces, which EC2 knows no other way for. Every function
/// has a role of its own, and none of AWS's policies, which are for everything of the account.
pub(super) fn resources(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, statements) in policies(document) {
        let any = |statement: &&Value| each(&statement["Resource"]).iter().any(|resource| **resource == "*");
        let only_ec2 = |statement: &Value| {
            each(&statement["Action"])
                .iter()
                .all(|action| action.as_str().is_some_and(|it| it.starts_with("ec2:")))
        };
        if statements.iter().filter(|statement| any(statement)).any(|statement| !only_ec2(statement)) {
            faults.push(format!("{name} is for everything"));
        }
    }
    for (name, function) in document.functions() {
        let role = super::document::attribute_of(&function["Role"]);
        if role.map(|role| role.replace("Role", "Function")).as_deref() != Some(name) {
            faults.push(format!("{name} has the role {role:?}"));
        }
    }
    for (name, role) in document.resources("AWS::IAM::Role") {
        if role["ManagedPolicyArns"].to_string().contains("arn:") {
            faults.push(format!("{name} has a policy of AWS's"));
        }
    }
    faults
}

/// Frontends that poll at the same time on the busiest morning, one for each organiser.
const FRONTENDS: u64 = 300;
/// As often as the API asks for (`Retry-After`), in seconds.
const EVERY: u64 = 2;

/// Polling of sends takes at most a third of the gateway's rate, and a burst is two seconds of it.
pub(super) fn rate(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, api) in document.resources("AWS::Serverless::HttpApi") {
        let limit = |which: &str| api["DefaultRouteSettings"][which].as_u64().unwrap_or_default();
        let (rate, burst) = (limit("ThrottlingRateLimit"), limit("ThrottlingBurstLimit"));
        if rate < 3 * FRONTENDS / EVERY || burst < 2 * rate {
            faults.push(format!("{name}: {rate} a second, {burst} at once"));
        }
    }
    faults
}

/// More memory is more of a core: 60,000 students are looked through within the API's 29 s.
pub(super) fn api_memory(document: &Document) -> Vec<String> {
    let small = document
        .events("HttpApi")
        .filter(|(_, function, _)| function["MemorySize"].as_u64().unwrap_or_default() < 1024);
    small.map(|(name, ..)| name.to_owned()).collect()
}
