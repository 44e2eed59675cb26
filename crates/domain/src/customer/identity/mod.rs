//! Other identifiers: the vendor asks questions, the customer's answers show later who it is when
//! a sensitive action needs it (REG-05).
//!
//! Answers are kept like PINs, as slow hashes, and wrong ones are counted and locked like PINs: one
//! count for all questions. A right answer holds for a few minutes, in the session or with the
//! member of staff to whom it was given.

mod store;

use super::{Customer, CustomerError, Details, Result, State};
use crate::Node;
use crate::actor::Actor;
use crate::audit;
use crate::command::{Answer, Keyed};
use crate::id::CustomerId;
use crate::policy::{Policy, Sensitive, policy};
use crate::secret::{
    Attempt, Attempts, Proof, SecretError, SecretKind, answer_hash as hash_of, answer_normal,
    prove, prove_keyed, token_hash,
};
use crate::vault;
use scrip_engine::{Read, Tx};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How long a right answer holds.
const HOLDS_S: i64 = 5 * 60;

/// An answer as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerHash {
    /// The vendor's question.
    pub question: String,
    /// The Argon2id hash of the answer, without case and superfluous space.
    pub hash: String,
}

/// An answer to a question as it is kept. Takes some 60 ms: call it outside transactions.
pub fn answer_hash(question: &str, answer: &str) -> std::result::Result<AnswerHash, SecretError> {
    Ok(AnswerHash {
        question: question.trim().to_owned(),
        hash: hash_of(answer)?,
    })
}

/// To whom an answer is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checker {
    /// The session of this token.
    Session(String),
    /// A member of staff or a program.
    Actor(Actor),
}

impl Checker {
    fn name(&self) -> String {
        match self {
            Checker::Session(token) => {
                let hash = token_hash(token);
                let hex: String = hash.iter().take(16).map(|b| format!("{b:02x}")).collect();
                format!("session {hex}")
            }
            Checker::Actor(actor) => actor.to_string(),
        }
    }
}

/// What an action needs first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepUp {
    /// Nothing.
    Free,
    /// An answer to this question.
    Ask {
        /// The question.
        question: String,
    },
    /// Answers to these questions, which were never given.
    Unanswered {
        /// The questions.
        questions: Vec<String>,
    },
}

fn question_hash(question: &str) -> [u8; 32] {
    vault::digest(question.trim().as_bytes())
}

/// Refuses answers to other questions than the vendor's; with `all`, fewer answers too.
pub(super) fn answers_checked(policy: &Policy, answers: &[AnswerHash], all: bool) -> Result<()> {
    let questions = &policy.registration.questions;
    for answer in answers {
        if !questions.contains(&answer.question) {
            let question = answer.question.chars().take(60).collect();
            return Err(CustomerError::QuestionUnknown(question));
        }
    }
    let is_answered = |question: &String| answers.iter().any(|a| a.question == *question);
    if all && !questions.iter().all(is_answered) {
        return Err(CustomerError::AnswersMissing);
    }
    Ok(())
}

/// Keeps answers in place of earlier ones.
pub(super) fn keep(
    tx: &mut Tx<'_>,
    book: i64,
    id: CustomerId,
    answers: &[AnswerHash],
) -> Result<()> {
    for answer in answers {
        let hash = question_hash(&answer.question);
        store::set(tx, book, id, &hash, &answer.hash)?;
    }
    Ok(())
}

/// The vendor's questions that a customer has not answered.
pub fn questions_open(
    tx: &mut dyn Read,
    policy: &Policy,
    customer: &Customer,
) -> Result<Vec<String>> {
    let questions = &policy.registration.questions;
    if questions.is_empty() {
        return Ok(Vec::new());
    }
    let answered = store::answered(tx, customer)?;
    let is_open = |question: &&String| !answered.contains(&question_hash(question).to_vec());
    Ok(questions.iter().filter(is_open).cloned().collect())
}

/// True while an answer to this checker holds.
pub fn checked(tx: &mut dyn Read, customer: &Customer, checker: &Checker) -> Result<bool> {
    let until = store::checked_until(tx, customer, &checker.name())?;
    Ok(until.is_some_and(|until| until > tx.now()))
}

