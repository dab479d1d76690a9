//! Lists: `{items, nextCursor}`, asked for with `limit` and `cursor`, and with filters where a list has them. A page
//! that would become too large holds fewer items than asked for, and the cursor of the rest.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use stafett_engine::history::{Listed, Span};

use crate::problem::Problem;
use crate::room::Room;

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

/// A page as it is shown. Made item by item, so that none becomes larger than an answer may be.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageView<T> {
    items: Vec<T>,
    next_cursor: Option<String>,
    #[serde(skip)]
    room: Room,
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

impl<T: Serialize> PageView<T> {
    /// A page without items.
    pub(crate) fn new() -> Self {
        Self { items: Vec::new(), next_cursor: None, room: Room::new() }
    }

    /// A page of as many of these items as it has room for. `next`: the cursor behind all of them, if there is more.
    pub(crate) fn of(
        items: impl IntoIterator<Item = Listed<T>>,
        next: Option<&str>,
    ) -> Result<Self, Problem> {
        let (mut page, mut last) = (Self::new(), None);
        for Listed { item, after } in items {
            if !page.add(item)? {
                return Ok(page.before(last.as_deref()));
            }
            last = Some(after);
        }
        Ok(page.before(next))
    }

    /// Adds an item; says whether there was room for it.
    pub(crate) fn add(&mut self, item: T) -> Result<bool, Problem> {
        let fits = self.room.take(&item)?;
        if fits {
            self.items.push(item);
        }
        Ok(fits)
    }

    /// The page, with the cursor of the next one.
    #[must_use]
    pub(crate) fn before(self, next: Option<&str>) -> Self {
        Self { next_cursor: next.map(opaque), ..self }
    }

    /// How many items it holds.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
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
        let given = PageView::<u8>::new().before(Some("00012.000345")).next_cursor.unwrap();
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
    fn a_page_holds_what_it_has_room_for_and_goes_on_from_there() {
        let list = |name: &str| {
            let items = (0..45).map(|n| Listed { item: (n, name.to_owned()), after: n.to_string() });
            items.collect::<Vec<_>>()
        };
        let short = PageView::of(list("6B"), Some("99")).unwrap();
        assert_eq!((short.len(), short.next_cursor), (45, Some(opaque("99"))));
        // The last two grow in the function's answer, where a page stands as a text.
        for letter in ["x", "å", "\"", "\u{1}"] {
            let name = letter.repeat(180_000 / letter.len());
            let (mut seen, mut after) = (Vec::new(), None);
            while seen.len() < 45 {
                let begin = after.map_or(0, |last: usize| last + 1);
                let rest = list(&name).into_iter().skip(begin);
                let page = PageView::of(rest, None).unwrap();
                let answer = serde_json::to_string(&serde_json::to_string(&page).unwrap()).unwrap();
                assert!(answer.len() <= 4_000_000, "{}", answer.len());
                seen.extend(page.items.iter().map(|(n, _)| *n));
                assert_eq!(page.next_cursor.is_none(), seen.len() == 45);
                after = seen.last().copied();
                let next = after.filter(|_| seen.len() < 45);
                assert_eq!(page.next_cursor, next.map(|last| opaque(&last.to_string())));
            }
            assert_eq!(seen, (0..45).collect::<Vec<usize>>());
        }
    }

    #[test]
    fn an_item_that_fills_a_page_has_one_of_its_own() {
        let items =
            [1, 5_000_000, 1].map(|length| Listed { item: "x".repeat(length), after: length.to_string() });
        let first = PageView::of(items, None).unwrap();
        assert_eq!((first.len(), first.next_cursor), (1, Some(opaque("1"))));
        let large = Listed { item: "x".repeat(5_000_000), after: "2".to_owned() };
        assert_eq!(PageView::of([large], Some("2")).unwrap().len(), 1);
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
