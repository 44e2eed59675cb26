//! The details of a registration: all optional but the PIN (REG-02, REG-13).

use super::super::frame::{guest_shell, page_with, see};
use super::super::session::Guest;
use super::super::view::{Field, Notice, Shell, Step, Tone};
use super::{Id, STAGES, at, over, stage_page, stand};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Form, Path};
use crate::state::App;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::customer::{
    Details, Person, SecretKind, Stage, login_checked, registration_details, secret_hash,
};
use scrip_domain::id::RegistrationId;
use scrip_domain::secret::secret_check;
use scrip_domain::vendor::vendor_by_book;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "register/details.html")]
pub struct DetailsPage {
    /// The frame.
    pub shell: Shell,
    steps: Vec<Step>,
    action: String,
    name: Field,
    reach: Vec<Field>,
    address: Field,
    login: Field,
    pins: Vec<Field>,
    quit: String,
}

/// What was typed. It is never printed: it holds the PIN.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DetailsForm {
    name: String,
    email: String,
    phone: String,
    address: String,
    login: String,
    pin: String,
    pin_again: String,
}

/// What is wrong with it, by field.
#[derive(Default)]
struct Wrong {
    name: String,
    email: String,
    phone: String,
    address: String,
    login: String,
    pin: String,
    pin_again: String,
}

/// An error as a sentence at its field; nothing where there is none.
fn said<T, E>(result: std::result::Result<T, E>) -> String
where
    Problem: From<E>,
{
    result.map_or_else(|e| Problem::from(e).sentence(), |_| String::new())
}

/// The errors of a PIN that is typed twice.
pub fn wrong_pins(pin: &str, again: &str) -> (String, String) {
    let pin_wrong = match pin {
        "" => "Choose a PIN: with it you sign in.".to_owned(),
        pin => said(secret_check(SecretKind::Pin, pin)),
    };
    let again_wrong = match again {
        again if again == pin => String::new(),
        "" => "Type the PIN a second time.".to_owned(),
        _ => "The two PINs differ: type both again.".to_owned(),
    };
    (pin_wrong, again_wrong)
}

/// How many fields are wrong, as a headline.
pub fn look_again(wrong: usize) -> String {
    const WORDS: [&str; 8] = ["No", "One", "Two", "Three", "Four", "Five", "Six", "Seven"];
    match (wrong, WORDS.get(wrong)) {
        (1, _) => "One field needs another look.".to_owned(),
        (_, Some(word)) => format!("{word} fields need another look."),
        (many, None) => format!("{many} fields need another look."),
    }
}

/// The reader begins at the first field that is wrong. Returns how many are.
pub fn begin_at_wrong<'f>(fields: impl Iterator<Item = &'f mut Field>) -> usize {
    let mut wrong = 0;
    for field in fields.filter(|field| !field.error.is_empty()) {
        wrong += 1;
        field.autofocus = wrong == 1;
    }
    wrong
}

impl DetailsForm {
    fn person(&self) -> Person {
        Person {
            name: self.name.clone(),
            address: self.address.clone(),
            phone: self.phone.clone(),
            fax: String::new(),
            email: self.email.clone(),
        }
    }

    fn login(&self) -> Option<String> {
        let login = self.login.trim();
        (!login.is_empty()).then(|| login.to_owned())
    }

    /// What can be said without the database, about all fields at once.
    fn wrong(&self) -> Wrong {
        let text = |person: Person| match person.checked() {
            Ok(_) => String::new(),
            Err(e) => Problem::invalid("text_invalid", e.to_string()).sentence(),
        };
        let none = Person::default;
        let (pin, pin_again) = wrong_pins(&self.pin, &self.pin_again);
        Wrong {
            name: text(Person {
                name: self.name.clone(),
                ..none()
            }),
            email: text(Person {
                email: self.email.clone(),
                ..none()
            }),
            phone: text(Person {
                phone: self.phone.clone(),
                ..none()
            }),
            address: text(Person {
                address: self.address.clone(),
                ..none()
            }),
            login: self
                .login()
                .map_or_else(String::new, |login| said(login_checked(&login))),
            pin,
            pin_again,
        }
    }
}

/// The empty form.
pub fn details_page(guest: &Guest, id: RegistrationId) -> DetailsPage {
    form_page(guest, id, &DetailsForm::default(), Wrong::default())
}

