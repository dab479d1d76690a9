//! What is left of a value for those who may not see it whole.

/// What stands for anything that is hidden altogether.
pub(crate) const HIDDEN: &str = "***";

/// The birth year and eight stars. Of what does not look like a civic number of 12 characters not even that: the
/// first four of a number without century would be year and month.
pub(crate) fn civic_no(number: &str) -> String {
    match number.get(..4) {
        Some(year) if number.chars().count() == 12 && year.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{year}********")
        }
        _ => "************".to_owned(),
    }
}

/// `***@` and the domain; only stars where there is no domain.
pub(crate) fn eppn(eppn: &str) -> String {
    match eppn.rsplit_once('@') {
        Some((_, domain)) => format!("{HIDDEN}@{domain}"),
        None => HIDDEN.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_civic_number_keeps_its_year() {
        assert_eq!(civic_no("201301019805"), "2013********");
        assert_eq!(civic_no("20130101TF20"), "2013********");
        for odd in ["1301019805", "20130101-9805", "Ängla Markör", "", "åäö"] {
            assert_eq!(civic_no(odd), "************", "{odd}");
        }
    }

    #[test]
    fn an_eppn_keeps_its_domain() {
        assert_eq!(eppn("k7q2@edu.example.se"), "***@edu.example.se");
        assert_eq!(eppn("k7q2"), "***");
    }
}