/// What an action needs first (REG-05).
pub fn step_up(
    tx: &mut dyn Read,
    policy: &Policy,
    customer: &Customer,
    checker: &Checker,
    action: Sensitive,
) -> Result<StepUp> {
    let registration = &policy.registration;
    if !registration.step_up.contains(&action) || registration.questions.is_empty() {
        return Ok(StepUp::Free);
    }
    if checked(tx, customer, checker)? {
        return Ok(StepUp::Free);
    }
    let open = questions_open(tx, policy, customer)?;
    let answered: Vec<&String> = registration
        .questions
        .iter()
        .filter(|q| !open.contains(q))
        .collect();
    // Always the same one for a customer: a guesser must not choose among questions.
    let place = customer
        .number
        .serial()
        .checked_rem_euclid(i64::try_from(answered.len()).unwrap_or(i64::MAX));
    let place = place.and_then(|p| usize::try_from(p).ok()).unwrap_or(0);
    Ok(match answered.get(place) {
        Some(question) => StepUp::Ask {
            question: (*question).clone(),
        },
        None => StepUp::Unanswered { questions: open },
    })
}

/// Refuses an action that needs an answer first. Called in the transaction that does it.
pub fn require_check(
    tx: &mut dyn Read,
    policy: &Policy,
    customer: &Customer,
    checker: &Checker,
    action: Sensitive,
) -> Result<()> {
    match step_up(tx, policy, customer, checker, action)? {
        StepUp::Free => Ok(()),
        StepUp::Ask { .. } | StepUp::Unanswered { .. } => Err(CustomerError::CheckNeeded),
    }
}

/// The same for the vendor's people and programs when they act for a customer. The operator's
/// command line and the jobs are asked nothing, and customers are asked in their session.
pub fn require_check_by(
    tx: &mut dyn Read,
    actor: Actor,
    customer: &Customer,
    action: Sensitive,
) -> Result<()> {
    match actor {
        Actor::Staff(_) | Actor::Key(_) => {
            let held = policy(tx, customer.book_id)?;
            require_check(tx, &held, customer, &Checker::Actor(actor), action)
        }
        _ => Ok(()),
    }
}

fn attempt(tx: &mut Tx<'_>, customer: &Customer, question: &str) -> Result<Attempt> {
    if customer.state == State::Closed {
        return Err(CustomerError::Closed(customer.number));
    }
    let now = tx.now();
    match store::attempts_locked(tx, customer)?.counted(now) {
        Err(until) => Ok(Attempt::Locked { until }),
        Ok(counted) => {
            store::set_attempts(tx, customer, counted)?;
            let hash = store::answer(tx, customer, &question_hash(question))?;
            Ok(Attempt::Compare { hash })
        }
    }
}

fn proven(
    tx: &mut Tx<'_>,
    customer: &Customer,
    checker: &Checker,
    question: &str,
    hash: &str,
) -> Result<bool> {
    let kept = store::answer(tx, customer, &question_hash(question))?;
    if kept.is_none_or(|kept| kept != hash) {
        return Ok(false);
    }
    store::set_attempts(tx, customer, Attempts::NONE)?;
    let until = tx.now().plus_seconds(HOLDS_S);
    store::set_checked(tx, customer, &checker.name(), until)?;
    if let Checker::Actor(actor) = checker {
        let subject = customer.customer_id.to_string();
        let book = customer.book_id;
        audit::note(tx, book, *actor, "customer.checked", &subject, &json!({}))?;
    }
    Ok(true)
}

/// Compares an answer; a right one holds for a few minutes with this checker.
pub fn check_identity(
    node: &Node,
    customer: &Customer,
    checker: Checker,
    question: &str,
    answer: &str,
) -> Result<Proof<()>> {
    let (asked, told) = (question.to_owned(), question.to_owned());
    let of = customer.clone();
    let proof = prove(
        node,
        Some(customer.clone()),
        &answer_normal(answer),
        move |tx, _| attempt(tx, &of, &asked),
        move |tx, customer, hash| proven(tx, customer, &checker, &told, hash),
    )?;
    Ok(match proof {
        Proof::Proven(_) => Proof::Proven(()),
        Proof::Wrong => Proof::Wrong,
        Proof::Locked { until } => Proof::Locked { until },
    })
}

