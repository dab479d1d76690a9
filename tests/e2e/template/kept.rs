//! Rules about the history's table, and about what outlives a mistake.

use std::collections::BTreeSet;

use serde_json::Value;

use super::document::{Document, each, file};

/// What only an operator who means it removes.
const KEPT: [&str; 2] = ["AWS::DynamoDB::Table", "AWS::KMS::Key"];

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

/// Every reference to the table means the one in use: the stack's own by default, after a restore the parameter's.
pub(super) fn table_in_use(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    visit(&document.0, "", &mut faults);
    faults
}

fn visit(value: &Value, path: &str, faults: &mut Vec<String>) {
    if value["Fn::If"][0] == "OwnTable" {
        let (own, other) = (names(&value["Fn::If"][1], "Table"), names(&value["Fn::If"][2], "HistoryTable"));
        if !own || !other {
            faults.push(format!("{path}: {value}"));
        }
        return;
    }
    if names(value, "Table") || path != "/Conditions/OwnTable/Fn::Equals/0" && names(value, "HistoryTable") {
        faults.push(format!("{path}: {value}"));
        return;
    }
    match value {
        Value::Object(object) => {
            object.iter().for_each(|(key, value)| visit(value, &format!("{path}/{key}"), faults));
        }
        Value::Array(array) => {
            array.iter().enumerate().for_each(|(at, value)| visit(value, &format!("{path}/{at}"), faults));
        }
        _ => {}
    }
}

/// Whether this is a reference to that one.
fn names(value: &Value, wanted: &str) -> bool {
    let text = value["Fn::Sub"].as_str().unwrap_or_default();
    value["Ref"] == wanted
        || value["Fn::GetAtt"][0] == wanted
        || [format!("${{{wanted}}}"), format!("${{{wanted}.")].iter().any(|it| text.contains(it.as_str()))
}

/// It stays when the stack goes or makes another one of it; only what a failed creation made goes with it.
pub(super) fn retained(document: &Document) -> Vec<String> {
    let resources = KEPT.iter().flat_map(|kind| document.resources(kind)).map(|(name, _)| name);
    let lost = resources.filter(|name| {
        let resource = document.whole(name);
        resource["DeletionPolicy"] != "RetainExceptOnCreate" || resource["UpdateReplacePolicy"] != "Retain"
    });
    lost.map(str::to_owned).collect()
}

/// No update of the stack replaces or deletes it, and everything else can be updated.
pub(super) fn stack_policy(document: &Document) -> Vec<String> {
    let policy: Value = serde_json::from_str(&file("infra/aws/stack-policy.json")).unwrap();
    let kept: BTreeSet<_> =
        KEPT.iter().flat_map(|kind| document.resources(kind)).map(|(name, _)| name).collect();
    let mut faults = Vec::new();
    let of = |effect: &str| {
        let statements = each(&policy["Statement"]);
        statements.into_iter().filter(|it| it["Effect"] == effect).collect::<Vec<_>>()
    };
    match of("Allow").as_slice() {
        [all] if all["Action"] == "Update:*" && all["Resource"] == "*" => {}
        other => faults.push(format!("not everything else can be updated: {other:?}")),
    }
    let denied = of("Deny");
    let actions: BTreeSet<_> =
        denied.iter().flat_map(|it| each(&it["Action"])).filter_map(Value::as_str).collect();
    if actions != BTreeSet::from(["Update:Delete", "Update:Replace"]) {
        faults.push(format!("denied is {actions:?}"));
    }
    let resources = denied.iter().flat_map(|it| each(&it["Resource"])).filter_map(Value::as_str);
    let named: BTreeSet<_> = resources.map(|it| it.trim_start_matches("LogicalResourceId/")).collect();
    if named != kept {
        faults.push(format!("{named:?} cannot be replaced, and {kept:?} must not"));
    }
    faults
}
