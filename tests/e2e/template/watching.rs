//! Rules about logs, alarms and the dashboard.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use super::document::{Document, substituted};

/// Kept for a limited time, and protected; and what functions print goes to one of them.
pub(super) fn log_groups(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, group) in document.resources("AWS::Logs::LogGroup") {
        if group["RetentionInDays"].is_null() {
            faults.push(format!("{name} is kept for ever"));
        }
        if group["DataProtectionPolicy"].is_null() {
            faults.push(format!("{name} is not protected"));
        }
    }
    let group = document.globals()["LoggingConfig"]["LogGroup"]["Ref"].as_str();
    if !group.is_some_and(|group| document.has(group)) {
        faults.push(format!("functions print to {group:?}"));
    }
    faults
}

/// The function that answers requests logs who read personal data, in its own log group. The group stays when the stack
/// is deleted, and has its own retention.
pub(super) fn audit(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    let group_of = |function: &Value| {
        let own = function["LoggingConfig"]["LogGroup"]["Ref"].as_str();
        own.or(document.globals()["LoggingConfig"]["LogGroup"]["Ref"].as_str()).unwrap_or_default().to_owned()
    };
    let api: BTreeSet<_> = document.events("HttpApi").map(|(name, ..)| name).collect();
    for name in &api {
        let group = group_of(document.resource(name));
        let shared = document.functions().any(|(other, it)| other != *name && group_of(it) == group);
        let resource = document.whole(&group);
        if shared {
            faults.push(format!("{name} prints to {group}, as others do"));
        } else if resource["DeletionPolicy"] != "RetainExceptOnCreate" {
            faults.push(format!("{group} goes with the stack"));
        } else if resource["Properties"]["RetentionInDays"]["Ref"] != "AuditRetentionDays" {
            faults.push(format!("{group} is kept as other lines are"));
        }
    }
    faults
}

/// Where silence is the alarm, one late line is not: two periods without any are.
pub(super) fn silence(document: &Document) -> Vec<String> {
    let hasty = document.resources("AWS::CloudWatch::Alarm").filter(|(_, alarm)| {
        alarm["TreatMissingData"] == "breaching"
            && alarm["DatapointsToAlarm"].as_u64().unwrap_or_default() < 2
    });
    hasty.map(|(name, _)| name.to_owned()).collect()
}

/// What Lambda itself prints of an invocation.
const PLATFORM_REPORT: &str =
    r#"{"time": "", "type": "", "record": {"metrics": {"maxMemoryUsedMB": 0, "memorySizeMB": 0}}}"#;

/// Filters use members that the lines of their group have.
pub(super) fn metric_filters(document: &Document) -> Vec<String> {
    let member = Regex::new(r"\$\.([A-Za-z.]+)").unwrap();
    let access =
        document.resources("AWS::Serverless::HttpApi").next().map(|(_, api)| &api["AccessLogSettings"]);
    let access_log = access.and_then(|it| super::document::attribute_of(&it["DestinationArn"]));
    let mut faults = Vec::new();
    for (name, filter) in document.resources("AWS::Logs::MetricFilter") {
        let format = access.and_then(|it| it["Format"].as_str()).unwrap_or_default();
        let of_gateway = filter["LogGroupName"]["Ref"].as_str() == access_log;
        let line: Value = serde_json::from_str(if of_gateway { format } else { PLATFORM_REPORT }).unwrap();
        let texts = [&filter["FilterPattern"], &filter["MetricTransformations"][0]["MetricValue"]];
        let texts = texts.into_iter().filter_map(Value::as_str);
        let members: Vec<_> =
            texts.flat_map(|text| member.captures_iter(text)).map(|it| it[1].to_owned()).collect();
        let missing =
            members.iter().filter(|it| line.pointer(&format!("/{}", it.replace('.', "/"))).is_none());
        faults.extend(missing.map(|it| format!("{name}: no line has {it}")));
        if members.is_empty() {
            faults.push(format!("{name} looks for nothing"));
        }
    }
    faults
}

/// The body is JSON in the form that CloudWatch wants, and what it refers to is there.
pub(super) fn dashboard(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, dashboard) in document.resources("AWS::CloudWatch::Dashboard") {
        let (body, text) = (&dashboard["DashboardBody"], substituted(&dashboard["DashboardBody"]));
        // A namespace may have a hyphen in it.
        if text.contains("SEARCH('{${") {
            faults.push(format!("{name}: a namespace without quotes"));
        }
        for reference in text.split("${").skip(1).filter_map(|rest| rest.split('}').next()) {
            let resource = reference.split('.').next().unwrap_or_default();
            let own = &body["Fn::Sub"][1][resource];
            if !resource.starts_with("AWS::") && !document.has(resource) && own.is_null() {
                faults.push(format!("{name}: there is no {resource}"));
            }
        }
        match serde_json::from_str::<Value>(text) {
            Err(error) => faults.push(format!("{name}: {error}")),
            Ok(body) => faults.extend(widgets(&body).map(|fault| format!("{name}: {fault}"))),
        }
    }
    faults
}

fn widgets(body: &Value) -> impl Iterator<Item = String> {
    let widgets = body["widgets"].as_array().map_or(&[][..], Vec::as_slice);
    let none = widgets.is_empty().then(|| "no widgets".to_owned());
    let wrong = widgets.iter().filter(|widget| {
        let properties = &widget["properties"];
        let metrics = properties["metrics"].as_array();
        match widget["type"].as_str() {
            Some("text") => !properties["markdown"].is_string(),
            Some("metric") => {
                properties["region"].is_null()
                    || !metrics
                        .is_some_and(|metrics| !metrics.is_empty() && metrics.iter().all(Value::is_array))
            }
            _ => true,
        }
    });
    none.into_iter().chain(wrong.map(|widget| format!("not a widget: {}", widget["properties"]["title"])))
}
