//! Settings of card payments by Stripe. Secrets come from the environment or from files, never
//! from the command line, where every user of the machine could read them.

use crate::failure::Failure;
use clap::Args;
use serde::Deserialize;
use std::fmt;
use std::path::PathBuf;

/// Where Stripe listens.
const URL: &str = "https://api.stripe.com";
/// Where Stripe's script for pages is.
const SCRIPT: &str = "https://js.stripe.com/v3/";

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// What the command line and the environment say.
#[derive(Debug, Default, Args)]
pub struct StripeGiven {
    /// Stripe's publishable key, for `--cards stripe`
    #[arg(long, env = "SCRIP_STRIPE_PUBLISHABLE_KEY", value_name = "KEY")]
    stripe_publishable_key: Option<String>,
    /// A file with Stripe's secret key, unless SCRIP_STRIPE_SECRET_KEY has it
    #[arg(long, env = "SCRIP_STRIPE_SECRET_KEY_FILE", value_name = "FILE")]
    stripe_secret_key_file: Option<PathBuf>,
    /// A file with the signing secrets of Stripe's webhooks, one a line, unless
    /// SCRIP_STRIPE_WEBHOOK_SECRET has them with commas between
    #[arg(long, env = "SCRIP_STRIPE_WEBHOOK_SECRET_FILE", value_name = "FILE")]
    stripe_webhook_secret_file: Option<PathBuf>,
    /// Another address than Stripe's own, for tests
    #[arg(long, env = "SCRIP_STRIPE_URL", value_name = "URL")]
    stripe_url: Option<String>,
    /// Another address of the script for pages than Stripe's own, for tests
    #[arg(long, env = "SCRIP_STRIPE_SCRIPT", value_name = "URL")]
    stripe_script: Option<String>,
}

/// What the file says under `[stripe]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StripeFile {
    publishable_key: Option<String>,
    secret_key_file: Option<PathBuf>,
    webhook_secret_file: Option<PathBuf>,
    url: Option<String>,
    script: Option<String>,
}

/// Settings as they hold.
#[derive(Clone, Debug)]
pub struct StripeSettings {
    /// For calls.
    pub secret_key: Secret,
    /// For pages.
    pub publishable_key: String,
    /// For messages that come from Stripe.
    pub webhook_secrets: Vec<Secret>,
    /// Where Stripe listens, without a slash at its end.
    pub url: String,
    /// The script for pages.
    pub script: String,
}

impl StripeSettings {
    /// Settings for a peer of tests.
    #[cfg(test)]
    pub fn of_peer(url: &str) -> StripeSettings {
        StripeSettings {
            secret_key: Secret("sk_test_12345".to_owned()),
            publishable_key: "pk_test_12345".to_owned(),
            webhook_secrets: vec![Secret("whsec_test".to_owned())],
            url: url.to_owned(),
            script: format!("{url}/js.stripe.com/v3/"),
        }
    }

    /// True for Stripe itself, false for a peer of tests.
    pub fn is_real(&self) -> bool {
        self.url == URL
    }
}

/// A secret of the environment, else of a file; without either there is none.
fn secret(variable: &str, file: Option<PathBuf>) -> Result<Option<String>, Failure> {
    if let Ok(text) = std::env::var(variable)
        && !text.trim().is_empty()
    {
        return Ok(Some(text));
    }
    let Some(path) = file else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(&path).map_err(|e| Failure::file(&path, e))?;
    Ok(Some(text))
}

fn address(name: &str, url: &str) -> Result<(), Failure> {
    let is_plain =
        url.bytes().all(|b| b.is_ascii_graphic()) && !url.contains([';', ',', '\'', '"']);
    if is_plain && (url.starts_with("https://") || url.starts_with("http://")) {
        Ok(())
    } else {
        Err(Failure::Usage(format!(
            "{url:?} is no address for {name}: write it with https://"
        )))
    }
}

impl StripeGiven {
    /// Puts command line, environment, file and defaults together.
    pub fn settings(self, file: StripeFile) -> Result<StripeSettings, Failure> {
        let missing = |what: &str, how: &str| {
            Failure::Usage(format!("cards by stripe need {what}: give it by {how}"))
        };
        let key_file = self.stripe_secret_key_file.or(file.secret_key_file);
        let secret_key = secret("SCRIP_STRIPE_SECRET_KEY", key_file)?
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic()))
            .ok_or_else(|| {
                missing(
                    "the secret key",
                    "SCRIP_STRIPE_SECRET_KEY or --stripe-secret-key-file",
                )
            })?;
        let publishable_key = self.stripe_publishable_key.or(file.publishable_key);
        let publishable_key = publishable_key
            .filter(|key| key.starts_with("pk_"))
            .ok_or_else(|| {
                missing(
                    "the publishable key, which begins with pk_",
                    "--stripe-publishable-key",
                )
            })?;
        let webhook_file = self.stripe_webhook_secret_file.or(file.webhook_secret_file);
        let webhook_secrets = secret("SCRIP_STRIPE_WEBHOOK_SECRET", webhook_file)?
            .unwrap_or_default()
            .split([',', '\n'])
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(|text| Secret(text.to_owned()))
            .collect();
        let url = self.stripe_url.or(file.url);
        let url = url.unwrap_or_else(|| URL.to_owned());
        let url = url.trim_end_matches('/').to_owned();
        address("--stripe-url", &url)?;
        let script = self.stripe_script.or(file.script);
        let script = script.unwrap_or_else(|| SCRIPT.to_owned());
        address("--stripe-script", &script)?;
        Ok(StripeSettings {
            secret_key: Secret(secret_key),
            publishable_key,
            webhook_secrets,
            url,
            script,
        })
    }
}
