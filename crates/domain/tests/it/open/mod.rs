//! Open tokens, gift certificates, and what pays for what.

mod back;
mod gifts;
mod mirror;
mod plaza;
mod sale;
