//! `scrip staff`.

use super::{open::Database, say, say_json};
use crate::failure::Failure;
use clap::{Args, Subcommand, ValueEnum};
use console::Term;
use scrip_domain::Actor;
use scrip_domain::secret::{SecretKind, secret_hash};
use scrip_domain::session::{SessionError, staff_password_set};
use scrip_domain::vendor::{Role, staff_by_name, staff_create, staff_secret_set, vendor_by_slug};
use serde_json::json;
use std::io::{BufRead, IsTerminal};

#[derive(Debug, Subcommand)]
pub enum Staff {
    /// Add a member of staff
    ///
    /// With a password the person can sign in. On a terminal it is asked for.
    Create(Create),
    /// Set the password of a member of staff; sessions of the person end
    Password(Password),
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
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub struct Password {
    #[command(flatten)]
    database: Database,
    /// The vendor's short name
    #[arg(long)]
    vendor: String,
    /// The person's name
    #[arg(long)]
    name: String,
    /// Read the password from the first line of standard input
    #[arg(long)]
    password_stdin: bool,
}

impl Staff {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Staff::Create(create) => create.run(),
            Staff::Password(password) => password.run(),
        }
    }
}

impl Create {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let role = match self.role {
            RoleName::Owner => Role::Owner,
            RoleName::Manager => Role::Manager,
            RoleName::Cashier => Role::Cashier,
            RoleName::Auditor => Role::Auditor,
        };
        let hash = password(self.password_stdin, &self.name)?
            .map(|password| secret_hash(SecretKind::Password, &password))
            .transpose()?;
        let has_password = hash.is_some();
        let (slug, name) = (self.vendor.clone(), self.name);
        let staff = node.engine.write(move |tx| {
            let vendor = vendor_by_slug(tx, &slug)?;
            let staff = staff_create(tx, Actor::System, &vendor, &name, role)?;
            if let Some(hash) = &hash {
                staff_secret_set(tx, Actor::System, &vendor, staff.staff_id, hash)?;
            }
            Ok::<_, scrip_domain::vendor::VendorError>(staff)
        })?;
        if self.json {
            return say_json(&json!({
                "id": staff.staff_id.to_string(), "name": staff.name, "role": role.name(),
                "password": has_password,
            }));
        }
        let place = format!("{} at {}", role.name(), self.vendor);
        let hint = if has_password {
            ""
        } else {
            "\nwithout a password, so not to sign in: `scrip staff password` sets one"
        };
        say(&format!(
            "{} is now {place}: {}{hint}",
            staff.name, staff.staff_id
        ))
    }
}

impl Password {
    fn run(self) -> Result<(), Failure> {
        let node = self.database.node()?;
        let Some(password) = password(self.password_stdin, &self.name)? else {
            return Err(Failure::Refused(
                "no password was given: type it on a terminal, or use --password-stdin".into(),
            ));
        };
        let hash = secret_hash(SecretKind::Password, &password)?;
        let (slug, name) = (self.vendor, self.name);
        let staff = node.engine.write(move |tx| {
            let vendor = vendor_by_slug(tx, &slug)?;
            let staff = staff_by_name(tx, &vendor, name.trim())?;
            staff_password_set(tx, Actor::System, &vendor, staff.staff_id, &hash)?;
            Ok::<_, SessionError>(staff)
        })?;
        say(&format!(
            "{} has a new password, and is signed in nowhere",
            staff.name
        ))
    }
}

/// The password that is given, from standard input or typed unseen; never an argument, which
/// other users of the machine could read.
fn password(from_stdin: bool, name: &str) -> Result<Option<String>, Failure> {
    let input = std::io::stdin();
    let failed = |source| Failure::File {
        path: "standard input".into(),
        source,
    };
    if from_stdin {
        let mut line = String::new();
        input.lock().read_line(&mut line).map_err(failed)?;
        return Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()));
    }
    let term = Term::stderr();
    if !input.is_terminal() || !term.is_term() {
        return Ok(None);
    }
    let ask = |what: &str| {
        term.write_str(what)?;
        term.read_secure_line()
    };
    let first = ask(&format!("Password for {name} (empty for none): ")).map_err(failed)?;
    if first.is_empty() {
        return Ok(None);
    }
    if ask("The same again: ").map_err(failed)? != first {
        return Err(Failure::Refused(
            "the two passwords differ: type the same one twice".into(),
        ));
    }
    Ok(Some(first))
}
