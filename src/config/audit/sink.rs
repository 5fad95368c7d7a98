//! Those to whom the events of the access log are carried.

use std::path::PathBuf;

use crate::config::Secret;
use crate::diagnostic::{Place, Spanned};

/// Somebody to whom the events of the access log are carried.
#[derive(Clone, Debug)]
pub struct Sink {
    /// Its name, for messages, metrics and the cursor.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Who takes the events.
    pub receiver: Receiver,
    /// In which form.
    pub format: SinkFormat,
    /// In which country, as ISO 3166-1 alpha-2 has it. Stated of everything that leaves the machine.
    pub region: Option<String>,
    /// With which event a sink begins that has no cursor yet. Default: the newest.
    pub from: SinkFrom,
}

/// Who takes events.
#[derive(Clone, Debug)]
pub enum Receiver {
    /// A file, one line an event.
    File(Spanned<PathBuf>),
    /// Standard output, one line an event.
    Stdout,
    /// A syslog server over TCP.
    Syslog {
        /// Where it is.
        peer: Peer,
        /// The facility of RFC 5424. Default: 13, the log audit.
        facility: u8,
    },
    /// A web server.
    Https {
        /// Where it is.
        peer: Peer,
        /// Path and query.
        target: String,
        /// The scheme of `Authorization`, and what stands behind it.
        bearer: Option<(String, Secret)>,
        /// Whether bodies are compressed. Default: yes.
        gzip: bool,
    },
}

/// An address on the network.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Name or address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// TLS, if it is spoken.
    pub tls: Option<PeerTls>,
}

/// How the other side proves who it is, and we do.
#[derive(Clone, Debug, Default)]
pub struct PeerTls {
    /// The only authorities that may have signed its certificate. Default: the system's.
    pub ca: Option<PathBuf>,
    /// Our certificate and its key. Default: none.
    pub client: Option<(Spanned<PathBuf>, Spanned<PathBuf>)>,
}

/// The form of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkFormat {
    /// The event in full.
    Paravent,
    /// Open Cybersecurity Schema Framework, API Activity.
    Ocsf,
    /// Elastic Common Schema.
    Ecs,
    /// Common Event Format.
    Cef,
}

/// With which event a sink begins that has no cursor yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinkFrom {
    /// With the newest.
    Newest,
    /// With the first that the log still has.
    Beginning,
}

impl SinkFormat {
    /// All of them, by their words.
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("paravent", Self::Paravent),
        ("ocsf", Self::Ocsf),
        ("ecs", Self::Ecs),
        ("cef", Self::Cef),
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        let own = Self::ALL.iter().find(|(_, format)| *format == self);
        own.map_or("", |(word, _)| *word)
    }
}

impl Sink {
    /// What kind of receiver it is, in a word.
    pub fn kind(&self) -> &'static str {
        match &self.receiver {
            Receiver::File(_) | Receiver::Stdout => "file",
            Receiver::Syslog { .. } => "syslog",
            Receiver::Https { .. } => "https",
        }
    }

    /// Its place on the network, if it has one.
    pub fn peer(&self) -> Option<&Peer> {
        match &self.receiver {
            Receiver::File(_) | Receiver::Stdout => None,
            Receiver::Syslog { peer, .. } | Receiver::Https { peer, .. } => Some(peer),
        }
    }

    /// The files that hold its secrets.
    pub fn secrets(&self) -> impl Iterator<Item = &Spanned<PathBuf>> {
        let bearer = match &self.receiver {
            Receiver::Https { bearer, .. } => bearer.as_ref().and_then(|(_, secret)| secret.file()),
            _ => None,
        };
        let tls = self.peer().and_then(|peer| peer.tls.as_ref());
        let key = tls.and_then(|tls| tls.client.as_ref()).map(|(_, key)| key);
        bearer.into_iter().chain(key)
    }
}

/// The facilities of RFC 5424, by their numbers; `audit` is the log audit.
pub const FACILITIES: &[(&str, u8)] = &[
    ("kern", 0),
    ("user", 1),
    ("mail", 2),
    ("daemon", 3),
    ("auth", 4),
    ("syslog", 5),
    ("lpr", 6),
    ("news", 7),
    ("uucp", 8),
    ("cron", 9),
    ("authpriv", 10),
    ("ftp", 11),
    ("ntp", 12),
    ("audit", 13),
    ("alert", 14),
    ("clock", 15),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

/// The codes of ISO 3166-1 alpha-2 that are officially assigned.
pub(super) const REGIONS: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH \
KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ \
NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ \
SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF \
WS YE YT ZA ZM ZW";
