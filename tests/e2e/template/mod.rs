//! What must hold of `infra/aws/template.yaml` beyond what linters know.

mod deploy;
mod kept;
mod masking;
mod queues;
mod rights;
mod watching;

use std::path::Path;

use serde_json::Value;
use stafett_domain::RecordKind;

/// What gives all that is against a rule.
type Rule = fn(&Document) -> Vec<String>;

/// The rules by name.
const RULES: [(&str, Rule); 24] = [
    ("partial batch responses", queues::partial_batch_responses),
    ("visibility", queues::visibility),
    ("dead-letter queues", queues::dead_letter_queues),
    ("receives", queues::receives),
    ("queue retention and encryption", queues::kept_and_encrypted),
    ("queue order", queues::order),
    ("the switch", queues::switch),
    ("recursion", queues::recursion),
    ("time-out of the API", rights::api_timeout),
    ("actions", rights::actions),
    ("resources", rights::resources),
    ("rate", rights::rate),
    ("memory of the API", rights::api_memory),
    ("table", kept::table),
    ("table in use", kept::table_in_use),
    ("retained", kept::retained),
    ("stack policy", kept::stack_policy),
    ("log groups", watching::log_groups),
    ("audit", watching::audit),
    ("silence", watching::silence),
    ("metric filters", watching::metric_filters),
    ("dashboard", watching::dashboard),
    ("data identifiers", masking::data_identifiers),
    ("false matches", masking::false_matches),
];

/// A template, as it is written.
pub(crate) struct Document(Value);

impl Document {
    pub(crate) fn of(text: &str) -> Self {
        Self(serde_saphyr::from_str(text).unwrap())
    }

    pub(crate) fn resources<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let resources = self.0["Resources"].as_object().unwrap().iter();
        resources
            .filter(move |(_, resource)| resource["Type"] == kind)
            .map(|(name, resource)| (name.as_str(), &resource["Properties"]))
    }

    pub(crate) fn resource(&self, name: &str) -> &Value {
        &self.0["Resources"][name]["Properties"]
    }

    /// A resource with what stands beside its properties.
    fn whole(&self, name: &str) -> &Value {
        &self.0["Resources"][name]
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        !self.0["Resources"][name].is_null()
    }

    fn globals(&self) -> &Value {
        &self.0["Globals"]["Function"]
    }

    fn functions(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.resources("AWS::Serverless::Function")
    }

    fn timeout(&self, function: &Value) -> u64 {
        let own = function.get("Timeout").unwrap_or(&self.globals()["Timeout"]);
        own.as_u64().unwrap_or(3)
    }

    /// The events of this kind that functions are invoked by: the function's name, the function, the event.
    fn events<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value, &'a Value)> {
        self.functions().flat_map(move |(name, function)| {
            let events = function["Events"].as_object().unwrap().values();
            events
                .filter(move |event| event["Type"] == kind)
                .map(move |event| (name, function, &event["Properties"]))
        })
    }

    /// The queue that functions know as a stage's.
    fn queue_of(&self, stage: RecordKind) -> Option<&str> {
        let variable = format!("{}_QUEUE_URL", stage.as_str().to_uppercase());
        self.globals()["Environment"]["Variables"][variable]["Ref"].as_str()
    }
}

/// The resource that a reference to one of its attributes means.
fn attribute_of(value: &Value) -> Option<&str> {
    value["Fn::GetAtt"][0].as_str()
}

/// A text with references in it, which may come with values of its own.
pub(crate) fn substituted(value: &Value) -> &str {
    let text = &value["Fn::Sub"];
    text.as_str().or(text[0].as_str()).unwrap_or_default()
}

