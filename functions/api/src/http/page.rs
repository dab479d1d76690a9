//! Lists: `{items, nextCursor}`, requested with `limit`, `cursor` and filters. A page that would be too large holds fewer
//! items than requested, and the cursor of the rest.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use stafett_history::{Listed, Page, Span};

use crate::contract::operation::{Input, Operation};
use crate::contract::parameter::Parameter;
use crate::http::answer::{Polled, RetryAfter};
use crate::http::parameter_fault::ParameterFault;
use crate::http::problem::Problem;
use crate::http::size_limit::SizeLimit;

/// The default number of items of a page.
const USUAL_LIMIT: usize = 50;
/// The largest number of items of a page.
const LARGEST_LIMIT: usize = 100;

/// The parameters of a query. The route's check has run before: the call knows each parameter, and none occurs twice.
#[derive(Default)]
pub(crate) struct PageQuery(Vec<(String, String)>);

/// A page, built item by item up to the largest size of a response.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "{T}Page",
    description = "A page of a list. It may hold fewer items than requested, even none, and have a next page."
)]
pub(crate) struct PageView<T> {
    items: Vec<T>,
    /// The `cursor` of the next page; null on the last one.
    #[schemars(example = None::<String>)]
    next_cursor: Option<String>,
    #[serde(skip)]
    size_limit: SizeLimit,
}

impl<S: Send + Sync> FromRequestParts<S> for PageQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(parameters) =
            Query::from_request_parts(parts, state).await.map_err(|_| unusable("query"))?;
        Ok(Self(parameters))
    }
}

impl Input for PageQuery {
    fn describe(operation: &mut Operation) {
        operation.problems.insert(400);
        operation.takes(limit_parameter(
            "The most items of the page. A page of more than 4 MB holds fewer, and a `nextCursor`.",
            LARGEST_LIMIT,
            Some(USUAL_LIMIT),
        ));
        let cursor = "`nextCursor` of the page before.";
        operation.takes(Parameter::query("cursor", cursor, json!({"type": "string"})));
    }
}

/// The parameter `limit` of a list.
pub(crate) fn limit_parameter(description: &'static str, largest: usize, usual: Option<usize>) -> Parameter {
    let mut schema = json!({"type": "integer", "minimum": 1, "maximum": largest});
    if let Some(usual) = usual {
        schema["default"] = usual.into();
    }
    Parameter::query("limit", description, schema)
}

impl PageQuery {
    /// A query with these parameters.
    #[cfg(test)]
    pub(crate) fn of(parameters: &[(&str, &str)]) -> Self {
        Self(parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        self.limit_within(USUAL_LIMIT, LARGEST_LIMIT)
    }

    /// The limit of a list with another default and another maximum.
    pub(crate) fn limit_within(&self, usual: usize, largest: usize) -> Result<usize, Problem> {
        let limit = self.one("limit")?.unwrap_or(usual);
        if (1..=largest).contains(&limit) { Ok(limit) } else { Err(unusable("limit")) }
    }

    /// A parameter's text.
    fn text(&self, name: &'static str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter with one value.
    pub(crate) fn one<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, Problem> {
        self.text(name).map(|text| text.parse().map_err(|_| unusable(name))).transpose()
    }

    /// A parameter with one of these words.
    pub(crate) fn word<T: FromStr>(
        &self,
        name: &'static str,
        allowed: &'static [&'static str],
    ) -> Result<Option<T>, Problem> {
        self.text(name).map(|text| word(name, text, allowed)).transpose()
    }

    /// A parameter with some of these words, separated by commas.
    pub(crate) fn words<T: FromStr>(
        &self,
        name: &'static str,
        allowed: &'static [&'static str],
    ) -> Result<Option<Vec<T>>, Problem> {
        let words = |list: &str| list.split(',').map(|text| word(name, text.trim(), allowed)).collect();
        self.text(name).map(words).transpose()
    }

    /// The time from `from` to `to`.
    pub(crate) fn span(&self) -> Result<Span, Problem> {
        Ok(Span { from: self.one("from")?, to: self.one("to")? })
    }

    /// A cursor of two numbers.
    pub(crate) fn place<A: FromStr, B: FromStr>(&self) -> Result<Option<(A, B)>, Problem> {
        let Some(cursor) = self.cursor()? else { return Ok(None) };
        let read = || {
            let (first, second) = cursor.split_once('.')?;
            Some((first.parse().ok()?, second.parse().ok()?))
        };
        read().map(Some).ok_or(unusable("cursor"))
    }

