//! Token sale tests.
