//! Open tokens, gift certificates, and what pays for what.

mod back;
mod franchise;
mod gifts;
mod mirror;
mod plaza;
mod random;
mod sale;
mod settling;
