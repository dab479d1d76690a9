//! Pages of lists.

/// A filter for the items of a list.
pub type Wanted<T> = Box<dyn Fn(&T) -> bool + Send + Sync>;

/// A page of a list, and the cursor for the next page.
#[derive(Debug)]
pub struct Page<T> {
    /// The items on this page.
    pub items: Vec<Listed<T>>,
    /// The cursor for the next page. `None` on the last page.
    pub next: Option<String>,
}

/// An item of a list.
#[derive(Debug)]
pub struct Listed<T> {
    pub item: T,
    /// The cursor for a page that begins after this item. A caller that shows fewer items uses it as the next cursor.
    pub after: String,
}

/// Whether the filter accepts an item. Without a filter, every item is accepted.
pub(crate) fn is_wanted<T>(wanted: Option<&Wanted<T>>, item: &T) -> bool {
    wanted.is_none_or(|wanted| wanted(item))
}

impl<T> Page<T> {
    /// A page of at most `limit` of the items found under these sort keys. The query must ask for one item more: there
    /// is a next page only if that item exists. `prefix` is the common prefix of the list's keys.
    pub(crate) fn cut(mut found: Vec<(String, T)>, limit: usize, prefix: &str) -> Self {
        let more = found.len() > limit;
        found.truncate(limit);
        let listed = |(sk, item): (String, T)| Listed { item, after: behind(&sk, prefix) };
        let items: Vec<_> = found.into_iter().map(listed).collect();
        let next = items.last().filter(|_| more).map(|last| last.after.clone());
        Self { items, next }
    }
}

/// The cursor for the items after a key: the key without the list's common prefix.
pub(crate) fn behind(sk: &str, prefix: &str) -> String {
    sk.strip_prefix(prefix).unwrap_or(sk).to_owned()
}
