//! Rules about what functions may do and how long they may take, and about the table.

use serde_json::Value;

use super::{Document, each};

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
        let role = super::attribute_of(&function["Role"]);
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

pub(super) fn table(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, table) in document.resources("AWS::DynamoDB::Table") {
        let holds = [
            ("on demand", table["BillingMode"] == "PAY_PER_REQUEST"),
            ("protected from deletion", table["DeletionProtectionEnabled"] == true),
            ("expiry", table["TimeToLiveSpecification"]["Enabled"] == true),
            ("a key of the customer's", table["SSESpecification"]["SSEType"] == "KMS"),
            ("recovery", table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] == true),
        ];
        let missing = holds.iter().filter(|(_, holds)| !holds);
        faults.extend(missing.map(|(what, _)| format!("{name}: {what}")));
    }
    faults
}
