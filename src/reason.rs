//! Why a request is refused: a closed list of fixed codes, statuses and texts.
//!
//! A reason cannot carry a value, a field name or the CRM's words, so neither can anything made from it.

use std::fmt;

/// The kind of outcome that a refusal counts as in the access log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything asked for was shown.
    Full,
    /// Something was withheld.
    Partial,
    /// It would have been another reply, if no rule only observed.
    Observed,
    /// The policy said no.
    Denied,
    /// There is no such record for this caller, says the policy; there may be none at all.
    NotFoundByPolicy,
    /// The request could not be understood.
    Rejected,
    /// No or bad credential.
    Unauthenticated,
    /// Stronger authentication was asked for.
    Challenged,
    /// Too many requests.
    Limited,
    /// The CRM failed or answered with an error.
    UpstreamError,
    /// The CRM's answer could not be filtered safely.
    Unfilterable,
    /// The exchange was cut off.
    Aborted,
    /// The log could not be written.
    AuditUnavailable,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 13] = [
        Self::Full,
        Self::Partial,
        Self::Observed,
        Self::Denied,
        Self::NotFoundByPolicy,
        Self::Rejected,
        Self::Unauthenticated,
        Self::Challenged,
        Self::Limited,
        Self::UpstreamError,
        Self::Unfilterable,
        Self::Aborted,
        Self::AuditUnavailable,
    ];

    /// The word for this outcome in the access log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::Observed => "observed",
            Self::Denied => "denied",
            Self::NotFoundByPolicy => "not-found-by-policy",
            Self::Rejected => "rejected",
            Self::Unauthenticated => "unauthenticated",
            Self::Challenged => "challenged",
            Self::Limited => "limited",
            Self::UpstreamError => "upstream-error",
            Self::Unfilterable => "unfilterable",
            Self::Aborted => "aborted",
            Self::AuditUnavailable => "audit-unavailable",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = ($status:literal, $outcome:ident, $code:literal, $text:literal),)*) => {
        /// Why a request is refused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = $text] $variant,)*
        }

        impl Reason {
            /// Every reason, for the documentation and its test.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The HTTP status of the refusal.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The kind of outcome in the access log.
            pub fn outcome(self) -> Outcome {
                match self { $(Self::$variant => Outcome::$outcome,)* }
            }

            /// The code that the access log, the metrics and `docs/refusals.md` use.
            pub fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The fixed text that the caller reads.
            pub fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

reasons! {
    MalformedTarget = (400, Rejected, "malformed-target", "The request target is malformed or ambiguous."),
    MalformedHead = (400, Rejected, "malformed-head", "The request head is malformed or ambiguous."),
    MalformedQuery = (400, Rejected, "malformed-query", "The query string is malformed."),
    UnknownParameter = (400, Rejected, "unknown-parameter", "The request carries a parameter that is not accepted here."),
    DuplicateParameter = (400, Rejected, "duplicate-parameter", "A parameter is given twice."),
    MalformedBody = (400, Rejected, "malformed-body", "The body is not the JSON that this request needs."),
    UnexpectedBody = (400, Rejected, "unexpected-body", "This request takes no body."),
    MalformedFilter = (400, Rejected, "malformed-filter", "The filter is not understood."),
    MalformedProjection = (400, Rejected, "malformed-projection", "The list of fields is not understood."),
    MalformedOrder = (400, Rejected, "malformed-order", "The order is not understood."),
    MalformedPage = (400, Rejected, "malformed-page", "The page size or offset is not understood."),
    PageTooLarge = (400, Rejected, "page-too-large", "So many records at a time are not given here; ask page by page."),
    PreconditionNotUnderstood = (400, Rejected, "precondition-not-understood", "A header would change what the request means, and is not understood here."),
    SearchWithFilter = (400, Rejected, "search-with-filter", "A search cannot be combined with a filter."),
    TwoCredentials = (400, Rejected, "two-credentials", "The request carries more than one credential."),
    CredentialInQuery = (400, Rejected, "credential-in-query", "A credential in the query string is not accepted; send it as a header."),
    TwoVersions = (400, Rejected, "two-versions", "The API version is given twice; state it in the path or in the Accept header."),
    UnknownVersion = (400, Rejected, "unknown-version", "The API version is not supported."),
    NestedBulk = (400, Rejected, "nested-bulk", "A bulk request may not hold another one."),
    CredentialInBulk = (400, Rejected, "credential-in-bulk", "A part of a bulk request may not carry a credential."),
    TooManyParts = (400, Rejected, "too-many-parts", "The bulk request holds too many parts."),
    IdMismatch = (400, Rejected, "id-mismatch", "The id in the body is not the id in the path."),
    IdOnCreate = (400, Rejected, "id-on-create", "A new record may not state its own id."),
    MalformedPurpose = (400, Rejected, "malformed-purpose", "The Paravent-Purpose header is malformed or stands on a part of a bulk request."),
    TwoPurposes = (400, Rejected, "two-purposes", "The header and the token state different purposes."),
    UnsupportedGrant = (400, Rejected, "unsupported-grant", "This way to log in is not accepted; use the grants password or refresh_token."),

    NoCredential = (401, Unauthenticated, "no-credential", "Log in first."),
    BadCredential = (401, Unauthenticated, "bad-credential", "The session is unknown or has ended; log in again."),
    WayNotAccepted = (401, Unauthenticated, "way-not-accepted", "This way to prove who you are is not accepted here."),
    BadToken = (401, Unauthenticated, "bad-token", "The token is not accepted."),
    TokenExpired = (401, Unauthenticated, "token-expired", "The token has expired."),
    ProofsDiffer = (401, Unauthenticated, "proofs-differ", "The token is not that of the session's user."),
    BadKey = (401, Unauthenticated, "bad-key", "The key is not accepted."),
    BadCertificate = (401, Unauthenticated, "bad-certificate", "The client certificate is not accepted."),
    LimitStepUp = (401, Challenged, "limit-step-up", "You have been shown as many records or persons as a limit of the data-protection policy allows without stronger authentication."),
    StepUp = (401, Challenged, "step-up", "A field of this request needs stronger authentication."),

    NoRole = (403, Denied, "no-role", "Your account has no role in the data-protection policy."),
    NoPurpose = (403, Denied, "no-purpose", "No purpose is stated and none is the default; name one in the Paravent-Purpose header."),
    AmbiguousPurpose = (403, Denied, "ambiguous-purpose", "Your roles have different default purposes; name one in the Paravent-Purpose header."),
    PurposeNotAllowed = (403, Denied, "purpose-not-allowed", "You may not invoke this purpose."),
    ActionNotAllowed = (403, Denied, "action-not-allowed", "Your role may not do this here."),
    UnknownModule = (403, Denied, "unknown-module", "The data-protection policy does not know this module."),
    UnknownRoute = (403, Denied, "unknown-route", "This request is not one that passes here."),
    UnknownLink = (403, Denied, "unknown-link", "This link is not one that passes here."),
    StoredQuery = (403, Denied, "stored-query", "Stored queries, server-chosen views and deleted or erased data are not available here."),
    OffsetNotGiven = (403, Denied, "offset-not-given", "No page that you were given ends at this offset; begin with the first page and go on from where each ends."),
    FieldNotUsable = (403, Denied, "field-not-usable", "A field of this request may not be matched, sorted or searched by you."),
    FieldNotWritable = (403, Denied, "field-not-writable", "A field of this request may not be written by you."),
    SpecialCategoryInText = (403, Denied, "special-category-in-text", "The text says something of a person that you may not write."),
    MaskWrittenBack = (403, Denied, "mask-written-back", "The request would write a mask over a real value."),
    EditedTooClose = (403, Denied, "edited-too-close", "The text holds something that is withheld from you: beside it only plain words may change, set apart by blanks, and nowhere may markup or escapes be added."),
    TextTooLong = (403, Denied, "text-too-long", "A text of this field is longer than what can be searched for what may not be written; send a shorter one, or leave the field out."),
    WithheldTextTooLong = (403, Denied, "withheld-text-too-long", "What is withheld from you in the text would no longer fit into its field; write less before it, or put it behind."),

    CountNotAvailable = (403, Denied, "count-not-available", "How many records there are cannot be told here, because some are withheld from you."),
    ListNotAvailable = (403, Denied, "list-not-available", "Which of these records are there for you cannot be said to the CRM, and they cannot be listed page by page; ask for fewer, or for one by its id."),
    NotFoundByPolicy = (404, NotFoundByPolicy, "not-found-by-policy", "There is no such record."),

    Restored = (409, UpstreamError, "restored", "The CRM did not store a text as it was sent, so the old text stands there again; put less around what is withheld in it."),

    MethodNotAllowed = (405, Rejected, "method-not-allowed", "This method is not accepted here."),
    BodyTooLarge = (413, Rejected, "body-too-large", "The body is too large."),
    UnsupportedMediaType = (415, Rejected, "unsupported-media-type", "Only JSON in UTF-8 without content coding is accepted."),
    TooManyRequests = (429, Limited, "too-many-requests", "Too many requests; try again later."),
    LimitReached = (429, Limited, "limit-reached", "You have been shown as many records or persons as a limit of the data-protection policy allows; try again later."),
    HeadTooLarge = (431, Rejected, "head-too-large", "The request head is too large."),

    Internal = (500, Aborted, "internal", "The request failed inside the proxy."),
    UpstreamUnreachable = (502, UpstreamError, "upstream-unreachable", "The CRM cannot be reached."),
    UpstreamBroken = (502, UpstreamError, "upstream-broken", "The CRM's answer broke off or is not valid HTTP."),
    ServiceCredentialRefused = (502, UpstreamError, "service-credential-refused", "The CRM does not accept the proxy's own account."),
    UpstreamRedirect = (502, UpstreamError, "upstream-redirect", "The CRM answered with something that does not pass here."),
    NotRestored = (502, UpstreamError, "not-restored", "The CRM did not store a text as it was sent, and the old text could not be written back."),
    Unfilterable = (502, Unfilterable, "unfilterable", "The CRM's answer cannot be filtered safely."),
    ReplyTooLarge = (502, Unfilterable, "reply-too-large", "The CRM's answer is too large to be filtered safely."),
    AuditUnavailable = (503, AuditUnavailable, "audit-unavailable", "The access log cannot be written, so nothing is disclosed."),
    LedgerUnavailable = (503, Aborted, "ledger-unavailable", "What people have agreed to cannot be looked up now; try again later."),
    StandingChanged = (503, Aborted, "standing-changed", "Somebody whom the answer is about has just said something else; try again."),
    IdentityUnavailable = (503, UpstreamError, "identity-unavailable", "Tokens cannot be checked now; try again later."),
    Overloaded = (503, Limited, "overloaded", "The proxy is busy; try again later."),
    UpstreamSlow = (504, UpstreamError, "upstream-slow", "The CRM took too long to answer."),
    RequestSlow = (408, Rejected, "request-slow", "The request took too long to arrive."),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for Reason {}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn codes_are_unique_and_statuses_are_errors() {
        let mut seen = std::collections::BTreeSet::new();
        for reason in Reason::ALL {
            assert!(
                seen.insert(reason.code()),
                "{} is used twice",
                reason.code()
            );
            assert!((400..600).contains(&reason.status()));
        }
    }
}
