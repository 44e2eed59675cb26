//! Settings of a node. Each comes from the command line, else from the environment, else from
//! the TOML file, else it has its default.

mod mail;
mod stripe;

use crate::failure::Failure;
use crate::http::client::Network;
use clap::{Args, ValueEnum};
use scrip_engine::DatabaseUrl;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::PathBuf;

pub use mail::{MailSettings, Security};
pub use stripe::StripeSettings;
use stripe::{StripeFile, StripeGiven};

/// Who charges cards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Cards {
    /// Nobody: tokens cannot be bought by card
    #[default]
    None,
    /// The built-in test processor: no money moves, tokens are given for nothing
    Test,
    /// Stripe: real money, unless its keys are test keys
    Stripe,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// What the command line and the environment say.
#[derive(Debug, Default, Args)]
pub struct Given {
    /// A TOML file with the settings below, for example `listen = "127.0.0.1:8080"`
    #[arg(long, env = "SCRIP_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The database: sqlite:PATH or postgres://USER@HOST:PORT/NAME
    #[arg(
        long,
        env = "SCRIP_DATABASE",
        value_name = "URL",
        hide_env_values = true
    )]
    database: Option<DatabaseUrl>,
    /// The file with the master key [default: as for every other command]
    #[arg(long, env = "SCRIP_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Where to listen [default: 127.0.0.1:8080]; port 0 takes a free one
    #[arg(long, env = "SCRIP_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The address that people use, when a proxy stands before the node, such as `https://shop.example`
    #[arg(long, env = "SCRIP_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Who charges cards [default: none]
    #[arg(long, env = "SCRIP_CARDS", value_enum)]
    cards: Option<Cards>,
    /// Connections at once [default: 10000]
    #[arg(long, env = "SCRIP_CONNECTIONS", value_name = "NUMBER")]
    connections: Option<usize>,
    /// Proxies before the node whose X-Forwarded-For is believed, such as 10.0.0.0/8, with commas
    /// between [default: none]
    #[arg(
        long,
        env = "SCRIP_TRUSTED_PROXIES",
        value_name = "NETWORKS",
        value_delimiter = ','
    )]
    trusted_proxies: Option<Vec<Network>>,
    /// Let webhooks go to addresses without TLS and to private ones: for trials on one machine
    #[arg(long, env = "SCRIP_WEBHOOKS_ANYWHERE", num_args = 0..=1, default_missing_value = "true", value_name = "YES")]
    webhooks_anywhere: Option<bool>,
    /// What is logged: error, warn, info or debug [default: info]
    #[arg(long, env = "SCRIP_LOG", value_name = "LEVEL")]
    log: Option<String>,
    /// How log lines are written [default: text]
    #[arg(long, env = "SCRIP_LOG_FORMAT", value_enum)]
    log_format: Option<LogFormat>,
    #[command(flatten)]
    stripe: StripeGiven,
    #[command(flatten)]
    mail: mail::GivenMail,
}

/// What the file says: the same names, with `-` as `_`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    database: Option<String>,
    key_file: Option<PathBuf>,
    listen: Option<SocketAddr>,
    public_url: Option<String>,
    cards: Option<Cards>,
    connections: Option<usize>,
    trusted_proxies: Option<Vec<String>>,
    webhooks_anywhere: Option<bool>,
    log: Option<String>,
    log_format: Option<LogFormat>,
    #[serde(default)]
    stripe: StripeFile,
    #[serde(default)]
    mail: mail::FileMail,
}

/// Settings as they hold.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The database.
    pub database: DatabaseUrl,
    /// The file with the master key; `None` is the usual place.
    pub key_file: Option<PathBuf>,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The address that people use, without a slash at its end; empty for the one listened on.
    pub public_url: String,
    /// True when people come through TLS.
    pub https: bool,
    /// Who charges cards.
    pub cards: Cards,
    /// How Stripe is reached, where it charges cards.
    pub stripe: Option<StripeSettings>,
    /// Connections at once.
    pub connections: usize,
    /// Proxies whose word about addresses is believed.
    pub proxies: Vec<Network>,
    /// True when webhooks may go to addresses without TLS and to private ones.
    pub webhooks_anywhere: bool,
    /// The mail server; `None` where no mail is sent.
    pub mail: Option<MailSettings>,
    /// The level of the log.
    pub log: tracing::Level,
    /// The form of the log.
    pub log_format: LogFormat,
}

const CONNECTIONS: usize = 10_000;

impl Settings {
    /// Settings for a database and an address, all else at its default.
    pub fn new(database: DatabaseUrl, listen: SocketAddr) -> Settings {
        Settings {
            database,
            key_file: None,
            listen,
            public_url: String::new(),
            https: false,
            cards: Cards::None,
            stripe: None,
            connections: CONNECTIONS,
            proxies: Vec::new(),
            webhooks_anywhere: false,
            mail: None,
            log: tracing::Level::WARN,
            log_format: LogFormat::Text,
        }
    }
}

impl Given {
    /// Puts command line, environment, file and defaults together.
    pub fn settings(self) -> Result<Settings, Failure> {
        let file = match &self.config {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| Failure::file(path, e))?;
                toml::from_str::<File>(&text)
                    .map_err(|e| Failure::Refused(format!("{}: {e}", path.display())))?
            }
            None => File::default(),
        };
        let database = match (self.database, file.database) {
            (Some(given), _) => given,
            (None, Some(text)) => text.parse().map_err(Failure::Database)?,
            (None, None) => {
                return Err(Failure::Usage(
                    "no database is given: use --database sqlite:PATH, SCRIP_DATABASE, or \
                     `database` in the TOML file"
                        .into(),
                ));
            }
        };
        let public_url = self.public_url.or(file.public_url).unwrap_or_default();
        let public_url = public_url.trim_end_matches('/').to_owned();
        let https = public_url.starts_with("https://");
        if !public_url.is_empty() && !https && !public_url.starts_with("http://") {
            return Err(Failure::Usage(format!(
                "{public_url:?} is no address: write it with https://"
            )));
        }
        let level = self.log.or(file.log).unwrap_or_else(|| "info".into());
        let listen = self.listen.or(file.listen);
        let cards = self.cards.or(file.cards).unwrap_or_default();
        let stripe = match cards {
            Cards::Stripe => Some(self.stripe.settings(file.stripe)?),
            Cards::None | Cards::Test => None,
        };
        let proxies = match (self.trusted_proxies, file.trusted_proxies) {
            (Some(given), _) => given,
            (None, Some(texts)) => {
                let networks = texts.iter().map(|text| text.parse());
                networks
                    .collect::<Result<_, String>>()
                    .map_err(|e| Failure::Usage(format!("trusted_proxies: {e}")))?
            }
            (None, None) => Vec::new(),
        };
        Ok(Settings {
            database,
            key_file: self.key_file.or(file.key_file),
            listen: listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8080))),
            public_url,
            https,
            cards,
            stripe,
            connections: self
                .connections
                .or(file.connections)
                .unwrap_or(CONNECTIONS)
                .max(1),
            proxies,
            mail: self.mail.settings(file.mail)?,
            webhooks_anywhere: self
                .webhooks_anywhere
                .or(file.webhooks_anywhere)
                .unwrap_or_default(),
            log: level.parse().map_err(|_| {
                Failure::Usage(format!(
                    "{level:?} is no level: use error, warn, info or debug"
                ))
            })?,
            log_format: self.log_format.or(file.log_format).unwrap_or_default(),
        })
    }
}
