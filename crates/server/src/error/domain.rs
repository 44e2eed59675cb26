//! Errors of the rules about people, goods, orders and messages, as answers.

use super::{Failed, Kind, Problem, problems};
use axum::http::StatusCode;
use scrip_domain::api_key::ApiKeyError;
use scrip_domain::catalog::CatalogError;
use scrip_domain::customer::CustomerError;
use scrip_domain::family::FamilyError;
use scrip_domain::message::MessageError;
use scrip_domain::order::{OrderError, Refusal};
use scrip_domain::policy::PolicyError;
use scrip_domain::promotion::PromotionError;
use scrip_domain::secret::SecretError;
use scrip_domain::session::SessionError;
use scrip_domain::vendor::VendorError;
use scrip_domain::webhook::WebhookError;
use serde_json::json;

problems!(
    VendorError,
    PolicyError,
    CatalogError,
    CustomerError,
    FamilyError,
    OrderError,
    PromotionError,
    SecretError,
    SessionError,
    ApiKeyError,
    WebhookError,
    MessageError,
);

impl Kind for VendorError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        match self {
            VendorError::Engine(e) => e.problem(),
            VendorError::Ledger(e) => e.problem(),
            VendorError::Unknown(_) => Problem::not_found("vendor"),
            VendorError::StaffUnknown(_) => Problem::not_found("member of staff"),
            VendorError::StaffNameTaken(_) => {
                Problem::new(StatusCode::CONFLICT, "name_taken", text)
            }
            VendorError::Stale => Problem::new(StatusCode::CONFLICT, "settings_changed", text),
            VendorError::StaffEnded(_) => Problem::new(StatusCode::CONFLICT, "staff_ended", text),
            VendorError::IssueStopped => Problem::new(StatusCode::CONFLICT, "issue_stopped", text),
            VendorError::QuotaShort { .. } => {
                Problem::new(StatusCode::CONFLICT, "quota_short", text)
            }
            VendorError::LastOwner(_) => Problem::new(StatusCode::CONFLICT, "last_owner", text),
            _ => Problem::invalid("vendor_invalid", text),
        }
    }
}

impl Kind for PolicyError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        match self {
            PolicyError::Engine(e) => e.problem(),
            PolicyError::Ledger(e) => e.problem(),
            PolicyError::Vendor(e) => e.problem(),
            PolicyError::Stale { now, .. } => {
                Problem::new(StatusCode::CONFLICT, "settings_changed", text)
                    .with("version", json!(now))
            }
            _ => Problem::invalid("policy_invalid", text),
        }
    }
}

impl Kind for CatalogError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        match self {
            CatalogError::Engine(e) => e.problem(),
            CatalogError::Ledger(e) => e.problem(),
            CatalogError::ProductUnknown(_) => Problem::not_found("product"),
            CatalogError::OfferUnknown(_) => Problem::not_found("offer"),
            CatalogError::QuantityInvalid { .. } => Problem::invalid("quantity_invalid", text),
            CatalogError::NotCounted(_) => {
                Problem::new(StatusCode::CONFLICT, "stock_not_counted", text)
            }
            CatalogError::ImageUnknown => Problem::not_found("picture"),
            CatalogError::ImportUnknown => Problem::not_found("import"),
            CatalogError::StockMoved { .. } | CatalogError::Stale(_) => {
                Problem::new(StatusCode::CONFLICT, "changed_meanwhile", text)
            }
            CatalogError::ImportState(_) | CatalogError::TooManyImages(_) => {
                Problem::new(StatusCode::CONFLICT, "not_now", text)
            }
            CatalogError::FileInvalid { .. } => Problem::invalid("import_invalid", text),
            _ => Problem::invalid("catalog_invalid", text),
        }
    }
}

