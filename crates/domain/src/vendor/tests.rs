//! Vendor tests.
