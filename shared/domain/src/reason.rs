//! Why a job or a send did not succeed, in words for the admin who looks at it.

use serde::{Deserialize, Serialize};

/// The cause, as data. The words come from [`Reason::text`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReasonCode {
    /// Skolverket did not accept some records of the job.
    RecordErrors,
    /// Skolverket sent an answer without some of the records.
    OutcomeUnknown,
    /// A job before this one did not succeed.
    EarlierJob,
    /// The authorization server gave no token, or the API did not take it.
    Authorization,
    /// Skolverket refused a whole call.
    Refused,
    /// Skolverket gave an answer that its interface does not foresee.
    UnforeseenAnswer,
    /// Skolverket does not know the job that it had given an id.
    JobLost,
    /// Skolverket's job was still not done after the longest time that is waited for it.
    JobStuck,
    /// A step was begun several times and never finished.
    Unfinished,
    /// A person asked for it.
    Cancelled,
    /// Skolverket could not be reached for the longest time that is waited for it.
    Deadline,
}

/// Why something ended without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The cause.
    pub code: ReasonCode,
    /// The HTTP status that Skolverket gave, where one decided it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_status: Option<u16>,
}

/// A text in the two languages of the admins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Text {
    /// Swedish.
    pub sv: String,
    /// English.
    pub en: String,
}

impl Reason {
    /// A cause without an HTTP status.
    pub fn new(code: ReasonCode) -> Self {
        Self { code, http_status: None }
    }

    /// A cause that an HTTP status decided.
    pub fn with_status(code: ReasonCode, status: u16) -> Self {
        Self { code, http_status: Some(status) }
    }

    /// What happened, to what, and what to do next.
    pub fn text(&self) -> Text {
        let (sv, en) = match self.code {
            ReasonCode::RecordErrors => (
                "Skolverket godtog inte alla poster. Öppna posterna med fel, rätta dem i källsystemet och skicka igen.",
                "Skolverket did not accept all records. Open the records with errors, mend them in the source system and send again.",
            ),
            ReasonCode::OutcomeUnknown => (
                "Skolverkets svar saknade några poster. De kan ha tagits emot. Skicka igen.",
                "Skolverket's answer left out some records. They may have been taken. Send again.",
            ),
            ReasonCode::EarlierJob => (
                "Jobbet startade inte eftersom ett tidigare jobb inte lyckades. Se det jobbet.",
                "The job did not start because a job before it did not succeed. See that job.",
            ),
            ReasonCode::Authorization => (
                "Skolverket godkände inte huvudmannens behörighet. Be den som driftar systemet kontrollera huvudmannens inställningar och certifikat, och skicka sedan igen.",
                "Skolverket did not accept the organiser's authorization. Ask whoever operates the system to check the organiser's settings and certificate, then send again.",
            ),
            ReasonCode::Refused => (
                "Skolverket avvisade ett helt anrop. Se anropets svar under jobbet och kontakta den som driftar systemet.",
                "Skolverket refused a whole call. See the call's answer under the job and contact whoever operates the system.",
            ),
            ReasonCode::UnforeseenAnswer => (
                "Skolverket gav ett svar som gränssnittet inte beskriver. Se anropets svar under jobbet och kontakta den som driftar systemet.",
                "Skolverket gave an answer that its interface does not describe. See the call's answer under the job and contact whoever operates the system.",
            ),
            ReasonCode::JobLost => (
                "Skolverket känner inte till det jobb som det självt gav ett id. Posterna kan ha tagits emot. Skicka igen.",
                "Skolverket does not know the job that it gave an id itself. The records may have been taken. Send again.",
            ),
            ReasonCode::JobStuck => (
                "Skolverkets jobb blev inte klart i tid. Posterna kan ha tagits emot. Skicka igen senare.",
                "Skolverket's job was not done in time. The records may have been taken. Send again later.",
            ),
            ReasonCode::Unfinished => (
                "Ett steg påbörjades flera gånger utan att bli klart. Skicka igen, och kontakta den som driftar systemet om det upprepas.",
                "A step was begun several times and never finished. Send again, and contact whoever operates the system if it happens again.",
            ),
            ReasonCode::Cancelled => (
                "Sändningen avbröts på begäran. Det som redan hade skickats finns kvar hos Skolverket. Skicka igen för att slutföra.",
                "The send was cancelled on request. What had been sent already stays at Skolverket. Send again to complete it.",
            ),
            ReasonCode::Deadline => (
                "Skolverket kunde inte nås på mycket länge. Skicka igen när Skolverkets tjänst fungerar.",
                "Skolverket could not be reached for a very long time. Send again when Skolverket's service works.",
            ),
        };
        let status = self.http_status.map(|status| format!(" (HTTP {status})")).unwrap_or_default();
        Text { sv: format!("{sv}{status}"), en: format!("{en}{status}") }
    }
}
