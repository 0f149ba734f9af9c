//! Sylvan.
