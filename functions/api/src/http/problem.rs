//! Errors are returned as `application/problem+json` (RFC 9457), with a type for each.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use stafett_domain::{AuthorizationCause, Finding, Findings, Rejection, Severity, Text};
use stafett_history::HistoryError;
use stafett_intake::IntakeError;
use stafett_relay::HandleError;
use stafett_runtime::{QueueError, SettingsError};

use crate::http::parameter_fault::ParameterFault;
use crate::http::size_limit::{SizeLimit, Unwritable};

/// Why a request is refused or failed. Texts never hold a value of the request.
#[derive(Debug)]
pub(crate) enum Problem {
    /// 400: the body is not a JSON object.
    NotReadable(Text),
    /// 400: `Idempotency-Key` is missing or cannot be used.
    IdempotencyKey,
    /// 400: a parameter of the query cannot be used.
    Parameter(ParameterFault),
    /// 403: the token lacks a scope.
    Scope(&'static str),
    /// 403: the token names no organiser.
    NoOrganiser,
    /// 404: it does not exist, or belongs to another organiser.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 409: the send has ended.
    Ended,
    /// 409: the send has not ended.
    NotEnded,
    /// 409: everything of the send was accepted.
    NothingToResume,
    /// 409: a later send holds one of its records.
    Superseded,
    /// 409: the send was submitted and takes no parts.
    Submitted,
    /// 409: the organiser cannot send, by its settings.
    NotAuthorized(AuthorizationCause),
    /// 422: the organiser may not send to that environment.
    Environment,
    /// 409: a part arrived while the send was checked.
    PartsMoved,
    /// 413: the body is larger than one request may be.
    TooLarge,
    /// 415: the body has a content encoding that is not supported.
    ContentEncoding,
    /// 422: the parts that arrived do not match the number in the request.
    WrongParts {
        /// Parts that did not arrive.
        missing: Vec<u32>,
        /// Parts above the number in the request.
        beyond: Vec<u32>,
    },
    /// 422: the `Idempotency-Key` was used before with another body.
    KeyReused,
    /// 422: the body has these faults.
    InvalidSend(Findings),
    /// 422: a corrected record is not one of those that are sent again.
    CorrectionNotSent,
    /// 500: a fault of this service.
    Internal,
    /// 503: a service that this one depends on does not respond.
    Unavailable,
}

/// Why a request was refused or failed (RFC 9457).
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
pub(crate) struct Body<'a> {
    /// `urn:stafett:problem:` and the name of the problem.
    pub(crate) r#type: String,
    title: &'a str,
    status: u16,
    /// What happened and what to do, in English.
    detail: String,
    /// The same in Swedish.
    detail_sv: String,
    /// Why the organiser cannot send.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<AuthorizationCause>,
    /// The parameter of the query that cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    /// What is allowed instead: the words of the parameter, or the parameters that the call knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed: Option<&'a [&'static str]>,
    /// How many faults there are, including those that are not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error_count: Option<u32>,
    /// The faults of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<&'a Finding>>,
}

