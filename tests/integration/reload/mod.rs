//! Policies, schemas and certificates that change while the proxy runs: what is taken, what is not, and that nobody who is
//! being served notices.

mod limits;
mod load;
mod policies;
mod rig;
mod start;
mod tls;
