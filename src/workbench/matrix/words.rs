//! The words of tables and pages.

use crate::vocabulary::Level;

/// A language of labels and pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Names as the policy has them; the words are English.
    Names,
    /// English.
    English,
    /// French.
    French,
}

/// Words in one language.
#[derive(Debug)]
pub(super) struct Words {
    pub(super) code: &'static str,
    /// Whether rows have their labels in place of their names.
    pub(super) uses_labels: bool,
    levels: [&'static str; 5],
    /// What each level means, in the same order.
    pub(super) meanings: [&'static str; 5],
    pub(super) title: &'static str,
    pub(super) policy: &'static str,
    pub(super) module: &'static str,
    pub(super) role: &'static str,
    pub(super) purpose: &'static str,
    pub(super) category: &'static str,
    pub(super) field: &'static str,
    pub(super) legend: &'static str,
    pub(super) strengths: &'static str,
    pub(super) with: &'static str,
    pub(super) written: &'static str,
    pub(super) unclassified: &'static str,
    pub(super) part: &'static str,
    pub(super) otherwise: &'static str,
    pub(super) records: &'static str,
}

impl Language {
    pub(super) fn is_french(self) -> bool {
        self == Self::French
    }

    pub(super) fn words(self) -> &'static Words {
        match self {
            Self::Names => &NAMES,
            Self::English => &ENGLISH,
            Self::French => &FRENCH,
        }
    }
}

impl Words {
    /// The word for a level.
    pub(super) fn level(&self, level: Level) -> &'static str {
        let at = Level::ALL.iter().position(|one| *one == level);
        at.and_then(|at| self.levels.get(at))
            .copied()
            .unwrap_or_default()
    }
}

const ENGLISH: Words = Words {
    code: "en",
    uses_labels: true,
    levels: ["hide", "redact", "token", "mask", "clear"],
    meanings: [
        "the field is not there",
        "the field is there, its value is not",
        "a stable pseudonym stands in for the value",
        "part of the value is shown",
        "the value is shown, and can be searched and sorted by",
    ],
    title: "Who sees what",
    policy: "policy",
    module: "Fields of",
    role: "Role",
    purpose: "Purpose",
    category: "Category",
    field: "Field",
    legend: "Legend",
    strengths: "with this strength of authentication",
    with: "with",
    written: "may be changed, too",
    unclassified: "what nobody has classified",
    part: "Part",
    otherwise: "else",
    records: "only records with",
};

const NAMES: Words = Words {
    uses_labels: false,
    ..ENGLISH
};

const FRENCH: Words = Words {
    code: "fr",
    uses_labels: true,
    levels: ["absent", "vidé", "jeton", "partiel", "en clair"],
    meanings: [
        "le champ n’apparaît pas",
        "le champ apparaît sans sa valeur",
        "un pseudonyme stable remplace la valeur",
        "une partie de la valeur est montrée",
        "la valeur est montrée et peut servir à chercher et à trier",
    ],
    title: "Qui voit quoi",
    policy: "politique",
    module: "Champs de",
    role: "Rôle",
    purpose: "Finalité",
    category: "Catégorie",
    field: "Champ",
    legend: "Légende",
    strengths: "avec ce niveau d’authentification",
    with: "avec",
    written: "peut aussi être modifié",
    unclassified: "ce que personne n’a classé",
    part: "Partie",
    otherwise: "sinon",
    records: "seulement les fiches avec",
};