impl Problem {
    /// Logs an error of this service.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        tracing::error!(event = "api.failed", error = %error, "an answer cannot be made");
        Self::Internal
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotReadable(_) | Self::IdempotencyKey | Self::Parameter(_) => StatusCode::BAD_REQUEST,
            Self::Scope(_) | Self::NoOrganiser => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Ended
            | Self::NotEnded
            | Self::NothingToResume
            | Self::Superseded
            | Self::Submitted
            | Self::NotAuthorized(_)
            | Self::PartsMoved => StatusCode::CONFLICT,
            Self::ContentEncoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Environment
            | Self::KeyReused
            | Self::InvalidSend(_)
            | Self::CorrectionNotSent
            | Self::WrongParts { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The last part of the type, and the title.
    fn kind(&self) -> (&'static str, &'static str) {
        match self {
            Self::NotReadable(_) => ("not-readable", "The body cannot be read"),
            Self::IdempotencyKey => ("idempotency-key", "A usable Idempotency-Key is missing"),
            Self::Parameter(_) => ("parameter", "A parameter cannot be used"),
            Self::Scope(_) => ("scope", "The token lacks a scope"),
            Self::NoOrganiser => ("no-organiser", "The token names no organiser"),
            Self::NotFound => ("not-found", "Not found"),
            Self::MethodNotAllowed => ("method-not-allowed", "Method not allowed"),
            Self::Ended => ("ended", "The send has ended"),
            Self::NotEnded => ("not-ended", "The send has not ended"),
            Self::NothingToResume => ("nothing-to-resume", "There is nothing to resume"),
            Self::Superseded => ("superseded", "A later send holds one of its records"),
            Self::Submitted => ("submitted", "The send was submitted before"),
            Self::NotAuthorized(_) => ("not-authorized", "The organiser cannot send"),
            Self::Environment => ("environment", "The organiser may not send to that environment"),
            Self::PartsMoved => ("parts-moved", "A part came meanwhile"),
            Self::WrongParts { .. } => ("parts", "The parts are not those that were said"),
            Self::ContentEncoding => ("content-encoding", "The body's encoding is not taken"),
            Self::TooLarge => ("too-large", "The body is too large"),
            Self::KeyReused => {
                ("idempotency-key-reused", "The Idempotency-Key came with another body before")
            }
            Self::InvalidSend(_) => ("invalid-send", "The send has faults"),
            Self::CorrectionNotSent => ("not-part-of-it", "A corrected record is not sent again"),
            Self::Internal => ("internal", "Something went wrong here"),
            Self::Unavailable => ("unavailable", "The service cannot answer now"),
        }
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Body<'_> {
        let (kind, title) = self.kind();
        let text = self.text();
        let faults = match self {
            Self::InvalidSend(faults) => Some(faults),
            _ => None,
        };
        let parameter = match self {
            Self::Parameter(fault) => Some(fault),
            _ => None,
        };
        let cause = match self {
            Self::NotAuthorized(cause) => Some(*cause),
            Self::Environment => Some(AuthorizationCause::EnvironmentNotAllowed),
            _ => None,
        };
        Body {
            r#type: format!("urn:stafett:problem:{kind}"),
            title,
            status: self.status().as_u16(),
            detail: text.en,
            detail_sv: text.sv,
            cause,
            parameter: parameter.and_then(ParameterFault::name),
            allowed: parameter.and_then(ParameterFault::allowed),
            error_count: faults.map(|faults| faults.total(Severity::Error)),
            errors: faults.map(fitting),
        }
    }

    fn text(&self) -> Text {
        let (en, sv) = match self {
            Self::NotReadable(text) => return text.clone(),
            Self::NotAuthorized(cause) => return cause.guidance().text(),
            Self::Environment => return AuthorizationCause::EnvironmentNotAllowed.guidance().text(),
            Self::Parameter(fault) => return fault.text(),
            Self::Scope(scope) => {
                let en = format!("The call needs the scope {scope}. Ask for a token that has it.");
                let sv = format!("Anropet kräver behörigheten {scope}. Begär en token som har den.");
                return Text { sv, en };
            }
            Self::InvalidSend(faults) => {
                let total = faults.total(Severity::Error);
                let en =
                    format!("{total} faults were found; nothing was stored. Correct them and send again.");
                let sv = format!("{total} fel hittades; inget har sparats. Rätta dem och skicka igen.");
                return Text { sv, en };
            }
            Self::IdempotencyKey => (
                "The header Idempotency-Key must hold 1 to 255 visible ASCII characters, new for every press of the button. Nothing was stored.",
                "Huvudet Idempotency-Key måste innehålla 1 till 255 synliga ASCII-tecken, nya för varje tryck på knappen. Inget har sparats.",
            ),
            Self::NoOrganiser => (
                "The token holds no organisation number of ten digits. Sign in as a user of an organiser.",
                "Token saknar ett organisationsnummer med tio siffror. Logga in som användare hos en huvudman.",
            ),
            Self::NotFound => (
                "There is nothing at this address, or it belongs to somebody else. Check the address.",
                "Det finns inget på den här adressen, eller så tillhör det någon annan. Kontrollera adressen.",
            ),
            Self::MethodNotAllowed => (
                "This address does not take this method. See the documentation for those that it takes.",
                "Adressen tar inte emot den här metoden. Se dokumentationen för dem som den tar emot.",
            ),
            Self::NotEnded => (
                "Only a send that has ended can be resumed. Wait for its end, or cancel it.",
                "Bara en avslutad sändning kan återupptas. Vänta tills den är klar eller avbryt den.",
            ),
            Self::NothingToResume => (
                "Skolverket has accepted everything of this send. Make a new send for what has changed.",
                "Skolverket har godtagit allt i den här sändningen. Gör en ny sändning för det som har ändrats.",
            ),
            Self::Superseded => (
                "A later send holds newer data of one of the records. Resume that one, or make a new send.",
                "En senare sändning har nyare uppgifter om någon av posterna. Återuppta den, eller gör en ny sändning.",
            ),
            Self::Ended => (
                "The send has ended, and ended sends never change. Look at its jobs for what became of it.",
                "Sändningen har avslutats, och avslutade sändningar ändras aldrig. Se dess jobb för vad som hände.",
            ),
            Self::WrongParts { missing, beyond } => return parts_text(missing, beyond),
            Self::Submitted => (
                "The send was submitted, and takes no parts and no other number of them. Make a new send.",
                "Sändningen har lämnats in och tar inte emot fler delar eller ett annat antal. Gör en ny sändning.",
            ),
            Self::PartsMoved => (
                "A part came while the send was looked at. Nothing was sent. Submit again when all parts are there.",
                "En del kom in medan sändningen granskades. Inget har skickats. Lämna in igen när alla delar är på plats.",
            ),
            Self::ContentEncoding => (
                "A body may be plain or gzip. Nothing was stored. Send it so.",
                "Innehållet får vara opackat eller gzip. Inget har sparats. Skicka det så.",
            ),
            Self::TooLarge => (
                "A request may hold 4 MB. Nothing was stored. Send it in parts: POST /v1/sends with {\"upload\": true}, then POST /v1/sends/{id}/records for each part and POST /v1/sends/{id}/submit.",
                "En begäran får innehålla 4 MB. Inget har sparats. Skicka i delar: POST /v1/sends med {\"upload\": true}, sedan POST /v1/sends/{id}/records för varje del och POST /v1/sends/{id}/submit.",
            ),
            Self::KeyReused => (
                "The Idempotency-Key stands for another send of the last 24 hours. Nothing was stored. Use a new key.",
                "Idempotency-Key hör till en annan sändning från de senaste 24 timmarna. Inget har sparats. Använd en ny nyckel.",
            ),
            Self::CorrectionNotSent => (
                "Only records that were not accepted, or depended on such, can be corrected. Leave the others out.",
                "Bara poster som inte godtogs, eller som berodde på sådana, kan rättas. Utelämna de andra.",
            ),
            Self::Internal => (
                "The request could not be done because of a fault here. Try again, and tell whoever operates the service if it stays.",
                "Begäran kunde inte utföras på grund av ett fel här. Försök igen, och meddela den som driftar tjänsten om det kvarstår.",
            ),
            Self::Unavailable => (
                "A part that is needed does not answer. Try again in a moment with the same Idempotency-Key.",
                "En del som behövs svarar inte. Försök igen om en stund med samma Idempotency-Key.",
            ),
        };
        Text { sv: sv.to_owned(), en: en.to_owned() }
    }
}

/// The first faults that fit into an answer.
fn fitting(faults: &Findings) -> Vec<&Finding> {
    let mut size_limit = SizeLimit::new();
    faults.listed().take_while(|finding| size_limit.take(finding).unwrap_or(false)).collect()
}

/// Names the first twenty parts that are missing, and the first twenty that are too many.
fn parts_text(missing: &[u32], beyond: &[u32]) -> Text {
    let list = |parts: &[u32]| parts.iter().take(20).map(u32::to_string).collect::<Vec<_>>().join(", ");
    let (mut en, mut sv) = (String::new(), String::new());
    if !missing.is_empty() {
        en.push_str(&format!("Parts that have not come: {}. Send them. ", list(missing)));
        sv.push_str(&format!("Delar som inte har kommit: {}. Skicka dem. ", list(missing)));
    }
    if !beyond.is_empty() {
        en.push_str(&format!("Parts beyond the number given: {}. Correct the number. ", list(beyond)));
        sv.push_str(&format!("Delar utöver det angivna antalet: {}. Rätta antalet. ", list(beyond)));
    }
    Text { en: format!("{en}Then submit again."), sv: format!("{sv}Lämna sedan in igen.") }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status(), axum::Json(self.body())).into_response();
        let content_type = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        response
    }
}

