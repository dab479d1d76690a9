//! Why a job or a send did not succeed. What a call's answer decided has the words of that call.

use crate::state::authorization_cause::AuthorizationCause;
use crate::state::reason::{Reason, ReasonCode};
use crate::words::guidance::{Guidance, Who, authorization, calls};
use crate::words::text::Text;

impl Reason {
    /// What it means, what to do, and who.
    pub fn guidance(&self) -> Guidance {
        of_reason(self.code, self.cause, self.http_status)
    }

    /// What happened, to what, and what to do next: the guidance in one text, with the status that decided it.
    pub fn text(&self) -> Text {
        let Text { sv, en } = self.guidance().text();
        let status = self.http_status.map(|status| format!(" (HTTP {status})")).unwrap_or_default();
        Text { sv: format!("{sv}{status}"), en: format!("{en}{status}") }
    }
}

/// The words for a reason: those of the cause behind it, where one is known.
pub(super) fn of_reason(
    code: ReasonCode,
    cause: Option<AuthorizationCause>,
    http_status: Option<u16>,
) -> Guidance {
    match (code, cause) {
        (ReasonCode::Deadline, Some(_)) => authorization::NO_TOKEN_IN_TIME,
        (ReasonCode::UnreadableAnswer, Some(_)) => authorization::NO_TOKEN_READ,
        (_, Some(cause)) => cause.guidance(),
        (code, None) => of_code(code, http_status),
    }
}

/// The words for a code, and the status that decided it.
fn of_code(code: ReasonCode, http_status: Option<u16>) -> Guidance {
    match (code, http_status) {
        (ReasonCode::RecordErrors, _) => Guidance::new(
            Who::StudentRegister,
            [
                "Skolverket godtog inte alla poster.",
                "Öppna posterna med fel, rätta dem i källsystemet och återuppta sändningen.",
            ],
            [
                "Skolverket did not accept all records.",
                "Open the records with errors, mend them in the source system and resume the send.",
            ],
        ),
        (ReasonCode::OutcomeUnknown, _) => Guidance::new(
            Who::ThisSystem,
            [
                "För några poster sade Skolverket inte hur det gick, eller sade det på ett sätt som systemet inte känner till. De kan ha tagits emot.",
                "Återuppta sändningen: en post som redan finns uppdateras bara.",
            ],
            [
                "Of some records Skolverket did not say what became of them, or said it in a way that the system does not know. They may have been accepted.",
                "Resume the send: a record that is there already is only updated.",
            ],
        ),
        (ReasonCode::EarlierJob, _) => Guidance::new(
            Who::ThisSystem,
            ["Jobbet startade inte eftersom ett tidigare jobb inte lyckades.", "Se det jobbet."],
            ["The job did not start because a job before it did not succeed.", "See that job."],
        ),
        // The API's; what the authorization server refuses has a cause.
        (ReasonCode::Authorization, Some(401 | 403)) => calls::TOKEN_NOT_TAKEN,
        (ReasonCode::Authorization, _) => Guidance::new(
            Who::Operator,
            [
                "Skolverket godkände inte huvudmannens behörighet.",
                "Be den som driftar systemet kontrollera huvudmannens inställningar och certifikat, och återuppta sedan sändningen.",
            ],
            [
                "Skolverket did not accept the organiser's authorization.",
                "Ask whoever operates the system to check the organiser's settings and certificate, then resume the send.",
            ],
        ),
        (ReasonCode::Refused, Some(413)) => calls::TOO_LARGE.but(
            Who::Operator,
            "Se anropets svar under jobbet och kontakta den som driftar systemet.",
            "See the call's answer under the job and contact whoever operates the system.",
        ),
        (ReasonCode::Refused, _) => calls::REFUSED,
        (ReasonCode::UnforeseenAnswer, _) => calls::UNFORESEEN,
        (ReasonCode::JobLost, _) => calls::JOB_UNKNOWN,
        (ReasonCode::JobStuck, _) => Guidance::new(
            Who::Skolverket,
            [
                "Skolverkets jobb blev inte klart i tid. Posterna kan ha tagits emot.",
                "Återuppta sändningen senare.",
            ],
            [
                "Skolverket's job was not done in time. The records may have been taken.",
                "Resume the send later.",
            ],
        ),
        (ReasonCode::Unfinished, _) => Guidance::new(
            Who::Operator,
            [
                "Ett steg påbörjades gång på gång i flera timmar utan att bli klart.",
                "Återuppta sändningen, och kontakta den som driftar systemet om det upprepas.",
            ],
            [
                "A step was begun again and again for hours and never finished.",
                "Resume the send, and contact whoever operates the system if it happens again.",
            ],
        ),
        (ReasonCode::Cancelled, _) => Guidance::new(
            Who::ThisSystem,
            [
                "Sändningen avbröts på begäran. Det som redan hade skickats finns kvar hos Skolverket.",
                "Återuppta sändningen för att slutföra den.",
            ],
            [
                "The send was cancelled on request. What had been sent already stays at Skolverket.",
                "Resume it to complete it.",
            ],
        ),
        (ReasonCode::UnreadableAnswer, _) => Guidance::new(
            Who::Operator,
            [
                "Skolverket svarade, men svaren gick inte att läsa. Posterna kan ha tagits emot.",
                "Återuppta sändningen: en post som redan finns uppdateras bara. Kontakta den som driftar systemet om det upprepas.",
            ],
            [
                "Skolverket answered, but its answers could not be read. The records may have been accepted.",
                "Resume the send: a record that is there already is only updated. If it happens again, contact whoever operates the system.",
            ],
        ),
        (ReasonCode::Deadline, _) => Guidance::new(
            Who::Skolverket,
            [
                "Skolverket kunde inte nås på mycket länge.",
                "Återuppta sändningen när Skolverkets tjänst fungerar.",
            ],
            [
                "Skolverket could not be reached for a very long time.",
                "Resume the send when Skolverket's service works.",
            ],
        ),
        (ReasonCode::StoppedByOperator, _) => Guidance::new(
            Who::Operator,
            [
                "Den som driftar systemet stoppade sändningen. Det som redan hade skickats finns kvar hos Skolverket.",
                "Fråga den som driftar systemet varför, och återuppta sändningen när hindret är borta.",
            ],
            [
                "Whoever operates the system stopped the send. What had been sent already stays at Skolverket.",
                "Ask the operator why, and resume the send when nothing stands in its way.",
            ],
        ),
    }
}
