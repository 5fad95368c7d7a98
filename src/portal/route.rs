//! The routes of the portal; there are no others.

use http::Method;

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Events,
    Standing,
    Requests,
    Confirm,
    Preferences,
    Unsubscribe,
    Link,
    Keys,
}

impl Route {
    pub(super) fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/api/v1/consent/events" => Self::Events,
            "/api/v1/consent/standing" => Self::Standing,
            "/consent/requests" => Self::Requests,
            "/consent/confirm" => Self::Confirm,
            "/preferences" => Self::Preferences,
            "/preferences/unsubscribe" => Self::Unsubscribe,
            "/preferences/link" => Self::Link,
            "/.well-known/jwks.json" => Self::Keys,
            _ => return None,
        })
    }

    /// The word for it in metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Standing => "standing",
            Self::Requests => "requests",
            Self::Confirm => "confirm",
            Self::Preferences => "preferences",
            Self::Unsubscribe => "unsubscribe",
            Self::Link => "link",
            Self::Keys => "keys",
        }
    }

    pub(super) fn takes(self, method: &Method) -> bool {
        let is_read = *method == Method::GET;
        let is_post = *method == Method::POST;
        match self {
            Self::Events | Self::Standing | Self::Requests | Self::Link => is_post,
            Self::Confirm | Self::Preferences | Self::Unsubscribe => is_read || is_post,
            Self::Keys => is_read,
        }
    }

    /// The methods, as `Allow` has them.
    pub(super) fn allow(self) -> &'static str {
        match self {
            Self::Events | Self::Standing | Self::Requests | Self::Link => "POST",
            Self::Confirm | Self::Preferences | Self::Unsubscribe => "GET, HEAD, POST",
            Self::Keys => "GET, HEAD",
        }
    }

    /// Whether anybody may fill it in, for any address.
    pub(super) fn is_open(self) -> bool {
        matches!(self, Self::Requests | Self::Link)
    }
}

/// Whether programs ask there, who read problems and no pages.
pub(super) fn is_api(path: &str) -> bool {
    path.starts_with("/api/") || path.starts_with("/.well-known/")
}