impl From<HistoryError> for Problem {
    fn from(error: HistoryError) -> Self {
        tracing::error!(event = "api.failed", error = %error, "the history could not be used");
        match error {
            HistoryError::Unavailable { .. } | HistoryError::Contended => Self::Unavailable,
            HistoryError::Corrupt(_) | HistoryError::Version(_) | HistoryError::Illegal(_) => Self::Internal,
        }
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::NotReadable(unreadable) => Self::NotReadable(unreadable.text()),
            Rejection::Faults(faults) => Self::InvalidSend(faults),
        }
    }
}

impl From<IntakeError> for Problem {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Rejected(rejection) => rejection.into(),
            IntakeError::Settings(error) => error.into(),
            IntakeError::NotAuthorized(cause) => Self::NotAuthorized(cause),
            IntakeError::EnvironmentNotAllowed => Self::Environment,
            IntakeError::KeyReused => Self::KeyReused,
            IntakeError::NotFound => Self::NotFound,
            IntakeError::Ended => Self::Ended,
            IntakeError::NotEnded => Self::NotEnded,
            IntakeError::Submitted => Self::Submitted,
            IntakeError::WrongParts { missing, beyond } => Self::WrongParts { missing, beyond },
            IntakeError::PartsMoved => Self::PartsMoved,
            IntakeError::NothingToResume => Self::NothingToResume,
            IntakeError::Superseded => Self::Superseded,
            IntakeError::CorrectionNotSent => Self::CorrectionNotSent,
            IntakeError::BeingRemoved | IntakeError::Overtaken => Self::Unavailable,
            IntakeError::History(error) => error.into(),
            IntakeError::Rows(error) => Self::internal(&error),
        }
    }
}

impl From<Unwritable> for Problem {
    fn from(Unwritable: Unwritable) -> Self {
        tracing::error!(event = "api.failed", "an answer cannot be written");
        Self::Internal
    }
}

impl From<HandleError> for Problem {
    fn from(error: HandleError) -> Self {
        match error {
            HandleError::History(error) => error.into(),
            HandleError::Queue(error) => error.into(),
            HandleError::Settings(error) => error.into(),
            HandleError::Message(_) | HandleError::OtherStage(_) => Self::Internal,
        }
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        tracing::error!(event = "api.failed", error = %error, "a message could not be queued");
        Self::Unavailable
    }
}

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        // The details were logged where the settings were read.
        error.cause().map_or(Self::Unavailable, Self::NotAuthorized)
    }
}
