//! Answers to a vendor's questions (REG-05).

use super::field::Line200;
use scrip_domain::vault::Vault;
use serde::Deserialize;
use utoipa::ToSchema;

/// An answer to one of the vendor's questions.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerBody {
    /// The question, as the vendor's policy has it.
    question: Line200,
    /// The answer. Only a slow hash of it is kept.
    answer: Line200,
}

impl AnswerBody {
    /// Its words.
    pub fn reveal(self) -> (String, String) {
        (self.question.0, self.answer.0)
    }
    /// What equal answers have in common, which does not tell them.
    pub fn digest(&self, vault: &Vault) -> [u8; 32] {
        let parts = [self.question.0.as_bytes(), self.answer.0.as_bytes()];
        vault.hash("answer in a request", &parts)
    }
}
