//! With what the CRM is called.

use crate::door::Credential;

/// With what the CRM is called: the caller's own credential, where the CRM itself judges it, or the proxy's. Whatever else a
/// caller shows proves something to the proxy alone.
///
/// ```compile_fail
/// // What a caller shows is not yet what the CRM is called with.
/// fn shortcut(shown: paravent::door::Credential) -> paravent::transport::UpstreamCredential { shown.into() }
/// ```
#[derive(Clone, Debug)]
pub struct UpstreamCredential(Option<Credential>);

impl UpstreamCredential {
    /// Nothing: for requests that anybody may make.
    pub fn nobody() -> Self {
        Self(None)
    }

    /// The caller's own credential of the CRM.
    pub(crate) fn of_caller(credential: &Credential) -> Self {
        Self(Some(credential.clone()))
    }

    /// That of the proxy's own account.
    pub(crate) fn of_service(credential: Credential) -> Self {
        Self(Some(credential))
    }

    /// What is sent.
    pub(crate) fn credential(&self) -> Option<&Credential> {
        self.0.as_ref()
    }
}
