//! What Skolverket's answers mean, looked up.
//!
//! Ids of messages are not unique per cause (shared/README, Skolverket 5). A message is therefore looked up
//! by its id and the attribute or parameter that it names, then by its id alone where that means one thing
//! only, then by its type. One that is in none of these is not guessed at: [`UNKNOWN`].

use crate::state::authorization_cause::AuthorizationCause;
use crate::state::outcome::Outcome;
use crate::state::wait_cause::WaitCause;
use crate::words::guidance::entry::{About, Entry};
use crate::words::guidance::{Guidance, Who, authorization, calls, categories, outcomes, records};

/// The parts of a message of Skolverket's that it is looked up by.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// Its number, such as 2011.
    pub id: &'a str,
    /// The attribute that was at fault, such as `Enrolment.schoolYear`.
    pub attribute: Option<&'a str>,
    /// The parameter of the call that was at fault.
    pub parameter: Option<&'a str>,
    /// Its category, such as "Ogiltigt format".
    pub message_type: Option<&'a str>,
}

/// The guidance for a message that the catalogue does not have.
pub const UNKNOWN: Guidance = Guidance::new(
    Who::Operator,
    [
        "Skolverket svarade med något som den här katalogen inte känner till.",
        "Läs Skolverkets egen text, om du har behörighet att se den, och jämför med uppgiften i källsystemet. Kontakta annars den som driftar systemet.",
    ],
    [
        "Skolverket answered with something that this catalogue does not know.",
        "Read Skolverket's own text, if you may see it, and compare it with the value in the source system. Otherwise contact whoever operates the system.",
    ],
);

/// The guidance for a message of Skolverket's.
pub fn of_message(message: &Message<'_>) -> &'static Guidance {
    by_id(message).or_else(|| by_type(message.message_type)).unwrap_or(&UNKNOWN)
}

fn entries() -> impl Iterator<Item = &'static Entry> {
    records::ENTRIES.iter().chain(calls::ENTRIES)
}

fn by_id(message: &Message<'_>) -> Option<&'static Guidance> {
    let find = |wanted: &dyn Fn(&About) -> bool| {
        entries().find(|entry| entry.ids.contains(&message.id) && entry.about.iter().any(wanted))
    };
    let named = || {
        let attribute = message.attribute.map(without_places)?;
        let attribute = attribute.strip_suffix(".id").unwrap_or(&attribute);
        let last = attribute.rsplit('.').next().unwrap_or_default();
        [attribute, last].into_iter().find_map(|name| {
            find(&|about| matches!(about, About::Attribute(known) if known.eq_ignore_ascii_case(name)))
        })
    };
    let parameter = || {
        let name = message.parameter?;
        find(&|about| matches!(about, About::Parameter(known) if known.eq_ignore_ascii_case(name)))
    };
    let any = || find(&|about| *about == About::Any);
    named().or_else(parameter).or_else(any).map(|entry| &entry.guidance)
}

/// An attribute's name without places in lists.
pub(crate) fn without_places(attribute: &str) -> String {
    let mut name = String::with_capacity(attribute.len());
    let mut within = false;
    for letter in attribute.chars() {
        match letter {
            '[' => within = true,
            ']' => within = false,
            letter if !within => name.push(letter),
            _ => {}
        }
    }
    name
}

/// Whether a row is about an attribute or an object of this name, or of one that has it as a part.
pub(crate) fn is_named(name: &str) -> bool {
    let has_it = |known: &str| known.split('.').any(|part| part.eq_ignore_ascii_case(name));
    entries()
        .flat_map(|entry| entry.about)
        .any(|about| matches!(about, About::Attribute(known) if has_it(known)))
}

/// Whether this is a category of messages that has words here.
pub(crate) fn is_a_type(message_type: &str) -> bool {
    by_type(Some(message_type)).is_some()
}

fn by_type(message_type: Option<&str>) -> Option<&'static Guidance> {
    let message_type = message_type?.trim();
    let known = |(name, _): &&(&str, Guidance)| name.to_lowercase() == message_type.to_lowercase();
    categories::TYPES.iter().find(known).map(|(_, guidance)| guidance)
}

/// The guidance for a record with an unknown status. Its outcome is `unknown`.
pub fn of_unknown_status() -> &'static Guidance {
    &outcomes::UNKNOWN_STATUS
}

/// The guidance for a record about which Skolverket sent no message. `dependency`: the record went, or did not go,
/// because of others that were not accepted. None for what needs no words.
pub fn of_outcome(outcome: Outcome, dependency: bool) -> Option<&'static Guidance> {
    match outcome {
        Outcome::Skipped => Some(&outcomes::SKIPPED),
        Outcome::NotSent => Some(&outcomes::NOT_SENT),
        Outcome::Unknown => Some(&outcomes::OUTCOME_UNKNOWN),
        Outcome::Error => Some(&outcomes::WITHOUT_MESSAGE),
        Outcome::Success | Outcome::Warning if dependency => Some(&outcomes::WENT_WITHOUT),
        Outcome::Warning => Some(&outcomes::WITHOUT_MESSAGE),
        Outcome::Success | Outcome::Pending => None,
    }
}

/// The guidance for a call with this status, or with none; `None` for one that succeeded.
/// `polled`: it asked for a job. `cause`: why it was made again, where the status does not say it.
pub fn of_call(status: Option<u16>, polled: bool, cause: Option<WaitCause>) -> Option<&'static Guidance> {
    cause.map(WaitCause::guidance).or_else(|| calls::of_status(status, polled))
}

/// The guidance for a request for a token, by the status of its answer and by why it gave no token: `cause` is absent where
/// another request followed at once. Nothing for one that gave a token.
pub fn of_token_request(status: Option<u16>, cause: Option<AuthorizationCause>) -> Option<Guidance> {
    let other_form = || (!matches!(status, Some(200..=299))).then_some(authorization::OTHER_FORM);
    cause.map(AuthorizationCause::guidance).or_else(other_form)
}

#[cfg(test)]
mod tests;
