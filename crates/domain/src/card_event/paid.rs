//! What a payment was for, and how that stands: an order of tokens, or an order of goods.

use super::Result;
use crate::Node;
use crate::id::Payable;
use crate::order::by_card::{CardOrderState, card_order_charge, card_order_resolve};
use crate::token_sale::{
    CardProcessor, Charge, TokenOrderState, token_order_charge, token_order_resolve,
};
use crate::vendor::Vendor;

/// How an order stands that a card is to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// The processor has not answered.
    Awaiting,
    /// The card paid.
    Paid,
    /// The card did not pay.
    Declined,
}

/// What the processor is asked about an order, and how the order stands.
pub(super) fn standing(node: &Node, vendor: &Vendor, order: Payable) -> Result<(Charge, Standing)> {
    match order {
        Payable::Tokens(id) => {
            let read = |tx: &mut scrip_engine::ReadTx<'_>| token_order_charge(tx, vendor, id);
            let (charge, state) = node.engine.read(read)?;
            let standing = match state {
                TokenOrderState::Awaiting => Standing::Awaiting,
                TokenOrderState::Cleared => Standing::Paid,
                TokenOrderState::Declined => Standing::Declined,
            };
            Ok((charge, standing))
        }
        Payable::Goods(id) => {
            let read = |tx: &mut scrip_engine::ReadTx<'_>| card_order_charge(tx, vendor, id);
            let (charge, state) = node.engine.read(read)?;
            let standing = match state {
                CardOrderState::Awaiting => Standing::Awaiting,
                CardOrderState::Completed => Standing::Paid,
                CardOrderState::Declined => Standing::Declined,
            };
            Ok((charge, standing))
        }
    }
}

/// Asks the processor about an order that may await its answer.
pub(super) fn resolve(
    node: &Node,
    processor: &dyn CardProcessor,
    vendor: &Vendor,
    order: Payable,
) -> Result<()> {
    match order {
        Payable::Tokens(id) => token_order_resolve(node, processor, vendor, id).map(drop)?,
        Payable::Goods(id) => card_order_resolve(node, processor, vendor, id).map(drop)?,
    }
    Ok(())
}
