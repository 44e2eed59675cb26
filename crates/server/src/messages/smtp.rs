//! Handing mails to the mail server (SMTP), so that none is sent twice.
//!
//! Up to the end of DATA nothing was taken: whatever fails there is tried again. The delivery is
//! marked as *sending* before the text goes out. From then on only a clear answer counts: a refusal
//! is a refusal, and without an answer the delivery is uncertain.

use super::compose::{Composed, compose};
use crate::config::{MailSettings, Security};
use lettre::message::{Mailbox, MultiPart, header};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use scrip_domain::Node;
use scrip_domain::message::{Claimed, End, MessageError, delivery_sending};

/// Sends mails.
pub struct Post {
    settings: MailSettings,
    public_url: String,
    tls: Option<TlsParameters>,
}

/// A connection that is used for one mail after the other.
#[derive(Default)]
pub struct Line(Option<SmtpConnection>);

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(mut connection) = self.0.take() {
            drop(connection.quit());
        }
    }
}

impl Post {
    /// With the operator's settings.
    pub fn new(settings: MailSettings, public_url: &str) -> Result<Post, SmtpError> {
        let tls = if settings.security == Security::None {
            None
        } else {
            let mut tls = TlsParameters::builder(settings.host.clone());
            if let Some(pem) = &settings.ca {
                tls = tls.add_root_certificate(Certificate::from_pem(pem)?);
            }
            Some(tls.build()?)
        };
        Ok(Post {
            settings,
            public_url: public_url.to_owned(),
            tls,
        })
    }

    /// Delivers one mail; `None` when the claim lapsed before anything was handed over.
    pub fn deliver(&self, node: &Node, claimed: &Claimed, line: &mut Line) -> Option<End> {
        let composed = match compose(node, claimed, &self.public_url) {
            Ok(Some(composed)) => composed,
            Ok(None) => return Some(End::Skipped("there is no address any more".into())),
            // An error may name what it stumbled over; the log has it.
            Err(e) => {
                tracing::error!(error = %e, topic = claimed.topic, "a mail could not be written");
                return Some(End::Again("the mail could not be written".into()));
            }
        };
        let (to, mail) = match self.mail(claimed, &composed) {
            Ok(mail) => mail,
            Err(why) => return Some(End::Refused(why.into())),
        };
        if let Err(end) = self.prepare(&to, line) {
            line.0 = None;
            return Some(end);
        }
        // From here on the server may take it.
        match mark(node, claimed) {
            Ok(true) => {}
            Ok(false) => {
                line.0 = None;
                return None;
            }
            Err(e) => {
                line.0 = None;
                tracing::error!(error = %e, "a mail could not be marked as being sent");
                return Some(End::Again("the database could not be reached".into()));
            }
        }
        let connection = line.0.as_mut()?;
        let end = match connection.message(&mail) {
            Ok(answer) => End::Done(format!("{}", answer.code())),
            Err(e) if e.status().is_some() => refused("text", &e),
            Err(_) => End::Uncertain("the mail server did not say whether it took it".into()),
        };
        if !matches!(end, End::Done(_)) {
            line.0 = None;
        }
        Some(end)
    }

    fn mail(
        &self,
        claimed: &Claimed,
        composed: &Composed,
    ) -> Result<(Address, Vec<u8>), &'static str> {
        let to: Address = composed
            .to
            .parse()
            .map_err(|_| "the address is no address")?;
        let from = &self.settings.from;
        // The same in every try, so that a receiver can tell a repeated mail.
        let id = format!("<{}@{}>", claimed.message_id, from.domain());
        let name = Some(composed.letter.vendor.clone());
        let mail = Message::builder()
            .from(Mailbox::new(name, from.clone()))
            .to(Mailbox::new(None, to.clone()))
            .subject(composed.letter.subject.clone())
            .message_id(Some(id))
            .raw_header(header::HeaderValue::new(
                header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .multipart(MultiPart::alternative_plain_html(
                composed.letter.text(),
                composed.html.clone(),
            ))
            .map_err(|_| "the mail could not be put together")?;
        Ok((to, mail.formatted()))
    }

    /// Brings the conversation to where the text follows. What fails here was not sent.
    fn prepare(&self, to: &Address, line: &mut Line) -> Result<(), End> {
        let again = |stage: &str, e: &SmtpError| End::Again(said(stage, e));
        if line.0.is_none() {
            line.0 = Some(self.connect().map_err(|(stage, e)| again(stage, &e))?);
        }
        let Some(connection) = line.0.as_mut() else {
            return Err(End::Again("not connected".into()));
        };
        let from = Some(self.settings.from.clone());
        // Who may send is the operator's matter: it is put right, and the mail still goes out.
        connection
            .command(Mail::new(from, Vec::new()))
            .map_err(|e| again("sender", &e))?;
        connection
            .command(Rcpt::new(to.clone(), Vec::new()))
            .map_err(|e| refused("receiver", &e))?;
        connection.command(Data).map_err(|e| refused("data", &e))?;
        Ok(())
    }

    fn connect(&self) -> Result<SmtpConnection, (&'static str, SmtpError)> {
        let settings = &self.settings;
        let server = (settings.host.as_str(), settings.port);
        let hello = ClientId::Domain(settings.from.domain().to_owned());
        let at_once = self
            .tls
            .as_ref()
            .filter(|_| settings.security == Security::Tls);
        let mut connection =
            SmtpConnection::connect(server, Some(settings.timeout), &hello, at_once, None)
                .map_err(|e| ("connection", e))?;
        if settings.security == Security::Starttls
            && let Some(tls) = &self.tls
        {
            // A server without STARTTLS is an error: nothing goes out in the clear.
            connection
                .starttls(tls, &hello)
                .map_err(|e| ("STARTTLS", e))?;
        }
        if let Some((user, password)) = &settings.login {
            let login = Credentials::new(user.clone(), password.clone());
            connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &login)
                .map_err(|e| ("login", e))?;
        }
        Ok(connection)
    }
}

fn mark(node: &Node, claimed: &Claimed) -> Result<bool, MessageError> {
    let claimed = claimed.clone();
    node.engine.write(move |tx| delivery_sending(tx, &claimed))
}

/// 5xx is for good, 4xx and no answer are not.
fn refused(stage: &str, e: &SmtpError) -> End {
    if e.is_permanent() {
        End::Refused(said(stage, e))
    } else {
        End::Again(said(stage, e))
    }
}

/// The stage and the code. The words of a mail server may have the address in them, so they are not
/// kept.
fn said(stage: &str, e: &SmtpError) -> String {
    match e.status() {
        Some(code) => format!("{stage}: {code}"),
        None if e.is_timeout() => format!("{stage}: no answer in time"),
        None => format!("{stage}: the conversation broke off"),
    }
}
