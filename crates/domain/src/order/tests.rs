//! Order tests.
