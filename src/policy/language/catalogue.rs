//! The data categories that every policy has. A policy may give them other masks and labels, and add its own.

use crate::detect::Kind;
use crate::mask::Mask;
use crate::vocabulary::Category;

/// One built-in category.
#[derive(Debug)]
pub struct BuiltIn {
    /// Its name: `financial.iban`.
    pub name: &'static str,
    /// Its label in English.
    pub en: &'static str,
    /// Its label in French.
    pub fr: &'static str,
    /// Its mask; without one, `mask` shows nothing.
    pub mask: Option<Mask>,
    /// Whether its key is removed wherever it is not shown: data of Art. 9 and 10 GDPR, whose very presence tells.
    pub hidden: bool,
}

const fn plain(name: &'static str, en: &'static str, fr: &'static str) -> BuiltIn {
    BuiltIn {
        name,
        en,
        fr,
        mask: None,
        hidden: false,
    }
}

const fn masked(name: &'static str, en: &'static str, fr: &'static str, mask: Mask) -> BuiltIn {
    BuiltIn {
        name,
        en,
        fr,
        mask: Some(mask),
        hidden: false,
    }
}

const fn hidden(name: &'static str, en: &'static str, fr: &'static str) -> BuiltIn {
    BuiltIn {
        name,
        en,
        fr,
        mask: None,
        hidden: true,
    }
}

/// The catalogue.
pub static CATALOGUE: &[BuiltIn] = &[
    masked("identity.name", "Name", "Nom, prénom", Mask::Initials),
    plain("identity.civility", "Civility", "Civilité"),
    masked(
        "identity.birth_date",
        "Date of birth",
        "Date de naissance",
        Mask::Year,
    ),
    plain(
        "identity.national_id",
        "National identification number",
        "Numéro d’identification national",
    ),
    plain(
        "identity.national_id.passport",
        "Passport number",
        "Numéro de passeport",
    ),
    masked("contact.email", "E-mail address", "Courriel", Mask::Mail),
    masked("contact.phone", "Telephone", "Téléphone", Mask::Last(2)),
    masked("contact.address", "Address", "Adresse", Mask::Department),
    plain("work.position", "Position", "Fonction"),
    plain("work.organisation", "Organisation", "Société"),
    masked(
        "commercial.figures",
        "Amounts",
        "Montants",
        Mask::Round(100),
    ),
    plain(
        "commercial.source",
        "Source of the contact",
        "Origine du contact",
    ),
    plain("commercial.subject", "Subject", "Objet"),
    masked("financial.iban", "IBAN", "IBAN", Mask::Iban),
    masked("financial.bic", "BIC", "BIC", Mask::Bic),
    masked(
        "financial.card",
        "Payment card",
        "Carte de paiement",
        Mask::Card,
    ),
    plain("financial.income", "Income", "Revenus"),
    hidden("special.health", "Health", "Santé"),
    hidden(
        "special.belief",
        "Religion or belief",
        "Religion, convictions",
    ),
    hidden(
        "special.politics",
        "Political opinion",
        "Opinions politiques",
    ),
    hidden(
        "special.trade_union",
        "Trade-union membership",
        "Appartenance syndicale",
    ),
    hidden(
        "special.ethnic_origin",
        "Racial or ethnic origin",
        "Origine raciale ou ethnique",
    ),
    hidden(
        "special.sex_life",
        "Sex life or sexual orientation",
        "Vie ou orientation sexuelle",
    ),
    hidden(
        "special.biometric",
        "Biometric data",
        "Données biométriques",
    ),
    hidden("special.genetic", "Genetic data", "Données génétiques"),
    hidden(
        "criminal",
        "Convictions and offences",
        "Condamnations et infractions",
    ),
    plain("free_text", "Free text", "Texte libre"),
    plain("consent_record", "Record of consent", "Consentement"),
    plain("technical.id", "Identifier", "Identifiant"),
    plain("technical.timestamp", "Time stamp", "Horodatage"),
    plain(
        "technical.owner",
        "Responsible user",
        "Utilisateur responsable",
    ),
];

/// The kind of identifier that a category's values are, if they have a checksum or a fixed form.
pub(in crate::policy) fn kind_of(category: &Category) -> Option<Kind> {
    Kind::IDENTIFIERS
        .into_iter()
        .find(|kind| kind.proves_itself() && kind.category() == category.as_str())
}

/// The category of what is found of a kind in a text.
pub(in crate::policy) fn category_of(kind: Kind) -> Category {
    Category::new(kind.category())
}
