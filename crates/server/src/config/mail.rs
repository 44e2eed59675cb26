//! Settings of the mail server through which a node sends messages.

use crate::failure::Failure;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// How the connection to the mail server is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// It begins in the clear and must turn to TLS: port 587
    #[default]
    Starttls,
    /// TLS from the first byte: port 465
    Tls,
    /// Not at all: only for a mail server on the same machine
    None,
}

impl Security {
    fn port(self) -> u16 {
        match self {
            Security::Starttls => 587,
            Security::Tls => 465,
            Security::None => 25,
        }
    }
}

/// What the command line and the environment say.
#[derive(Debug, Default, Args)]
pub struct GivenMail {
    /// The mail server that takes messages to customers; without it no mail is sent
    #[arg(long, env = "SCRIP_MAIL_HOST", value_name = "HOST")]
    mail_host: Option<String>,
    /// Its port [default: 587 for starttls, 465 for tls, 25 for none]
    #[arg(long, env = "SCRIP_MAIL_PORT", value_name = "PORT")]
    mail_port: Option<u16>,
    /// How the connection to it is encrypted [default: starttls]
    #[arg(long, env = "SCRIP_MAIL_SECURITY", value_enum)]
    mail_security: Option<Security>,
    /// The name to sign in to it with
    #[arg(long, env = "SCRIP_MAIL_USER", value_name = "NAME")]
    mail_user: Option<String>,
    /// A file with the password for it; SCRIP_MAIL_PASSWORD may hold the password itself
    #[arg(long, env = "SCRIP_MAIL_PASSWORD_FILE", value_name = "FILE")]
    mail_password_file: Option<PathBuf>,
    /// The address that messages come from; the vendor's name stands before it
    #[arg(long, env = "SCRIP_MAIL_FROM", value_name = "ADDRESS")]
    mail_from: Option<String>,
    /// A file with a certificate (PEM) that the mail server's may be signed by
    #[arg(long, env = "SCRIP_MAIL_CA_FILE", value_name = "FILE")]
    mail_ca_file: Option<PathBuf>,
    /// Seconds that each step of a conversation with it may take, 1 to 30 [default: 20]
    #[arg(long, env = "SCRIP_MAIL_TIMEOUT", value_name = "SECONDS")]
    mail_timeout: Option<u64>,
}

/// What the file says under `[mail]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileMail {
    host: Option<String>,
    port: Option<u16>,
    security: Option<Security>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    from: Option<String>,
    ca_file: Option<PathBuf>,
    timeout: Option<u64>,
}

/// A mail server, as it is used.
#[derive(Clone)]
pub struct MailSettings {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// Name and password.
    pub login: Option<(String, String)>,
    /// The address that messages come from.
    pub from: lettre::Address,
    /// A certificate in PEM that the server's may be signed by.
    pub ca: Option<Vec<u8>>,
    /// For each step of a conversation; all together stay below the lease of a delivery.
    pub timeout: Duration,
}

impl std::fmt::Debug for MailSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MailSettings({}:{})", self.host, self.port)
    }
}

fn usage(text: impl Into<String>) -> Failure {
    Failure::Usage(text.into())
}

impl GivenMail {
    /// Puts them together; `None` where no mail server is named.
    pub fn settings(self, file: FileMail) -> Result<Option<MailSettings>, Failure> {
        let Some(host) = self.mail_host.or(file.host).filter(|h| !h.is_empty()) else {
            return Ok(None);
        };
        let security = self.mail_security.or(file.security).unwrap_or_default();
        let is_here = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if security == Security::None && !is_here {
            return Err(usage(
                "mail without TLS would show customers' addresses on the way: use --mail-security \
                 starttls or tls, or a mail server on this machine",
            ));
        }
        let from = self.mail_from.or(file.from).ok_or_else(|| {
            usage("say which address messages come from: --mail-from shop@example.com")
        })?;
        let from = from
            .parse()
            .map_err(|e| usage(format!("{from:?} is no mail address: {e}")))?;
        let read = |path: &PathBuf| std::fs::read(path).map_err(|e| Failure::file(path, e));
        let password = match self.mail_password_file.or(file.password_file) {
            Some(path) => Some(String::from_utf8_lossy(&read(&path)?).trim().to_owned()),
            None => std::env::var("SCRIP_MAIL_PASSWORD").ok(),
        };
        let login = match (self.mail_user.or(file.user), password) {
            (Some(user), Some(password)) => Some((user, password)),
            (None, _) => None,
            (Some(_), None) => {
                return Err(usage(
                    "the mail server's password is missing: put it into a file and name that with \
                     --mail-password-file",
                ));
            }
        };
        let timeout = self.mail_timeout.or(file.timeout).unwrap_or(20);
        let ca = self.mail_ca_file.or(file.ca_file);
        Ok(Some(MailSettings {
            port: self.mail_port.or(file.port).unwrap_or(security.port()),
            timeout: Duration::from_secs(timeout.clamp(1, 30)),
            ca: ca.as_ref().map(read).transpose()?,
            host,
            security,
            login,
            from,
        }))
    }
}
