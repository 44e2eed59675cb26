//! How commands of the command line fail, and with which exit code.

use scrip_domain::api_key::ApiKeyError;
use scrip_domain::catalog::CatalogError;
use scrip_domain::checkout::CheckoutError;
use scrip_domain::command::CommandError;
use scrip_domain::customer::CustomerError;
use scrip_domain::mall::MallError;
use scrip_domain::open_token::OpenError;
use scrip_domain::order::OrderError;
use scrip_domain::policy::PolicyError;
use scrip_domain::promotion::PromotionError;
use scrip_domain::revenue::RevenueError;
use scrip_domain::secret::SecretError;
use scrip_domain::session::SessionError;
use scrip_domain::token_sale::TokenSaleError;
use scrip_domain::token_sale::offline::OfflineError;
use scrip_domain::vendor::VendorError;
use scrip_engine::Error as EngineError;
use scrip_ledger::Error as LedgerError;
use std::process::ExitCode;

/// A command that failed, with the text for the person.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command was refused, or what it checked is wrong: exit code 1.
    #[error("{0}")]
    Refused(String),
    /// The command cannot be understood as given: exit code 2.
    #[error("{0}")]
    Usage(String),
    /// A row breaks its own rules: exit code 1.
    #[error("{0}")]
    Corrupt(EngineError),
    /// A file cannot be read or written: exit code 1.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// What happened.
        source: std::io::Error,
    },
    /// There is no database where one was said to be: exit code 3.
    #[error("there is no database {0}: `scrip vendor create` makes one")]
    NoDatabase(String),
    /// The database cannot serve, is in use, or is of another version: exit code 3.
    #[error("{0}")]
    Database(EngineError),
}

impl Failure {
    /// Exit codes: 1 refused or found wrong, 2 wrong usage (from the argument parser),
    /// 3 database not available.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Refused(_) | Failure::Corrupt(_) | Failure::File { .. } => ExitCode::from(1),
            Failure::Usage(_) => ExitCode::from(2),
            Failure::NoDatabase(_) | Failure::Database(_) => ExitCode::from(3),
        }
    }

    /// A failure about a file.
    pub fn file(path: &std::path::Path, source: std::io::Error) -> Failure {
        Failure::File {
            path: path.display().to_string(),
            source,
        }
    }
}

impl From<EngineError> for Failure {
    fn from(e: EngineError) -> Self {
        match e {
            EngineError::Corrupt(_) | EngineError::Statement(_) => Failure::Corrupt(e),
            other => Failure::Database(other),
        }
    }
}

/// Failures of the database keep their exit code, through whichever noun they came.
trait Below {
    fn engine(self) -> Result<EngineError, String>;
}

impl Below for EngineError {
    fn engine(self) -> Result<EngineError, String> {
        Ok(self)
    }
}

macro_rules! below {
    ($($error:ident { $($inner:ident),+ }),+ $(,)?) => {
        $(
            impl Below for $error {
                fn engine(self) -> Result<EngineError, String> {
                    match self {
                        $($error::$inner(e) => e.engine(),)+
                        other => Err(other.to_string()),
                    }
                }
            }
            impl From<$error> for Failure {
                fn from(e: $error) -> Self {
                    match e.engine() {
                        Ok(engine) => Failure::from(engine),
                        Err(text) => Failure::Refused(text),
                    }
                }
            }
        )+
    };
}

below! {
    LedgerError { Engine },
    CommandError { Engine },
    VendorError { Engine, Ledger },
    CatalogError { Engine, Ledger },
    PolicyError { Engine, Ledger, Vendor },
    CustomerError { Engine, Ledger, Vendor, Command },
    TokenSaleError { Engine, Ledger, Vendor, Customer, Command },
    OfflineError { Engine, Ledger, Vendor, Customer, Command, Sale },
    OrderError { Engine, Ledger, Vendor, Customer, Catalog, Command, Promotion },
    PromotionError { Engine, Ledger, Customer, Command },
    ApiKeyError { Engine },
    SessionError { Engine, Vendor, Customer, Command },
    RevenueError { Engine, Ledger, Command },
    MallError { Engine, Ledger, Vendor },
    OpenError { Engine, Ledger, Vendor, Customer, Mall },
    CheckoutError { Engine, Ledger, Vendor, Customer, Command, Mall, Open, Order },
}

impl From<SecretError> for Failure {
    fn from(e: SecretError) -> Self {
        Failure::Refused(e.to_string())
    }
}
