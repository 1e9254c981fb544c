//! Replaced by the property tests.