/// The same under an idempotency key: sent twice, it counts as one attempt.
pub fn check_identity_keyed(
    node: &Node,
    keyed: Keyed,
    customer: &Customer,
    checker: Checker,
    question: &str,
    answer: &str,
) -> Result<Answer<Proof<()>>> {
    let (asked, told) = (question.to_owned(), question.to_owned());
    prove_keyed(
        node,
        keyed,
        customer.clone(),
        &answer_normal(answer),
        move |tx, customer| attempt(tx, customer, &asked),
        move |tx, customer, hash| proven(tx, customer, &checker, &told, hash),
    )
}

/// Sets answers that were never given, by one who knows the PIN: that is what the customer has.
/// Answers that are there already are not replaced this way. They hold as given now.
pub fn answers_begin(
    node: &Node,
    policy: &Policy,
    customer: &Customer,
    checker: Checker,
    pin: &str,
    answers: Vec<AnswerHash>,
) -> Result<Proof<()>> {
    answers_checked(policy, &answers, false)?;
    let (vault, of) = (node.vault.clone(), customer.clone());
    let policy = policy.clone();
    let proof = prove(
        node,
        Some(customer.clone()),
        pin,
        move |tx, _| super::attempt_begin(tx, &vault, &of, SecretKind::Pin),
        move |tx, customer, hash| {
            if !super::attempt_end(tx, customer, SecretKind::Pin, hash)? {
                return Ok(false);
            }
            begun(tx, &policy, customer, &answers)?;
            let until = tx.now().plus_seconds(HOLDS_S);
            store::set_checked(tx, customer, &checker.name(), until)?;
            let actor = Actor::Customer(customer.customer_id);
            noted(tx, actor, customer)?;
            Ok::<_, CustomerError>(true)
        },
    )?;
    Ok(match proof {
        Proof::Proven(_) => Proof::Proven(()),
        Proof::Wrong => Proof::Wrong,
        Proof::Locked { until } => Proof::Locked { until },
    })
}

fn begun(
    tx: &mut Tx<'_>,
    policy: &Policy,
    customer: &Customer,
    answers: &[AnswerHash],
) -> Result<()> {
    let open = questions_open(tx, policy, customer)?;
    if answers.iter().any(|a| !open.contains(&a.question)) {
        return Err(CustomerError::Answered);
    }
    if open
        .iter()
        .any(|q| answers.iter().all(|a| a.question != *q))
    {
        return Err(CustomerError::AnswersMissing);
    }
    keep(tx, customer.book_id, customer.customer_id, answers)
}

fn noted(tx: &mut Tx<'_>, actor: Actor, customer: &Customer) -> Result<()> {
    let subject = customer.customer_id.to_string();
    let book = customer.book_id;
    audit::note_always(tx, book, actor, "customer.answers", &subject, &json!({}))?;
    Ok(())
}

/// Replaces answers, for one whose earlier answer holds now.
pub fn answers_set(
    tx: &mut Tx<'_>,
    policy: &Policy,
    customer: &Customer,
    checker: &Checker,
    answers: &[AnswerHash],
) -> Result<()> {
    answers_checked(policy, answers, true)?;
    if !checked(tx, customer, checker)? {
        return Err(CustomerError::CheckNeeded);
    }
    keep(tx, customer.book_id, customer.customer_id, answers)?;
    noted(tx, Actor::Customer(customer.customer_id), customer)
}

/// Sets answers of a customer who never gave any, by staff who know the person.
pub fn answers_set_by_staff(
    tx: &mut Tx<'_>,
    actor: Actor,
    policy: &Policy,
    customer: &Customer,
    answers: &[AnswerHash],
) -> Result<()> {
    if !actor.for_vendor() {
        return Err(CustomerError::Forbidden);
    }
    answers_checked(policy, answers, true)?;
    begun(tx, policy, customer, answers)?;
    noted(tx, actor, customer)
}

/// Ends what a right answer opened, before its minutes are over.
pub fn check_forget(tx: &mut Tx<'_>, customer: &Customer, checker: &Checker) -> Result<()> {
    Ok(store::forget_check(tx, customer, &checker.name())?)
}

/// Forgets everything of this kind about a customer.
pub(super) fn erase(tx: &mut Tx<'_>, customer: &Customer) -> Result<()> {
    Ok(store::erase(tx, customer)?)
}

impl Details {
    /// True when nothing is known of the person and no question was answered.
    pub fn is_pseudonymous(&self) -> bool {
        self.person.is_empty() && self.answers.is_empty()
    }
}
