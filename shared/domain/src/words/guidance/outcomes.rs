//! The guidance for the outcome of a record about which Skolverket sent no message.

use crate::words::guidance::{Guidance, Who};

/// It was left out because of others.
pub(super) const SKIPPED: Guidance = Guidance::new(
    Who::ThisSystem,
    [
        "Posten skickades inte, eftersom något som den bygger på inte godtogs.",
        "Rätta det som inte godtogs i jobben före, och återuppta sändningen: posten följer då med.",
    ],
    [
        "The record was not sent, because something that it builds on was not accepted.",
        "Mend what was not accepted in the jobs before, and resume the send: the record then goes along.",
    ],
);

/// It was accepted without others.
pub(super) const WENT_WITHOUT: Guidance = Guidance::new(
    Who::ThisSystem,
    [
        "Posten är mottagen utan det som inte godtogs i jobben före.",
        "Rätta det som inte godtogs, och återuppta sändningen: posten skickas då i sin helhet.",
    ],
    [
        "The record is accepted without what was not accepted in the jobs before.",
        "Mend what was not accepted, and resume the send: the record is then sent whole.",
    ],
);

/// Its turn never came.
pub(super) const NOT_SENT: Guidance = Guidance::new(
    Who::ThisSystem,
    [
        "Posten skickades aldrig: jobbet slutade innan det var dess tur.",
        "Åtgärda orsaken som visas för jobbet, och återuppta sändningen.",
    ],
    [
        "The record was never sent: the job ended before its turn.",
        "Mend the cause that is shown for the job, and resume the send.",
    ],
);

/// It was sent, and no outcome was seen.
pub(super) const OUTCOME_UNKNOWN: Guidance = Guidance::new(
    Who::ThisSystem,
    [
        "Posten skickades, men Skolverket sade aldrig hur det gick. Den kan ha tagits emot.",
        "Återuppta sändningen: en post som redan finns uppdateras bara.",
    ],
    [
        "The record was sent, but Skolverket never said what became of it. It may have been accepted.",
        "Resume the send: a record that is there already is only updated.",
    ],
);

/// It was sent, and its status is none of those that Skolverket's interface describes.
pub(super) const UNKNOWN_STATUS: Guidance = Guidance::new(
    Who::Operator,
    [
        "Skolverket gav posten en status som systemet inte känner till. Den kan ha tagits emot.",
        "Återuppta sändningen: en post som redan finns uppdateras bara. Kontakta den som driftar systemet om det upprepas.",
    ],
    [
        "Skolverket gave the record a status that the system does not know. It may have been accepted.",
        "Resume the send: a record that is there already is only updated. If it happens again, contact whoever operates the system.",
    ],
);

/// It has an error or a warning, and no message.
pub(super) const WITHOUT_MESSAGE: Guidance = Guidance::new(
    Who::Skolverket,
    [
        "Skolverket hade något att anmärka på posten, utan att säga vad.",
        "Jämför posten med en som godtogs, rätta den och återuppta sändningen, och kontakta Skolverket om det upprepas.",
    ],
    [
        "Skolverket found fault with the record without saying what.",
        "Compare the record with one that was accepted, mend it and resume the send, and contact Skolverket if it happens again.",
    ],
);
