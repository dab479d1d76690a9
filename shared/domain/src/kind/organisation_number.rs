//! Organisation numbers, and the forms in which certificates, tokens and registers write them.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::id::InvalidId;

/// A school authority's (huvudman's) organisation number: 10 digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(inline, extend("pattern" = "^[0-9]{10}$"))]
#[serde(try_from = "String", into = "String")]
pub struct OrganisationNumber(String);

/// A form of text that names an organisation: what stands before the number, the number, and what may follow.
struct Form {
    prefix: &'static str,
    number: Written,
    /// `-` and anything may follow.
    goes_on: bool,
}

/// How the digits of a number are written.
#[derive(Clone, Copy)]
enum Written {
    /// Ten digits, or 16 and ten digits: 16 says that it is an organisation's number and not a person's.
    Plain,
    /// Ten digits and 01, as in a VAT number.
    Vat,
}

/// The accepted forms. The first whose prefix fits is the one that is read.
const FORMS: &[Form] = &[
    // ETSI EN 319 412-1, from the trade register: `NTRSE-5565594230`.
    Form { prefix: "NTRSE-", number: Written::Plain, goes_on: false },
    // ETSI EN 319 412-1, from the VAT number: `VATSE-556559423001`.
    Form { prefix: "VATSE-", number: Written::Vat, goes_on: false },
    // EFOS's serial number: `EFOS165565594230-000012`.
    Form { prefix: "EFOS", number: Written::Plain, goes_on: true },
    // SITHS's serial number: `SE5565594230-B9Q1` or `SE165590000178-1000`. The authorization server takes what stands
    // before the hyphen as it is, so that the claim is `SE5565594230` or `SE165590000178`.
    Form { prefix: "SE", number: Written::Plain, goes_on: true },
    // Expisoft's serial number `165565594230`, and the number alone, as registers have it.
    Form { prefix: "", number: Written::Plain, goes_on: true },
];

impl OrganisationNumber {
    /// The ten digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The organisation that a certificate, a token or a register names by this text. None where the text has none of
    /// the forms that are known: a number is never guessed.
    pub fn named_by(text: &str) -> Option<Self> {
        let text = text.trim();
        FORMS.iter().find_map(|form| Some((form, without_prefix(text, form.prefix)?))).and_then(
            |(form, rest)| {
                let digits = if form.goes_on { rest.split('-').next()? } else { rest };
                form.number.read(digits)?.parse().ok()
            },
        )
    }
}

impl Written {
    fn read(self, digits: &str) -> Option<&str> {
        match (self, digits.len()) {
            (Self::Plain, 10) => Some(digits),
            (Self::Plain, 12) => digits.strip_prefix("16"),
            (Self::Vat, 12) => digits.strip_suffix("01"),
            _ => None,
        }
    }
}

fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

impl fmt::Display for OrganisationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for OrganisationNumber {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidId("organisation number"))
        }
    }
}

impl TryFrom<String> for OrganisationNumber {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<OrganisationNumber> for String {
    fn from(number: OrganisationNumber) -> Self {
        number.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_organisation_number_is_ten_digits() {
        assert!("5567044268".parse::<OrganisationNumber>().is_ok());
        for wrong in ["", "556704426", "55670442688", "556704-4268", "556704426x", "５５６７０４４２６８"]
        {
            assert_eq!(wrong.parse::<OrganisationNumber>(), Err(InvalidId("organisation number")));
        }
    }

    #[test]
    fn each_form_names_the_same_organisation() {
        for text in [
            "SE5565594230-B9Q1",
            "SE165565594230-1000",
            "SE5565594230",
            "SE165565594230",
            "EFOS165565594230-000012",
            "165565594230",
            "5565594230",
            "NTRSE-5565594230",
            "VATSE-556559423001",
            " se5565594230 ",
        ] {
            assert_eq!(OrganisationNumber::named_by(text).unwrap().as_str(), "5565594230", "{text}");
        }
    }

    #[test]
    fn what_has_no_known_form_names_nobody() {
        for text in [
            "",
            "SE",
            "A165565594230",
            "55655942301",
            "198001019802",
            // A person's number, and no VAT number though it ends as one.
            "198001019801",
            "SE55655942-30",
            "5565594230x",
            "NO5565594230",
            "VATSE-165565594230",
            "å",
        ] {
            assert_eq!(OrganisationNumber::named_by(text), None, "{text}");
        }
    }
}
