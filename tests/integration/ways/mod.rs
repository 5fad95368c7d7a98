//! Whoever proves who they are by a token, a key, a certificate or an authenticating proxy: what they may, what they are
//! shown, and what never reaches a CRM.

mod account;
mod certificates;
mod deputy;
mod dialects;
mod limits;
mod monotone;
mod policy;
mod proofs;
mod purposes;
mod rig;
mod step_up;
mod strengthening;
mod tap;
