//! Where an order is sent to, as the confirmation asks for it (SHP-12). What was typed stays in the
//! form, whatever else about the order is refused.

use super::review::Review;
use crate::error::{Problem, Result, sentence};
use crate::state::App;
use crate::web::session::Member;
use crate::web::view::Field;
use scrip_domain::customer::{Address, AddressError};
use scrip_domain::order::shipment::address_suggested;
use scrip_domain::vault::Vault;

/// What was typed, or is suggested, and what is wrong with it.
#[derive(Clone, Default)]
pub struct To {
    /// The address as it stands in the form.
    pub address: Address,
    /// What is wrong.
    pub wrong: Option<AddressError>,
}

impl To {
    /// What was typed; nothing where the form was left empty.
    pub fn given(&self) -> Option<Address> {
        Some(self.address.clone()).filter(|address| *address != Address::default())
    }
}

/// What stands for an address where equal requests are recognised: nobody can find the address
/// from it without the master key.
pub fn hashed(vault: &Vault, to: Option<&Address>) -> Result<String> {
    let Some(to) = to else {
        return Ok(String::new());
    };
    let text = serde_json::to_vec(to).map_err(|e| Problem::internal(&e))?;
    let hash = vault.hash("delivery address", &[&text]);
    Ok(hash.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// True when something of an order is sent to an address.
pub fn is_needed(review: &Review) -> bool {
    let mut lines = review.quote.lines.iter();
    lines.any(|line| {
        let shown = review.shown.get(&line.offer_id);
        shown.is_some_and(|shown| shown.offer.shipped)
    })
}

/// What the form begins with.
pub async fn suggested(app: &App, member: &Member) -> Result<To> {
    let (of, vault) = (member.clone(), app.node.vault.clone());
    let found = app
        .read(move |tx| {
            let actor = of.me.actor();
            address_suggested(tx, &vault, actor, &of.me.customer)
        })
        .await?;
    Ok(To {
        address: found.unwrap_or_default(),
        wrong: None,
    })
}

/// The fields of the form.
pub fn fields(to: &To) -> Vec<Field> {
    let Address {
        name,
        lines,
        postal_code,
        city,
        country,
    } = to.address.clone();
    let field = |field: Field, of: &str, value: String| {
        let wrong = to.wrong.as_ref().filter(|wrong| wrong.field == of);
        let said = wrong.map(|wrong| sentence(&wrong.problem.to_string()));
        let mut field = field.value(value).error(said.unwrap_or_default());
        field.autofocus = wrong.is_some();
        field
    };
    let line = |name, label, max, fill| Field::text(name, label).max(max).autocomplete(fill);
    let code = line("to_postal_code", "Postal code", 20, "shipping postal-code");
    vec![
        field(line("to_name", "Name", 200, "shipping name"), "name", name),
        field(
            Field::area("to_lines", "Street and number")
                .max(300)
                .autocomplete("shipping street-address"),
            "lines",
            lines,
        ),
        field(
            code.class("is-short").optional(),
            "postal_code",
            postal_code,
        ),
        field(
            line("to_city", "City", 100, "shipping address-level2"),
            "city",
            city,
        ),
        field(
            line("to_country", "Country", 100, "shipping country-name"),
            "country",
            country,
        ),
    ]
}
