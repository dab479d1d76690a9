//! What the template's alarms, dashboard and saved queries ask for.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde_json::Value;
use stafett_local::template::STACK_NAME;

use crate::template::{Document, substituted};

/// A metric: namespace, name, dimensions. Where a dimension has no value, any will do.
pub(super) type Series = (String, String, BTreeMap<String, Option<String>>);

/// Words of the query language.
const LANGUAGE: [&str; 22] = [
    "fields",
    "filter",
    "parse",
    "sort",
    "stats",
    "limit",
    "display",
    "by",
    "as",
    "asc",
    "desc",
    "and",
    "or",
    "not",
    "in",
    "like",
    "count",
    "count_distinct",
    "sum",
    "avg",
    "max",
    "min",
];

/// What a query needs of the lines.
pub(super) struct Query {
    pub(super) fields: BTreeSet<String>,
    pub(super) events: BTreeSet<String>,
}

fn namespace(value: &Value) -> String {
    if value["Ref"] == "AWS::StackName" {
        return STACK_NAME.to_owned();
    }
    value.as_str().unwrap_or_else(|| panic!("no namespace: {value}")).to_owned()
}

pub(super) fn by_alarms(document: &Document) -> Vec<(String, Series)> {
    let mut asked = Vec::new();
    for (name, alarm) in document.resources("AWS::CloudWatch::Alarm") {
        let own = [alarm].into_iter().filter(|alarm| alarm["MetricName"].is_string());
        let of_expression =
            alarm["Metrics"].as_array().into_iter().flatten().map(|metric| &metric["MetricStat"]["Metric"]);
        let metrics: Vec<_> = own.chain(of_expression).filter(|metric| !metric.is_null()).collect();
        assert!(!metrics.is_empty(), "{name} looks at nothing");
        for metric in metrics {
            let dimensions = metric["Dimensions"].as_array().into_iter().flatten().map(|dimension| {
                let value = &dimension["Value"];
                let value = if value["Fn::If"].is_null() { value } else { &value["Fn::If"][1] };
                let reference = value["Ref"].as_str().or(value["Fn::GetAtt"][0].as_str());
                assert!(reference.is_none_or(|resource| document.has(resource)), "{name}: {dimension}");
                let value = value.as_str().or(reference).unwrap_or_default();
                (dimension["Name"].as_str().unwrap().to_owned(), Some(value.to_owned()))
            });
            let metric_name = metric["MetricName"].as_str().unwrap().to_owned();
            asked.push((
                name.to_owned(),
                (namespace(&metric["Namespace"]), metric_name, dimensions.collect()),
            ));
        }
    }
    asked
}

pub(super) fn by_dashboard(document: &Document) -> Vec<(String, Series)> {
    let mut asked = Vec::new();
    for (_, dashboard) in document.resources("AWS::CloudWatch::Dashboard") {
        let text = substituted(&dashboard["DashboardBody"]).replace("${AWS::StackName}", STACK_NAME);
        let body: Value = serde_json::from_str(&text).unwrap();
        for widget in body["widgets"].as_array().unwrap().iter().filter(|widget| widget["type"] == "metric") {
            let title = format!("the dashboard's {}", widget["properties"]["title"]);
            for metric in widget["properties"]["metrics"].as_array().unwrap() {
                let series = match metric[0]["expression"].as_str() {
                    Some(expression) => searched(expression),
                    None => listed(metric),
                };
                asked.push((title.clone(), series));
            }
        }
    }
    asked
}

/// `[namespace, name, dimension, value, …, {options}]`
fn listed(metric: &Value) -> Series {
    let words: Vec<_> =
        metric.as_array().unwrap().iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let [namespace, name, dimensions @ ..] = words.as_slice() else { panic!("no metric: {metric}") };
    let dimensions: BTreeMap<_, _> =
        dimensions.chunks(2).map(|pair| (pair[0].clone(), Some(pair[1].clone()))).collect();
    (namespace.clone(), name.clone(), dimensions)
}

/// `SEARCH('{"namespace",dimension,…} MetricName="name"', …)`
fn searched(expression: &str) -> Series {
    let search = Regex::new(r#"^SEARCH\('\{([^}]*)\} MetricName="([A-Za-z0-9]+)"'"#).unwrap();
    let parts = search.captures(expression).unwrap_or_else(|| panic!("no search: {expression}"));
    let mut words = parts[1].split(',');
    let namespace = words.next().unwrap().trim_matches('"').to_owned();
    (namespace, parts[2].to_owned(), words.map(|dimension| (dimension.to_owned(), None)).collect())
}

/// What CloudWatch counts in lines that others print: the gateway and Lambda.
pub(super) fn counted_in_logs(document: &Document) -> Vec<Series> {
    let filters = document.resources("AWS::Logs::MetricFilter");
    let metrics = filters.map(|(_, filter)| {
        let metric = &filter["MetricTransformations"][0];
        let name = metric["MetricName"].as_str().unwrap().to_owned();
        (namespace(&metric["MetricNamespace"]), name, BTreeMap::new())
    });
    metrics.collect()
}

pub(super) fn by_queries(document: &Document) -> Vec<(String, Query)> {
    let (text, event, alias, parsed, word) = (
        Regex::new(r#""[^"]*""#).unwrap(),
        Regex::new(r#"event = "([^"]+)""#).unwrap(),
        Regex::new(r"\bas ([a-z_]+)").unwrap(),
        Regex::new(r#"parse @[A-Za-z]+ "[^"]*" as ([a-z_, ]+)"#).unwrap(),
        Regex::new(r"[@A-Za-z_][A-Za-z_.]*").unwrap(),
    );
    let queries: Vec<_> = document.resources("AWS::Logs::QueryDefinition").collect();
    assert!(queries.len() >= 4);
    let read = |(name, query): (&str, &Value)| {
        let query = query["QueryString"].as_str().unwrap();
        let events = event.captures_iter(query).map(|found| found[1].to_owned()).collect();
        let mut aliases: BTreeSet<_> = alias.captures_iter(query).map(|found| found[1].to_owned()).collect();
        for names in parsed.captures_iter(query) {
            aliases.extend(names[1].split(',').map(|name| name.trim().to_owned()));
        }
        let bare = text.replace_all(query, "");
        let words = word.find_iter(&bare).map(|found| found.as_str().to_owned());
        // Those with an @ are CloudWatch's own.
        let is_field = |word: &String| {
            !word.starts_with('@') && !LANGUAGE.contains(&word.as_str()) && !aliases.contains(word)
        };
        (name.to_owned(), Query { fields: words.filter(is_field).collect(), events })
    };
    queries.into_iter().map(read).collect()
}
