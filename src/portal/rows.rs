//! What a person sees of each purpose, and of what they have decided.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::page::Frame;
use super::words::Words;
use crate::consent::{Answer, PolicyTerms, Purpose, Stand};
use crate::ledger::{Event, Kind, Proof};
use crate::policy::Language;

/// Decisions that are shown: the latest.
const DECISIONS_MAX: usize = 100;

/// A purpose.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) state: String,
    /// What the person is asked to consent to.
    pub(super) asked: Option<String>,
    /// What the person can change, and what the button says.
    pub(super) change: Option<(&'static str, &'static str)>,
}

/// Something that was decided.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) id: String,
    pub(super) at: String,
    pub(super) date: String,
    pub(super) what: &'static str,
    pub(super) label: String,
    pub(super) has_receipt: bool,
}

/// What a person may change of a purpose, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Give,
    Withdraw,
    Object,
    Lift,
}

impl Change {
    /// The change of a word.
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "give" => Self::Give,
            "withdraw" => Self::Withdraw,
            "object" => Self::Object,
            "lift" => Self::Lift,
            _ => return None,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Self::Give => "give",
            Self::Withdraw => "withdraw",
            Self::Object => "object",
            Self::Lift => "lift",
        }
    }

    fn button(self, w: &'static Words) -> &'static str {
        match self {
            Self::Give => w.give,
            Self::Withdraw => w.withdraw,
            Self::Object => w.object,
            Self::Lift => w.lift,
        }
    }

    /// What it is in the ledger.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Give => Kind::Given,
            Self::Withdraw => Kind::Withdrawn,
            Self::Object => Kind::Objected,
            Self::Lift => Kind::ObjectionLifted,
        }
    }

    /// What the person can change; `None` where nothing can be: what is owed by contract or law is not for them to end here.
    pub(super) fn offered(purpose: &Purpose, stand: &Stand) -> Option<Self> {
        let is_valid = stand.is_valid;
        match (purpose.asks_consent(), purpose.honours_objection) {
            (true, _) if is_valid => Some(Self::Withdraw),
            (true, _) => can_be_given(purpose).then_some(Self::Give),
            (false, true) if stand.because == "objected" => Some(Self::Lift),
            (false, true) => Some(Self::Object),
            (false, false) => None,
        }
    }
}

/// Whether a link proves enough, and a page says enough.
fn can_be_given(purpose: &Purpose) -> bool {
    purpose.proof <= Proof::DoubleOptIn && !purpose.names_recipient
}

/// A row for each purpose.
pub(super) fn rows(
    frame: &Frame<'_>,
    (terms, language): (&PolicyTerms, Language),
    answer: &Answer,
) -> Vec<Row> {
    let w = Words::of(language);
    let purposes = terms.purposes.iter();
    let row = |(name, purpose): (&String, &Purpose)| {
        let stand = answer.purposes.get(name)?;
        let change = Change::offered(purpose, stand);
        let asked = terms.asked(name, language);
        Some(Row {
            name: name.clone(),
            label: frame.label(name).to_owned(),
            state: state(purpose, stand, language),
            asked: asked.map(|(_, words)| words.to_owned()),
            change: change.map(|change| (change.word(), change.button(w))),
        })
    };
    purposes.filter_map(row).collect()
}

/// How a person stands, in a sentence.
fn state(purpose: &Purpose, stand: &Stand, language: Language) -> String {
    let since = stand.at.map(|at| date(at, language)).unwrap_or_default();
    let en = language == Language::En;
    if stand.because == "restricted" {
        return match en {
            true => "Not used: the processing of your data is restricted.".to_owned(),
            false => "Pas d'utilisation : le traitement de vos données est limité.".to_owned(),
        };
    }
    match (purpose.asks_consent(), stand.because) {
        (true, "valid") => agreed(&since, stand.until, language),
        (true, "denied") if en => format!("You do not agree (since {since})."),
        (true, "denied") => format!("Vous n'y consentez pas (depuis le {since})."),
        (true, "expired") if en => format!("Your agreement of {since} has expired."),
        (true, "expired") => format!("Votre accord du {since} a expiré."),
        (true, "proof-too-weak") if en => {
            format!("An agreement was recorded on {since}; you have not confirmed it yet.")
        }
        (true, "proof-too-weak") => {
            format!("Un accord a été enregistré le {since} ; vous ne l'avez pas encore confirmé.")
        }
        (true, _) if en => "You have not agreed.".to_owned(),
        (true, _) => "Vous n'y avez pas consenti.".to_owned(),
        (false, "objected") if en => format!("You object (since {since})."),
        (false, "objected") => format!("Vous vous y opposez (depuis le {since})."),
        (false, _) => basis(&purpose.legal_basis, language),
    }
}

