//! Guidance by the category of a message, where its id is not known with what it is about.

use crate::words::guidance::{Guidance, Who, calls};

/// The guidance for a category of messages.
pub(super) const TYPES: &[(&str, Guidance)] = &[
    (
        "Ogiltigt format",
        Guidance::new(
            Who::StudentRegister,
            [
                "En uppgift saknas eller har en form som Skolverket inte tar emot.",
                "Rätta uppgiften i källsystemet och återuppta sändningen.",
            ],
            [
                "A value is missing, or has a form that Skolverket does not take.",
                "Mend the value in the source system and resume the send.",
            ],
        ),
    ),
    (
        "Ogiltigt värde",
        Guidance::new(
            Who::StudentRegister,
            [
                "En uppgift har ett värde som Skolverket inte godtar.",
                "Rätta uppgiften i källsystemet och återuppta sändningen.",
            ],
            [
                "A value is one that Skolverket does not accept.",
                "Mend the value in the source system and resume the send.",
            ],
        ),
    ),
    (
        "Bristfälligt värde",
        Guidance::new(
            Who::StudentRegister,
            [
                "Posten är mottagen, men en uppgift i den bör rättas.",
                "Rätta uppgiften i källsystemet; den följer med nästa gång du skickar.",
            ],
            [
                "The record is accepted, but a value in it should be mended.",
                "Mend the value in the source system; it goes along the next time you send.",
            ],
        ),
    ),
    (
        "Behörighet saknas",
        Guidance::new(
            Who::Operator,
            [
                "Huvudmannen har inte rätt att göra detta hos Skolverket.",
                "Be den som driftar systemet kontrollera huvudmannens behörighet hos Skolverket.",
            ],
            [
                "The organiser has no right to do this at Skolverket.",
                "Ask whoever operates the system to check the organiser's rights at Skolverket.",
            ],
        ),
    ),
    (
        "Teknisk begränsning",
        Guidance::new(
            Who::Skolverket,
            [
                "En teknisk gräns hos Skolverket är nådd.",
                "Återuppta sändningen senare, och kontakta den som driftar systemet om det upprepas.",
            ],
            [
                "A technical limit of Skolverket's is reached.",
                "Resume the send later, and contact whoever operates the system if it happens again.",
            ],
        ),
    ),
    (
        "Okänt fel",
        Guidance::new(
            Who::Skolverket,
            [
                "Något gick fel hos Skolverket, men det framgår inte vad.",
                "Återuppta sändningen senare, och kontakta Skolverket om felet består.",
            ],
            [
                "Something went wrong at Skolverket; it does not say what.",
                "Resume the send later, and contact Skolverket if the fault stays.",
            ],
        ),
    ),
    ("Overload", calls::ANSWER_TOO_LARGE),
];
