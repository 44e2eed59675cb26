//! A part of a long list.

/// Some items of a list, and where the rest begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T, C> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// Where the next page begins: what it comes after. `None` on the last page.
    pub next: Option<C>,
}

impl<T, C> Page<T, C> {
    /// A page of at most `limit` items, from a list that was read one item further, so that it
    /// shows whether more follow.
    pub fn of(mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> C) -> Page<T, C> {
        let more = items.len() > limit;
        items.truncate(limit);
        Page {
            next: items.last().filter(|_| more).map(cursor),
            items,
        }
    }
}
