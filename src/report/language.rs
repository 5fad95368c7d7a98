//! Words, numbers and dates in the language of the reader.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::policy::CATALOGUE;
use crate::vocabulary::Level;

/// A language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
}

const MONTHS: [[&str; 2]; 12] = [
    ["January", "janvier"],
    ["February", "février"],
    ["March", "mars"],
    ["April", "avril"],
    ["May", "mai"],
    ["June", "juin"],
    ["July", "juillet"],
    ["August", "août"],
    ["September", "septembre"],
    ["October", "octobre"],
    ["November", "novembre"],
    ["December", "décembre"],
];

impl Language {
    /// Its code (BCP 47).
    pub fn code(self) -> &'static str {
        self.of("en", "fr")
    }

    /// Whether it is French.
    pub fn is_french(self) -> bool {
        self == Self::French
    }

    /// The text of this language.
    pub fn of<T>(self, english: T, french: T) -> T {
        match self {
            Self::English => english,
            Self::French => french,
        }
    }

    /// `12,345`, `12 345`.
    pub fn number(self, number: u64) -> String {
        let digits = number.to_string();
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                // Before a group: a comma, or a narrow space that does not break.
                text.push(self.of(',', '\u{202f}'));
            }
            text.push(digit);
        }
        text
    }

    /// A number of things: `1 account`, `12 accounts`.
    pub fn count(self, number: u64, one: [&str; 2], many: [&str; 2]) -> String {
        // In French, none is singular, too.
        let is_one = number == 1 || (self.is_french() && number == 0);
        let words = if is_one { one } else { many };
        format!("{} {}", self.number(number), self.of(words[0], words[1]))
    }

    /// A number of tenths: `4.2`, `4,2`.
    pub fn tenths(self, tenths: u64) -> String {
        format!(
            "{}{}{}",
            self.number(tenths / 10),
            self.of('.', ','),
            tenths % 10
        )
    }

    /// `28 November 2026`, `28 novembre 2026`.
    pub fn date(self, date: Date) -> String {
        let month = self.month(date);
        match (self, date.day()) {
            (Self::French, 1) => format!("1er {month} {}", date.year()),
            (_, day) => format!("{day} {month} {}", date.year()),
        }
    }

    fn month(self, date: Date) -> &'static str {
        let names = usize::try_from(date.month() - 1)
            .ok()
            .and_then(|at| MONTHS.get(at));
        names.map_or("", |names| self.of(names[0], names[1]))
    }

    /// For an axis: `28/11`, `11-28`.
    pub fn day_short(self, date: Date) -> String {
        let (day, month) = (date.day(), date.month());
        self.of(
            format!("{month:02}-{day:02}"),
            format!("{day:02}/{month:02}"),
        )
    }

    /// For a table: `2026-11-28`, `28/11/2026`.
    pub fn day(self, date: Date) -> String {
        let (day, month, year) = (date.day(), date.month(), date.year());
        self.of(
            format!("{year}-{month:02}-{day:02}"),
            format!("{day:02}/{month:02}/{year}"),
        )
    }

    /// For a table, to the minute: `2026-11-28 10:04`, `28/11/2026 10:04`. A time that cannot be read stays as it is.
    pub fn time(self, time: &str) -> String {
        match civil(time) {
            Some(time) => format!(
                "{} {:02}:{:02}",
                self.day(time.date()),
                time.hour(),
                time.minute()
            ),
            None => time.to_owned(),
        }
    }

    /// For a sentence: `28 November 2026 at 10:04 UTC`.
    pub fn moment(self, time: &str) -> String {
        match civil(time) {
            Some(time) => format!(
                "{} {} {:02}:{:02} UTC",
                self.date(time.date()),
                self.of("at", "à"),
                time.hour(),
                time.minute()
            ),
            None => time.to_owned(),
        }
    }

    /// The word for a level.
    pub fn level(self, level: Level) -> &'static str {
        match level {
            Level::Hide => self.of("hidden", "absent"),
            Level::Redact => self.of("emptied", "vidé"),
            Level::Token => self.of("pseudonym", "jeton"),
            Level::Mask => self.of("partly", "partiel"),
            Level::Clear => self.of("in clear", "en clair"),
        }
    }

    /// The label of a built-in category.
    pub fn category(self, name: &str) -> Option<&'static str> {
        let built_in = CATALOGUE.iter().find(|one| one.name == name)?;
        Some(self.of(built_in.en, built_in.fr))
    }

    /// The words for an outcome.
    pub fn outcome(self, word: &str) -> &str {
        let (english, french) = match word {
            "full" => ("answered in full", "réponse complète"),
            "partial" => ("answered in part", "réponse partielle"),
            "observed" => (
                "answered, a rule only observed",
                "réponse, règle en observation",
            ),
            "denied" => ("refused by the policy", "refus de la politique"),
            "not-found-by-policy" => ("no such record for them", "fiche inexistante pour eux"),
            "rejected" => ("not understood", "non comprise"),
            "unauthenticated" => ("not authenticated", "non authentifiée"),
            "challenged" => (
                "stronger authentication asked for",
                "authentification renforcée demandée",
            ),
            "limited" => ("too many requests", "trop de requêtes"),
            "upstream-error" => ("error of the CRM", "erreur du CRM"),
            "unfilterable" => ("answer withheld", "réponse retenue"),
            "aborted" => ("broken off", "interrompue"),
            "audit-unavailable" => ("log not writable", "journal indisponible"),
            other => (other, other),
        };
        self.of(english, french)
    }

    /// The words for a legal basis.
    pub fn basis(self, word: &str) -> &str {
        let (english, french) = match word {
            "consent" => ("consent", "consentement"),
            "contract" => ("contract", "contrat"),
            "legal-obligation" => ("legal obligation", "obligation légale"),
            "vital-interests" => ("vital interests", "intérêts vitaux"),
            "public-task" => ("public task", "mission d’intérêt public"),
            "legitimate-interests" | "legitimate-interest" => {
                ("legitimate interests", "intérêts légitimes")
            }
            other => (other, other),
        };
        self.of(english, french)
    }
}

/// A time of an event, in UTC.
fn civil(time: &str) -> Option<jiff::civil::DateTime> {
    let time: Timestamp = time.parse().ok()?;
    Some(time.to_zoned(TimeZone::UTC).datetime())
}

/// The day of a time, in UTC.
pub(super) fn day(time: &str) -> Option<Date> {
    time.get(..10)?.parse().ok()
}
