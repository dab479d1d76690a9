//! What people are called and numbered by. None of them exists.

use crate::random::{Kind, bits, pick};

/// The first birth number of those that no living person gets, and how many there are.
const BIRTH_NUMBERS: (u32, u32) = (980, 20);
const DAYS: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const DAYS_A_YEAR: u32 = 365;
/// Made-up people who can be born in one year.
pub(crate) const PEOPLE_A_YEAR: u32 = DAYS_A_YEAR * BIRTH_NUMBERS.1;
/// Neighbours in a class shall not be neighbours in the calendar. Shares no factor with [`PEOPLE_A_YEAR`], so that
/// every place in the year is met once.
const STRIDE: u32 = 3_907;

/// All begin with a vowel among their first two letters: an EPPN without vowels can then not hold the beginning of a
/// name, which would be a warning (domain rule 6).
const GIVEN: [&str; 40] = [
    "Alva", "Elsa", "Maja", "Vera", "Alma", "Selma", "Ines", "Ebba", "Sara", "Nora", "Leia", "Molly",
    "Ester", "Juni", "Saga", "Wilma", "Lova", "Tuva", "Ida", "Åsa", "Noah", "Hugo", "Leo", "Liam", "Adam",
    "Elias", "Oliver", "Matteo", "August", "Nils", "Lukas", "Isak", "Vidar", "Malte", "Theo", "Ali", "Omar",
    "Emil", "Axel", "Örjan",
];
const FAMILY: [&str; 40] = [
    "Andersson",
    "Karlsson",
    "Nilsson",
    "Eriksson",
    "Larsson",
    "Olsson",
    "Persson",
    "Jonsson",
    "Hansson",
    "Bengtsson",
    "Lindberg",
    "Lindgren",
    "Axelsson",
    "Bergström",
    "Lundberg",
    "Mattsson",
    "Fredriksson",
    "Sandberg",
    "Henriksson",
    "Forsberg",
    "Sjöberg",
    "Wallin",
    "Engström",
    "Eklund",
    "Danielsson",
    "Lundin",
    "Håkansson",
    "Gunnarsson",
    "Holm",
    "Bergman",
    "Samuelsson",
    "Nyström",
    "Holmberg",
    "Arvidsson",
    "Löfgren",
    "Söderberg",
    "Nyberg",
    "Ahmed",
    "Hassan",
    "Öberg",
];

/// Given name and family name of the `number`th student or member of staff.
pub(crate) fn names(series: u32, of: Kind, number: u32) -> (&'static str, &'static str) {
    let bits = bits(series, Kind::Name, number ^ ((of as u32) << 28));
    (pick(&GIVEN, bits >> 32), pick(&FAMILY, bits & 0xffff_ffff))
}

/// The local part of an EPPN or an e-mail address: letters and digits in turn, so that it holds neither a date nor a
/// name.
pub(crate) fn local_part(series: u32, of: Kind, number: u32) -> String {
    const CONSONANTS: &[u8; 16] = b"bcdfghjkmnpqrstv";
    let mut bits = bits(series, Kind::Eppn, number ^ ((of as u32) << 28));
    let mut text = String::with_capacity(18);
    for _ in 0..9 {
        let at = usize::try_from(bits & 15).unwrap_or_default();
        text.push(char::from(CONSONANTS.get(at).copied().unwrap_or(b'b')));
        text.push(char::from(b'0' + u8::try_from((bits >> 4) & 7).unwrap_or_default()));
        bits >>= 7;
    }
    text
}

/// The civic number of the `place`th person born in a year; below [`PEOPLE_A_YEAR`] no two are the same.
pub(crate) fn civic_number(year: u32, place: u32) -> String {
    let place = place * STRIDE % PEOPLE_A_YEAR;
    let (mut day, birth_number) = (place / BIRTH_NUMBERS.1, BIRTH_NUMBERS.0 + place % BIRTH_NUMBERS.1);
    let mut month = 1;
    for days in DAYS {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    let nine = format!("{:02}{month:02}{:02}{birth_number}", year % 100, day + 1);
    format!("{:02}{nine}{}", year / 100, check_digit(&nine))
}

/// The Luhn check digit of nine digits.
pub(crate) fn check_digit(nine: &str) -> u32 {
    let sum: u32 = nine
        .bytes()
        .map(|digit| u32::from(digit.saturating_sub(b'0')))
        .zip([2, 1].into_iter().cycle())
        .map(|(digit, weight)| digit * weight)
        .map(|product| product / 10 + product % 10)
        .sum();
    (10 - sum % 10) % 10
}
