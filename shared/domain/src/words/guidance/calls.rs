//! What the answer to a whole call means. The system handles most of them by itself, and the texts say so.

use crate::state::wait_cause::WaitCause;
use crate::words::guidance::entry::About::{Any, Parameter};
use crate::words::guidance::entry::Entry;
use crate::words::guidance::{Guidance, Who, authorization};

/// 403/5002, and a 401 of the API.
pub(super) const TOKEN_NOT_TAKEN: Guidance = Guidance::new(
    Who::Operator,
    [
        "Skolverkets API godtog inte huvudmannens behörighet, inte heller med en ny token.",
        "Be den som driftar systemet kontrollera att huvudmannen är godkänd för miljön, att dess token anger organisationen, och att miljöns adress är rätt. Återuppta sedan sändningen.",
    ],
    [
        "Skolverket's API did not take the organiser's authorization, not with a new token either.",
        "Ask whoever operates the system to check that the organiser is approved for the environment, that its token names the organisation, and that the environment's address is right. Then resume the send.",
    ],
);

/// 413/5020.
pub(super) const TOO_LARGE: Guidance = Guidance::new(
    Who::ThisSystem,
    [
        "Anropet var större än Skolverket tar emot på en gång.",
        "Inget: systemet delar det och skickar delarna var för sig.",
    ],
    [
        "The call was larger than Skolverket takes at once.",
        "Nothing: the system divides it and sends the parts one by one.",
    ],
);

/// 429/5021.
const TOO_MANY: Guidance = Guidance::new(
    Who::ThisSystem,
    [
        "Skolverket tog inte emot fler anrop just då.",
        "Inget: systemet väntar den tid som Skolverket anger och fortsätter av sig självt.",
    ],
    [
        "Skolverket took no more calls at that moment.",
        "Nothing: the system waits as long as Skolverket says and goes on by itself.",
    ],
);

/// 503/5022, and no connection.
const UNAVAILABLE: Guidance = Guidance::new(
    Who::Skolverket,
    [
        "Skolverkets tjänst gick inte att nå.",
        "Vänta: systemet försöker igen av sig självt, med växande uppehåll.",
    ],
    [
        "Skolverket's service could not be reached.",
        "Wait: the system tries again by itself, with growing pauses.",
    ],
);

/// 408 and 425; and what the job says that waits because of them, or because of 503 and other 5xx.
const NOT_NOW: Guidance = Guidance::new(
    Who::Skolverket,
    [
        "Skolverkets tjänst svarade att den inte kunde ta emot anropet just då.",
        "Vänta: systemet försöker igen av sig självt, med växande uppehåll.",
    ],
    [
        "Skolverket's service answered that it could not take the call at that moment.",
        "Wait: the system tries again by itself, with growing pauses.",
    ],
);

/// An answer that is none: a gateway's page, half of one, something that no document describes.
const UNREADABLE: Guidance = Guidance::new(
    Who::Skolverket,
    [
        "Skolverket svarade, men svaret gick inte att läsa.",
        "Vänta: systemet frågar igen av sig självt. Kontakta den som driftar systemet om det inte går över.",
    ],
    [
        "Skolverket answered, but the answer could not be read.",
        "Wait: the system asks again by itself. Contact whoever operates the system if it does not pass.",
    ],
);

/// An answer of more bytes than are read.
const ANSWER_NOT_READ: Guidance = Guidance::new(
    Who::Operator,
    [
        "Skolverket svarade, men svaret är större än systemet kan läsa.",
        "Kontakta den som driftar systemet. Systemet frågar några gånger till och ger sedan upp.",
    ],
    [
        "Skolverket answered, but the answer is larger than the system can read.",
        "Contact whoever operates the system. The system asks a few more times and then gives up.",
    ],
);

/// 500/5004, and other answers of its kind.
const FAILED: Guidance = Guidance::new(
    Who::Skolverket,
    [
        "Något gick fel hos Skolverket, men det framgår inte vad.",
        "Vänta: systemet försöker igen av sig självt. Hjälper inte det, återuppta sändningen senare, och kontakta Skolverket om felet består.",
    ],
    [
        "Something went wrong at Skolverket; it does not say what.",
        "Wait: the system tries again by itself. If that does not help, resume the send later, and contact Skolverket if the fault stays.",
    ],
);

/// 503/6001.
pub(super) const ANSWER_TOO_LARGE: Guidance = Guidance::new(
    Who::Skolverket,
    [
        "Skolverket kunde inte lämna ett så stort svar på en gång.",
        "Vänta: systemet frågar igen. Kontakta den som driftar systemet om det upprepas.",
    ],
    [
        "Skolverket could not give so large an answer at once.",
        "Wait: the system asks again. Contact whoever operates the system if it happens again.",
    ],
);

/// 404/4001 with the parameter `id`: the job that the call asked for.
pub(super) const JOB_UNKNOWN: Guidance = Guidance::new(
    Who::ThisSystem,
    [
        "Skolverket känner inte till det jobb som det självt gav ett id. Posterna kan ha tagits emot.",
        "Återuppta sändningen: en post som redan finns uppdateras bara.",
    ],
    [
        "Skolverket does not know the job that it gave an id itself. The records may have been taken.",
        "Resume the send: a record that is there already is only updated.",
    ],
);