    /// The cursor, decoded.
    pub(crate) fn cursor(&self) -> Result<Option<String>, Problem> {
        let Some(text) = self.text("cursor") else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| unusable("cursor"))?;
        let cursor = String::from_utf8(bytes).map_err(|_| unusable("cursor"))?;
        // It becomes part of a key, so only characters of our own cursors are allowed.
        let known = cursor.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if known && !cursor.is_empty() && cursor.len() <= 40 {
            Ok(Some(cursor))
        } else {
            Err(unusable("cursor"))
        }
    }
}

/// The problem for a parameter whose value cannot be used.
pub(crate) fn unusable(name: &'static str) -> Problem {
    Problem::Parameter(ParameterFault::Value(name))
}

fn word<T: FromStr>(name: &'static str, text: &str, allowed: &'static [&'static str]) -> Result<T, Problem> {
    text.parse().map_err(|_| Problem::Parameter(ParameterFault::Word { name, allowed }))
}

impl<T: Serialize> PageView<T> {
    /// A page without items.
    pub(crate) fn new() -> Self {
        Self { items: Vec::new(), next_cursor: None, size_limit: SizeLimit::new() }
    }

    /// A page of the history, each item as `view` shows it.
    pub(crate) fn of_page<Item>(page: Page<Item>, view: impl Fn(Item) -> T) -> Result<Self, Problem> {
        let items = page.items.into_iter().map(|Listed { item, after }| Listed { item: view(item), after });
        Self::of(items, page.next.as_deref())
    }

    /// A page of the first items that fit. `next`: the cursor of the page after all these items, if there is one.
    fn of(items: impl IntoIterator<Item = Listed<T>>, next: Option<&str>) -> Result<Self, Problem> {
        let (mut page, mut last) = (Self::new(), None);
        for Listed { item, after } in items {
            if !page.add(item)? {
                return Ok(page.before(last.as_deref()));
            }
            last = Some(after);
        }
        Ok(page.before(next))
    }

    /// Adds an item if it fits; returns whether it did.
    pub(crate) fn add(&mut self, item: T) -> Result<bool, Problem> {
        let fits = self.size_limit.take(&item)?;
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

/// The response of a list whose items may still change. `view` makes the view of an item, and `retry_after` says when
/// to poll an item again.
pub(crate) fn listed<Item, View: Serialize>(
    page: Page<Item>,
    retry_after: impl Fn(&Item) -> Option<RetryAfter>,
    view: impl Fn(Item) -> View,
) -> Result<Polled<PageView<View>>, Problem> {
    let soonest = page.items.iter().filter_map(|listed| retry_after(&listed.item)).min();
    Ok(Polled::new(PageView::of_page(page, view)?, soonest))
}

/// A cursor, encoded.
pub(crate) fn opaque(cursor: &str) -> String {
    URL_SAFE_NO_PAD.encode(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_given_and_nothing_else_is_one() {
        let given = PageView::<u8>::new().before(Some("00012.000345")).next_cursor.unwrap();
        assert_eq!(PageQuery::of(&[("cursor", &given)]).cursor().unwrap().as_deref(), Some("00012.000345"));
        let strange =
            ["", "*", "YQ", &URL_SAFE_NO_PAD.encode("1#2"), &URL_SAFE_NO_PAD.encode("1".repeat(41))];
        for strange in strange {
            assert!(PageQuery::of(&[("cursor", strange)]).cursor().is_err(), "{strange}");
        }
    }

    #[test]
    fn a_cursor_of_two_numbers_is_nothing_else() {
        let place = |cursor: &str| PageQuery::of(&[("cursor", &opaque(cursor))]).place::<u64, u32>();
        assert_eq!(place("3.17").unwrap(), Some((3, 17)));
        assert_eq!(PageQuery::of(&[]).place::<u64, u32>().unwrap(), None);
        for strange in ["3", "3.", "3.1.2"] {
            assert!(place(strange).is_err(), "{strange}");
        }
    }

    #[test]
    fn a_list_is_separated_by_commas_and_a_time_is_rfc_3339() {
        let words = |list: &str| PageQuery::of(&[("x", list)]).words::<u8>("x", &["1", "2"]);
        assert_eq!(words("1, 2").unwrap(), Some(vec![1, 2]));
        assert!(words("").is_err());
        assert_eq!(PageQuery::of(&[]).words::<u8>("x", &[]).unwrap(), None);
        let from = |from: &str| PageQuery::of(&[("from", from)]).span();
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
        // The last two are longer in the function's answer, which holds the page as a JSON string.
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
        assert_eq!(PageQuery::of(&[]).limit().unwrap(), USUAL_LIMIT);
        assert_eq!(PageQuery::of(&[("limit", "100")]).limit().unwrap(), 100);
        for strange in ["0", "101", "-1", "ten", ""] {
            assert!(PageQuery::of(&[("limit", strange)]).limit().is_err(), "{strange}");
        }
    }
}
