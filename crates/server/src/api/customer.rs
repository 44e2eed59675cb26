//! Customers: registered by staff, found, looked at, closed (REG-03, REG-06, REG-13).

use super::auth::{CustomersRead, CustomersWrite, May};
use super::field::{
    self, Line200, Moment, OptionalLine60, OptionalLine200, OptionalLine254, Paragraph1000,
    Password, Pin, words,
};
use super::identity::AnswerBody;
use super::shape::{Money, Page, ProblemBody, cursor, limit};
use super::{IdempotencyKey, Repeatable, answer, submit};
use crate::error::{Failed, Problem, Result};
use crate::http::body::{Json, Path, Query};
use crate::state::App;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use scrip_domain::closing::customer_close;
use scrip_domain::customer::{
    Channel, CustomerError, CustomerSummary, Details, Entry, Means, Person, Registered, SecretKind,
    State as Standing, answer_hash, customer_balance, customer_by_id, customer_by_login,
    customer_by_number, customer_by_reference, customer_enter, customer_person, customer_summary,
    customers, reference_set, secret_hash, tokens_to_activate,
};
use scrip_domain::vault::Vault;
use scrip_domain::vendor::vendor_by_book;
use scrip_engine::ReadTx;
use scrip_ledger::Asset;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

words! {
    CustomerState: Standing, ["inactive", "active", "closed"];
    CustomerChannel: Channel, ["online", "staff", "phone", "fax", "mail", "email"];
    MeansWord: Means, ["card", "check", "money_order", "purchase_order", "bill_me", "cash"];
}

/// The routes of this noun.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register, list))
        .routes(routes!(one))
        .routes(routes!(person))
        .routes(routes!(set_reference))
        .routes(routes!(close))
}

/// Which customer.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CustomerPath {
    /// The customer.
    #[param(inline)]
    pub id: field::Customer,
}

/// Personal data, all of it optional.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PersonBody {
    /// Name.
    name: OptionalLine200,
    /// Postal address.
    address: Paragraph1000,
    /// Telephone number.
    phone: OptionalLine60,
    /// Fax number.
    fax: OptionalLine60,
    /// E-mail address.
    email: OptionalLine254,
}

impl From<Person> for PersonBody {
    fn from(person: Person) -> PersonBody {
        PersonBody {
            name: field::Text(person.name),
            address: field::Text(person.address),
            phone: field::Text(person.phone),
            fax: field::Text(person.fax),
            email: field::Text(person.email),
        }
    }
}

impl From<PersonBody> for Person {
    fn from(body: PersonBody) -> Person {
        Person {
            name: body.name.0,
            address: body.address.0,
            phone: body.phone.0,
            fax: body.fax.0,
            email: body.email.0,
        }
    }
}

/// What a customer enters to register.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"person": {"name": "Ada Byron"}, "pin": "4719"}))]
#[serde(deny_unknown_fields)]
pub struct DetailsBody {
    /// Personal data; a customer without any is pseudonymous.
    #[serde(default)]
    person: PersonBody,
    /// A name to sign in with, instead of the account number; unique on the node.
    login: Option<Line200>,
    /// A PIN to sign in with, 4 to 8 digits that are not among the first that others try.
    pin: Option<Pin>,
    /// A password to sign in with.
    password: Option<Password>,
    /// Where the customer lives: two letters as in ISO 3166-1. Prices may differ by country.
    #[serde(default)]
    country: OptionalLine60,
    /// Answers to the vendor's questions (REG-05); on line all are needed, elsewhere all or none.
    #[serde(default)]
    #[schema(max_items = 5)]
    answers: Vec<AnswerBody>,
    /// How the request reached the vendor: `staff` unless given, never `online`. Not taken at a
    /// stage of a registration, which is on line.
    pub channel: Option<CustomerChannel>,
    /// How tokens are going to be paid for: the first that the vendor's policy allows unless
    /// given. Not taken at a stage of a registration, which has one for it.
    pub means: Option<MeansWord>,
}

/// What equal details have in common, without secrets.
#[derive(Serialize)]
pub struct DetailsRequest {
    person: PersonBody,
    login: Option<Line200>,
    pin: Option<[u8; 32]>,
    password: Option<[u8; 32]>,
    country: OptionalLine60,
    answers: Vec<[u8; 32]>,
    channel: Option<CustomerChannel>,
    means: Option<MeansWord>,
}

impl DetailsBody {
    /// What equal requests are recognised by.
    pub fn request(&self, vault: &Vault) -> DetailsRequest {
        DetailsRequest {
            person: self.person.clone(),
            login: self.login.clone(),
            pin: self.pin.as_ref().map(|s| s.digest(vault)),
            password: self.password.as_ref().map(|s| s.digest(vault)),
            country: self.country.clone(),
            answers: self.answers.iter().map(|a| a.digest(vault)).collect(),
            channel: self.channel,
            means: self.means,
        }
    }

