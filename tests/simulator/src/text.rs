//! The rules for names and addresses.

/// The longest name, in characters.
const LONGEST: usize = 255;

/// Nothing but white space and what cannot be seen.
pub(crate) fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c.is_control() || is_invisible(c))
}

/// Whether it can stand as a name or part of one; it may be empty.
pub(crate) fn is_name(text: &str) -> bool {
    !text.contains(char::is_control) && text.chars().count() <= LONGEST
}

/// Whether it is a local part, one `@` and a domain, all of it visible.
pub(crate) fn is_eppn(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let visible = |c: char| !c.is_whitespace() && !c.is_control() && !is_invisible(c) && c != '@';
    [local, domain].iter().all(|part| !part.is_empty() && part.chars().all(visible))
}

/// Whether it is something, an `@` and something with a dot.
pub(crate) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    !local.is_empty() && !text.contains(char::is_whitespace) && domain.trim_matches('.').contains('.')
}

/// Format characters (Unicode Cf): joiners, directions, tags, a soft hyphen, a byte order mark.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
        | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_eppn_is_two_visible_parts() {
        for good in ["x7q2@edu.example.se", "x@localhost", "å@örebro.se"] {
            assert!(is_eppn(good), "{good}");
        }
        for bad in [
            "",
            "x7q2",
            "@edu.se",
            "x@",
            "x@a@b",
            "x y@edu.se",
            "x\u{200b}@edu.se",
            "x@edu.se\u{feff}",
            "x@e\tu",
        ] {
            assert!(!is_eppn(bad), "{bad:?}");
        }
    }

    #[test]
    fn an_address_has_a_dot_behind_its_at() {
        assert!(is_address("siv@example.se"));
        for bad in ["", "siv", "siv@", "@example.se", "siv@example", "siv@.se", "si v@example.se"] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn a_name_is_seen_and_not_endless() {
        assert!(is_blank("") && is_blank(" \u{a0}\u{200d}") && !is_blank("Å"));
        assert!(is_name("") && is_name(&"å".repeat(255)));
        assert!(!is_name(&"å".repeat(256)) && !is_name("Siv\u{7}"));
    }
}
