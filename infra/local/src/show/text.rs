//! A send as text for a terminal.

use comfy_table::{Table, presets};

use super::client::{Activity, Counts, Job, Message, Row, Send};

/// The send, one line for each test activity.
pub(super) fn activity(activity: &Activity) -> String {
    let school_unit = activity.school_unit.as_ref().and_then(|unit| unit.code.clone());
    let known: Vec<String> =
        [&activity.display_name, &activity.test_code, &school_unit].into_iter().flatten().cloned().collect();
    let Activity { groups, teachers, .. } = activity;
    let students = activity.students.map_or_else(|| "unknown".to_owned(), |students| students.to_string());
    format!("{} · groups {groups} · students {students} · teachers {teachers}", known.join(" · "))
}

/// A job as it stands.
pub(super) fn job(job: &Job) -> String {
    format!("{:<11} {:<21} {}", job.stage, job.status, counts(&job.counts))
}

/// A job's records by outcome; outcomes that none has are left out.
fn counts(counts: &Counts) -> String {
    let parts = [
        ("pending", counts.pending),
        ("success", counts.success),
        ("warning", counts.warning),
        ("error", counts.error),
        ("skipped", counts.skipped),
        ("not sent", counts.not_sent),
        ("unknown", counts.unknown),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}")).collect();
    if parts.is_empty() { "no records".to_owned() } else { parts.join(", ") }
}

/// What stands for a value that the token does not let see.
const MASKED: &str = "•••";

/// The users job's rows as a table, and their messages below it.
pub(super) fn users(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_header([
        "Status",
        "Name",
        "Role",
        "Civic number",
        "EPPN",
        "School year",
        "School type",
    ]);
    let mut messages = Vec::new();
    for row in rows {
        let shown = |value: &Option<String>| value.clone().unwrap_or_default();
        let maskable = |value: &Option<String>| match value {
            None if row.masked => MASKED.to_owned(),
            value => shown(value),
        };
        table.add_row([
            row.outcome.clone(),
            maskable(&row.name),
            shown(&row.role),
            maskable(&row.civic_no),
            maskable(&row.eppn),
            row.school_year.map(|year| year.to_string()).unwrap_or_default(),
            shown(&row.school_type),
        ]);
        messages
            .extend(row.messages.iter().map(|text| format!("  {}: {}", maskable(&row.name), message(text))));
    }
    std::iter::once(table.to_string()).chain(messages).collect::<Vec<_>>().join("\n")
}

fn message(message: &Message) -> String {
    let Message { severity, id, message_type, message, attribute_name } = message;
    let parts = [severity, id, message_type, attribute_name, message].into_iter().flatten();
    parts.filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(" · ")
}

/// Where to look next: calls that can be pasted into a shell.
pub(super) fn next_steps(url: &str, token: &str, sends: &[Send]) -> String {
    let mut lines = vec![
        "To look further (the token is valid for an hour):".to_owned(),
        format!("  TOKEN={token}"),
        call(url, "/v1/sends"),
    ];
    for send in sends {
        lines.push(call(url, &format!("/v1/sends/{}", send.id)));
        for job in send.jobs.iter().filter(|job| job.counts.error > 0) {
            lines.push(call(url, &format!("/v1/sends/{}/jobs/{}/records?outcome=error", send.id, job.stage)));
        }
    }
    lines.join("\n")
}

fn call(url: &str, path: &str) -> String {
    format!("  curl -s -H \"Authorization: Bearer $TOKEN\" '{url}{path}'")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_shows_its_seven_columns_and_its_messages() {
        let rows: Vec<Row> = serde_json::from_value(json!([{
            "id": "x", "outcome": "warning", "statusCode": 201, "name": "Åsa Ek", "role": "Elev",
            "civicNo": null, "eppn": "k7@example.se", "schoolYear": 6, "schoolType": "GR", "masked": true,
            "messages": [{"severity": "Warning", "id": "3047", "messageType": "Bristfälligt värde",
                "message": null, "attributeName": "EduPersonPrincipalNames"}],
        }]))
        .unwrap();
        let shown = users(&rows);
        for part in ["Status", "warning", "Åsa Ek", "Elev", "┆ ••• ", "k7@example.se", "6", "GR"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(shown.ends_with("  Åsa Ek: Warning · 3047 · Bristfälligt värde · EduPersonPrincipalNames"));
    }

    #[test]
    fn counts_leave_out_what_none_has() {
        let some = Counts { total: 3, success: 2, not_sent: 1, ..Counts::default() };
        assert_eq!(counts(&some), "2 success, 1 not sent");
        assert_eq!(counts(&Counts::default()), "no records");
    }

    #[test]
    fn refused_records_have_calls_to_look_further() {
        let send: Send = serde_json::from_value(json!({
            "id": "s1", "status": "failed",
            "jobs": [{"stage": "users", "status": "failed", "counts": {"total": 1, "error": 1}}],
        }))
        .unwrap();
        let shown = next_steps("http://127.0.0.1:1", "t", &[send]);
        assert!(
            shown.contains("'http://127.0.0.1:1/v1/sends/s1/jobs/users/records?outcome=error'"),
            "{shown}"
        );
    }
}
