//! What bundles promise.
