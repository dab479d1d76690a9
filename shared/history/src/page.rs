//! Pages of lists.

/// Chooses items of a list.
pub type Wanted<T> = Box<dyn Fn(&T) -> bool + Send + Sync>;

/// A page of a list, and the cursor of the next one.
#[derive(Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<Listed<T>>,
    /// What to give to get the next one; none on the last.
    pub next: Option<String>,
}

/// An item of a list.
#[derive(Debug)]
pub struct Listed<T> {
    pub item: T,
    /// The cursor with which a page begins behind it: a page with room for fewer items ends there.
    pub after: String,
}

/// Whether an item is wanted; every one is where nothing is chosen.
pub(crate) fn is_wanted<T>(wanted: Option<&Wanted<T>>, item: &T) -> bool {
    wanted.is_none_or(|wanted| wanted(item))
}

impl<T> Page<T> {
    /// A page of at most `limit` of the items that were found under these sort keys. One more than that was asked for: only
    /// where it is there, there is a next page. `prefix`: what the keys of the list have in common.
    pub(crate) fn cut(mut found: Vec<(String, T)>, limit: usize, prefix: &str) -> Self {
        let more = found.len() > limit;
        found.truncate(limit);
        let listed = |(sk, item): (String, T)| Listed { item, after: behind(&sk, prefix) };
        let items: Vec<_> = found.into_iter().map(listed).collect();
        let next = items.last().filter(|_| more).map(|last| last.after.clone());
        Self { items, next }
    }
}

/// The cursor of what comes after a key: what of it differs from the others of its list.
pub(crate) fn behind(sk: &str, prefix: &str) -> String {
    sk.strip_prefix(prefix).unwrap_or(sk).to_owned()
}
