//! Civic numbers (rule 7): personal `YYYYMMDDNNNC`, coordination with 60 added to the day (month 00 or day 60 where the
//! birth date is not known), temporary `YYYYMMDDTFnn`.

use jiff::civil::Date;

use crate::kind::finding_code::FindingCode;

/// No living person was born before; nobody will be born after.
const YEARS: std::ops::RangeInclusive<i16> = 1800..=2099;
/// The number that is added to the day of a coordination number.
const COORDINATION: i8 = 60;

/// A civic number of one of the three forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CivicNumber {
    /// The birth date that it begins with; `None` for a coordination number with an unknown month or day.
    pub(super) born: Option<Date>,
    /// Its birth number is 000, which nobody has.
    pub(super) without_birth_number: bool,
}

impl CivicNumber {
    /// Reads a number; an error says what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, FindingCode> {
        let form = || FindingCode::CivicNumberForm;
        let bytes: &[u8; 12] = text.as_bytes().try_into().map_err(|_| form())?;
        let [date @ .., a, b, c, d] = bytes;
        let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
        let temporary = (*a, *b) == (b'T', b'F') && digits(&[*c, *d]);
        if !digits(date) || !(temporary || digits(&[*a, *b, *c, *d])) {
            return Err(form());
        }
        let number = |from: usize, to: usize| text.get(from..to).and_then(|text| text.parse::<i16>().ok());
        let (year, month, day) = (number(0, 4), number(4, 6), number(6, 8));
        let (Some(year), Some(month), Some(day)) = (year, month, day) else { return Err(form()) };
        let (Ok(month), Ok(day)) = (i8::try_from(month), i8::try_from(day)) else { return Err(form()) };
        let coordination = day >= COORDINATION && !temporary;
        let day = if coordination { day - COORDINATION } else { day };
        let not_known =
            coordination && (month == 0 || day == 0) && (0..=12).contains(&month) && (0..=31).contains(&day);
        let born = Date::new(year, month, day).ok();
        if !YEARS.contains(&year) || (born.is_none() && !not_known) {
            return Err(FindingCode::CivicNumberDate);
        }
        if !temporary && !luhn_holds(&bytes[2..]) {
            return Err(FindingCode::CivicNumberCheckDigit);
        }
        Ok(Self { born, without_birth_number: !temporary && [*a, *b, *c] == *b"000" })
    }
}

