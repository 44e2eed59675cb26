//! Small things that pages are put together from; `templates/macros.html` draws each of them.

use super::format::Shown;

/// How a notice is meant: colour, icon, and how it is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// It worked.
    Good,
    /// Good to know.
    Note,
    /// It will matter.
    Warn,
    /// It did not work.
    Bad,
}

impl Tone {
    /// Its class.
    pub fn class(self) -> &'static str {
        match self {
            Tone::Good => "is-good",
            Tone::Note => "is-note",
            Tone::Warn => "is-warn",
            Tone::Bad => "is-bad",
        }
    }

    /// Its icon in `marks.svg`.
    pub fn icon(self) -> &'static str {
        match self {
            Tone::Good => "i-good",
            Tone::Note => "i-note",
            Tone::Warn => "i-warn",
            Tone::Bad => "i-bad",
        }
    }

    /// Errors interrupt a screen reader, the rest waits.
    pub fn role(self) -> &'static str {
        match self {
            Tone::Bad => "alert",
            _ => "status",
        }
    }
}

/// What happened, what was not touched, what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How it is meant.
    pub tone: Tone,
    /// What happened: one sentence.
    pub headline: String,
    /// What was not touched and what follows; may be empty.
    pub text: String,
    /// What to do next.
    pub actions: Vec<Action>,
}

/// A way on: a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// What it does.
    pub label: String,
    /// Where it leads.
    pub href: String,
}

impl Notice {
    /// A notice without a way on.
    pub fn new(tone: Tone, headline: impl Into<String>, text: impl Into<String>) -> Notice {
        Notice {
            tone,
            headline: headline.into(),
            text: text.into(),
            actions: Vec::new(),
        }
    }

    /// The same with one more way on; the first is a button, others are plain.
    pub fn action(mut self, label: impl Into<String>, href: impl Into<String>) -> Notice {
        self.actions.push(Action {
            label: label.into(),
            href: href.into(),
        });
        self
    }
}

/// A field of a form, with what was wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; also its id.
    pub name: String,
    /// What it asks for.
    pub label: String,
    /// The type of the input; `area` for several lines.
    pub kind: &'static str,
    /// What stands in it. Never that of a secret.
    pub value: String,
    /// A line below the label; may be empty.
    pub help: String,
    /// What is wrong with what was typed; may be empty.
    pub error: String,
    /// True when it may stay empty.
    pub optional: bool,
    /// What browsers may fill in, for example `name` or `street-address`.
    pub autocomplete: &'static str,
    /// Which keys a phone shows; empty for the usual ones.
    pub inputmode: &'static str,
    /// One of the widths of `.in`: `is-short`, `is-mid`, `is-pin`, `is-code`, `is-qty`; or empty.
    pub class: &'static str,
    /// Characters at most; 0 for no limit.
    pub max: u32,
    /// True for the field where the reader begins.
    pub autofocus: bool,
}

impl Field {
    /// A line of text.
    pub fn text(name: impl Into<String>, label: impl Into<String>) -> Field {
        Field {
            name: name.into(),
            label: label.into(),
            kind: "text",
            value: String::new(),
            help: String::new(),
            error: String::new(),
            optional: false,
            autocomplete: "off",
            inputmode: "",
            class: "",
            max: 0,
            autofocus: false,
        }
    }

    /// Several lines of text.
    pub fn area(name: impl Into<String>, label: impl Into<String>) -> Field {
        Field {
            kind: "area",
            ..Field::text(name, label)
        }
    }

    /// A PIN or password; its value is never shown again.
    pub fn secret(
        name: impl Into<String>,
        label: impl Into<String>,
        autocomplete: &'static str,
    ) -> Field {
        Field {
            kind: "password",
            autocomplete,
            class: "is-mid",
            ..Field::text(name, label)
        }
    }

    /// An amount or a quantity.
    pub fn number(name: impl Into<String>, label: impl Into<String>) -> Field {
        Field {
            inputmode: "decimal",
            class: "is-short",
            ..Field::text(name, label)
        }
    }

