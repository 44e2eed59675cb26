//! The page that says what went wrong: what happened, what was not touched, what to do next.

use super::{Action, Shell};
use crate::error::Problem;
use askama::Template;

/// The page of a problem.
#[derive(Template)]
#[template(path = "error.html")]
pub struct FaultPage {
    /// The frame.
    pub shell: Shell,
    /// The status, shown large; 0 shows none.
    pub status: u16,
    /// What happened.
    pub headline: &'static str,
    /// What was not touched and what to do next.
    pub text: String,
    /// Ways on; the first is the main one.
    pub actions: Vec<Action>,
}

impl FaultPage {
    /// The page of a problem in a frame; `sign_in` is where one signs in, if anywhere.
    pub fn of(problem: &Problem, mut shell: Shell, sign_in: Option<&str>) -> FaultPage {
        let words = words(problem, shell.last.is_some());
        shell.title = words.headline.trim_end_matches('.').to_owned();
        let mut actions = Vec::new();
        if let (true, Some(href)) = (words.is_sign_in, sign_in) {
            actions.push(action("Sign in", href));
        }
        if let Some(last) = &shell.last {
            actions.push(action("Your order list", last));
        }
        actions.push(action("Home", shell.home()));
        FaultPage {
            status: match problem.status.as_u16() {
                401 => 0,
                status => status,
            },
            headline: words.headline,
            text: words.text,
            actions,
            shell,
        }
    }

    /// The status in digits; a zero is drawn as the shop's token.
    pub fn digits(&self) -> Vec<char> {
        self.status.to_string().chars().collect()
    }
}

fn action(label: &str, href: &str) -> Action {
    Action {
        label: label.to_owned(),
        href: href.to_owned(),
    }
}

struct Words {
    headline: &'static str,
    text: String,
    is_sign_in: bool,
}

fn words(problem: &Problem, has_list: bool) -> Words {
    let again = match problem.retry_after_s {
        Some(1) => "Try again in a second.".to_owned(),
        Some(seconds) => format!("Try again in {seconds} seconds."),
        None => "Try again in a moment.".to_owned(),
    };
    // Only a customer who is signed in has one.
    let kept = if has_list {
        " Your order list is kept."
    } else {
        ""
    };
    let (headline, text) = match (problem.code, problem.status.as_u16()) {
        ("outcome_unknown", _) => (
            "We do not know yet whether this was done.",
            "The database failed at that very moment. Look at your orders and your balance before \
             you do it again."
                .to_owned(),
        ),
        (_, 401) => (
            "Your visit is over.",
            format!("You were signed out and nothing was changed.{kept} Sign in and go on."),
        ),
        (_, 403) => (
            "This is not open to you.",
            format!("Nothing was changed.{kept} Sign in as somebody who may open it."),
        ),
        (_, 404) => (
            "This page is not here.",
            format!("It may have moved, or the link was cut short.{kept}"),
        ),
        (_, 429) => (
            "Too many tries in a row.",
            format!("Nothing was changed. {again}"),
        ),
        (_, 503) => (
            "The shop has too much to do at the moment.",
            format!("Nothing of this request was kept and no token moved. {again}"),
        ),
        (_, 500..) => (
            "Something broke on our side.",
            format!("Nothing of this request was kept and no token moved. {again}"),
        ),
        _ => ("This could not be done.", problem.sentence()),
    };
    Words {
        headline,
        text,
        is_sign_in: matches!(problem.status.as_u16(), 401 | 403),
    }
}