/// One value or a list of them, as policies have them.
fn each(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

/// A file of the project.
pub(crate) fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn template() -> String {
    file("infra/aws/template.yaml")
}

/// What is against the rules, each with the rule's name.
fn faults(template: &str) -> Vec<(&'static str, String)> {
    let document = Document::of(template);
    let faults =
        RULES.iter().flat_map(|(name, rule)| rule(&document).into_iter().map(|fault| (*name, fault)));
    faults.collect()
}

#[test]
fn the_template_keeps_the_rules() {
    let faults = faults(&template());
    assert!(faults.is_empty(), "{faults:#?}");
}

/// A rule that nothing breaks is none: each of these changes breaks the rule that is named, and no other.
#[test]
fn every_rule_catches_what_it_is_for() {
    let plants = [
        (
            "partial batch responses",
            "FunctionResponseTypes: [ReportBatchItemFailures]",
            "FunctionResponseTypes: []",
        ),
        ("visibility", "VisibilityTimeout: 180", "VisibilityTimeout: 150"),
        ("visibility", "    Timeout: 30\n", "    Timeout: 31\n"),
        (
            "dead-letter queues",
            "deadLetterTargetArn: { \"Fn::GetAtt\": [GroupsDeadLetters, Arn] }",
            "deadLetterTargetArn: { \"Fn::GetAtt\": [UsersDeadLetters, Arn] }",
        ),
        ("receives", "maxReceiveCount: 5", "maxReceiveCount: 4"),
        ("queue retention and encryption", "SqsManagedSseEnabled: true", "SqsManagedSseEnabled: false"),
        (
            "queue retention and encryption",
            "MessageRetentionPeriod: 1209600",
            "MessageRetentionPeriod: 345600",
        ),
        (
            "queue order",
            "DUTIES_QUEUE_URL: { Ref: DutiesQueue }\n        GROUPS_QUEUE_URL: { Ref: GroupsQueue }",
            "DUTIES_QUEUE_URL: { Ref: GroupsQueue }\n        GROUPS_QUEUE_URL: { Ref: DutiesQueue }",
        ),
        (
            "queue order",
            "                  - { \"Fn::GetAtt\": [ActivitiesQueue, Arn] }\n                  - { \"Fn::GetAtt\": [UsersQueue, Arn] }\n\n  ActivitiesFunction:",
            "                  - { \"Fn::GetAtt\": [ActivitiesQueue, Arn] }\n\n  ActivitiesFunction:",
        ),
        ("the switch", "Enabled: { \"Fn::If\": [SendingRuns, true, false] }", "Enabled: true"),
        ("the switch", "State: { \"Fn::If\": [SendingRuns, ENABLED, DISABLED] }", "State: ENABLED"),
        ("recursion", "    RecursiveLoop: Allow\n", ""),
        (
            "recursion",
            "      CodeUri: ../../target/packages/watchdog.zip\n",
            "      CodeUri: ../../target/packages/watchdog.zip\n      RecursiveLoop: Terminate\n",
        ),
        ("time-out of the API", "Timeout: 29", "Timeout: 30"),
        ("rate", "ThrottlingRateLimit: 500", "ThrottlingRateLimit: 150"),
        ("rate", "ThrottlingBurstLimit: 1000", "ThrottlingBurstLimit: 500"),
        ("memory of the API", "      MemorySize: 1024\n", ""),
        ("actions", "logs:PutLogEvents", "logs:*"),
        ("actions", "- dynamodb:Query", "- dynamodb:*"),
        ("resources", "Resource: { \"Fn::GetAtt\": [FunctionsLog, Arn] }", "Resource: \"*\""),
        ("table", "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false"),
        ("table", "DeletionProtectionEnabled: true", "DeletionProtectionEnabled: false"),
        (
            "table in use",
            "TABLE_NAME: { \"Fn::If\": [OwnTable, { Ref: Table }, { Ref: HistoryTable }] }",
            "TABLE_NAME: { Ref: Table }",
        ),
        ("table in use", "- { \"Fn::Sub\": \"${Table.Arn}/index/due\" }", "- { Ref: HistoryTable }"),
        (
            "table in use",
            "    Value: { \"Fn::If\": [OwnTable, { Ref: Table }, { Ref: HistoryTable }] }",
            "    Value: { \"Fn::Sub\": \"${Table}\" }",
        ),
        ("retained", "DeletionPolicy: RetainExceptOnCreate", "DeletionPolicy: Retain"),
        ("retained", "    UpdateReplacePolicy: Retain\n", ""),
        (
            "stack policy",
            "  OrganisersKey:\n    Type: AWS::KMS::Key",
            "  SettingsKey:\n    Type: AWS::KMS::Key",
        ),
        ("log groups", "      RetentionInDays: { Ref: LogRetentionDays }\n", ""),
        ("audit", "      LoggingConfig:\n        LogGroup: { Ref: ApiLog }\n", ""),
        (
            "audit",
            "RetentionInDays: { Ref: AuditRetentionDays }",
            "RetentionInDays: { Ref: LogRetentionDays }",
        ),
        (
            "silence",
            "      EvaluationPeriods: 2\n      DatapointsToAlarm: 2\n      ComparisonOperator: LessThanThreshold",
            "      EvaluationPeriods: 1\n      DatapointsToAlarm: 1\n      ComparisonOperator: LessThanThreshold",
        ),
        ("metric filters", "\"gatewayError\":\"$context", "\"error\":\"$context"),
        ("data identifiers", "TF[0-9]{2}\\b'", "(TF|tf)[0-9]{2}\\b'"),
        ("data identifiers", "Regex: '\\b[0-9]{2}[01]", "Regex: '\\b[0-9]{2}[23]"),
        ("false matches", "Regex: '\\b[0-9]{2}[01]", "Regex: '[0-9]{2}[01]"),
        ("dashboard", "SEARCH('{\\\"${AWS::StackName}\\\",stage", "SEARCH('{${AWS::StackName},stage"),
        (
            "dashboard",
            "[\"${AWS::StackName}\", \"SendsAccepted\"",
            "\"${AWS::StackName}\", \"SendsAccepted\"",
        ),
        ("dashboard", "${UsersDeadLetters.QueueName}", "${UserDeadLetters.QueueName}"),
    ];
    let template = template();
    for (rule, right, wrong) in plants {
        assert!(template.contains(right), "nothing to plant in: {right}");
        let found = faults(&template.replacen(right, wrong, 1));
        let rules: Vec<_> = found.iter().map(|(rule, _)| *rule).collect();
        assert!(
            !found.is_empty() && rules.iter().all(|caught| *caught == rule),
            "{rule}, {wrong}: {found:#?}"
        );
    }
    for (rule, _) in RULES {
        assert!(plants.iter().any(|(planted, ..)| *planted == rule), "{rule} is never tried");
    }
}