impl Kind for CustomerError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        match self {
            CustomerError::Engine(e) => e.problem(),
            CustomerError::Ledger(e) => e.problem(),
            CustomerError::Vendor(e) => e.problem(),
            CustomerError::Command(e) => e.problem(),
            CustomerError::Secret(e) => e.problem(),
            CustomerError::Unknown(_) => Problem::not_found("customer"),
            CustomerError::RegistrationUnknown => {
                Problem::new(StatusCode::NOT_FOUND, "registration_lapsed", text)
            }
            CustomerError::WrongStage { .. } => {
                Problem::new(StatusCode::CONFLICT, "wrong_stage", text)
            }
            CustomerError::SecretsAsked(_) => Problem::invalid("secret_invalid", text),
            CustomerError::LoginTaken => Problem::new(StatusCode::CONFLICT, "login_taken", text),
            CustomerError::ReferenceTaken(_) => {
                Problem::new(StatusCode::CONFLICT, "reference_taken", text)
            }
            CustomerError::Closed(_) => Problem::new(StatusCode::CONFLICT, "account_closed", text),
            CustomerError::NotEmpty { .. } => {
                Problem::new(StatusCode::CONFLICT, "account_not_empty", text)
            }
            CustomerError::Unfinished { .. } => {
                Problem::new(StatusCode::CONFLICT, "account_unfinished", text)
            }
            CustomerError::TooFewTokens { .. } => {
                Problem::new(StatusCode::CONFLICT, "tokens_too_few", text)
            }
            CustomerError::Address(e) => {
                Problem::invalid("address_invalid", text).with("field", json!(e.field))
            }
            CustomerError::MeansRefused { .. } => Problem::invalid("means_refused", text),
            CustomerError::CheckNeeded => {
                Problem::new(StatusCode::FORBIDDEN, "identity_check_needed", text).with(
                    "send",
                    json!(
                        "POST /v1/customers/{id}/identity-checks, with the question of GET \
                           /v1/customers/{id}/identity-check and its answer"
                    ),
                )
            }
            CustomerError::LinkImpossible | CustomerError::TooManyLinks => {
                Problem::new(StatusCode::CONFLICT, "link_impossible", text)
            }
            CustomerError::NotLinked => Problem::new(StatusCode::CONFLICT, "not_linked", text),
            CustomerError::Answered => Problem::new(StatusCode::CONFLICT, "answered_before", text),
            CustomerError::Erased(_) => Problem::new(StatusCode::CONFLICT, "person_erased", text),
            CustomerError::Forbidden => Problem::not_found("customer"),
            _ => Problem::invalid("customer_invalid", text),
        }
    }
}

impl Kind for FamilyError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        let conflict = |code, text| Problem::new(StatusCode::CONFLICT, code, text);
        match self {
            FamilyError::Customer(e) => e.problem(),
            FamilyError::Ledger(e) => e.problem(),
            FamilyError::Engine(e) => e.problem(),
            FamilyError::Impossible => conflict("family_impossible", text),
            FamilyError::NotInvited => conflict("family_not_invited", text),
            FamilyError::TooFewTokens => conflict("tokens_too_few", text),
            FamilyError::NoChild => Problem::not_found("child's account"),
            _ => Problem::invalid("family_invalid", text),
        }
    }
}

impl Kind for OrderError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        let conflict = |code, text| Problem::new(StatusCode::CONFLICT, code, text);
        match self {
            OrderError::Engine(e) => e.problem(),
            OrderError::Ledger(e) => e.problem(),
            OrderError::Vendor(e) => e.problem(),
            OrderError::Customer(e) => e.problem(),
            OrderError::Catalog(e) => e.problem(),
            OrderError::Command(e) => e.problem(),
            OrderError::Unknown(_) => Problem::not_found("order"),
            OrderError::Forbidden => Problem::not_found("customer"),
            OrderError::StaffOnly => Problem::new(StatusCode::FORBIDDEN, "staff_only", text),
            OrderError::ReferenceTaken(_) => conflict("reference_taken", text),
            OrderError::RefundTooLarge { .. } => conflict("refund_too_large", text),
            OrderError::Family(e) => e.problem(),
            OrderError::Promotion(e) => e.problem(),
            OrderError::RefundToClosed(_) => conflict("account_closed", text),
            OrderError::NothingToRefund => conflict("nothing_to_refund", text),
            OrderError::RefundDeclined { .. } => conflict("refund_declined", text),
            OrderError::NotAsked(_) => Problem::not_found("open request for a refund"),
            OrderError::TooManyKept { .. } => conflict("kept_lists_full", text),
            OrderError::KeptUnknown(_) => Problem::not_found("kept list"),
            OrderError::NotYet(refusal) => not_ordered(&refusal),
            OrderError::ListFull { .. } => conflict("order_list_full", text),
            OrderError::NotOnList(_) => Problem::not_found("line of the order list"),
            OrderError::TokenSale(e) => e.problem(),
            OrderError::CardPriceChanged => conflict("price_changed", text),
            OrderError::CardOrderUnknown(_) => Problem::not_found("order by card"),
            OrderError::PaidByCard | OrderError::MoneyWentBack => {
                conflict("refund_by_processor", text)
            }
            OrderError::AddressMissing { .. } => Problem::invalid("address_missing", text),
            OrderError::NotShipped(_) => Problem::not_found("parcel of this order"),
            OrderError::ShipmentMoved { now } => {
                conflict("shipment_moved", text).with("now", json!(now))
            }
            OrderError::ShipmentStep { .. } => conflict("shipment_step", text),
            OrderError::ShippedWhen => Problem::invalid("shipment_invalid", text),
            OrderError::AddressErased => conflict("person_erased", text),
            OrderError::Empty => Problem::invalid("order_empty", text),
            _ => Problem::invalid("order_invalid", text),
        }
    }
}

impl Kind for PromotionError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        let conflict = |code, text| Problem::new(StatusCode::CONFLICT, code, text);
        match self {
            PromotionError::Engine(e) => e.problem(),
            PromotionError::Ledger(e) => e.problem(),
            PromotionError::Customer(e) => e.problem(),
            PromotionError::Command(e) => e.problem(),
            PromotionError::Unknown(_) => Problem::not_found("promotion"),
            PromotionError::Forbidden => Problem::new(StatusCode::FORBIDDEN, "staff_only", text),
            PromotionError::Begun => conflict("promotion_begun", text),
            PromotionError::Changed => conflict("changed_meanwhile", text),
            PromotionError::CodeTaken(_) => conflict("coupon_code_taken", text),
            PromotionError::TooMany(_) => conflict("promotions_full", text),
            PromotionError::NoCodes => conflict("coupon_without_codes", text),
            _ => Problem::invalid("promotion_invalid", text),
        }
    }
}

