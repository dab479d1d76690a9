//! Lists: `{items, nextCursor}`, asked for with `limit` and `cursor`.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// How many items a page holds when nobody says.
const USUAL_LIMIT: usize = 50;
/// And at most.
const LARGEST_LIMIT: usize = 100;

/// The parameters of every list.
#[derive(Deserialize)]
pub(crate) struct PageQuery {
    limit: Option<String>,
    cursor: Option<String>,
    /// Of record rows: those with one of these outcomes, separated by commas.
    pub(crate) outcome: Option<String>,
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
        let Some(text) = &self.limit else { return Ok(USUAL_LIMIT) };
        let limit = text.parse().ok().filter(|limit| (1..=LARGEST_LIMIT).contains(limit));
        limit.ok_or(Problem::Parameter("limit"))
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
        Self { items, next_cursor: next.map(|next| URL_SAFE_NO_PAD.encode(next)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(limit: Option<&str>, cursor: Option<&str>) -> PageQuery {
        PageQuery { limit: limit.map(str::to_owned), cursor: cursor.map(str::to_owned), outcome: None }
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
    fn a_limit_is_between_one_and_a_hundred() {
        assert_eq!(query(None, None).limit().unwrap(), USUAL_LIMIT);
        assert_eq!(query(Some("100"), None).limit().unwrap(), 100);
        for strange in ["0", "101", "-1", "ten", ""] {
            assert!(query(Some(strange), None).limit().is_err(), "{strange}");
        }
    }
}
