//! The codes of problems with a server configuration. A code never changes its meaning.

macro_rules! codes {
    ($($name:ident = ($code:literal, $meaning:literal),)*) => {
        $(#[doc = $meaning] pub(crate) const $name: &str = $code;)*

        /// Every code with its meaning, for the documentation and its test.
        pub const CODES: &[(&str, &str)] = &[$(($code, $meaning),)*];
    };
}

codes! {
    UNREADABLE = ("C001", "a file or folder cannot be read"),
    BAD_ADDRESS = ("C002", "an address is not of the form `127.0.0.1:8080`"),
    SAME_ADDRESS = ("C003", "two listeners share an address"),
    BAD_URL = ("C004", "the URL of an upstream is not of the accepted form"),
    UNKNOWN_DIALECT = ("C005", "a dialect that does not exist, or one that is named twice"),
    UNKNOWN_UPSTREAM = ("C006", "an upstream that is not declared"),
    BAD_NAME = ("C007", "a name is not of the accepted form, or taken"),
    BAD_PEM = ("C008", "a file holds no certificate or no private key in PEM form"),
    BAD_KEY = ("C009", "a secret is missing, too short or too long"),
    BAD_BOUNDS = ("C010", "two bounds contradict each other"),
    NONE = ("C011", "there is nothing to serve"),
    SAME_PATHS = ("C012", "two dialects of an upstream read the same paths"),
    BAD_NETWORK = ("C013", "a network that is not one, or is everybody"),
    BAD_WAY = ("C014", "ways to prove who one is that contradict each other; or what they, or the policy, need is missing"),
    BAD_ISSUER = ("C015", "an issuer of tokens is not of the accepted form"),
    BAD_FRONT = ("C016", "an authenticating proxy is not of the accepted form"),
    BAD_CLIENTS = ("C017", "client certificates cannot be judged"),
    BAD_SERVICE = ("C018", "an account of the proxy is not of the accepted form"),
    BAD_PUBLISH = ("C019", "checkpoints of the access log cannot be published so"),

    KEY_MISMATCH = ("C020", "a private key does not belong to its certificate"),
    CERTIFICATE_EXPIRED = ("C021", "a certificate has expired, or is not valid yet"),
    SECRET_EXPOSED = ("C022", "others may read, or change, a file that holds a secret"),
    AUDIT_UNUSABLE = ("C023", "the access log, or the state beside it, cannot be written"),
    ADDRESS_UNUSABLE = ("C024", "an address cannot be listened on"),
    UPSTREAM_UNUSABLE = ("C025", "an upstream does not answer as its dialect expects"),
    SERVICE_REFUSED = ("C026", "the proxy's own account cannot log in"),
    UNKNOWN_GROUP = ("C029", "a group that the system does not have"),
    BAD_SINK = ("C040", "a sink of the access log is not of the accepted form"),
    BAD_STATE = ("C051", "where the state is kept is not of the accepted form"),
    BAD_PORTAL = ("C052", "the portal is not of the accepted form, or lacks what it needs"),
    BAD_MAIL = ("C053", "how mails leave is not of the accepted form"),
    MAIL_UNUSABLE = ("C054", "mails cannot leave: their folder cannot be written, or the mail server does not take them"),
    SINK_UNUSABLE = ("C041", "a sink of the access log cannot be reached, or cannot be written"),

    ADMIN_OPEN = ("C101", "the admin listener is not on a loopback address"),
    CLEAR_TEXT = ("C102", "credentials travel in clear"),
    UNUSED = ("C103", "an upstream that no listener uses"),
    NO_SQL = ("C104", "an upstream states its database, but none of its dialects sends SQL"),
    NO_GET = ("C105", "a listener takes calls in query strings, but none of its dialects has them"),
    CERTIFICATE_ENDS = ("C120", "a certificate expires soon"),
    LITTLE_SPACE = ("C121", "the access log has little space"),
    ANYBODY = ("C122", "an upstream takes a credential that was made up for a session"),
    UNUSED_WAY = ("C131", "an issuer or keys that no listener accepts"),
    CHOSEN_BY_PEOPLE = ("C130", "a claim that people may choose themselves says whose session a token strengthens"),
    ANY_CLIENT = ("C132", "an issuer whose tokens are accepted whatever client they were issued to, and of whatever type"),
    NOT_REVOCABLE = ("C133", "client certificates that nobody can revoke"),
    UNSIGNED = ("C134", "checkpoints of the access log are not signed, or published nowhere"),
    NO_PORTAL = ("C135", "the policy asks for consent that a link confirms, and there is no portal"),
    SERVICE_UNKNOWN = ("C123", "an upstream does not say whose the credential of the proxy's own account is"),
}
