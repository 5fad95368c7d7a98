//! A proxy in this process, a CRM behind it, a client that reads bytes, and a scanner for what must not be seen.

pub mod absent;
pub mod binary;
pub mod canary;
pub mod client;
pub mod habits;
pub mod keeper;
pub mod ports;
pub mod scripted;
pub mod served;
pub mod world;
