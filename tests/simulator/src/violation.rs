use std::fmt;

/// The rules that the judge holds its caller to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Persons before duties, persons before groups, groups and duties before activities: a stage starts only when
    /// the outcomes of the other stages' records have been read.
    Order,
    /// 5 bulk and job calls per second.
    Rate,
    /// 200,000 bytes a body.
    Size,
    /// Attributes that the published schema does not have, or marks as read-only.
    UnknownAttribute,
    /// A token request out of shape, or a call with a token that is missing, invalid, made for something else or
    /// expired for more than 60 s; or any token given to the Open-data API, which asks for none.
    Token,
    /// Data of one organiser's school unit with another organiser's token, or a client certificate shown to the API.
    Organisation,
    /// A body that is not JSON, or not `{"data": [..]}` with records that have an id.
    Body,
    /// Query parameters: `updateIfExists=true` on a bulk call, `expandSchoolUnits` of an organisation in the Open-data
    /// API, nothing else anywhere.
    Query,
    /// A path that exists, called with another method.
    Method,
    /// A path that does not exist, such as that of the `Location` header.
    Path,
}

/// One finding of the judge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub rule: Rule,
    /// How: names the path, the attribute or the record's id, never a value.
    pub what: String,
}

impl Violation {
    pub(crate) fn new(rule: Rule, what: impl Into<String>) -> Violation {
        Violation { rule, what: what.into() }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}