    /// How the data reached the vendor (REG-03).
    fn entry(&self) -> Result<Entry> {
        let channel = self.channel.map_or(Channel::Staff, |channel| channel.0);
        if channel == Channel::Online {
            let text = "who registers on line takes the stages: begin with POST /v1/registrations";
            return Err(Problem::invalid("customer_invalid", text));
        }
        let means = self.means.map(|means| means.0);
        Ok(Entry { channel, means })
    }

    /// As the rules take them: secrets hashed, which takes long.
    pub async fn details(self, app: &App) -> Result<Details> {
        let (pin, password) = (self.pin, self.password);
        let answers: Vec<_> = self.answers.into_iter().map(AnswerBody::reveal).collect();
        let nothing = pin.is_none() && password.is_none() && answers.is_empty();
        let (pin_hash, password_hash, answers) = if nothing {
            (None, None, Vec::new())
        } else {
            app.slow(move |_| {
                let answers = answers.iter().map(|(q, a)| answer_hash(q, a));
                let answers = answers.collect::<std::result::Result<Vec<_>, _>>()?;
                let pin = pin.map(|s| secret_hash(SecretKind::Pin, s.reveal()));
                let password = password.map(|s| secret_hash(SecretKind::Password, s.reveal()));
                Ok::<_, Problem>((pin.transpose()?, password.transpose()?, answers))
            })
            .await??
        };
        Ok(Details {
            person: self.person.into(),
            login: self.login.map(|l| l.0),
            pin_hash,
            password_hash,
            country: self.country.0,
            answers,
        })
    }
}

/// A customer who was registered just now.
#[derive(Debug, Serialize, ToSchema)]
pub struct RegisteredBody {
    /// The id.
    customer_id: field::Customer,
    /// The account number, for people.
    #[schema(example = "001-4827-1003-86")]
    number: String,
    /// Inactive, or active when nothing need be acquired.
    state: CustomerState,
    /// Tokens to acquire before the account is active.
    tokens_to_activate: Money,
}

impl RegisteredBody {
    /// In its JSON shape.
    pub fn new(registered: &Registered, token: &Asset) -> RegisteredBody {
        RegisteredBody {
            customer_id: field::Id(registered.customer_id),
            number: registered.number.to_string(),
            state: field::Named(registered.state),
            tokens_to_activate: Money::new(registered.tokens_to_activate, token),
        }
    }
}

/// A customer, without personal data.
#[derive(Debug, Serialize, ToSchema)]
pub struct CustomerBody {
    /// The id.
    customer_id: field::Customer,
    /// The account number, for people.
    #[schema(example = "001-4827-1003-86")]
    number: String,
    /// Where the customer stands.
    state: CustomerState,
    /// How the customer came to be registered.
    channel: CustomerChannel,
    /// When.
    created_at: Moment,
    /// When the account became active.
    activated_at: Option<Moment>,
}

impl From<CustomerSummary> for CustomerBody {
    fn from(summary: CustomerSummary) -> CustomerBody {
        CustomerBody {
            customer_id: field::Id(summary.customer_id),
            number: summary.number.to_string(),
            state: field::Named(summary.state),
            channel: field::Named(summary.channel),
            created_at: Moment(summary.created_at),
            activated_at: summary.activated_at.map(Moment),
        }
    }
}

