//! EPPNs: their form (rule 5), and what they give away of their holder (rule 6, Skolverket's warning 3047).

use jiff::civil::Date;

use crate::kind::characters;

/// Whether it is a local part, one `@` and a domain of at least two names, without white space. Of characters that
/// nobody sees see [`has_invisible`].
pub(super) fn has_form(eppn: &str) -> bool {
    let eppn = characters::composed(eppn);
    let Some((local, domain)) = eppn.split_once('@') else { return false };
    let plain = |c: char| !c.is_whitespace() && !hidden(c) && c != '@';
    let name = |name: &str| {
        !name.is_empty()
            && !name.starts_with('-')
            && !name.ends_with('-')
            && name.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    !local.is_empty() && local.chars().all(plain) && domain.contains('.') && domain.split('.').all(name)
}

/// Whether a control or invisible character is anywhere in it.
pub(super) fn has_invisible(eppn: &str) -> bool {
    eppn.chars().any(hidden)
}

fn hidden(c: char) -> bool {
    c.is_control() || characters::is_invisible(c)
}

/// As EPPNs are compared: nobody logs in with regard to case, or to how a letter is written.
pub(super) fn compared(eppn: &str) -> String {
    characters::caseless(eppn)
}

/// The part of an EPPN that may give its holder away: the text before the `@`. The domain is the school's.
pub(super) struct Local(String);

impl Local {
    pub(super) fn of(eppn: &str) -> Self {
        Self(characters::without_marks(eppn.split('@').next().unwrap_or_default()))
    }

    /// Whether it holds the first three letters of the surname, or the first two of it and of the given name.
    pub(super) fn shows_name(&self, given_name: &str, family_name: &str) -> bool {
        let holds = |name: &str, letters: usize| {
            let start: String =
                characters::without_marks(name).chars().filter(|c| c.is_alphabetic()).take(letters).collect();
            start.chars().count() == letters && self.0.contains(&start)
        };
        holds(family_name, 3) || (holds(family_name, 2) && holds(given_name, 2))
    }

    /// Whether it holds the number, with or without its century, however it is divided.
    pub(super) fn shows_civic_number(&self, number: &str) -> bool {
        number.get(2..).is_some_and(|ten| self.joined().contains(&characters::without_marks(ten)))
    }

    /// Whether it holds the date, with or without its century, however it is divided.
    pub(super) fn shows_birth_date(&self, born: Date) -> bool {
        let six = format!("{:02}{:02}{:02}", born.year() % 100, born.month(), born.day());
        self.joined().contains(&six)
    }

    fn joined(&self) -> String {
        self.0.chars().filter(|c| c.is_alphanumeric()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same name with each letter in the case and in the spelling that a bit chooses.
    fn respelt(name: &str, bits: u64) -> String {
        let letters = name.chars().enumerate().map(|(at, c)| {
            let bit = |of: usize| (bits >> ((2 * at + of) % 64)) & 1 == 1;
            let c = match c {
                'å' | 'ä' if bit(0) => 'a',
                'ö' if bit(0) => 'o',
                c => c,
            };
            if bit(1) { c.to_uppercase().next().unwrap() } else { c }
        });
        letters.collect()
    }

    proptest! {
        #[test]
        fn a_name_is_found_whatever_its_case_and_spelling(
            family in "[a-zåäö]{3,12}", given in "[a-zåäö]{2,12}", before in "[0-9._]{0,6}", after in "[0-9._]{0,6}",
            bits: [u64; 2], two: bool,
        ) {
            let start = |name: &str, letters: usize| name.chars().take(letters).collect::<String>();
            let held = if two {
                format!("{}{before}{}", start(&given, 2), start(&family, 2))
            } else {
                start(&family, 3)
            };
            let eppn = format!("{before}{}{after}@edu.example.se", respelt(&held, bits[0]));
            prop_assert!(Local::of(&eppn).shows_name(&given, &respelt(&family, bits[1])), "{}", eppn);
        }

        #[test]
        fn an_eppn_without_letters_of_the_name_shows_nothing(
            family in "[a-måäö]{1,12}", given in "[a-måäö]{1,12}", local in "[n-zN-Z0-9]{1,12}", domain in "[a-z]{1,9}",
        ) {
            // ö is an o, which the local part may hold alone; never two letters of a name in a row.
            let plain = characters::without_marks;
            prop_assume!(!plain(&family).contains("oo") && !plain(&given).contains("oo"));
            let eppn = format!("{local}@{domain}.se");
            prop_assert!(!Local::of(&eppn).shows_name(&given, &family), "{}", eppn);
        }

        #[test]
        fn a_birth_date_and_a_number_are_found_however_divided(
            year in 1950_i16..2020, month in 1_i8..=12, day in 1_i8..=28, rest in "[0-9]{4}|TF[0-9]{2}", century: bool,
            divider in "[-._]?",
        ) {
            let born = Date::new(year, month, day).unwrap();
            let years = if century { format!("{year}") } else { format!("{:02}", year % 100) };
            let date = format!("{years}{divider}{month:02}{divider}{day:02}");
            let local = Local::of(&format!("k{date}x@edu.example.se"));
            prop_assert!(local.shows_birth_date(born));
            let number = format!("{year}{month:02}{day:02}{rest}");
            prop_assert!(!local.shows_civic_number(&number));
            let local = Local::of(&format!("{date}{divider}{}@edu.example.se", rest.to_lowercase()));
            prop_assert!(local.shows_civic_number(&number));
        }

        #[test]
        fn a_local_part_and_a_domain_are_an_eppn(local in "[^@\\s\\pC]{1,20}", domain in "[a-z0-9]{1,9}(\\.[a-zåäö0-9]{1,9}){1,3}") {
            prop_assume!(!has_invisible(&local));
            let eppn = format!("{local}@{domain}");
            prop_assert!(has_form(&eppn));
            for wrong in [
                format!("@{domain}"), format!("{local}@"), format!("{local}.{domain}"), format!("{local}@{eppn}"),
                format!("{local} {eppn}"), format!("{eppn}."), format!("{eppn} "), format!("{local}@{}", domain.replace('.', "")),
            ] {
                prop_assert!(!has_form(&wrong), "{wrong}");
            }
        }
    }

    #[test]
    fn a_letter_and_its_ring_are_a_letter() {
        // Composed, and in two.
        for (eppn, family) in [
            ("åkerman1@edu.example.se", "A\u{30a}kerman"),
            ("a\u{30a}kerman1@edu.example.se", "Åkerman"),
            ("akerman1@edu.example.se", "A\u{30a}kerman"),
            ("ÉTO7@edu.example.se", "Etoile"),
        ] {
            assert!(Local::of(eppn).shows_name("Bo", family), "{eppn}");
        }
        assert!(has_form("k7@a\u{30a}kra.example.se"));
        assert_eq!(compared("Åkq7zx1@edu.example.se"), compared("a\u{30a}kq7zx1@edu.example.se"));
    }

    #[test]
    fn what_nobody_sees_is_no_part_of_an_eppn() {
        let hidden = [
            "q7zx1\u{200b}@edu.example.se",
            "\u{feff}q7@example.se",
            "q7@edu\u{ad}.example.se",
            "q\u{7}7@example.se",
        ];
        for eppn in hidden {
            assert!(has_invisible(eppn) && !has_form(eppn), "{}", eppn.escape_unicode());
        }
        assert!(!has_invisible("q7zx1@edu.example.se") && !has_invisible("åa\u{30a} @"));
    }

    #[test]
    fn a_name_too_short_to_decide_is_not_reported() {
        for (eppn, given, family) in [
            ("lo12@edu.example.se", "Bo", "Löfgren"),
            ("ek12@edu.example.se", "Bo", "Ek"),
            ("b7c1@lofgren.example.se", "Bo", "Löfgren"),
            ("x1@edu.example.se", "", ""),
        ] {
            assert!(!Local::of(eppn).shows_name(given, family), "{eppn}");
        }
        assert!(Local::of("obri7@edu.example.se").shows_name("Mary", "O'Brien"));
    }
}
