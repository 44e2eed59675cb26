//! Cases for the scanner.

use super::*;

fn code(text: &str) -> String {
    String::from_utf8(Source::new(text).code).expect("blanking keeps UTF-8")
}

#[test]
fn comments_and_strings_are_blanked_and_code_stays() {
    let cases = [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("x\"y", z)"#, r#"f("    ", z)"#),
        ("r#\"a\"b\"# c", "r#\"   \"# c"),
        ("b\"ab\" br\"c\"", "b\"  \" br\" \""),
        (
            "'{' 'a '\\'' '\\n' &'static x",
            "     a           & static x",
        ),
        ("'é' '\\u{7b}'", "             "),
        ("\"never closed { ", "\"               "),
    ];
    for (text, expected) in cases {
        assert_eq!(code(text), expected, "{text}");
    }
}

#[test]
fn literals_keep_their_line_and_text() {
    let source = Source::new("let a = \"one\";\n// \"not this\"\nlet b = r#\"two \"x\"\"#;");
    let found: Vec<_> = source
        .literals
        .iter()
        .map(|l| (l.line, l.text.as_str()))
        .collect();
    assert_eq!(found, [(1, "one"), (3, "two \"x\"")]);
}

#[test]
fn functions_end_at_their_own_brace() {
    let source = Source::new(concat!(
        "trait T { fn declared(&self, a: [u8; 4]) -> u8; }\n",
        "fn one(a: [u8; 2]) -> fn(u8) -> u8 {\n",
        "    let s = \"}\"; // }\n",
        "    match a { _ => f }\n",
        "}\n",
        "impl X { fn two() {} }\n",
    ));
    let found: Vec<_> = source
        .functions()
        .into_iter()
        .map(|f| (f.name.clone(), f.length()))
        .collect();
    assert_eq!(found, [("one".to_owned(), 4), ("two".to_owned(), 1)]);
}

#[test]
fn test_lines_cover_the_item_under_the_mark() {
    let source = Source::new(
        "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() {}\n}\nfn c() {}\n#[cfg(test)]\nmod t;\n",
    );
    assert_eq!(source.test_lines(), [2..=5, 7..=8]);
}

#[test]
fn a_file_cut_short_does_not_panic() {
    let text = "fn a() { \"\\\" '\\x7f' r##\"é\"## /* */ } #[cfg(test)] mod t { '\u{1F600}' }";
    for (end, _) in text.char_indices() {
        let source = Source::new(&text[..end]);
        source.functions();
        source.test_lines();
        assert_eq!(source.code.len(), end);
    }
}
