//! Lists: `{items, nextCursor}`, asked for with `limit` and `cursor`, and with filters where a list has them.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_engine::history::Span;

use crate::problem::Problem;

/// How many items a page holds when nobody says.
const USUAL_LIMIT: usize = 50;
/// And at most.
const LARGEST_LIMIT: usize = 100;

/// The parameters of lists. Each list says which filters it has; it does not look at the others.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageQuery {
    limit: Option<String>,
    cursor: Option<String>,
    /// Of record rows: those with one of these outcomes, separated by commas.
    pub(crate) outcome: Option<String>,
    /// With one of these statuses, separated by commas.
    pub(crate) status: Option<String>,
    /// Of this stage.
    pub(crate) stage: Option<String>,
    /// That hold this activity.
    pub(crate) activity: Option<String>,
    /// Of this school unit.
    pub(crate) school_unit_code: Option<String>,
    /// Of this test.
    pub(crate) test_code: Option<String>,
    /// Not before, RFC 3339.
    from: Option<String>,
    /// Before, RFC 3339.
    to: Option<String>,
}

/// A page as it is shown.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageView<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for PageQuery {
    type Rejection = Problem;

    /// Reads the query; one that cannot be read is told as every other problem is.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(query) =
            Query::from_request_parts(parts, state).await.map_err(|_| Problem::Parameter("query"))?;
        Ok(query)
    }
}

impl PageQuery {
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        self.limit_within(USUAL_LIMIT, LARGEST_LIMIT)
    }

    /// The limit of a list that holds `usual` items when nobody says, and at most `largest`.
    pub(crate) fn limit_within(&self, usual: usize, largest: usize) -> Result<usize, Problem> {
        let limit = one("limit", self.limit.as_deref())?.unwrap_or(usual);
        if (1..=largest).contains(&limit) { Ok(limit) } else { Err(Problem::Parameter("limit")) }
    }

    /// The time that is asked for.
    pub(crate) fn span(&self) -> Result<Span, Problem> {
        let time = |name, text: &Option<String>| one::<Timestamp>(name, text.as_deref());
        Ok(Span { from: time("from", &self.from)?, to: time("to", &self.to)? })
    }

    /// A cursor of two numbers.
    pub(crate) fn place<A: FromStr, B: FromStr>(&self) -> Result<Option<(A, B)>, Problem> {
        let Some(cursor) = self.cursor()? else { return Ok(None) };
        let read = || {
            let (first, second) = cursor.split_once('.')?;
            Some((first.parse().ok()?, second.parse().ok()?))
        };
        read().map(Some).ok_or(Problem::Parameter("cursor"))
    }

    /// What the page before gave, as it was before it was made opaque.
    pub(crate) fn cursor(&self) -> Result<Option<String>, Problem> {
        let Some(text) = &self.cursor else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Problem::Parameter("cursor"))?;
        let cursor = String::from_utf8(bytes).map_err(|_| Problem::Parameter("cursor"))?;
        // It becomes part of a key: nothing but what our own cursors are made of.
        let known = cursor.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if known && !cursor.is_empty() && cursor.len() <= 40 {
            Ok(Some(cursor))
        } else {
            Err(Problem::Parameter("cursor"))
        }
    }
}

impl<T> PageView<T> {
    pub(crate) fn new(items: Vec<T>, next: Option<&str>) -> Self {
        Self { items, next_cursor: next.map(opaque) }
    }
}

/// A cursor as it is given to the caller.
pub(crate) fn opaque(cursor: &str) -> String {
    URL_SAFE_NO_PAD.encode(cursor)
}

/// A parameter that is one value.
pub(crate) fn one<T: FromStr>(name: &'static str, parameter: Option<&str>) -> Result<Option<T>, Problem> {
    parameter.map(|text| text.parse().map_err(|_| Problem::Parameter(name))).transpose()
}

/// A parameter that is a list, separated by commas; empty where it is not given.
pub(crate) fn several<T: FromStr>(name: &'static str, parameter: Option<&str>) -> Result<Vec<T>, Problem> {
    let words = parameter.into_iter().flat_map(|list| list.split(','));
    words.map(|word| word.trim().parse().map_err(|_| Problem::Parameter(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(limit: Option<&str>, cursor: Option<&str>) -> PageQuery {
        let (limit, cursor) = (limit.map(str::to_owned), cursor.map(str::to_owned));
        PageQuery { limit, cursor, ..PageQuery::default() }
    }

    #[test]
    fn a_cursor_comes_back_as_it_was_given_and_nothing_else_is_one() {
        let given = PageView::<u8>::new(Vec::new(), Some("00012.000345")).next_cursor.unwrap();
        assert_eq!(query(None, Some(&given)).cursor().unwrap().as_deref(), Some("00012.000345"));
        let strange =
            ["", "*", "YQ", &URL_SAFE_NO_PAD.encode("1#2"), &URL_SAFE_NO_PAD.encode("1".repeat(41))];
        for strange in strange {
            assert!(query(None, Some(strange)).cursor().is_err(), "{strange}");
        }
    }

    #[test]
    fn a_cursor_of_two_numbers_is_nothing_else() {
        let place = |cursor: &str| query(None, Some(&opaque(cursor))).place::<u64, u32>();
        assert_eq!(place("3.17").unwrap(), Some((3, 17)));
        assert_eq!(query(None, None).place::<u64, u32>().unwrap(), None);
        for strange in ["3", "3.", "3.1.2"] {
            assert!(place(strange).is_err(), "{strange}");
        }
    }

    #[test]
    fn a_list_is_separated_by_commas_and_a_time_is_rfc_3339() {
        assert_eq!(several::<u8>("x", Some("1, 2")).unwrap(), [1, 2]);
        assert!(several::<u8>("x", Some("")).is_err());
        assert_eq!(several::<u8>("x", None).unwrap(), [0_u8; 0]);
        let from = |from: &str| PageQuery { from: Some(from.to_owned()), ..PageQuery::default() }.span();
        let utc = Some("2026-11-01T09:00:00Z".parse().unwrap());
        assert_eq!(from("2026-11-01T10:00:00+01:00").unwrap().from, utc);
        assert!(from("2026-11-01").is_err());
    }

    #[test]
    fn a_limit_is_between_one_and_a_hundred() {
        assert_eq!(query(None, None).limit().unwrap(), USUAL_LIMIT);
        assert_eq!(query(Some("100"), None).limit().unwrap(), 100);
        for strange in ["0", "101", "-1", "ten", ""] {
            assert!(query(Some(strange), None).limit().is_err(), "{strange}");
        }
    }
}
