//! Charges by Stripe against peers on this machine: localstripe, and a fake for what that lacks.

mod charges;
mod events;
mod fake;
mod local;
mod words;
mod world;
