//! The three forms of a civic number: personal `YYYYMMDDNNNC`, coordination (60 added to the day), temporary
//! `YYYYMMDDTFnn`. That a number is well formed does not make it anybody's: Skolverket finds that out later.

use jiff::civil::Date;

/// Whether it has one of the forms, a date that can be, and the check digit where there is one. Skatteverket gives
/// coordination numbers without a known month (00) or day (60).
pub(crate) fn is_well_formed(number: &str) -> bool {
    let Some((date, rest)) = number.split_at_checked(8).filter(|_| number.len() == 12) else { return false };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let temporary = rest.strip_prefix("TF").is_some_and(is_number);
    if !is_number(date) || !(temporary || is_number(rest)) {
        return false;
    }
    let part = |from: usize, to: usize| date.get(from..to).and_then(|part| part.parse::<i8>().ok());
    let year = date.get(..4).and_then(|year| year.parse::<i16>().ok());
    let (Some(year @ 1800..=2099), Some(month), Some(day)) = (year, part(4, 6), part(6, 8)) else {
        return false;
    };
    let can_be = match (month, day) {
        (month, day) if temporary || day < 60 => Date::new(year, month, day).is_ok(),
        (0, 60..=91) => true,
        (1..=12, 60) => true,
        (month, day) => Date::new(year, month, day - 60).is_ok(),
    };
    can_be && (temporary || has_check_digit(&number[2..]))
}

/// Every second digit doubled from the right but one, digits summed: a multiple of ten (Luhn).
fn has_check_digit(ten: &str) -> bool {
    let digits = ten.bytes().rev().map(|byte| u32::from(byte - b'0'));
    let sum: u32 = digits
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_and_refused_by_form_date_and_digit() {
        // 811228-9874 is a published example of the algorithm.
        for good in ["198112289874", "20140307TF12", "201401019805"] {
            assert!(is_well_formed(good), "{good}");
        }
        for bad in [
            "198112289875",
            "198113289874",
            "8112289874",
            "19811228-9874",
            "20140230TF12",
            "20140307TG12",
            "20140367TF12",
            "17000101TF12",
            "åäöåäö",
            "",
        ] {
            assert!(!is_well_formed(bad), "{bad}");
        }
    }

    #[test]
    fn a_coordination_number_may_be_of_somebody_whose_birth_date_is_not_known() {
        // Check digits: of 140061980 it is 7 and so on, reckoned by hand.
        let with_digit =
            |eleven: &str| (0..10).filter(|digit| is_well_formed(&format!("{eleven}{digit}"))).count();
        for born in ["201403", "201400"] {
            for day in ["60", "61", "91"] {
                assert_eq!(with_digit(&format!("{born}{day}980")), 1, "{born}{day}");
            }
        }
        assert_eq!(with_digit("20140292980"), 0);
        assert_eq!(with_digit("20141361980"), 0);
        assert_eq!(with_digit("20140001980"), 0);
    }
}
