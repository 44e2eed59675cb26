//! Secrets that a command makes and that are shown once: new keys, codes.

use std::sync::{Arc, Mutex, PoisonError};

/// A secret on its way out of a command. What is stored under the idempotency key has only an id
/// `I`, so a repeated request cannot show the secret again, and whoever reads the database and
/// knows the idempotency key does not find it either.
#[derive(Debug)]
pub struct ShownOnce<I>(Arc<Mutex<Option<(I, String)>>>);

impl<I> Clone for ShownOnce<I> {
    fn clone(&self) -> Self {
        ShownOnce(self.0.clone())
    }
}

impl<I: PartialEq> ShownOnce<I> {
    /// With nothing in it.
    pub fn new() -> Self {
        ShownOnce(Arc::default())
    }

    /// Called by the command, perhaps several times: its last run counts.
    pub fn put(&self, id: I, secret: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, secret));
    }

    /// The secret of the id that is stored; `None` when an earlier request made it.
    pub fn take(&self, id: &I) -> Option<String> {
        let put = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        put.filter(|(of, _)| of == id).map(|(_, secret)| secret)
    }
}

#[cfg(test)]
mod tests {
    use super::ShownOnce;

    #[test]
    fn only_the_secret_of_the_stored_answer_is_shown() {
        let once = ShownOnce::new();
        once.clone()
            .put(1, "of a run that was taken back".to_owned());
        once.clone().put(2, "right".to_owned());
        assert_eq!(once.take(&2).as_deref(), Some("right"));
        assert_eq!(once.take(&2), None);
        once.put(3, "of a run that lost".to_owned());
        assert_eq!(once.take(&4), None);
    }
}
