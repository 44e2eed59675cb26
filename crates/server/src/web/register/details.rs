//! The details of a registration: a PIN, and what the vendor's policy asks for (REG-02, REG-04,
//! REG-05, REG-13).

use super::super::frame::{guest_shell, page_with, see};
use super::super::session::Guest;
use super::super::view::format::counted;
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
    Details, Person, SecretError, SecretKind, Stage, answer_hash, fields_checked, login_checked,
    registration_details, secret_hash,
};
use scrip_domain::id::RegistrationId;
use scrip_domain::policy::{Fields, Need, Policy};
use scrip_domain::secret::{answer_normal, secret_check};
use scrip_domain::vendor::vendor_by_book;
use serde::Deserialize;

#[derive(Template)]
#[template(path = "register/details.html")]
pub struct DetailsPage {
    /// The frame.
    pub shell: Shell,
    steps: Vec<Step>,
    action: String,
    name: Option<Field>,
    reach: Vec<Field>,
    address: Option<Field>,
    login: Field,
    pins: Vec<Field>,
    questions: Vec<Field>,
    is_free: bool,
    forgotten: String,
    quit: String,
}

/// What was typed. It is never printed: it holds the PIN.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DetailsForm {
    name: String,
    email: String,
    phone: String,
    fax: String,
    address: String,
    login: String,
    pin: String,
    pin_again: String,
    password: String,
    password_again: String,
    answer_1: String,
    answer_2: String,
    answer_3: String,
    answer_4: String,
    answer_5: String,
}

/// What is wrong with it, by field.
#[derive(Default)]
struct Wrong {
    name: String,
    email: String,
    phone: String,
    fax: String,
    address: String,
    login: String,
    pin: String,
    pin_again: String,
    password: String,
    password_again: String,
    answers: Vec<String>,
}

