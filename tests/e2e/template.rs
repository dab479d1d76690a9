//! What must hold of `infra/aws/template.yaml` beyond what linters know.

mod deploy;
mod document;
mod kept;
mod masking;
mod queues;
mod rights;
mod watching;

pub(crate) use document::{Document, file, substituted, template};

/// Gives all violations of a rule.
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

/// The violations of the rules, each with the rule's name.
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
        ("visibility", "VisibilityTimeout: { Seconds: 180 }", "VisibilityTimeout: { Seconds: 150 }"),
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
