//! Text as a search compares it: without case and accents, in words.

use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Letters of one word at most; longer ones are cut, in texts and in searches alike.
const LETTERS: usize = 32;
/// Letters of the key that titles are sorted by.
const KEY_LETTERS: usize = 100;
/// Letters of a description that are searched.
const DESCRIPTION_LETTERS: usize = 4_000;
/// Words of one product at most.
const WORDS: usize = 300;
/// Words of a search that count; more only make it slower.
pub(super) const WORDS_ASKED: usize = 6;
/// After every word that begins alike.
pub(super) const LAST: char = '\u{10FFFF}';

/// Words without case and accents: `Crème Brûlée 2-in-1` is `creme`, `brulee`, `2`, `in`, `1`.
pub(super) fn words(text: &str) -> impl Iterator<Item = String> {
    let folded: String = text
        .nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .flat_map(plain)
        .collect();
    let words: Vec<String> = folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| word.chars().take(LETTERS).collect())
        .collect();
    words.into_iter()
}

/// Letters that have no accent to lose, but are typed without it.
fn plain(c: char) -> impl Iterator<Item = char> {
    let (first, second) = match c {
        'ß' => ('s', Some('s')),
        'æ' => ('a', Some('e')),
        'œ' => ('o', Some('e')),
        'ø' => ('o', None),
        'ł' => ('l', None),
        'đ' | 'ð' => ('d', None),
        'þ' => ('t', Some('h')),
        'ı' => ('i', None),
        'ς' => ('σ', None),
        other => (other, None),
    };
    std::iter::once(first).chain(second)
}

/// What titles are sorted by.
pub(super) fn key(title: &str) -> String {
    let words: Vec<String> = words(title).collect();
    words.join(" ").chars().take(KEY_LETTERS).collect()
}

/// The words that a product is found by.
pub(super) fn product_words<'a>(
    names: impl Iterator<Item = &'a str>,
    description: &str,
) -> BTreeSet<String> {
    let beginning: String = description.chars().take(DESCRIPTION_LETTERS).collect();
    let mut all = BTreeSet::new();
    for word in names.flat_map(words).chain(words(&beginning)) {
        if all.len() == WORDS {
            break;
        }
        all.insert(word);
    }
    all
}

/// A word to look for, as a range of words: from the first, below the second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub from: String,
    pub below: String,
}

/// What a search looks for: each word whole, but the last as a beginning, because it may still be
/// typed.
pub(super) fn asked(search: &str) -> Vec<Range> {
    let mut all: Vec<String> = words(search).take(WORDS_ASKED).collect();
    // A blank after the last word says that it is whole; programs and people rarely mean that.
    let Some(last) = all.pop() else {
        return Vec::new();
    };
    let whole = |word: String| Range {
        // A blank comes before all letters and digits.
        below: format!("{word} "),
        from: word,
    };
    let mut ranges: Vec<Range> = all.into_iter().map(whole).collect();
    ranges.push(Range {
        below: format!("{last}{LAST}"),
        from: last,
    });
    ranges
}

#[cfg(test)]
mod tests {
    use super::{asked, key, product_words, words};

    fn of(text: &str) -> Vec<String> {
        words(text).collect()
    }

    #[test]
    fn case_and_accents_are_folded() {
        assert_eq!(
            of("Crème BRÛLÉE 2-in-1"),
            ["creme", "brulee", "2", "in", "1"]
        );
        assert_eq!(
            of("Straße, Łódź Ærø ﬁn"),
            ["strasse", "lodz", "aero", "fin"]
        );
        assert_eq!(of("ΣΊΣΥΦΟΣ Ёлка 猫"), ["σισυφοσ", "елка", "猫"]);
        assert_eq!(of("İstanbul"), ["istanbul"]);
        assert_eq!(of(" ,-\0\u{202e}"), [""; 0]);
        assert_eq!(of(&"é".repeat(1000)), ["e".repeat(32)]);
        assert!(key(&"Ab ".repeat(1000)).chars().count() <= 100);
    }

    #[test]
    fn the_last_word_is_a_beginning() {
        let ranges = asked("red La");
        assert_eq!(
            (ranges[0].from.as_str(), ranges[0].below.as_str()),
            ("red", "red ")
        );
        assert!(("la".."la\u{10FFFF}").contains(&"lamp"));
        assert_eq!(ranges[1].below, "la\u{10FFFF}");
        assert!(asked(" .. ").is_empty());
        assert_eq!(asked("a b c d e f g h").len(), 6);
    }

    #[test]
    fn long_texts_give_so_many_words() {
        let text: String = (0..10_000).map(|n| format!("w{n} ")).collect();
        assert!(product_words([text.as_str()].into_iter(), &text).len() == 300);
    }
}
