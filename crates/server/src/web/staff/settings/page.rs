//! What the pages of settings show.

use super::super::super::frame::{form_key, staff_shell};
use super::super::super::session::StaffMember;
use super::super::super::view::{Choice, Field, Shell, When};
use crate::settings::effect::{Facts, effect};
use crate::settings::{Assets, Kind, SETTINGS, Setting, at, in_words, show, tree};
use askama::Template;
use scrip_domain::policy::{Decided, Policy, Version, changes};
use scrip_domain::vendor::{Permission, Staff};
use serde_json::Value;
use std::collections::BTreeMap;

/// What is wrong, by the name of the setting.
pub type Wrong = BTreeMap<&'static str, String>;

/// How a setting is typed.
pub enum Input {
    Flag { on: bool },
    Text { field: Field },
    One { choices: Vec<Choice> },
    Many { choices: Vec<Choice> },
    Elsewhere { href: String },
}

/// A setting on the page.
pub struct Row {
    pub name: &'static str,
    pub label: &'static str,
    pub help: &'static str,
    pub unit: String,
    pub input: Input,
    pub words: String,
    pub effect: String,
    pub error: String,
}

impl Row {
    /// True when there is something to say below the label.
    fn is_described(&self) -> bool {
        !self.help.is_empty() || !self.effect.is_empty()
    }

