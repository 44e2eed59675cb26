//! Customer tests.
