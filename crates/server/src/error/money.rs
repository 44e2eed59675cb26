//! Errors of the rules about money: tokens sold, cards, revenue, as answers.

use super::{Failed, Kind, Problem, problems};
use axum::http::StatusCode;
use scrip_domain::card::CardError;
use scrip_domain::card_event::CardEventError;
use scrip_domain::checkout::CheckoutError;
use scrip_domain::exchange::ExchangeError;
use scrip_domain::gift_tokens::GiftError;
use scrip_domain::mall::MallError;
use scrip_domain::open_token::OpenError;
use scrip_domain::payback::PaybackError;
use scrip_domain::revenue::RevenueError;
use scrip_domain::token_sale::offline::OfflineError;
use scrip_domain::token_sale::{ProcessorError, TokenSaleError};
use scrip_domain::top_up::TopUpError;

problems!(
    TokenSaleError,
    OfflineError,
    GiftError,
    CardError,
    CardEventError,
    PaybackError,
    TopUpError,
    ProcessorError,
    RevenueError,
    MallError,
    ExchangeError,
    OpenError,
    CheckoutError,
);

impl Kind for TokenSaleError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        match self {
            TokenSaleError::Engine(e) => e.problem(),
            TokenSaleError::Ledger(e) => e.problem(),
            TokenSaleError::Vendor(e) => e.problem(),
            TokenSaleError::Customer(e) => e.problem(),
            TokenSaleError::Command(e) => e.problem(),
            TokenSaleError::Unknown(_) => Problem::not_found("token order"),
            TokenSaleError::Forbidden => Problem::not_found("customer"),
            TokenSaleError::SessionUnknown => Problem::not_found("payment session"),
            TokenSaleError::SessionOver => {
                Problem::new(StatusCode::CONFLICT, "payment_session_over", text)
            }
            TokenSaleError::PackNotSold => Problem::not_found("pack"),
            TokenSaleError::PackChanged => Problem::new(StatusCode::CONFLICT, "stale", text),
            TokenSaleError::PackNotWhole | TokenSaleError::Price(_) => {
                Problem::invalid("price_invalid", text)
            }
            TokenSaleError::PriceChanged => {
                Problem::new(StatusCode::CONFLICT, "price_changed", text)
            }
            TokenSaleError::UnderWay => {
                Problem::new(StatusCode::CONFLICT, "payment_under_way", text).retry_after(5)
            }
            _ => Problem::invalid("token_order_invalid", text),
        }
    }
}

impl Kind for MallError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        let conflict = |code, text| Problem::new(StatusCode::CONFLICT, code, text);
        match self {
            MallError::Engine(e) => e.problem(),
            MallError::Ledger(e) => e.problem(),
            MallError::Vendor(e) => e.problem(),
            MallError::Unknown(_) => Problem::not_found("mall"),
            MallError::NoMember(_) | MallError::Outside => conflict("mall_outside", text),
            MallError::Suspended(_) | MallError::Left(_) => conflict("member_cut_off", text),
            MallError::FranchiseTree | MallError::NoFranchise(_) | MallError::ValueFixed(_) => {
                conflict("franchise", text)
            }
            MallError::Barred(_) | MallError::NotAccepted { .. } => {
                conflict("tokens_do_not_pass", text)
            }
            MallError::DepositShort(_) => conflict("deposit_short", text),
            MallError::Paid { .. } | MallError::NothingDue { .. } => {
                conflict("clearing_paid", text)
            }
            MallError::InDispute(_) | MallError::DisputeClosed(_) => conflict("in_dispute", text),
            MallError::LineUnknown => Problem::not_found("line"),
            MallError::DisputeUnknown(_) => Problem::not_found("dispute"),
            _ => Problem::invalid("mall_invalid", text),
        }
    }
}