fn form_page(guest: &Guest, id: RegistrationId, form: &DetailsForm, wrong: Wrong) -> DetailsPage {
    let pin = |name, label| {
        Field::secret(name, label, "new-password")
            .class("is-pin")
            .inputmode("numeric")
    };
    let mut page = DetailsPage {
        shell: guest_shell(guest, "Your details", "/register"),
        steps: Step::trail(&STAGES, 1),
        action: at(guest, id, "/details"),
        name: Field::text("name", "Name")
            .autocomplete("name")
            .optional()
            .value(&form.name)
            .error(wrong.name),
        reach: vec![
            Field::text("email", "E-mail")
                .kind("email")
                .autocomplete("email")
                .optional()
                .value(&form.email)
                .error(wrong.email),
            Field::text("phone", "Phone")
                .kind("tel")
                .autocomplete("tel")
                .optional()
                .value(&form.phone)
                .error(wrong.phone),
        ],
        address: Field::area("address", "Address")
            .autocomplete("street-address")
            .optional()
            .value(&form.address)
            .error(wrong.address),
        login: Field::text("login", "Sign-in name")
            .help("Easier to remember than your account number, which works as well.")
            .autocomplete("username")
            .class("is-mid")
            .optional()
            .value(&form.login)
            .error(wrong.login),
        pins: vec![
            pin("pin", "PIN")
                .help("4 to 8 digits, harder than 1234.")
                .error(wrong.pin),
            pin("pin_again", "The same PIN again")
                .help("So that a slip is noticed now.")
                .error(wrong.pin_again),
        ],
        quit: guest.shop.at("/quit"),
    };
    let fields = [&mut page.name]
        .into_iter()
        .chain(&mut page.reach)
        .chain([&mut page.address, &mut page.login])
        .chain(&mut page.pins);
    let count = begin_at_wrong(fields);
    if count > 0 {
        page.shell.notice = Some(Notice::new(
            Tone::Bad,
            look_again(count),
            "No account was made yet. Everything that you typed is still here, apart from the \
             PIN: type that again.",
        ));
    }
    page
}

fn again(guest: &Guest, id: RegistrationId, form: &DetailsForm, wrong: Wrong) -> Result<Response> {
    let page = form_page(guest, id, form, wrong);
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// `POST /shops/{slug}/register/{id}/details`.
pub async fn take(
    State(app): State<App>,
    guest: Guest,
    Path(Id { id }): Path<Id>,
    Form(form): Form<DetailsForm>,
) -> Result<Response> {
    let id = match stand(&app, &guest, &id).await? {
        None => return over(&guest),
        Some((id, Stage::Informed)) => id,
        Some((id, stage)) => return taken_before(&app, &guest, id, stage).await,
    };
    let wrong = form.wrong();
    let is_good = [
        &wrong.name,
        &wrong.email,
        &wrong.phone,
        &wrong.address,
        &wrong.login,
        &wrong.pin,
        &wrong.pin_again,
    ]
    .iter()
    .all(|text| text.is_empty());
    if !is_good {
        return again(&guest, id, &form, wrong);
    }
    let pin = form.pin.clone();
    let hash = app
        .slow(move |_| secret_hash(SecretKind::Pin, &pin))
        .await??;
    let details = Details {
        person: form.person(),
        login: form.login(),
        pin_hash: Some(hash),
        password_hash: None,
    };
    let (book, vault) = (guest.shop.vendor.book_id, app.node.vault.clone());
    let done = app
        .write(move |tx| {
            let vendor = vendor_by_book(tx, book)?;
            registration_details(tx, &vault, &vendor, id, &details)?;
            Ok::<_, Failed>(())
        })
        .await;
    match done {
        Ok(()) => see(&at(&guest, id, "")),
        Err(problem) => match problem.code {
            "login_taken" => {
                let wrong = Wrong {
                    login: problem.sentence(),
                    ..Wrong::default()
                };
                again(&guest, id, &form, wrong)
            }
            "registration_lapsed" => over(&guest),
            // Another post of the same page was faster.
            "wrong_stage" => see(&at(&guest, id, "")),
            _ => Err(problem),
        },
    }
}

/// The details are there already: what came now was not kept, and is not kept silently.
async fn taken_before(
    app: &App,
    guest: &Guest,
    id: RegistrationId,
    stage: Stage,
) -> Result<Response> {
    let notice = match stage {
        Stage::Account(_) => Notice::new(
            Tone::Warn,
            "This registration is finished.",
            "Its account was made with the details that you sent first. What you sent now was \
             not kept.",
        ),
        _ => Notice::new(
            Tone::Warn,
            "Your details are here already.",
            "Those that you sent first count; what you sent now was not kept. Go on from here, \
             or begin again to change them.",
        )
        .action("Begin again", guest.shop.at("/register")),
    };
    stage_page(app, guest, id, stage, Some(notice)).await
}
