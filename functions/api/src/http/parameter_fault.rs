//! What is wrong with the query of a request.

use std::sync::Arc;

use stafett_domain::{Text, may_be_quoted};

/// What is wrong with a parameter of the query. It never holds a value of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ParameterFault {
    /// Its value cannot be used.
    Value(&'static str),
    /// It holds a word that is not one of those allowed.
    Word { name: &'static str, allowed: &'static [&'static str] },
    /// It occurs more than once.
    Repeated(&'static str),
    /// The call has no such parameter. `name` is `None` if it may be something other than a name.
    Unknown { name: Option<String>, known: Arc<[&'static str]> },
}

impl ParameterFault {
    /// A parameter that is not one of `known`. Its name is the caller's own text: it is repeated only where an unknown
    /// attribute's name would be.
    pub(crate) fn unknown(name: &str, known: &Arc<[&'static str]>) -> Self {
        let name = may_be_quoted(name).then(|| name.to_owned());
        Self::Unknown { name, known: Arc::clone(known) }
    }

    /// The parameter's name, if the response may repeat it.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Value(name) | Self::Word { name, .. } | Self::Repeated(name) => Some(name),
            Self::Unknown { name, .. } => name.as_deref(),
        }
    }

    /// What is allowed instead: words, or the names of parameters.
    pub(crate) fn allowed(&self) -> Option<&[&'static str]> {
        match self {
            Self::Word { allowed, .. } => Some(allowed),
            Self::Unknown { known, .. } => Some(known),
            Self::Value(_) | Self::Repeated(_) => None,
        }
    }

    pub(crate) fn text(&self) -> Text {
        let (en, sv) = match self {
            Self::Value(name) => (
                format!("The parameter {name} has a value that cannot be used. Correct it, or leave it out."),
                format!(
                    "Parametern {name} har ett värde som inte kan användas. Rätta den eller utelämna den."
                ),
            ),
            Self::Word { name, allowed } => {
                let allowed = allowed.join(", ");
                (
                    format!("The parameter {name} has a word that is not allowed. Allowed: {allowed}."),
                    format!("Parametern {name} har ett ord som inte är tillåtet. Tillåtna: {allowed}."),
                )
            }
            Self::Repeated(name) => (
                format!(
                    "The parameter {name} is there more than once. Give it once, several words with commas."
                ),
                format!(
                    "Parametern {name} finns mer än en gång. Ange den en gång, flera ord med kommatecken."
                ),
            ),
            Self::Unknown { name, known } => {
                let (en, sv) = match name {
                    Some(name) => (
                        format!("The parameter {name} is not known here."),
                        format!("Parametern {name} är okänd här."),
                    ),
                    None => {
                        ("A parameter is not known here.".to_owned(), "En parameter är okänd här.".to_owned())
                    }
                };
                if known.is_empty() {
                    (
                        format!("{en} The call has no parameters."),
                        format!("{sv} Anropet har inga parametrar."),
                    )
                } else {
                    let known = known.join(", ");
                    (
                        format!("{en} Correct it, or leave it out. Known: {known}."),
                        format!("{sv} Rätta den eller utelämna den. Kända: {known}."),
                    )
                }
            }
        };
        Text { sv, en }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_looks_like_a_name_is_repeated() {
        let known = Arc::from(["limit", "cursor"]);
        let named = |name: &str| ParameterFault::unknown(name, &known).name().map(str::to_owned);
        assert_eq!(named("stage"), Some("stage".to_owned()));
        for hidden in [
            "",
            "201304129818",
            "anna.almdal",
            "anna@example.se",
            "a b",
            "Anna-Karin_Almdal",
            "å",
            &"a".repeat(41),
        ] {
            assert_eq!(named(hidden), None, "{hidden}");
        }
        let fault = ParameterFault::unknown("201304129818", &known);
        assert_eq!(
            fault.text().en,
            "A parameter is not known here. Correct it, or leave it out. Known: limit, cursor."
        );
    }
}