/// Whether the last of these digits is the check digit of the others.
fn luhn_holds(digits: &[u8]) -> bool {
    let weights = [2, 1].into_iter().cycle();
    let products = digits.iter().zip(weights).map(|(digit, weight)| u32::from(digit - b'0') * weight);
    products.map(|product| product / 10 + product % 10).sum::<u32>().is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The Luhn check digit of nine digits, reckoned the other way round: what is missing to a multiple of ten.
    fn check_digit(nine: &str) -> u32 {
        let sum: u32 = nine
            .chars()
            .enumerate()
            .map(|(at, digit)| {
                let digit = digit.to_digit(10).unwrap();
                if at % 2 == 0 { [0, 2, 4, 6, 8, 1, 3, 5, 7, 9][digit as usize] } else { digit }
            })
            .sum();
        (10 - sum % 10) % 10
    }

    fn born() -> impl Strategy<Value = Date> {
        (1900_i16..=2026, 1_i16..=366).prop_filter_map("a day of the year", |(year, day)| {
            Date::new(year, 1, 1).ok()?.with().day_of_year(day).build().ok()
        })
    }

    /// A number born on this date, with `added` to the day.
    fn numbered(born: Date, added: i8, birth_number: u32) -> String {
        let nine =
            format!("{:02}{:02}{:02}{birth_number:03}", born.year() % 100, born.month(), born.day() + added);
        format!("{:02}{nine}{}", born.year() / 100, check_digit(&nine))
    }

    proptest! {
        #[test]
        fn personal_and_coordination_numbers_are_taken(
            born in born(), birth_number in 0_u32..1000, coordination: bool,
        ) {
            let number = numbered(born, if coordination { COORDINATION } else { 0 }, birth_number);
            let read = CivicNumber { born: Some(born), without_birth_number: birth_number == 0 };
            prop_assert_eq!(CivicNumber::read(&number), Ok(read));
        }

        #[test]
        fn any_other_check_digit_is_wrong(
            born in born(), birth_number in 0_u32..1000, coordination: bool, by in 1_u32..10,
        ) {
            let mut number = numbered(born, if coordination { COORDINATION } else { 0 }, birth_number);
            let last = number.pop().unwrap().to_digit(10).unwrap();
            number.push(char::from_digit((last + by) % 10, 10).unwrap());
            prop_assert_eq!(CivicNumber::read(&number), Err(FindingCode::CivicNumberCheckDigit));
        }

        #[test]
        fn one_mistaken_digit_is_found(
            born in born(), birth_number in 0_u32..1000, at in 2_usize..12, by in 1_u32..10,
        ) {
            let number = numbered(born, 0, birth_number);
            let mistaken: String = number.chars().enumerate().map(|(place, digit)| {
                let digit = digit.to_digit(10).unwrap();
                char::from_digit(if place == at { (digit + by) % 10 } else { digit }, 10).unwrap()
            }).collect();
            prop_assert!(CivicNumber::read(&mistaken).is_err());
        }

        #[test]
        fn a_temporary_number_needs_a_date_and_no_check_digit(born in born(), tail in 0_u32..100) {
            let number = format!("{}TF{tail:02}", born.strftime("%Y%m%d"));
            let read = CivicNumber { born: Some(born), without_birth_number: false };
            prop_assert_eq!(CivicNumber::read(&number), Ok(read));
        }

        #[test]
        fn a_coordination_number_may_say_that_the_birth_date_is_not_known(
            year in 1900_i16..=2026, month in 0_i8..=12, day in 0_i8..=31, birth_number in 1_u32..1000, no_month: bool,
        ) {
            let (month, day) = if no_month { (0, day) } else { (month, 0) };
            let nine = format!("{:02}{month:02}{:02}{birth_number:03}", year % 100, day + COORDINATION);
            let number = format!("{:02}{nine}{}", year / 100, check_digit(&nine));
            let read = CivicNumber { born: None, without_birth_number: false };
            prop_assert_eq!(CivicNumber::read(&number), Ok(read));
            let mistaken = format!("{:02}{nine}{}", year / 100, (check_digit(&nine) + 1) % 10);
            prop_assert_eq!(CivicNumber::read(&mistaken), Err(FindingCode::CivicNumberCheckDigit));
            // A personal number has no such date.
            let nine = format!("{:02}{month:02}{day:02}{birth_number:03}", year % 100);
            let personal = format!("{:02}{nine}{}", year / 100, check_digit(&nine));
            prop_assert_eq!(CivicNumber::read(&personal), Err(FindingCode::CivicNumberDate));
        }

        #[test]
        fn a_date_that_does_not_exist_is_found(
            year in 1900_i16..=2026, month in 0_i8..=20, day in 0_i8..=99, birth_number in 0_u32..1000,
            temporary: bool,
        ) {
            let real = |day| Date::new(year, month, day).is_ok();
            let not_known = (day == COORDINATION && month <= 12)
                || (month == 0 && (COORDINATION..=COORDINATION + 31).contains(&day));
            prop_assume!(!real(day) && (temporary || !(real(day - COORDINATION) || not_known)));
            let nine = format!("{:02}{month:02}{day:02}{birth_number:03}", year % 100);
            let number = if temporary {
                format!("{year}{month:02}{day:02}TF20")
            } else {
                format!("{:02}{nine}{}", year / 100, check_digit(&nine))
            };
            prop_assert_eq!(CivicNumber::read(&number), Err(FindingCode::CivicNumberDate));
        }

        #[test]
        fn anything_else_has_another_form(text in "\\PC{0,14}") {
            let twelve = text.len() == 12 && text.bytes().take(8).all(|byte| byte.is_ascii_digit());
            if !twelve {
                prop_assert_eq!(CivicNumber::read(&text), Err(FindingCode::CivicNumberForm));
            }
        }
    }

    #[test]
    fn known_numbers() {
        // A published example of the algorithm, and the published coordination number that fails it.
        assert!(CivicNumber::read("198112289874").is_ok());
        for not_known in ["201300729827", "201304609835"] {
            assert_eq!(CivicNumber::read(not_known).map(|number| number.born), Ok(None), "{not_known}");
        }
        assert_eq!(CivicNumber::read("200901872385"), Err(FindingCode::CivicNumberCheckDigit));
        assert_eq!(CivicNumber::read("18000229TF20"), Err(FindingCode::CivicNumberDate));
        assert_eq!(CivicNumber::read("00010101TF20"), Err(FindingCode::CivicNumberDate));
        for other in ["", "8112289874", "19811228-9874", "19811228TG20", "1981122898TF", "20140401TFåä"] {
            assert_eq!(CivicNumber::read(other), Err(FindingCode::CivicNumberForm), "{other}");
        }
    }
}
