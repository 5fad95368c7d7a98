//! What the name of a field or category speaks of, in English, French, German, Spanish, Italian and Dutch. A dictionary
//! knows neither every word nor what is meant by one: it only ever warns.

use crate::vocabulary::Category;

/// What a name speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Iban,
    Bic,
    Card,
    NationalId,
    Birth,
    Health,
    Belief,
    Politics,
    TradeUnion,
    EthnicOrigin,
    SexLife,
    Biometric,
    Genetic,
    Criminal,
    Email,
    Phone,
    Address,
    Amount,
}

/// Words of one subject.
struct Words {
    subject: Subject,
    /// Parts that say it wherever they stand in a name, separators aside.
    parts: &'static [&'static str],
    /// Words that say it only as a whole word: others contain them by chance.
    words: &'static [&'static str],
}

#[rustfmt::skip]
const DICTIONARY: &[Words] = &[
    Words {
        subject: Subject::Iban,
        parts: &["iban", "bankaccount", "accountnumber", "comptebanc", "kontonummer", "bankverbindung", "cuentabanc", "contocorr", "contobanc", "rekeningnummer"],
        words: &["rib", "konto"],
    },
    Words { subject: Subject::Bic, parts: &["swift", "biccode"], words: &["bic"] },
    Words {
        subject: Subject::Card,
        parts: &["creditcard", "cardnumber", "cartebanc", "cartebleue", "kreditkart", "tarjeta", "cartadicred", "creditkaart"],
        words: &[],
    },
    Words {
        subject: Subject::NationalId,
        parts: &["nationalid", "nationalregist", "passport", "passeport", "reisepass", "pasaporte", "passaporto", "paspoort", "socialsecu", "securitesoc", "secusoc", "numsecu", "sozialversicherung", "seguridadsoc", "codicefiscale", "personalausweis", "identitycard", "carteident", "carnetidentidad", "cartaidentita", "identiteitskaart", "burgerservice", "steuerid", "numerofiscal", "drivinglicen", "permisconduire", "fuhrerschein", "titresejour", "residencepermit"],
        words: &["nir", "ssn", "cni", "dni", "nie", "bsn", "insee", "nino"],
    },
    Words {
        subject: Subject::Birth,
        parts: &["birth", "naissance", "geburt", "nacimiento", "nascita", "geboorte"],
        words: &["dob", "ddn", "bday"],
    },
    Words {
        subject: Subject::Health,
        parts: &["health", "medic", "medecin", "maladie", "illness", "disease", "handicap", "disabilit", "invalidit", "diagnos", "patholog", "allerg", "therap", "pregnan", "grossesse", "krank", "gesundheit", "behinder", "schwanger", "enfermedad", "discapac", "embaraz", "malatt", "disabil", "gravidanz", "gezondheid", "ziekte", "zwanger", "groupesanguin", "bloodtype", "bloodgroup", "vaccin", "impfung", "sickleave", "sicknote", "arretmaladie", "hospital", "psychi"],
        words: &["sante", "salud", "salute", "sick", "blood", "patient", "patients", "hiv", "vih", "aids"],
    },
    Words {
        subject: Subject::Belief,
        parts: &["relig", "belief", "croyance", "confession", "philosoph", "faith", "kosher", "casher", "halal", "glaube", "konfession", "kirchensteuer", "creencia", "credenz", "geloof", "godsdienst", "geloven", "convictionsrel"],
        words: &["culte", "church", "kirche", "iglesia", "chiesa", "kerk"],
    },
    Words {
        subject: Subject::Politics,
        parts: &["politic", "politik", "politiek", "politique", "politisch", "partipol", "parteimitglied"],
        words: &["partei"],
    },
    Words {
        subject: Subject::TradeUnion,
        parts: &["tradeunion", "unionmember", "laborunion", "labourunion", "uniondeleg", "shopsteward", "syndica", "gewerkschaft", "sindica", "sindaca", "vakbond"],
        words: &["union"],
    },
    Words {
        subject: Subject::EthnicOrigin,
        parts: &["ethni", "etnic", "etnisch", "etnia", "racial", "skincolo", "couleurpeau", "hautfarbe", "colorpiel", "rassisch"],
        words: &["race", "raza", "razza", "rasse", "ras"],
    },
    Words {
        subject: Subject::SexLife,
        parts: &["sexual", "sexuel", "sexuell", "sexualit", "sessual", "seksue", "sexlife", "viesexuelle", "lgbt", "orientationsex"],
        words: &["gay"],
    },
    Words {
        subject: Subject::Biometric,
        parts: &["biometr", "fingerprint", "empreintedigit", "fingerabdruck", "huelladact", "huelladigit", "improntadig", "vingerafdruk", "facialrec", "facerecog", "gesichtserk", "voiceprint"],
        words: &["facial"],
    },
    Words { subject: Subject::Genetic, parts: &["genetic", "genetique", "genetik", "genetisch", "genom"], words: &["dna", "adn", "dnatest"] },
    Words {
        subject: Subject::Criminal,
        parts: &["criminal", "criminel", "condamn", "convict", "casierjud", "infraction", "offence", "offense", "prison", "strafregister", "vorstraf", "straftat", "antecedentespen", "antecedentjud", "penale", "condanna", "strafblad", "veroordeel"],
        words: &["delit", "delito", "reato", "felony"],
    },
    Words { subject: Subject::Email, parts: &["email", "courriel", "mailaddress"], words: &["mail", "mails", "correo"] },
    Words {
        subject: Subject::Phone,
        parts: &["phone", "telefon", "mobil", "cellular", "handynummer"],
        words: &["tel", "fax", "gsm", "movil"],
    },
    Words {
        subject: Subject::Address,
        parts: &["address", "adresse", "anschrift", "direccion", "indirizzo", "postalcode", "postcode", "codepostal", "postleitzahl", "street"],
        words: &["adres", "zip", "plz", "zipcode", "cap", "town", "city", "ville"],
    },
    Words {
        subject: Subject::Amount,
        parts: &["salary", "salaire", "gehalt", "salario", "stipendio", "salaris", "amount", "montant", "betrag", "importe", "importo", "bedrag", "revenue", "income", "einkommen", "wage", "price", "prix", "preis", "precio", "prezzo", "turnover", "umsatz", "budget"],
        words: &["pay", "figures", "amounts", "lohn"],
    },
];