    /// The same with what stands in it; secrets stay empty.
    pub fn value(mut self, value: impl Into<String>) -> Field {
        if self.kind != "password" {
            self.value = value.into();
        }
        self
    }

    /// The same with a line of help.
    pub fn help(mut self, help: impl Into<String>) -> Field {
        self.help = help.into();
        self
    }

    /// The same with what is wrong, if anything is.
    pub fn error(mut self, error: impl Into<String>) -> Field {
        self.error = error.into();
        self
    }

    /// The same, allowed to stay empty.
    pub fn optional(mut self) -> Field {
        self.optional = true;
        self
    }

    /// The same with another type of input: `email`, `tel`, `search`.
    pub fn kind(mut self, kind: &'static str) -> Field {
        self.kind = kind;
        self
    }

    /// The same with what browsers may fill in.
    pub fn autocomplete(mut self, what: &'static str) -> Field {
        self.autocomplete = what;
        self
    }

    /// The same with one of the widths of `.in`.
    pub fn class(mut self, class: &'static str) -> Field {
        self.class = class;
        self
    }

    /// The same with the keys that a phone shows.
    pub fn inputmode(mut self, keys: &'static str) -> Field {
        self.inputmode = keys;
        self
    }

    /// The same with a limit of characters.
    pub fn max(mut self, characters: u32) -> Field {
        self.max = characters;
        self
    }

    /// The ids of what describes it.
    pub fn described_by(&self) -> String {
        let mut ids = Vec::new();
        if !self.help.is_empty() {
            ids.push(format!("{}-help", self.name));
        }
        if !self.error.is_empty() {
            ids.push(format!("{}-error", self.name));
        }
        ids.join(" ")
    }
}

/// One of a few ways, of which one is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The name of the group.
    pub name: String,
    /// What is sent.
    pub value: String,
    /// What it is called.
    pub label: String,
    /// A second, smaller line; may be empty.
    pub note: String,
    /// What it costs in tokens.
    pub tokens: Option<Shown>,
    /// What it costs in money; may be empty.
    pub money: String,
    /// An icon of `marks.svg`, for example `i-card`; may be empty.
    pub icon: &'static str,
    /// True for the chosen one.
    pub checked: bool,
    /// True when it cannot be chosen now.
    pub disabled: bool,
}

impl Choice {
    /// A way without note and price.
    pub fn new(
        name: impl Into<String>,
        value: impl Into<String>,
        label: impl Into<String>,
        checked: bool,
    ) -> Choice {
        Choice {
            name: name.into(),
            value: value.into(),
            label: label.into(),
            note: String::new(),
            tokens: None,
            money: String::new(),
            icon: "",
            checked,
            disabled: false,
        }
    }

    /// The same with a second line.
    pub fn note(mut self, note: impl Into<String>) -> Choice {
        self.note = note.into();
        self
    }

    /// The same with a price in tokens.
    pub fn tokens(mut self, tokens: Shown) -> Choice {
        self.tokens = Some(tokens);
        self
    }

    /// The same with an icon.
    pub fn icon(mut self, icon: &'static str) -> Choice {
        self.icon = icon;
        self
    }
}

/// A part of a long list, and the ways to its other parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pager {
    /// Where we are: `1 to 9 of 20 products`.
    pub text: String,
    /// The part before; none at the beginning.
    pub previous: Option<Action>,
    /// The part after; none at the end.
    pub next: Option<Action>,
}

/// A step of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its word.
    pub label: String,
    /// True when it is behind us.
    pub done: bool,
    /// True when it is this one.
    pub current: bool,
}

impl Step {
    /// The steps of these words, the one at `current` (from 0) under way.
    pub fn trail(labels: &[&str], current: usize) -> Vec<Step> {
        let step = |(at, label): (usize, &&str)| Step {
            label: (*label).to_owned(),
            done: at < current,
            current: at == current,
        };
        labels.iter().enumerate().map(step).collect()
    }
}
