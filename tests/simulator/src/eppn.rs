//! Rule 3047 of the published answers: an EPPN should not be made of its holder's name.

/// Whether the EPPN holds the first three letters of the surname, or the first two of the surname and the first two
/// of the given name. Compared without regard to case and with å, ä, ö as a, a, o. Only what stands before the `@`
/// counts: the domain is the school's, not the person's.
pub(crate) fn shows_name(eppn: &str, given_name: &str, family_name: &str) -> bool {
    let local = folded(eppn.split('@').next().unwrap_or_default());
    let holds = |name: &str, letters: usize| {
        let start: String = folded(name).chars().filter(|c| c.is_alphabetic()).take(letters).collect();
        start.chars().count() == letters && local.contains(&start)
    };
    holds(family_name, 3) || (holds(family_name, 2) && holds(given_name, 2))
}

fn folded(text: &str) -> String {
    let plain = |c: char| match c {
        'å' | 'ä' => 'a',
        'ö' => 'o',
        other => other,
    };
    text.chars().flat_map(char::to_lowercase).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_the_local_part() {
        for (eppn, given, family) in [
            ("lofgren12@edu.example.se", "Bo", "Löfgren"),
            ("xLÖFx@edu.example.se", "Bo", "Löfgren"),
            ("bolo12@edu.example.se", "Bo", "Löfgren"),
            ("lo12bo@edu.example.se", "BO", "LÖFGREN"),
            ("ekan@edu.example.se", "Anna", "Ek"),
            ("obri7@edu.example.se", "Mary", "O'Brien"),
        ] {
            assert!(shows_name(eppn, given, family), "{eppn}");
        }
    }

    #[test]
    fn other_eppns_are_good() {
        for (eppn, given, family) in [
            ("b7c1@lofgren.example.se", "Bo", "Löfgren"),
            ("lo12@edu.example.se", "Bo", "Löfgren"),
            ("bo12@edu.example.se", "Bo", "Löfgren"),
            ("ek12@edu.example.se", "Bo", "Ek"),
            ("x1@edu.example.se", "", ""),
        ] {
            assert!(!shows_name(eppn, given, family), "{eppn}");
        }
    }
}