impl Kind for SecretError {
    fn problem(self) -> Problem {
        match self {
            SecretError::Hashing(_) => Problem::internal(&self),
            _ => Problem::invalid("secret_invalid", self.to_string()),
        }
    }
}

impl Kind for SessionError {
    fn problem(self) -> Problem {
        match self {
            SessionError::Secret(e) => e.problem(),
            SessionError::Command(e) => e.problem(),
            SessionError::Customer(e) => e.problem(),
            SessionError::Vendor(e) => e.problem(),
            SessionError::FactorOn => {
                Problem::new(StatusCode::CONFLICT, "second_factor_on", self.to_string())
            }
            SessionError::Engine(e) => e.problem(),
            other => Problem::internal(&other),
        }
    }
}

impl Kind for ApiKeyError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        match self {
            ApiKeyError::Engine(e) => e.problem(),
            ApiKeyError::Unknown(_) => Problem::not_found("key"),
            ApiKeyError::Forbidden => Problem::new(StatusCode::FORBIDDEN, "staff_only", text),
            ApiKeyError::ScopeNotHeld(_) => {
                Problem::new(StatusCode::FORBIDDEN, "scope_missing", text)
            }
            _ => Problem::invalid("api_key_invalid", text),
        }
    }
}

impl Kind for WebhookError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        match self {
            WebhookError::Engine(e) => e.problem(),
            WebhookError::Vendor(e) => e.problem(),
            WebhookError::Unknown(_) => Problem::not_found("webhook endpoint"),
            WebhookError::Forbidden => Problem::new(StatusCode::FORBIDDEN, "staff_only", text),
            WebhookError::Disabled | WebhookError::TooMany => {
                Problem::new(StatusCode::CONFLICT, "webhook_conflict", text)
            }
            _ => Problem::invalid("webhook_invalid", text),
        }
    }
}

impl Kind for MessageError {
    fn problem(self) -> Problem {
        let text = self.to_string();
        match self {
            MessageError::Engine(e) => e.problem(),
            MessageError::Ledger(e) => e.problem(),
            MessageError::Vendor(e) => e.problem(),
            MessageError::Webhook(e) => e.problem(),
            MessageError::Customer(e) => e.problem(),
            MessageError::Order(e) => e.problem(),
            MessageError::TokenSale(e) => e.problem(),
            MessageError::Unknown(_) => Problem::not_found("message"),
            MessageError::Forbidden => Problem::not_found("customer"),
            MessageError::MayHaveArrived | MessageError::OnItsWay => {
                Problem::new(StatusCode::CONFLICT, "message_conflict", text)
            }
            _ => Problem::invalid("message_invalid", text),
        }
    }
}

/// A refused order is an answer, not an error; this is its form as a problem.
pub fn refused(order_id: &str, refusal: &Refusal) -> Problem {
    not_ordered(refusal).with("order_id", json!(order_id))
}

fn not_ordered(refusal: &Refusal) -> Problem {
    let (status, code) = match refusal {
        Refusal::Shortage { .. } => (StatusCode::PAYMENT_REQUIRED, "tokens_short"),
        Refusal::Restricted { .. } => (StatusCode::PAYMENT_REQUIRED, "tokens_restricted"),
        Refusal::PriceChanged { .. } => (StatusCode::CONFLICT, "price_changed"),
        Refusal::OutOfStock { .. } => (StatusCode::CONFLICT, "out_of_stock"),
        Refusal::Reserved { .. } => (StatusCode::CONFLICT, "reserved"),
        Refusal::NotForSale { .. } => (StatusCode::CONFLICT, "not_for_sale"),
        Refusal::Inactive { .. } => (StatusCode::CONFLICT, "account_inactive"),
        Refusal::BelowThreshold { .. } => (StatusCode::CONFLICT, "below_threshold"),
        Refusal::OverCap { .. } => (StatusCode::FORBIDDEN, "over_cap"),
        Refusal::NotAllowed { .. } => (StatusCode::FORBIDDEN, "not_allowed"),
        Refusal::Coupon { .. } => (StatusCode::CONFLICT, "coupon_refused"),
        Refusal::OpenShort { .. } => (StatusCode::PAYMENT_REQUIRED, "open_tokens_short"),
        Refusal::Closed { .. } => (StatusCode::CONFLICT, "account_closed"),
        Refusal::CardNotTaken => (StatusCode::CONFLICT, "card_not_taken"),
        Refusal::TokensOnly => (StatusCode::CONFLICT, "tokens_only"),
    };
    Problem::new(status, code, refusal.to_string())
}
