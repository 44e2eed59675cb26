//! `scrip staff`.

use super::{open::Database, say, say_json};
use crate::failure::Failure;
use clap::{Args, Subcommand, ValueEnum};
use scrip_domain::vendor::{Role, staff_create, vendor_by_slug};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum Staff {
    /// Add a member of staff
    Create(Create),
}

/// A role, as written on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum RoleName {
    /// Everything
    Owner,
    /// Everything but staff
    Manager,
    /// Customers and orders
    Cashier,
    /// Only look
    Auditor,
}

#[derive(Debug, Args)]
pub struct Create {
    #[command(flatten)]
    database: Database,
    /// The vendor's short name
    #[arg(long)]
    vendor: String,
    /// The person's name, unique at the vendor
    #[arg(long)]
    name: String,
    /// What the person may do
    #[arg(long, value_enum)]
    role: RoleName,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Staff {
    pub fn run(self) -> Result<(), Failure> {
        let Staff::Create(create) = self;
        let node = create.database.node()?;
        let role = match create.role {
            RoleName::Owner => Role::Owner,
            RoleName::Manager => Role::Manager,
            RoleName::Cashier => Role::Cashier,
            RoleName::Auditor => Role::Auditor,
        };
        let (slug, name) = (create.vendor.clone(), create.name);
        let staff = node.engine.write(move |tx| {
            let vendor = vendor_by_slug(tx, &slug)?;
            staff_create(tx, &vendor, &name, role)
        })?;
        if create.json {
            let id = staff.staff_id.to_string();
            return say_json(&json!({ "id": id, "name": staff.name, "role": role.name() }));
        }
        let place = format!("{} at {}", role.name(), create.vendor);
        say(&format!(
            "{} is now {place}: {}",
            staff.name, staff.staff_id
        ))
    }
}