fn agreed(since: &str, until: Option<i64>, language: Language) -> String {
    let until = until.map(|until| date(until, language));
    match (language, until) {
        (Language::En, None) => format!("You agree (since {since})."),
        (Language::En, Some(until)) => format!("You agree (since {since}, until {until})."),
        (Language::Fr, None) => format!("Vous y consentez (depuis le {since})."),
        (Language::Fr, Some(until)) => {
            format!("Vous y consentez (depuis le {since}, jusqu'au {until}).")
        }
    }
}

/// On what a use rests that needs no consent (Art. 6(1) GDPR).
fn basis(basis: &str, language: Language) -> String {
    let words = match (language, basis) {
        (Language::En, "contract") => "Used because of a contract with you.",
        (Language::En, "legal-obligation") => "Used because the law demands it.",
        (Language::En, "legitimate-interest") => "Used on a legitimate interest.",
        (Language::En, "vital-interest") => "Used to protect vital interests.",
        (Language::En, "public-task") => "Used for a task in the public interest.",
        (Language::En, _) => "Used without your consent being needed.",
        (Language::Fr, "contract") => "Utilisation en raison d'un contrat avec vous.",
        (Language::Fr, "legal-obligation") => "Utilisation imposée par la loi.",
        (Language::Fr, "legitimate-interest") => "Utilisation fondée sur un intérêt légitime.",
        (Language::Fr, "vital-interest") => "Utilisation pour protéger des intérêts vitaux.",
        (Language::Fr, "public-task") => "Utilisation pour une mission d'intérêt public.",
        (Language::Fr, _) => "Utilisation qui ne demande pas votre consentement.",
    };
    words.to_owned()
}

/// What was decided, the latest first.
pub(super) fn decisions(
    frame: &Frame<'_>,
    language: Language,
    history: &[Event],
    has_receipt: impl Fn(&Event) -> bool,
) -> Vec<Decision> {
    let told = history.iter().rev();
    let told = told.filter_map(|event| Some((event, what(event.kind, language)?)));
    let decision = |(event, what): (&Event, &'static str)| Decision {
        id: event.id.clone(),
        at: crate::consent::time(event.at),
        date: date(event.at, language),
        what,
        label: frame.label(&event.purpose).to_owned(),
        has_receipt: has_receipt(event),
    };
    told.take(DECISIONS_MAX).map(decision).collect()
}

fn what(kind: Kind, language: Language) -> Option<&'static str> {
    let (en, fr) = match kind {
        Kind::Requested => ("asked for", "demandé"),
        Kind::Given => ("agreed", "accord donné"),
        Kind::Confirmed => ("agreed, confirmed by mail", "accord confirmé par courriel"),
        Kind::Renewed => ("agreed once more", "accord renouvelé"),
        Kind::Refused => ("refused", "refusé"),
        Kind::Withdrawn => ("agreement withdrawn", "accord retiré"),
        Kind::Objected => ("objected", "opposition"),
        Kind::Restricted => ("restricted", "limitation"),
        Kind::ObjectionLifted => ("objection ended", "opposition levée"),
        Kind::RestrictionLifted => ("restriction ended", "limitation levée"),
        Kind::Notice => return None,
    };
    Some(match language {
        Language::En => en,
        Language::Fr => fr,
    })
}

/// A day, as people write it.
fn date(milliseconds: i64, language: Language) -> String {
    let moment = Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH);
    let day = moment.to_zoned(TimeZone::UTC);
    match language {
        Language::En => day.strftime("%-d %B %Y").to_string(),
        Language::Fr => day.strftime("%d/%m/%Y").to_string(),
    }
}
