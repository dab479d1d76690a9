//! Rules about what CloudWatch masks in log lines.

use regex::Regex;
use serde_json::{Value, json};
use uuid::{Builder, Uuid};

use super::document::{Document, each};

/// Characters that CloudWatch takes in a pattern besides letters and digits.
const IN_PATTERNS: &str = "_#=@/;,- ^$?[]{}|\\*+.";
/// Patterns of one's own in a policy, at most.
const MOST_PATTERNS: usize = 10;

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
        if patterns.len() > MOST_PATTERNS {
            faults.push(format!("{name}: {} patterns", patterns.len()));
        }
        let patterns = compiled(policy);
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

fn compiled(policy: &Value) -> Vec<Regex> {
    let own = each(&policy["Configuration"]["CustomDataIdentifier"]);
    own.iter()
        .filter_map(|own| own["Regex"].as_str())
        .filter_map(|pattern| Regex::new(pattern).ok())
        .collect()
}

/// Ids of sends, and metric lines, that are tried.
const TRIED: u32 = 10_000;
/// Ids that may be masked. An id ends in twelve hexadecimal digits; of one in 40,000 they look like a civic number.
const MASKED_IDS: u32 = TRIED / 5_000;

/// What we print ourselves is not masked: no metric line, and hardly a send's id. Two years of ids and timestamps.
pub(super) fn false_matches(document: &Document) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, group) in document.resources("AWS::Logs::LogGroup") {
        let patterns = compiled(&group["DataProtectionPolicy"]);
        let masked = |text: &str| patterns.iter().any(|pattern| pattern.is_match(text));
        let mut random = fastrand::Rng::with_seed(20_261_128);
        let (mut ids, mut lines) = (0, 0);
        for _ in 0..TRIED {
            // From November 2026 on.
            let ms = 1_795_800_000_000 + random.u64(..2 * 365 * 86_400_000);
            let bytes: [u8; 10] = std::array::from_fn(|_| random.u8(..));
            let id: Uuid = Builder::from_unix_timestamp_millis(ms, &bytes).into_uuid();
            let line = json!({"_aws": {"Timestamp": ms}, "Records": random.u32(..60_000), "stage": "users"});
            ids += u32::from(masked(&id.to_string()));
            lines += u32::from(masked(&line.to_string()));
        }
        if ids > MASKED_IDS || lines > 0 {
            faults.push(format!("{name}: of {TRIED} each, {ids} ids and {lines} metric lines are masked"));
        }
    }
    faults
}
