//! `scrip account`.

use super::{open::Database, say, say_json};
use crate::failure::Failure;
use clap::{Args, Subcommand};
use scrip_domain::customer::{Customer, CustomerError, customer_by_number, customer_by_reference};
use scrip_domain::order::{OrderError, available};
use scrip_domain::vendor::{Vendor, vendor_by_slug};
use scrip_engine::{Read, ReadTx};
use scrip_ledger::{
    Amount, Entry, Lot, Transfer, account_balance, account_history, lots_available,
};
use serde_json::json;

#[derive(Debug, Subcommand)]
pub enum Account {
    /// Show a customer's balance, lots and history
    Show(Show),
}

#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    database: Database,
    /// The vendor's short name
    #[arg(long)]
    vendor: String,
    /// The account number, or with --reference the name that another system uses
    account: String,
    /// Take ACCOUNT as the customer's name in the vendor's other system
    #[arg(long)]
    reference: bool,
    /// Movements to show, newest first
    #[arg(long, default_value_t = 20)]
    history: usize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

struct Shown {
    vendor: Vendor,
    customer: Customer,
    balance: Amount,
    available: Amount,
    lots: Vec<Lot>,
    history: Vec<(Transfer, Entry)>,
}

impl Account {
    pub fn run(self) -> Result<(), Failure> {
        let Account::Show(show) = self;
        let engine = show.database.reader()?;
        let shown = engine.read(|tx| show.load(tx))?;
        if show.json {
            say_json(&shown.json())
        } else {
            say(&shown.text())
        }
    }
}

impl Show {
    fn load(&self, tx: &mut ReadTx<'_>) -> Result<Shown, OrderError> {
        let vendor = vendor_by_slug(tx, &self.vendor)?;
        let customer = if self.reference {
            customer_by_reference(tx, vendor.book_id, &self.account)?
                .ok_or_else(|| CustomerError::Unknown(self.account.clone()))?
        } else {
            customer_by_number(tx, &vendor, &self.account)?
        };
        let lots = lots_available(tx, vendor.book_id, customer.wallet)?;
        let now = tx.now();
        let available = available(&lots, now)?;
        let balance = account_balance(tx, vendor.book_id, customer.wallet)?;
        let history = account_history(tx, vendor.book_id, customer.wallet, None, self.history)?;
        Ok(Shown {
            vendor,
            customer,
            balance,
            available,
            lots,
            history,
        })
    }
}

impl Shown {
    fn tokens(&self, amount: Amount) -> String {
        amount.decimal(self.vendor.token.scale)
    }

    /// A movement as the customer sees it: what came in is positive.
    fn change(&self, transfer: &Transfer) -> String {
        let sign = if transfer.credit == self.customer.wallet {
            "+"
        } else {
            "-"
        };
        format!("{sign}{}", self.tokens(transfer.amount))
    }

    fn after(&self, transfer: &Transfer) -> String {
        let link = if transfer.credit == self.customer.wallet {
            transfer.credit_link
        } else {
            transfer.debit_link
        };
        link.map_or_else(String::new, |l| self.tokens(l.1))
    }

    fn json(&self) -> serde_json::Value {
        let lots: Vec<_> = self
            .lots
            .iter()
            .map(|l| {
                json!({
                    "grant": l.grant.grant_id, "origin": l.grant.origin.name(),
                    "remaining": self.tokens(l.remaining),
                    "restriction": l.grant.restriction,
                    "expires_at": l.grant.expires_at.to_string(),
                })
            })
            .collect();
        let history: Vec<_> = self
            .history
            .iter()
            .map(|(t, e)| {
                json!({
                    "transfer": t.transfer_id, "at": e.effective_at.to_string(), "code": e.code,
                    "reference": e.reference, "change": self.change(t), "after": self.after(t),
                })
            })
            .collect();
        json!({
            "number": self.customer.number.to_string(), "state": self.customer.state,
            "asset": self.vendor.token.code, "balance": self.tokens(self.balance),
            "available": self.tokens(self.available), "lots": lots, "history": history,
        })
    }

    fn text(&self) -> String {
        let state = serde_json::to_value(self.customer.state).unwrap_or_default();
        let state = state.as_str().unwrap_or_default();
        let mut out = format!(
            "account {}, {state}\navailable {} {}\n",
            self.customer.number,
            self.tokens(self.available),
            self.vendor.token.code
        );
        for lot in &self.lots {
            out += &format!(
                "  {:>18} {}, expires {}\n",
                self.tokens(lot.remaining),
                lot.grant.origin.name(),
                lot.grant.expires_at
            );
        }
        for (transfer, entry) in &self.history {
            out += &format!(
                "{:<22} {:<12} {:>18} {:>18}  {}\n",
                entry.effective_at.to_string(),
                entry.code,
                self.change(transfer),
                self.after(transfer),
                entry.reference
            );
        }
        out.trim_end().to_owned()
    }
}
