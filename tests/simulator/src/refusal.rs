//! Answers to calls that are not carried out.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::log_entry::LogEntry;
use crate::open_data;
use crate::reply::{Delivery, Payload, RateHeaders, Reply};
use crate::{CallKind, Fault, Kind, RetryAfter};

/// A proxy's page that says nothing.
const PAGE: &str =
    "<!DOCTYPE html>\n<html><head><title>Error</title></head><body><h1>Error</h1></body></html>\n";
/// The page of a proxy that does not accept the client certificate.
const SSL_CERTIFICATE_ERROR: &str = "<html>\r\n<head><title>400 The SSL certificate error</title></head>\r\n\
    <body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>The SSL certificate error</center>\r\n\
    <hr><center>nginx</center>\r\n</body>\r\n</html>\r\n";

const LIMITATION: &str = "Teknisk begränsning";

/// 429: above the rate limit.
pub(crate) fn too_many(wall: Timestamp) -> Reply {
    Reply::log(LogEntry::new("5021", 429, LIMITATION, "Antalet anrop är för högt. Försök igen senare.", wall))
}

/// 403: the token is not taken.
pub(crate) fn token_refused(wall: Timestamp) -> Reply {
    let message = "Anropets token är ogiltig eller har gått ut.";
    Reply::log(LogEntry::new("5002", 403, "Behörighet saknas", message, wall))
}

/// 413: above the size limit.
pub(crate) fn too_large(wall: Timestamp) -> Reply {
    Reply::log(LogEntry::new("5020", 413, LIMITATION, "Anropets datamängd är för stor.", wall))
}

/// 404: there is no such job, or it is another's.
pub(crate) fn no_such_job(kind: Kind, id: &str, wall: Timestamp) -> Reply {
    let entry = LogEntry::new("4001", 404, "Ogiltigt värde", "Jobbet hittades inte.", wall);
    Reply::log(entry.parameter("id", id).resource_type(kind))
}

/// 503: out of service. Its answers are without the rate limit's headers.
pub(crate) fn unavailable(call: CallKind, wall: Timestamp) -> Reply {
    let message = "Tjänsten är inte tillgänglig. Försök igen senare.";
    let reply = Reply::log(LogEntry::new("5022", 503, LIMITATION, message, wall));
    in_shape_of(call, Reply { rate: RateHeaders::Absent, ..reply }, wall)
}

/// The answer that a fault gives in place of the call's own; None if the call is carried out.
pub(crate) fn scripted(fault: Fault, call: CallKind, kind: Option<Kind>, wall: Timestamp) -> Option<Reply> {
    let reply = match fault {
        Fault::RateLimited { reset } => Reply { rate: RateHeaders::Reset(reset), ..too_many(wall) },
        Fault::Unavailable => return Some(unavailable(call, wall)),
        Fault::TooManyUntil(after) => Reply {
            rate: RateHeaders::Absent,
            retry_after: Some(retry_after_text(after, wall)),
            ..too_many(wall)
        },
        Fault::UnavailableUntil(after) => {
            return Some(Reply {
                retry_after: Some(retry_after_text(after, wall)),
                ..unavailable(call, wall)
            });
        }
        Fault::ServerError => {
            Reply::log(LogEntry::new("5004", 500, "Okänt fel", "Ett okänt fel inträffade.", wall))
        }
        Fault::TokenExpired => token_refused(wall),
        Fault::TooLarge => too_large(wall),
        Fault::BadRequest { culprit } => Reply::log(malformed(kind, culprit, wall)),
        Fault::BadRequestInCapitals { culprit } => {
            Reply::log(malformed(kind, Some(culprit), wall).in_capitals())
        }
        Fault::BadParameter => {
            let name = if call == CallKind::Job { "id" } else { "updateIfExists" };
            let message = format!("Parametern <{name}> har ett ogiltigt format.");
            Reply::log(LogEntry::new("2025", 400, "Ogiltigt format", message, wall).parameter(name, "?"))
        }
        Fault::Html(status) => return Some(proxys(status, Payload::Html(PAGE))),
        Fault::SslCertificateError => return Some(proxys(400, Payload::Html(SSL_CERTIFICATE_ERROR))),
        Fault::Status(status) => {
            let elsewhere = (300..400).contains(&status).then(|| "https://elsewhere.example.se/".to_owned());
            return Some(Reply { location: elsewhere, ..proxys(status, Payload::Empty) });
        }
        Fault::Redirect(to) => {
            let location = Some(format!("https://{to}/transaction"));
            return Some(Reply { location, ..proxys(307, Payload::Empty) });
        }
        Fault::CutBefore => return Some(Reply { delivery: Delivery::Cut, ..proxys(0, Payload::Empty) }),
        Fault::Slow(_)
        | Fault::CutAfter
        | Fault::CutOffBody
        | Fault::NoJobId
        | Fault::NoJobIdAtAll
        | Fault::JobLost
        | Fault::Token(_)
        | Fault::Odd(_) => {
            return None;
        }
    };
    Some(in_shape_of(call, reply, wall))
}

/// The content of a call is malformed, because of this record if there is one.
fn malformed(kind: Option<Kind>, culprit: Option<Uuid>, wall: Timestamp) -> LogEntry {
    let entry = LogEntry::new("2010", 400, "Ogiltigt värde", "Anropets innehåll är felaktigt.", wall);
    match (culprit, kind) {
        (Some(culprit), Some(kind)) => entry.resource(kind, culprit),
        _ => entry,
    }
}

/// What `Retry-After` says.
fn retry_after_text(after: RetryAfter, wall: Timestamp) -> Box<str> {
    match after {
        RetryAfter::Seconds(seconds) => seconds.to_string().into(),
        RetryAfter::Date(seconds) => {
            let at = wall.saturating_add(SignedDuration::from_secs(seconds.into())).unwrap_or(wall);
            at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string().into()
        }
    }
}

/// What stands in front of the service knows nothing of rate limits.
fn proxys(status: u16, payload: Payload) -> Reply {
    Reply { payload, rate: RateHeaders::Absent, ..Reply::new(status, serde_json::Value::Null) }
}

/// The authorization server and the Open-data API know no LogEntry.
fn in_shape_of(call: CallKind, reply: Reply, wall: Timestamp) -> Reply {
    match call {
        CallKind::Token => {}
        CallKind::OpenData => return open_data::shaped(reply, wall),
        CallKind::Bulk | CallKind::Job | CallKind::Other => return reply,
    }
    let code = if reply.status < 500 { "invalid_request" } else { "server_error" };
    Reply { payload: Reply::token_error(reply.status, code, "scripted by a test").payload, ..reply }
}
