//! STUB until the branch of tokens is merged.
use std::sync::Arc;

/// What a token states.
#[derive(Clone, Debug)]
pub struct Claims {
    issuer: Arc<str>,
    subject: String,
    name: Option<String>,
    roles: Vec<String>,
    purpose: Option<String>,
    acr: Option<String>,
    amr: Vec<String>,
}
impl Claims {
    pub fn issuer(&self) -> &str {
        &self.issuer
    }
    pub fn subject(&self) -> &str {
        &self.subject
    }
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
    pub fn roles(&self) -> &[String] {
        &self.roles
    }
    pub fn purpose(&self) -> Option<&str> {
        self.purpose.as_deref()
    }
    pub fn acr(&self) -> Option<&str> {
        self.acr.as_deref()
    }
    pub fn amr(&self) -> &[String] {
        &self.amr
    }
}
/// STUB
#[derive(Clone, Debug)]
pub struct Fronted {
    user: String,
    roles: Vec<String>,
}
impl Fronted {
    pub fn user(&self) -> &str {
        &self.user
    }
    pub fn roles(&self) -> &[String] {
        &self.roles
    }
}