impl Subject {
    /// Whether data of Art. 9 or 10 GDPR is spoken of.
    pub(super) fn is_special(self) -> bool {
        matches!(
            self,
            Self::Health
                | Self::Belief
                | Self::Politics
                | Self::TradeUnion
                | Self::EthnicOrigin
                | Self::SexLife
                | Self::Biometric
                | Self::Genetic
                | Self::Criminal
        )
    }

    /// How much it matters who sees it; 0 matters most.
    pub(super) fn rank(self) -> u8 {
        match self {
            subject if subject.is_special() => 0,
            Self::Iban | Self::Card | Self::NationalId | Self::Birth => 1,
            _ => 2,
        }
    }

    /// The category of the catalogue that holds it.
    pub(super) fn category(self) -> &'static str {
        match self {
            Self::Iban => "financial.iban",
            Self::Bic => "financial.bic",
            Self::Card => "financial.card",
            Self::NationalId => "identity.national_id",
            Self::Birth => "identity.birth_date",
            Self::Health => "special.health",
            Self::Belief => "special.belief",
            Self::Politics => "special.politics",
            Self::TradeUnion => "special.trade_union",
            Self::EthnicOrigin => "special.ethnic_origin",
            Self::SexLife => "special.sex_life",
            Self::Biometric => "special.biometric",
            Self::Genetic => "special.genetic",
            Self::Criminal => "criminal",
            Self::Email => "contact.email",
            Self::Phone => "contact.phone",
            Self::Address => "contact.address",
            Self::Amount => "commercial.figures",
        }
    }

    /// Whether a category may hold it: the one of the catalogue, its neighbours, or one whose own name says so.
    pub(super) fn fits(self, category: &Category) -> bool {
        let group = |name: &str| name.split('.').next().unwrap_or_default().to_owned();
        match self {
            Self::Birth | Self::NationalId => {
                Category::new(self.category()).covers(category)
                    || subjects(category.as_str()).contains(&self)
            }
            _ => {
                group(self.category()) == group(category.as_str())
                    || subjects(category.as_str()).contains(&self)
            }
        }
    }
}

/// What a name speaks of; nothing, for most.
pub(super) fn subjects(name: &str) -> Vec<Subject> {
    let folded = name.to_ascii_lowercase();
    let joined: String = folded
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .collect();
    let mut words: Vec<&str> = Vec::new();
    for word in folded.split(|c: char| !c.is_ascii_alphanumeric()) {
        let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
        words.push(word);
        // Some CRMs begin the names of their own fields with a `c`: `cNir`.
        words.extend(word.strip_prefix('c').filter(|word| word.len() == 3));
    }
    let says = |entry: &&Words| {
        entry.parts.iter().any(|part| joined.contains(part))
            || entry.words.iter().any(|word| words.contains(word))
    };
    DICTIONARY
        .iter()
        .filter(says)
        .map(|entry| entry.subject)
        .collect()
}

