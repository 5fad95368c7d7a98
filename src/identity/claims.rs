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
use crate::reason::Reason;
use rustls_pki_types::CertificateDer;
use std::net::IpAddr;
impl Claims {
    pub fn crm_user(&self) -> Option<&str> {
        None
    }
    pub fn strengthens(&self) -> bool {
        false
    }
    pub fn is_bound(&self) -> bool {
        false
    }
    pub fn auth_time(&self) -> Option<i64> {
        None
    }
}
/// STUB
#[derive(Debug)]
pub struct Refused {
    pub reason: Reason,
    pub why: &'static str,
    pub retry_after_seconds: Option<u16>,
}
/// STUB
#[derive(Debug)]
pub struct Tokens;
impl Tokens {
    pub async fn verify(&self, _t: &str, _c: Option<&[u8]>) -> Result<Arc<Claims>, Refused> {
        Err(Refused {
            reason: Reason::BadToken,
            why: "",
            retry_after_seconds: None,
        })
    }
    pub fn is_ours(&self, _t: &str) -> bool {
        false
    }
    pub fn now(&self) -> i64 {
        0
    }
}
/// STUB
#[derive(Debug)]
pub struct Keys;
impl Keys {
    pub fn verify(&self, _s: &str, _p: IpAddr) -> Result<Arc<str>, Refused> {
        Err(Refused {
            reason: Reason::BadKey,
            why: "",
            retry_after_seconds: None,
        })
    }
}
/// STUB
#[derive(Debug)]
pub struct Certificates;
impl Certificates {
    pub fn judge(&self, _c: &[CertificateDer<'_>]) -> Result<Vec<String>, Refused> {
        Err(Refused {
            reason: Reason::BadCertificate,
            why: "",
            retry_after_seconds: None,
        })
    }
}
/// STUB
#[derive(Debug)]
pub struct Front;
impl Front {
    pub fn verify(&self, _p: IpAddr, _h: &http::HeaderMap) -> Result<Option<Fronted>, Reason> {
        Ok(None)
    }
}