impl Wrong {
    fn is_nothing(&self) -> bool {
        [
            &self.name,
            &self.email,
            &self.phone,
            &self.fax,
            &self.address,
            &self.login,
            &self.pin,
            &self.pin_again,
            &self.password,
            &self.password_again,
        ]
        .into_iter()
        .chain(&self.answers)
        .all(String::is_empty)
    }
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

/// The errors of a password that is typed twice.
pub fn wrong_passwords(password: &str, again: &str) -> (String, String) {
    let wrong = match password {
        "" => "Choose a password: this shop asks for one at sign-in.".to_owned(),
        password => said(secret_check(SecretKind::Password, password)),
    };
    let wrong_again = match again {
        again if again == password => String::new(),
        "" => "Type the password a second time.".to_owned(),
        _ => "The two passwords differ: type both again.".to_owned(),
    };
    (wrong, wrong_again)
}

/// The fields of a password that is chosen.
pub fn password_fields(wrong: String, wrong_again: String) -> [Field; 2] {
    [
        Field::secret("password", "Password", "new-password")
            .help("10 characters at least; a sentence is best.")
            .error(wrong),
        Field::secret("password_again", "The same password again", "new-password")
            .error(wrong_again),
    ]
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

/// A time in the largest whole unit that people count it in.
pub fn lasting(seconds: i64) -> String {
    let whole = |unit: i64| seconds >= unit && seconds % unit == 0;
    match seconds {
        _ if whole(86_400) => counted(seconds / 86_400, "day", "days"),
        _ if whole(3600) => counted(seconds / 3600, "hour", "hours"),
        _ => counted(seconds / 60, "minute", "minutes"),
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
            fax: self.fax.clone(),
            email: self.email.clone(),
        }
    }

    /// Answers to the vendor's questions, in their order.
    fn answers(&self, questions: &[String]) -> Vec<(String, String)> {
        let typed = [
            &self.answer_1,
            &self.answer_2,
            &self.answer_3,
            &self.answer_4,
            &self.answer_5,
        ];
        let typed = typed.into_iter().cloned();
        questions.iter().cloned().zip(typed).collect()
    }

    fn login(&self) -> Option<String> {
        let login = self.login.trim();
        (!login.is_empty()).then(|| login.to_owned())
    }

    /// What can be said without the database, about all fields at once.
    fn wrong(&self, policy: &Policy) -> Wrong {
        let (pin, pin_again) = wrong_pins(&self.pin, &self.pin_again);
        let (password, password_again) = match policy.sign_in.secrets.needs_password() {
            true => wrong_passwords(&self.password, &self.password_again),
            false => Default::default(),
        };
        let policy = &policy.registration;
        let answers = self.answers(&policy.questions).into_iter();
        let answers = answers.map(|(_, answer)| match answer_normal(&answer).chars().count() {
            2..=200 => String::new(),
            _ => Problem::from(SecretError::AnswerShape).sentence(),
        });
        let person = wrong_person(&policy.fields, &self.person());
        Wrong {
            name: person.name,
            email: person.email,
            phone: person.phone,
            fax: person.fax,
            address: person.address,
            login: self
                .login()
                .map_or_else(String::new, |login| said(login_checked(&login))),
            pin,
            pin_again,
            password,
            password_again,
            answers: answers.collect(),
        }
    }
}

/// What is wrong with each text of a person: a person of errors.
pub fn wrong_person(fields: &Fields, typed: &Person) -> Person {
    let none = Fields {
        name: Need::Optional,
        address: Need::Optional,
        phone: Need::Optional,
        fax: Need::Optional,
        email: Need::Optional,
    };
    let text = |fields: Fields, person: Person| match fields_checked(&fields, &person) {
        Ok(_) => String::new(),
        Err(e) => Problem::from(e).sentence(),
    };
    let nobody = Person::default;
    let alone = |name: Fields, person: Person| text(name, person);
    Person {
        name: alone(
            Fields {
                name: fields.name,
                ..none
            },
            Person {
                name: typed.name.clone(),
                ..nobody()
            },
        ),
        address: alone(
            Fields {
                address: fields.address,
                ..none
            },
            Person {
                address: typed.address.clone(),
                ..nobody()
            },
        ),
        phone: alone(
            Fields {
                phone: fields.phone,
                ..none
            },
            Person {
                phone: typed.phone.clone(),
                ..nobody()
            },
        ),
        fax: alone(
            Fields {
                fax: fields.fax,
                ..none
            },
            Person {
                fax: typed.fax.clone(),
                ..nobody()
            },
        ),
        email: alone(
            Fields {
                email: fields.email,
                ..none
            },
            Person {
                email: typed.email.clone(),
                ..nobody()
            },
        ),
    }
}

/// The fields of a person that the vendor asks for: name, ways to reach, address.
pub fn person_fields(
    fields: &Fields,
    typed: &Person,
    wrong: &Person,
) -> (Option<Field>, Vec<Field>, Option<Field>) {
    let asked = |need: Need, field: Field, value: &str, error: &str| match need {
        Need::Hidden => None,
        Need::Optional => Some(field.optional().value(value).error(error)),
        Need::Required => Some(field.value(value).error(error)),
    };
    let name = Field::text("name", "Name").autocomplete("name");
    let email = Field::text("email", "E-mail")
        .kind("email")
        .autocomplete("email");
    let phone = Field::text("phone", "Phone")
        .kind("tel")
        .autocomplete("tel");
    let fax = Field::text("fax", "Fax").kind("tel");
    let address = Field::area("address", "Address").autocomplete("street-address");
    let reach = [
        asked(fields.email, email, &typed.email, &wrong.email),
        asked(fields.phone, phone, &typed.phone, &wrong.phone),
        asked(fields.fax, fax, &typed.fax, &wrong.fax),
    ];
    (
        asked(fields.name, name, &typed.name, &wrong.name),
        reach.into_iter().flatten().collect(),
        asked(fields.address, address, &typed.address, &wrong.address),
    )
}

/// A field for the answer to each question; what was answered is never shown again.
pub fn question_fields(questions: &[String], wrong: &[String]) -> Vec<Field> {
    let nothing = String::new();
    questions
        .iter()
        .enumerate()
        .map(|(place, question)| {
            let error = wrong.get(place).unwrap_or(&nothing);
            Field::text(format!("answer_{}", place + 1), question.clone())
                .kind("password")
                .error(error)
        })
        .collect()
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
    let errors = Person {
        name: wrong.name,
        address: wrong.address,
        phone: wrong.phone,
        fax: wrong.fax,
        email: wrong.email,
    };
    let policy = &guest.shop.policy.registration;
    let (name, reach, address) = person_fields(&policy.fields, &form.person(), &errors);
    let mut asked = name.iter().chain(&reach).chain(&address);
    let is_free = asked.all(|field| field.optional);
    let mut page = DetailsPage {
        shell: guest_shell(guest, "Your details", "/register"),
        steps: Step::trail(&STAGES, 1),
        action: at(guest, id, "/details"),
        name,
        reach,
        address,
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
        is_free,
        questions: question_fields(&policy.questions, &wrong.answers),
        forgotten: lasting(policy.unfinished_s),
        quit: guest.shop.at("/quit"),
    };
    if guest.shop.policy.sign_in.secrets.needs_password() {
        let fields = password_fields(wrong.password, wrong.password_again);
        page.pins.extend(fields);
    }
    let fields = page
        .name
        .iter_mut()
        .chain(&mut page.reach)
        .chain(&mut page.address)
        .chain([&mut page.login])
        .chain(&mut page.pins)
        .chain(&mut page.questions);
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
    let policy = &guest.shop.policy;
    let wrong = form.wrong(policy);
    if !wrong.is_nothing() {
        return again(&guest, id, &form, wrong);
    }
    let answers = form.answers(&policy.registration.questions);
    let needs_password = policy.sign_in.secrets.needs_password();
    let (pin, password) = (form.pin.clone(), form.password.clone());
    let (hash, password_hash, answers) = app
        .slow(move |_| {
            let hash = secret_hash(SecretKind::Pin, &pin)?;
            let password = needs_password.then(|| secret_hash(SecretKind::Password, &password));
            let answers = answers
                .iter()
                .map(|(question, answer)| answer_hash(question, answer));
            let answers = answers.collect::<std::result::Result<Vec<_>, _>>()?;
            Ok::<_, SecretError>((hash, password.transpose()?, answers))
        })
        .await??;
    let details = Details {
        person: form.person(),
        login: form.login(),
        pin_hash: Some(hash),
        password_hash,
        answers,
        ..Details::default()
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