    /// The ids of what describes it.
    fn described_by(&self) -> String {
        let parts = [
            ("help", self.is_described()),
            ("error", !self.error.is_empty()),
        ];
        let ids = parts.iter().filter(|(_, is)| *is);
        ids.map(|(part, _)| format!("{}-{part}", self.name))
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Settings under one heading.
pub struct Group {
    pub title: &'static str,
    pub rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "staff/settings/settings.html")]
pub struct SettingsPage {
    pub shell: Shell,
    groups: Vec<Group>,
    may: bool,
    here: String,
    limits: String,
    front: String,
    history: String,
    version: i64,
    key: String,
}

impl SettingsPage {
    /// Puts what was typed into the fields of text, as it was typed.
    pub fn typed_over(&mut self, sent: &BTreeMap<&str, Vec<&str>>) {
        for row in self.groups.iter_mut().flat_map(|group| &mut group.rows) {
            let typed = sent.get(row.name).and_then(|all| all.first());
            if let (Input::Text { field }, Some(typed)) = (&mut row.input, typed) {
                (*typed).clone_into(&mut field.value);
            }
        }
    }
}

fn input(setting: &Setting, value: &Value, member: &StaffMember, assets: &Assets) -> Input {
    let choice = |(word, label): &(&'static str, &'static str), on: bool| {
        Choice::new(setting.path, *word, *label, on)
    };
    let text = show(setting.kind, value, assets);
    let described = |mut field: Field| {
        field.value.clone_from(&text);
        Input::Text {
            field: field.optional(),
        }
    };
    let number = Field::number(setting.path, setting.label);
    match setting.kind {
        Kind::Flag => Input::Flag {
            on: value.as_bool() == Some(true),
        },
        Kind::Tokens | Kind::MaybeTokens | Kind::Money | Kind::MaybeMoney => described(number),
        Kind::Number(_) | Kind::MaybeNumber(_) => described(number.inputmode("numeric")),
        Kind::Line => described(Field::text(setting.path, setting.label)),
        Kind::Text | Kind::Lines => described(Field::area(setting.path, setting.label)),
        Kind::One(words) => Input::One {
            choices: words.iter().map(|w| choice(w, w.0 == text)).collect(),
        },
        Kind::Many(words) => {
            let all: Vec<_> = value.as_array().into_iter().flatten().collect();
            let on = |word: &str| all.iter().any(|v| v.as_str() == Some(word));
            Input::Many {
                choices: words.iter().map(|w| choice(w, on(w.0))).collect(),
            }
        }
        Kind::Elsewhere(path) => Input::Elsewhere {
            href: member.shop.at(&format!("/staff{path}")),
        },
    }
}

/// The page with the values of `shown`.
pub fn settings_page(
    member: &StaffMember,
    held: &Version,
    values: &Value,
    facts: &Facts,
    wrong: &Wrong,
) -> SettingsPage {
    let assets = Assets::of(&member.shop.vendor);
    let mut groups: Vec<Group> = Vec::new();
    for setting in SETTINGS {
        let value = at(values, setting.path);
        let row = Row {
            name: setting.path,
            label: setting.label,
            help: setting.help,
            unit: match setting.kind {
                Kind::Number(unit) | Kind::MaybeNumber(unit) => unit.to_owned(),
                Kind::Tokens | Kind::MaybeTokens => "tokens".to_owned(),
                Kind::Money | Kind::MaybeMoney => assets.currency.code.clone(),
                _ => String::new(),
            },
            input: input(setting, value, member, &assets),
            words: in_words(setting.kind, value, &assets),
            effect: effect(setting.path, values, facts, &assets),
            error: wrong.get(setting.path).cloned().unwrap_or_default(),
        };
        match groups.last_mut() {
            Some(group) if group.title == setting.group => group.rows.push(row),
            _ => groups.push(Group {
                title: setting.group,
                rows: vec![row],
            }),
        }
    }
    let shop = &member.shop;
    SettingsPage {
        shell: staff_shell(member, "Settings", "/staff/settings"),
        groups,
        may: member.staff.role.may(Permission::Policy),
        here: shop.at("/staff/settings"),
        limits: shop.at("/staff/settings/limits"),
        front: shop.at("/staff/settings/front"),
        history: shop.at("/staff/settings/history"),
        version: held.number,
        key: form_key(),
    }
}

/// A setting that would change, or changed.
pub struct Change {
    label: String,
    from: String,
    to: String,
    effect: String,
}

fn changed(from: &Value, to: &Value, facts: Option<&Facts>, assets: &Assets) -> Vec<Change> {
    let differ = SETTINGS
        .iter()
        .filter(|s| at(from, s.path) != at(to, s.path));
    differ
        .map(|s| Change {
            label: format!("{}: {}", s.group, s.label),
            from: in_words(s.kind, at(from, s.path), assets),
            to: in_words(s.kind, at(to, s.path), assets),
            effect: facts.map_or_else(String::new, |f| effect(s.path, to, f, assets)),
        })
        .collect()
}

#[derive(Template)]
#[template(path = "staff/settings/preview.html")]
pub struct PreviewPage {
    shell: Shell,
    changes: Vec<Change>,
    here: String,
    typed: Vec<(String, String)>,
}

/// What would change, before it does.
pub fn preview_page(
    member: &StaffMember,
    held: &Version,
    new: &Value,
    facts: &Facts,
    typed: &[(String, String)],
) -> PreviewPage {
    let assets = Assets::of(&member.shop.vendor);
    let is_own = |name: &str| name != "step";
    PreviewPage {
        shell: staff_shell(member, "Change the settings?", "/staff/settings"),
        changes: changed(&tree(&held.policy), new, Some(facts), &assets),
        here: member.shop.at("/staff/settings"),
        typed: typed.iter().filter(|(n, _)| is_own(n)).cloned().collect(),
    }
}

/// A version that held.
pub struct Held {
    number: i64,
    at: When,
    by: String,
    changes: Vec<Change>,
}

#[derive(Template)]
#[template(path = "staff/settings/history.html")]
pub struct HistoryPage {
    shell: Shell,
    versions: Vec<Held>,
    settings: String,
}

/// All versions with what each changed; `versions` come newest first.
pub fn history_page(member: &StaffMember, versions: Vec<Decided>, staff: &[Staff]) -> HistoryPage {
    let assets = Assets::of(&member.shop.vendor);
    let names: BTreeMap<_, _> = staff
        .iter()
        .map(|s| (s.staff_id.to_string(), s.name.as_str()))
        .collect();
    let before = versions.iter().skip(1).map(|d| d.version.policy.clone());
    let before: Vec<Policy> = before.chain([Policy::default()]).collect();
    let one = |(decided, before): (Decided, Policy)| {
        let (from, to) = (tree(&before), tree(&decided.version.policy));
        let mut all = changed(&from, &to, None, &assets);
        // What a field held that is no setting any more.
        if all.is_empty() {
            let others = changes(&before, &decided.version.policy);
            all.extend(others.into_iter().map(|(name, value)| Change {
                label: name,
                from: value["from"].to_string(),
                to: value["to"].to_string(),
                effect: String::new(),
            }));
        }
        Held {
            number: decided.version.number,
            at: When::minute(decided.at),
            by: match names.get(&decided.by) {
                Some(name) => (*name).to_owned(),
                None => decided.by,
            },
            changes: all,
        }
    };
    HistoryPage {
        shell: staff_shell(member, "How the settings came to be", "/staff/settings"),
        versions: versions.into_iter().zip(before).map(one).collect(),
        settings: member.shop.at("/staff/settings"),
    }
}
