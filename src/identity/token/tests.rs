//! What tokens prove, and what they do not.

mod claims;
mod forged;
mod keys;
mod rig;
mod tls;
mod vectors;