impl Kind for ExchangeError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        let conflict = |code, text| Problem::new(StatusCode::CONFLICT, code, text);
        match self {
            ExchangeError::Engine(e) => e.problem(),
            ExchangeError::Ledger(e) => e.problem(),
            ExchangeError::Vendor(e) => e.problem(),
            ExchangeError::Customer(e) => e.problem(),
            ExchangeError::Mall(e) => e.problem(),
            ExchangeError::Unknown => Problem::not_found("exchange"),
            ExchangeError::Forbidden => Problem::not_found("customer"),
            ExchangeError::Lapsed => conflict("quote_lapsed", text),
            ExchangeError::Done => conflict("quote_used", text),
            ExchangeError::Insufficient { .. } => conflict("too_few_tokens", text),
            ExchangeError::NotActive(_) | ExchangeError::Child(_) | ExchangeError::ClosedThere => {
                conflict("account_cannot_exchange", text)
            }
            _ => Problem::invalid("exchange_invalid", text),
        }
    }
}

impl Kind for OpenError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        let conflict = |code, text| Problem::new(StatusCode::CONFLICT, code, text);
        match self {
            OpenError::Engine(e) => e.problem(),
            OpenError::Ledger(e) => e.problem(),
            OpenError::Vendor(e) => e.problem(),
            OpenError::Customer(e) => e.problem(),
            OpenError::Mall(e) => e.problem(),
            OpenError::Forbidden => Problem::not_found("customer"),
            OpenError::GroupUnknown(_) => Problem::not_found("group"),
            OpenError::NotListed(_) => Problem::not_found("product"),
            OpenError::Closed => conflict("account_closed", text),
            OpenError::OutsideGroup { .. } => conflict("outside_group", text),
            OpenError::NoManufacturer(_) => conflict("no_manufacturer", text),
            OpenError::ListedBy(_) => conflict("listed_by_another", text),
            OpenError::NothingOwed => conflict("nothing_owed", text),
            _ => Problem::invalid("open_token_invalid", text),
        }
    }
}

impl Kind for CheckoutError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        let conflict = |code, text| Problem::new(StatusCode::CONFLICT, code, text);
        match self {
            CheckoutError::Engine(e) => e.problem(),
            CheckoutError::Command(e) => e.problem(),
            CheckoutError::Ledger(e) => e.problem(),
            CheckoutError::Vendor(e) => e.problem(),
            CheckoutError::Customer(e) => e.problem(),
            CheckoutError::Mall(e) => e.problem(),
            CheckoutError::Open(e) => e.problem(),
            CheckoutError::Order(e) => e.problem(),
            CheckoutError::Exchange(e) => e.problem(),
            CheckoutError::Forbidden => Problem::not_found("customer"),
            CheckoutError::Unknown(_) => Problem::not_found("order"),
            CheckoutError::NotActive(_) | CheckoutError::Child(_) => {
                conflict("account_cannot_exchange", text)
            }
            CheckoutError::GiftGone => conflict("gift_gone", text).retry_after(1),
            CheckoutError::Reversed => conflict("payment_taken_back", text),
            CheckoutError::Switched => conflict("payment_switched", text),
            CheckoutError::CannotPay(_) => conflict("type_cannot_pay", text),
            CheckoutError::SurplusSpent => conflict("surplus_spent", text),
            CheckoutError::NoValue(_) => conflict("mall_outside", text),
            _ => Problem::invalid("open_order_invalid", text),
        }
    }
}

impl Kind for OfflineError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        let conflict = |code, text| Problem::new(StatusCode::CONFLICT, code, text);
        match self {
            OfflineError::Sale(e) => e.problem(),
            OfflineError::Engine(e) => e.problem(),
            OfflineError::Ledger(e) => e.problem(),
            OfflineError::Vendor(e) => e.problem(),
            OfflineError::Customer(e) => e.problem(),
            OfflineError::Command(e) => e.problem(),
            OfflineError::Unknown(_) => Problem::not_found("token order"),
            OfflineError::Forbidden => Problem::not_found("customer"),
            OfflineError::NotOpen { .. } | OfflineError::Over { .. } => {
                conflict("token_order_over", text)
            }
            OfflineError::TooManyOpen => conflict("too_many_open", text),
            OfflineError::CreditChanged => conflict("stale", text),
            _ => Problem::invalid("token_order_invalid", text),
        }
    }
}