/// Register a customer
///
/// All stages of a registration at once, as staff enter them for a customer who called, wrote or
/// came. The account is inactive until tokens reach the vendor's minimum.
#[utoipa::path(
    post, path = "/v1/customers", tag = "customers", operation_id = "customer_register",
    security(("key" = ["customers:write"])),
    params(Repeatable),
    request_body = DetailsBody,
    responses(
        (status = 201, description = "Registered", body = RegisteredBody),
        (status = 409, description = "The sign-in name is taken", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn register(
    May(caller, ..): May<CustomersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Json(body): Json<DetailsBody>,
) -> Result<Response> {
    let book = caller.book();
    let token = app.vendor(book).await?.token.clone();
    let request = body.request(&app.node.vault);
    let entry = body.entry()?;
    let details = body.details(&app).await?;
    let (vault, actor) = (app.node.vault.clone(), caller.actor());
    let request = ("POST /v1/customers", &request);
    let made = submit(&app, &caller, key, request, None, move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let registered = customer_enter(tx, &vault, actor, &vendor, &entry, &details)?;
        Ok::<_, Failed>(registered)
    })
    .await?;
    let body = RegisteredBody::new(&made.value, &token);
    Ok(answer(StatusCode::CREATED, &body, made.replayed))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CustomersQuery {
    /// Only the customer of this account number; spaces and hyphens do not matter.
    #[param(inline)]
    #[serde(default, deserialize_with = "field::given")]
    number: Option<OptionalLine60>,
    /// Only the customer of this sign-in name.
    #[param(inline)]
    #[serde(default, deserialize_with = "field::given")]
    login: Option<Line200>,
    /// Only the customer whom another system calls so.
    #[param(inline)]
    #[serde(default, deserialize_with = "field::given")]
    reference: Option<Line200>,
    /// Where the page begins: `next` of the page before.
    #[serde(default, deserialize_with = "field::given")]
    cursor: Option<String>,
    /// Items at most, 1 to 200.
    #[param(minimum = 1, maximum = 200, default = 50)]
    #[serde(default, deserialize_with = "field::given")]
    limit: Option<i64>,
}

/// What a customer is looked up by.
enum Lookup {
    Number(String),
    Login(String),
    Reference(String),
}

impl CustomersQuery {
    fn lookup(&mut self) -> Result<Option<Lookup>> {
        let mut given = [
            self.number.take().map(|t| Lookup::Number(t.0)),
            self.login.take().map(|t| Lookup::Login(t.0)),
            self.reference.take().map(|t| Lookup::Reference(t.0)),
        ]
        .into_iter()
        .flatten();
        let lookup = given.next();
        if given.next().is_some() || (lookup.is_some() && self.cursor.is_some()) {
            let text = "look a customer up by number, by login or by reference alone";
            return Err(Problem::invalid("query_invalid", text));
        }
        Ok(lookup)
    }
}

fn look_up(
    tx: &mut ReadTx<'_>,
    vault: &Vault,
    book: i64,
    lookup: &Lookup,
) -> std::result::Result<Option<CustomerSummary>, Failed> {
    let found = match lookup {
        Lookup::Number(number) => {
            let vendor = vendor_by_book(tx, book)?;
            customer_by_number(tx, &vendor, number).map(Some)
        }
        Lookup::Login(login) => customer_by_login(tx, vault, login).map(Some),
        Lookup::Reference(reference) => customer_by_reference(tx, book, reference),
    };
    let found = match found {
        // A sign-in name may be that of another vendor's customer.
        Ok(found) => found.filter(|c| c.book_id == book),
        Err(CustomerError::Unknown(_)) => None,
        Err(e) => return Err(e.into()),
    };
    let summary = found.map(|customer| customer_summary(tx, &customer));
    Ok(summary.transpose()?)
}

/// List customers
///
/// In the order of their account numbers, which is not that in which they came. With `number`,
/// `login` or `reference`, of which one may be given, the list has the one customer who is called
/// exactly so, or nobody. Names and addresses are encrypted and cannot be searched.
#[utoipa::path(
    get, path = "/v1/customers", tag = "customers", operation_id = "customers",
    security(("key" = ["customers:read"])),
    params(CustomersQuery),
    responses(
        (status = 200, description = "A page of customers", body = Page<CustomerBody>),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn list(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Query(mut query): Query<CustomersQuery>,
) -> Result<axum::Json<Page<CustomerBody>>> {
    let book = caller.book();
    let limit = limit(query.limit)?;
    if let Some(lookup) = query.lookup()? {
        let vault = app.node.vault.clone();
        let found = app
            .read(move |tx| look_up(tx, &vault, book, &lookup))
            .await?;
        return Ok(axum::Json(Page {
            items: found.into_iter().map(CustomerBody::from).collect(),
            next: None,
        }));
    }
    let after = cursor(query.cursor.as_deref())?;
    let page = app
        .read(move |tx| customers(tx, book, after, limit))
        .await?;
    Ok(axum::Json(Page::new(page, CustomerBody::from)))
}

/// A customer with what the account holds.
#[derive(Debug, Serialize, ToSchema)]
struct CustomerWhole {
    #[serde(flatten)]
    customer: CustomerBody,
    /// Tokens still to acquire before the account is active; zero unless it is inactive.
    tokens_to_activate: Money,
    /// All tokens of the account; which of them can be spent is told by its balance.
    balance: Money,
}

/// See a customer
///
/// Without personal data, which has an address of its own.
#[utoipa::path(
    get, path = "/v1/customers/{id}", tag = "customers", operation_id = "customer",
    security(("key" = ["customers:read"])),
    params(CustomerPath),
    responses(
        (status = 200, description = "The customer", body = CustomerWhole),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn one(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
) -> Result<axum::Json<CustomerWhole>> {
    let book = caller.book();
    let whole = app.read(move |tx| {
        let vendor = vendor_by_book(tx, book)?;
        let customer = customer_by_id(tx, book, id.0)?;
        let balance = customer_balance(tx, &customer)?;
        let missing = tokens_to_activate(&vendor, &customer, balance)?;
        Ok::<_, Failed>(CustomerWhole {
            customer: customer_summary(tx, &customer)?.into(),
            tokens_to_activate: Money::new(missing, &vendor.token),
            balance: Money::new(balance, &vendor.token),
        })
    });
    whole.await.map(axum::Json)
}

/// What is known of the person.
#[derive(Debug, Serialize, ToSchema)]
struct PersonAnswer {
    /// Whose.
    customer_id: field::Customer,
    /// Personal data; null for a pseudonymous customer.
    person: Option<PersonBody>,
}

/// See a customer's personal data
///
/// Kept apart from the account and from orders, encrypted under a key of the customer's own.
#[utoipa::path(
    get, path = "/v1/customers/{id}/person", tag = "customers", operation_id = "customer_person",
    security(("key" = ["customers:read"])),
    params(CustomerPath),
    responses(
        (status = 200, description = "The personal data", body = PersonAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn person(
    May(caller, ..): May<CustomersRead>,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
) -> Result<axum::Json<PersonAnswer>> {
    let (book, actor, vault) = (caller.book(), caller.actor(), app.node.vault.clone());
    let person = app.read(move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        customer_person(tx, &vault, actor, &customer)
    });
    Ok(axum::Json(PersonAnswer {
        customer_id: id,
        person: person.await?.map(PersonBody::from),
    }))
}

/// A name of another system.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"reference": "crm-1042"}))]
#[serde(deny_unknown_fields)]
struct ReferenceBody {
    /// The name by which another system calls the customer.
    reference: Line200,
}

/// A customer and a name of another system.
#[derive(Debug, Serialize, ToSchema)]
struct ReferenceAnswer {
    /// The customer.
    customer_id: field::Customer,
    /// The name, which now finds the customer.
    reference: String,
}

/// Note what another system calls a customer
///
/// The customer is then found under this name. A customer may have several; each is one customer's.
#[utoipa::path(
    put, path = "/v1/customers/{id}/reference", tag = "customers",
    operation_id = "customer_reference_set",
    security(("key" = ["customers:write"])),
    params(CustomerPath, Repeatable),
    request_body = ReferenceBody,
    responses(
        (status = 200, description = "Noted", body = ReferenceAnswer),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "Another customer has this name", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn set_reference(
    May(caller, ..): May<CustomersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
    Json(body): Json<ReferenceBody>,
) -> Result<Response> {
    let book = caller.book();
    let reference = body.reference.0.clone();
    let (route, request) = ("PUT /v1/customers/{id}/reference", (id, &body));
    let noted = submit(
        &app,
        &caller,
        key,
        (route, &request),
        Some(id.0),
        move |tx| {
            let customer = customer_by_id(tx, book, id.0)?;
            reference_set(tx, &customer, &reference)
        },
    )
    .await?;
    let body = ReferenceAnswer {
        customer_id: id,
        reference: body.reference.0.trim().to_owned(),
    };
    Ok(answer(StatusCode::OK, &body, noted.replayed))
}

/// A customer's state.
#[derive(Debug, Serialize, ToSchema)]
struct StateBody {
    /// The customer.
    customer_id: field::Customer,
    /// Where the customer stands now.
    state: CustomerState,
}

/// Close an account
///
/// For good. It must be empty: what is left is spent first.
#[utoipa::path(
    post, path = "/v1/customers/{id}/close", tag = "customers", operation_id = "customer_close",
    security(("key" = ["customers:write"])),
    params(CustomerPath, Repeatable),
    responses(
        (status = 200, description = "Closed", body = StateBody),
        (status = 404, description = "No such customer of this vendor", body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "There are tokens in it, or it is closed already", body = ProblemBody, content_type = "application/problem+json"),
        (status = "default", description = "Not done", body = ProblemBody, content_type = "application/problem+json"),
    ),
)]
async fn close(
    May(caller, ..): May<CustomersWrite>,
    key: IdempotencyKey,
    State(app): State<App>,
    Path(CustomerPath { id }): Path<CustomerPath>,
) -> Result<Response> {
    let (book, actor) = (caller.book(), caller.actor());
    let request = ("POST /v1/customers/{id}/close", &id);
    let closed = submit(&app, &caller, key, request, Some(id.0), move |tx| {
        let customer = customer_by_id(tx, book, id.0)?;
        customer_close(tx, actor, &customer)
    })
    .await?;
    let body = StateBody {
        customer_id: id,
        state: field::Named(Standing::Closed),
    };
    Ok(answer(StatusCode::OK, &body, closed.replayed))
}
