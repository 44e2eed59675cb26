//! Rust source as the checks read it: the code with comments and the contents
//! of strings blanked out, the string literals beside it, the functions, and
//! which lines are test code. A scanner, not a parser: it knows tokens and
//! braces and nothing of types.

use std::ops::RangeInclusive;

/// A string literal and the line on which it begins.
pub struct Literal {
    /// Counted from 1.
    pub line: usize,
    /// As written, escapes not resolved.
    pub text: String,
}

/// A function with a body.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name without its path.
    pub name: String,
    /// From the line with `fn` to the closing brace.
    pub lines: RangeInclusive<usize>,
}

impl Function {
    /// How many lines it takes.
    pub fn length(&self) -> usize {
        self.lines.end() - self.lines.start() + 1
    }
}

/// One source file, scanned.
pub struct Source {
    /// The code; comments and string contents are spaces. Byte for byte as
    /// long as the file, with the same line breaks.
    pub code: Vec<u8>,
    /// The string literals in order.
    pub literals: Vec<Literal>,
    line_starts: Vec<usize>,
}

/// An identifier in the code.
#[derive(Debug, Clone, Copy)]
pub struct Word<'a> {
    /// The identifier.
    pub text: &'a str,
    /// Byte offset of its first character.
    pub at: usize,
}

impl Source {
    /// Scans a file. Source that does not compile gives some result, too.
    pub fn new(text: &str) -> Self {
        let mut masker = Masker::new(text);
        masker.run();
        let mut line_starts = vec![0];
        line_starts.extend(
            text.bytes()
                .enumerate()
                .filter(|(_, b)| *b == b'\n')
                .map(|(i, _)| i + 1),
        );
        let mut source = Self {
            code: masker.code,
            literals: Vec::new(),
            line_starts,
        };
        source.literals = masker
            .literals
            .into_iter()
            .map(|(at, text)| Literal {
                line: source.line_of(at),
                text,
            })
            .collect();
        source
    }

    /// The line, from 1, of a byte offset.
    pub fn line_of(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    /// All identifiers and keywords, and numbers with their suffix.
    pub fn words(&self) -> Vec<Word<'_>> {
        let mut words = Vec::new();
        let mut at = 0;
        while at < self.code.len() {
            if !is_word(self.code[at]) {
                at += 1;
                continue;
            }
            let end = self.code[at..]
                .iter()
                .position(|b| !is_word(*b))
                .map_or(self.code.len(), |n| at + n);
            // Bytes outside ASCII may split a name; such a word matters to no check.
            words.push(Word {
                text: str::from_utf8(&self.code[at..end]).unwrap_or(""),
                at,
            });
            at = end;
        }
        words
    }

    /// Lines on which `pattern` occurs in code.
    pub fn lines_with(&self, pattern: &str) -> Vec<usize> {
        let pattern = pattern.as_bytes();
        let mut lines: Vec<usize> = (0..self.code.len())
            .filter(|at| self.code[*at..].starts_with(pattern))
            .map(|at| self.line_of(at))
            .collect();
        lines.dedup();
        lines
    }

    /// The functions that have a body, in order of their `fn`.
    pub fn functions(&self) -> Vec<Function> {
        let words = self.words();
        let mut functions = Vec::new();
        for pair in words.windows(2) {
            let between = &self.code[pair[0].at + pair[0].text.len()..pair[1].at];
            let is_function = pair[0].text == "fn" && between.iter().all(u8::is_ascii_whitespace);
            if !is_function {
                continue;
            }
            if let Some(end) = self
                .item_end(pair[1].at)
                .filter(|end| self.code[*end] == b'}')
            {
                functions.push(Function {
                    name: pair[1].text.to_owned(),
                    lines: self.line_of(pair[0].at)..=self.line_of(end),
                });
            }
        }
        functions
    }

    /// Lines of items under `#[cfg(test)]`, `#[cfg(all(test, …))]` or `#[test]`.
    pub fn test_lines(&self) -> Vec<RangeInclusive<usize>> {
        const MARKS: [&[u8]; 3] = [b"#[cfg(test)]", b"#[cfg(all(test", b"#[test]"];
        let mut ranges = Vec::new();
        for at in 0..self.code.len() {
            if MARKS.iter().any(|mark| self.code[at..].starts_with(mark)) {
                let end = self
                    .item_end(at)
                    .unwrap_or(self.code.len().saturating_sub(1));
                ranges.push(self.line_of(at)..=self.line_of(end));
            }
        }
        ranges
    }