/// Names that fields for what is sensitive are often given. A wildcard that fits one is a wildcard for everything.
#[rustfmt::skip]
pub(super) const TYPICAL: &[&str] = &[
    "iban", "iban_c", "ciban", "old_iban", "bic_c", "card_number_c", "nir", "nir_c", "ssn_c", "passport_c", "passport_number",
    "birthdate", "birthday_c", "date_of_birth", "dateofbirth", "religion", "religion_c", "creligion", "health_notes_c",
    "chealth", "medical_history", "disability_c", "ethnic_origin_c", "political_opinion_c", "union_member_c",
    "sexual_orientation_c", "fingerprint_c", "dna_c", "criminal_record_c",
];

#[cfg(test)]
mod tests {
    use super::{DICTIONARY, Subject, TYPICAL, subjects};
    use crate::vocabulary::Category;

    #[test]
    fn names_speak_in_several_languages() {
        for (name, subject) in [
            ("health.notes", Subject::Health),
            ("work.sante", Subject::Health),
            ("hr.krankheit", Subject::Health),
            ("personal.gesundheit", Subject::Health),
            ("datos.salud", Subject::Health),
            ("dati.salute", Subject::Health),
            ("persoon.gezondheid", Subject::Health),
            ("sick_leave", Subject::Health),
            ("identity.religion", Subject::Belief),
            ("personal.konfession", Subject::Belief),
            ("persoon.geloof", Subject::Belief),
            ("hr.gewerkschaft", Subject::TradeUnion),
            ("rh.syndicat", Subject::TradeUnion),
            ("opinions.politique", Subject::Politics),
            ("hr.race", Subject::EthnicOrigin),
            ("hr.etnia", Subject::EthnicOrigin),
            ("x.orientation_sexuelle", Subject::SexLife),
            ("x.fingerabdruck", Subject::Biometric),
            ("x.adn", Subject::Genetic),
            ("x.strafregister", Subject::Criminal),
            ("x.antecedentes_penales", Subject::Criminal),
            ("cIban", Subject::Iban),
            ("cNir", Subject::NationalId),
            ("rib_2", Subject::Iban),
            ("Geburtsdatum", Subject::Birth),
            ("fecha_nacimiento", Subject::Birth),
            ("phone_home", Subject::Phone),
            ("EMail1", Subject::Email),
        ] {
            assert!(
                subjects(name).contains(&subject),
                "{name}: {:?}",
                subjects(name)
            );
        }
    }

    #[test]
    fn everyday_names_speak_of_nothing() {
        for name in [
            "souvenir",
            "attribute",
            "distribution",
            "aerobic_offer",
            "salutation",
            "trace",
            "brace",
            "faculte",
            "title",
            "department",
            "first_name",
            "description",
            "website",
            "industry",
            "status",
            "account_id",
            "lead_source",
            "work.position",
            "work.organisation",
            "identity.name",
            "technical.state",
            "commercial.progress",
            "free_text",
            "consent_record",
            "identity.photo",
            "contact.social",
            "colleague.private",
            "compass",
            "capacity",
        ] {
            assert_eq!(subjects(name), [], "{name}");
        }
    }

    #[test]
    fn a_subject_fits_its_category_and_its_neighbours() {
        let fits = |subject: Subject, category: &str| subject.fits(&Category::new(category));
        assert!(fits(Subject::Iban, "financial.iban") && fits(Subject::Iban, "financial.own"));
        assert!(fits(Subject::Health, "special.belief") && fits(Subject::Health, "hr.health"));
        assert!(
            !fits(Subject::Birth, "identity.name") && fits(Subject::Birth, "identity.birth_date")
        );
        assert!(!fits(Subject::Iban, "work.position"));
    }

    #[test]
    fn the_dictionary_is_in_the_form_that_is_looked_for() {
        for entry in DICTIONARY {
            let mut all = entry.parts.iter().chain(entry.words);
            let plain = |word: &str| word.chars().all(|c| c.is_ascii_lowercase());
            assert!(all.all(|word| plain(word)), "{:?}", entry.subject);
            let own = Category::new(entry.subject.category());
            assert!(entry.subject.fits(&own));
        }
        for name in TYPICAL {
            assert!(!subjects(name).is_empty(), "{name}");
        }
    }
}