impl Kind for GiftError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        match self {
            GiftError::Engine(e) => e.problem(),
            GiftError::Ledger(e) => e.problem(),
            GiftError::Vendor(e) => e.problem(),
            GiftError::Customer(e) => e.problem(),
            GiftError::Command(e) => e.problem(),
            GiftError::Forbidden => Problem::not_found("customer"),
            GiftError::GivenBefore(_) => Problem::new(StatusCode::CONFLICT, "given_before", text),
            _ => Problem::invalid("gift_invalid", text),
        }
    }
}

impl Kind for CardError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        let conflict = |code, text| Problem::new(StatusCode::CONFLICT, code, text);
        match self {
            CardError::Engine(e) => e.problem(),
            CardError::Customer(e) => e.problem(),
            CardError::Unknown => Problem::not_found("card"),
            CardError::Forbidden => Problem::not_found("customer"),
            CardError::Withdrawn | CardError::Expired => conflict("card_withdrawn", text),
            CardError::TooMany => conflict("cards_too_many", text),
            _ => Problem::invalid("card_invalid", text),
        }
    }
}

impl Kind for CardEventError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        let conflict = |code, text| Problem::new(StatusCode::CONFLICT, code, text);
        match self {
            CardEventError::Engine(e) => e.problem(),
            CardEventError::Ledger(e) => e.problem(),
            CardEventError::Customer(e) => e.problem(),
            CardEventError::Command(e) => e.problem(),
            CardEventError::TokenSale(e) => e.problem(),
            CardEventError::Unknown(_) => Problem::not_found("dispute"),
            CardEventError::Forbidden => Problem::not_found("customer"),
            CardEventError::DecidedBefore
            | CardEventError::CameBack
            | CardEventError::NothingLeft => conflict("dispute_over", text),
            CardEventError::Text(_) => Problem::invalid("text_invalid", text),
            other => Problem::internal(&other),
        }
    }
}

impl Kind for PaybackError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        let conflict = |code, text| Problem::new(StatusCode::CONFLICT, code, text);
        match self {
            PaybackError::Engine(e) => e.problem(),
            PaybackError::Ledger(e) => e.problem(),
            PaybackError::Command(e) => e.problem(),
            PaybackError::TokenSale(e) => e.problem(),
            PaybackError::Unknown(_) => Problem::not_found("pay-back"),
            PaybackError::Forbidden => Problem::not_found("customer"),
            PaybackError::SettledBefore => conflict("payback_over", text),
            PaybackError::UnderWay => conflict("payback_under_way", text),
            _ => Problem::invalid("text_invalid", text),
        }
    }
}

impl Kind for TopUpError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        match self {
            TopUpError::Engine(e) => e.problem(),
            TopUpError::Ledger(e) => e.problem(),
            TopUpError::Card(e) => e.problem(),
            TopUpError::Customer(e) => e.problem(),
            TopUpError::TokenSale(e) => e.problem(),
            TopUpError::Forbidden => Problem::not_found("customer"),
            _ => Problem::invalid("top_up_invalid", text),
        }
    }
}

impl Kind for ProcessorError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        match self {
            ProcessorError::Refused(_) => Problem::invalid("card_invalid", text),
            ProcessorError::NoAnswer => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "processor_silent", text)
                    .retry_after(60)
            }
        }
    }
}

impl Kind for RevenueError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        match self {
            RevenueError::Open { .. } => Problem::new(StatusCode::CONFLICT, "period_open", text),
            RevenueError::Booked { .. } => {
                Problem::new(StatusCode::CONFLICT, "period_booked", text)
            }
            RevenueError::StaffOnly => Problem::new(StatusCode::FORBIDDEN, "staff_only", text),
            RevenueError::Command(e) => e.problem(),
            RevenueError::Ledger(e) => e.problem(),
            RevenueError::Engine(e) => e.problem(),
            _ => Problem::internal(&text),
        }
    }
}