    /// Offset of the `;` or closing `}` that ends the item around `from`,
    /// looking forward. Semicolons inside round or square brackets, as in
    /// `[u8; 4]`, end nothing.
    fn item_end(&self, from: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (offset, byte) in self.code[from..].iter().enumerate() {
            match byte {
                b'(' | b'[' => depth += 1,
                b')' | b']' => depth = depth.saturating_sub(1),
                b';' if depth == 0 => return Some(from + offset),
                b'{' if depth == 0 => return self.closing_brace(from + offset),
                _ => {}
            }
        }
        None
    }

    /// Offset of the brace that closes the one at `open`.
    pub fn closing_brace(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (offset, byte) in self.code[open..].iter().enumerate() {
            match byte {
                b'{' => depth += 1,
                b'}' => depth -= 1,
                _ => continue,
            }
            if depth == 0 {
                return Some(open + offset);
            }
        }
        None
    }
}

/// Whether a byte belongs to an identifier or number.
fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || !byte.is_ascii()
}

/// Walks the text once and blanks what is not code.
struct Masker<'a> {
    text: &'a str,
    code: Vec<u8>,
    literals: Vec<(usize, String)>,
    at: usize,
}

impl<'a> Masker<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            code: text.as_bytes().to_vec(),
            literals: Vec::new(),
            at: 0,
        }
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn run(&mut self) {
        while let Some(byte) = self.rest().first().copied() {
            let rest = self.rest();
            if rest.starts_with(b"//") {
                let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
                self.blank(length);
            } else if rest.starts_with(b"/*") {
                self.blank(block_comment_length(rest));
            } else if byte == b'"' {
                self.string(1, quoted_length(&rest[1..]), 1);
            } else if byte == b'\'' {
                self.blank(char_length(rest));
            } else if is_word(byte) {
                self.word();
            } else {
                self.at += 1;
            }
        }
    }

    /// A name, number or raw string: `r"…"`, `br##"…"##`. The prefix of a
    /// plain string (`b"…"`, `c"…"`) is skipped as a name.
    fn word(&mut self) {
        let rest = self.rest();
        let length = rest.iter().position(|b| !is_word(*b)).unwrap_or(rest.len());
        let is_raw = matches!(&rest[..length], b"r" | b"br" | b"cr");
        let hashes = rest[length..].iter().take_while(|b| **b == b'#').count();
        let open = length + hashes;
        self.at += length;
        if is_raw && rest.get(open) == Some(&b'"') {
            let mut close = vec![b'"'];
            close.resize(1 + hashes, b'#');
            let body = &rest[open + 1..];
            let length = (0..body.len())
                .find(|i| body[*i..].starts_with(&close))
                .unwrap_or(body.len());
            self.string(hashes + 1, length, close.len());
        }
    }

    /// A string literal: quotes stay in the code, the content goes.
    fn string(&mut self, open: usize, content: usize, close: usize) {
        let start = self.at + open;
        let text = self.text.get(start..start + content).unwrap_or("");
        self.literals.push((self.at, text.to_owned()));
        self.at = start;
        self.blank(content);
        self.at = (self.at + close).min(self.text.len());
    }

    fn blank(&mut self, length: usize) {
        let end = (self.at + length).min(self.code.len());
        for byte in &mut self.code[self.at..end] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
        self.at = end;
    }
}

fn block_comment_length(rest: &[u8]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Bytes up to the closing quote, which is not counted.
fn quoted_length(body: &[u8]) -> usize {
    let mut at = 0;
    while at < body.len() {
        match body[at] {
            b'\\' => at += 2,
            b'"' => return at,
            _ => at += 1,
        }
    }
    body.len()
}

/// Bytes of a character literal, or 1 for the quote of a lifetime.
fn char_length(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        let close = rest[2..].iter().skip(1).position(|b| *b == b'\'');
        return close.map_or(1, |n| n + 4);
    }
    // One character, of up to four bytes, then the quote.
    let width = match rest.get(1) {
        Some(byte) if *byte >= 0xf0 => 4,
        Some(byte) if *byte >= 0xe0 => 3,
        Some(byte) if *byte >= 0xc0 => 2,
        _ => 1,
    };
    if rest.get(1 + width) == Some(&b'\'') {
        width + 2
    } else {
        1
    }
}

#[cfg(test)]
#[path = "scan/tests.rs"]
mod tests;