/// 400 with `parameterName`, and other refusals of a whole call.
pub(super) const REFUSED: Guidance = Guidance::new(
    Who::Operator,
    [
        "Skolverket avvisade ett helt anrop.",
        "Se anropets svar under jobbet och kontakta den som driftar systemet.",
    ],
    [
        "Skolverket refused a whole call.",
        "See the call's answer under the job and contact whoever operates the system.",
    ],
);

const PARAMETER: Guidance = Guidance::new(
    Who::Operator,
    [
        "Anropet till Skolverket var felaktigt utformat. Det är systemets fel, inte uppgifternas.",
        "Kontakta den som driftar systemet; att skicka igen hjälper inte.",
    ],
    [
        "The call to Skolverket was malformed. That is the system's fault, not that of the data.",
        "Contact whoever operates the system; sending again does not help.",
    ],
);

/// A status that no document foresees.
pub(super) const UNFORESEEN: Guidance = Guidance::new(
    Who::Operator,
    [
        "Skolverket gav ett svar som gränssnittet inte beskriver.",
        "Se anropets svar under jobbet och kontakta den som driftar systemet.",
    ],
    [
        "Skolverket gave an answer that its interface does not describe.",
        "See the call's answer under the job and contact whoever operates the system.",
    ],
);

/// Rows for messages about calls.
pub(super) const ENTRIES: &[Entry] = &[
    Entry { ids: &["2010"], about: &[Parameter("ids")], guidance: PARAMETER },
    Entry { ids: &["2011"], about: &[Parameter("id")], guidance: PARAMETER },
    Entry { ids: &["2025"], about: &[Parameter("updateIfExists")], guidance: PARAMETER },
    Entry { ids: &["3085"], about: &[Parameter("limit")], guidance: PARAMETER },
    Entry { ids: &["4001"], about: &[Parameter("id")], guidance: JOB_UNKNOWN },
    Entry { ids: &["5002"], about: &[Any], guidance: TOKEN_NOT_TAKEN },
    Entry { ids: &["5004"], about: &[Any], guidance: FAILED },
    Entry { ids: &["5020"], about: &[Any], guidance: TOO_LARGE },
    Entry { ids: &["5021"], about: &[Any], guidance: TOO_MANY },
    Entry { ids: &["5022"], about: &[Any], guidance: UNAVAILABLE },
    Entry { ids: &["6001"], about: &[Any], guidance: ANSWER_TOO_LARGE },
];

/// A call with a token that was not taken. Mostly it had only run out.
const FORBIDDEN: Guidance = Guidance::new(
    Who::ThisSystem,
    [
        "Skolverkets API godtog inte anropets token.",
        "Inget: systemet begär en ny och försöker igen. Avvisas även den säger jobbet vad som ska göras.",
    ],
    [
        "Skolverket's API did not take the call's token.",
        "Nothing: the system asks for a new one and tries again. If that is refused too, the job says what to do.",
    ],
);

/// A poll that was answered with 404. Only where the next try fails too does the job end with [`JOB_UNKNOWN`].
const JOB_GONE: Guidance = Guidance::new(
    Who::ThisSystem,
    [
        "Skolverket kände inte till det jobb som anropet frågade efter. Posterna kan ha tagits emot.",
        "Inget: systemet skickar posterna en gång till av sig självt. Lyckas inte det heller säger jobbet vad som ska göras.",
    ],
    [
        "Skolverket did not know the job that the call asked for. The records may have been taken.",
        "Nothing: the system sends the records once more by itself. If that does not succeed either, the job says what to do.",
    ],
);

/// A submit that was answered with 400: mostly because of one of its records.
const NOT_TAKEN: Guidance = Guidance::new(
    Who::ThisSystem,
    [
        "Skolverket avvisade ett helt anrop, oftast på grund av någon av dess poster.",
        "Inget: systemet tar undan posten eller delar anropet, och skickar resten av sig självt. Lyckas inte det säger jobbet vad som ska göras.",
    ],
    [
        "Skolverket refused a whole call, mostly because of one of its records.",
        "Nothing: the system takes the record out or halves the call, and sends the rest by itself. If that does not succeed, the job says what to do.",
    ],
);

impl WaitCause {
    /// What it means, what to do, and who.
    pub fn guidance(self) -> &'static Guidance {
        match self {
            Self::NotReached => &UNAVAILABLE,
            Self::Unavailable => &NOT_NOW,
            Self::TooManyCalls => &TOO_MANY,
            Self::UnreadableAnswer => &UNREADABLE,
            Self::AnswerTooLarge => &ANSWER_NOT_READ,
            Self::AuthorizationServer => &authorization::SERVER_UNAVAILABLE,
            Self::AuthorizationServerUnreadable => &authorization::SERVER_UNREADABLE,
        }
    }
}

pub(super) fn of_status(status: Option<u16>, polled: bool) -> Option<&'static Guidance> {
    match status {
        Some(200..=299) => None,
        Some(401 | 403) => Some(&FORBIDDEN),
        Some(404) if polled => Some(&JOB_GONE),
        Some(408 | 425) => Some(&NOT_NOW),
        Some(400) if !polled => Some(&NOT_TAKEN),
        Some(413) if !polled => Some(&TOO_LARGE),
        Some(429) => Some(&TOO_MANY),
        Some(503) | None => Some(&UNAVAILABLE),
        Some(500..=599) => Some(&FAILED),
        Some(400 | 413) => Some(&REFUSED),
        Some(_) => Some(&UNFORESEEN),
    }
}
