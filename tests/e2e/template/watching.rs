//! Rules about logs and the dashboard.

use regex::Regex;
use serde_json::Value;

use super::{Document, each};

/// Characters that CloudWatch takes in a pattern besides letters and digits.
const IN_PATTERNS: &str = "_#=@/;,- ^$?[]{}|\\*+.";

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

/// CloudWatch takes them, they are what they are meant to be, and what is looked for is masked.
pub(super) fn data_identifiers(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, group) in document.resources("AWS::Logs::LogGroup") {
        let policy = &group["DataProtectionPolicy"];
        let own = each(&policy["Configuration"]["CustomDataIdentifier"]);
        let patterns: Vec<_> = own.iter().filter_map(|own| own["Regex"].as_str()).collect();
        for pattern in &patterns {
            let taken = |letter: char| letter.is_ascii_alphanumeric() || IN_PATTERNS.contains(letter);
            if pattern.len() > 200 || !pattern.chars().all(taken) {
                faults.push(format!("{name}: CloudWatch does not take {pattern}"));
            }
        }
        let patterns: Vec<_> = patterns.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect();
        let masked = |text: &str| patterns.iter().any(|pattern| pattern.is_match(text));
        let numbers =
            ["201401019804", "20140101-9804", "140101-9804", "1401019804", "201401619804", "20140101TF12"];
        faults
            .extend(numbers.iter().filter(|it| !masked(it)).map(|it| format!("{name}: {it} is not masked")));
        if masked(r#""organisation":"5567044268","event":"send.ended""#) {
            faults.push(format!("{name}: organisation numbers are masked"));
        }
        let [audit, mask] = policy["Statement"].as_array().map_or(&[][..], Vec::as_slice) else {
            faults.push(format!("{name}: not the two statements that a policy has"));
            continue;
        };
        let names = own.iter().filter_map(|own| own["Name"].as_str());
        let used = each(&mask["DataIdentifier"]);
        if audit["DataIdentifier"] != mask["DataIdentifier"]
            || !names.into_iter().all(|own| used.iter().any(|it| **it == own))
        {
            faults.push(format!("{name}: not all that is looked for is masked"));
        }
    }
    faults
}

/// The body is JSON in the form that CloudWatch wants, and what it refers to is there.
pub(super) fn dashboard(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, dashboard) in document.resources("AWS::CloudWatch::Dashboard") {
        let text = dashboard["DashboardBody"]["Fn::Sub"].as_str().unwrap_or_default();
        for reference in text.split("${").skip(1).filter_map(|rest| rest.split('}').next()) {
            let resource = reference.split('.').next().unwrap_or_default();
            if !resource.starts_with("AWS::") && !document.has(resource) {
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
