//! The taxes in prices, as orders and quotes show them.

use super::shape::Money;
use scrip_domain::order::OrderTax;
use scrip_domain::tax::{LineTax, TaxSum};
use scrip_domain::vendor::Vendor;
use scrip_ledger::Asset;
use serde::Serialize;
use utoipa::ToSchema;

/// The tax that is in the amount of a line.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LineTaxBody {
    /// What it is called.
    #[schema(example = "VAT")]
    name: String,
    /// The rate in basis points (1900 is 19 %).
    #[schema(example = 1900)]
    basis_points: i64,
    /// How much of the amount it is.
    amount: Money,
}

impl LineTaxBody {
    /// In its JSON shape.
    pub fn new(tax: LineTax, token: &Asset) -> LineTaxBody {
        LineTaxBody {
            name: tax.name,
            basis_points: tax.rate,
            amount: Money::new(tax.amount, token),
        }
    }
}

/// The tax of one rate in an order.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TaxBody {
    /// What it is called.
    #[schema(example = "VAT")]
    name: String,
    /// The rate in basis points (1900 is 19 %).
    #[schema(example = 1900)]
    basis_points: i64,
    /// What the lines of this rate come to in tokens, with it.
    gross: Money,
    /// How many of those tokens it is.
    tax: Money,
}

impl TaxBody {
    /// In its JSON shape.
    pub fn new(sum: TaxSum, token: &Asset) -> TaxBody {
        TaxBody {
            gross: Money::new(sum.gross, token),
            tax: Money::new(sum.tax, token),
            basis_points: sum.rate,
            name: sum.name,
        }
    }
}

/// The tax of one rate in an order that was placed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OrderTaxBody {
    #[serde(flatten)]
    tokens: TaxBody,
    /// What the lines of this rate were worth in money, with it: tokens at their price when the order
    /// counted, or their part of what a card paid.
    gross_money: Money,
    /// How much of that money it is.
    tax_money: Money,
    /// Tokens of these lines that were given back since.
    refunded_gross: Money,
    /// The tax in them.
    refunded_tax: Money,
}

impl OrderTaxBody {
    /// In its JSON shape.
    pub fn new(tax: OrderTax, vendor: &Vendor) -> OrderTaxBody {
        let token = &vendor.token;
        OrderTaxBody {
            gross_money: Money::new(tax.money, &vendor.currency),
            tax_money: Money::new(tax.money_tax, &vendor.currency),
            refunded_gross: Money::new(tax.back, token),
            refunded_tax: Money::new(tax.tax_back, token),
            tokens: TaxBody::new(tax.sum, token),
        }
    }
}
