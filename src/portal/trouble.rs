//! What persons are told who get no other answer: fixed texts in both languages.

use crate::ledger::{Error, Refused};
use crate::policy::Language;
use crate::reason::Reason;

/// Why there is no other answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) status: u16,
    en: &'static str,
    fr: &'static str,
    /// The methods that are taken, where another one was used.
    pub(super) allow: Option<&'static str>,
    /// Seconds after which to ask again.
    pub(super) retry_after: Option<u32>,
}

impl Trouble {
    const fn new(status: u16, en: &'static str, fr: &'static str) -> Self {
        Self {
            status,
            en,
            fr,
            allow: None,
            retry_after: None,
        }
    }

    pub(super) const NOT_FOUND: Self =
        Self::new(404, "There is no such page.", "Cette page n'existe pas.");
    pub(super) const MALFORMED: Self = Self::new(
        400,
        "The form is not one of this site: a field is missing, unknown, doubled or not readable.",
        "Ce formulaire n'est pas de ce site : un champ manque, est inconnu, en double ou illisible.",
    );
    pub(super) const MEDIA: Self = Self::new(
        415,
        "Only forms (application/x-www-form-urlencoded) and, where programs ask, JSON are read here, in UTF-8.",
        "Seuls les formulaires (application/x-www-form-urlencoded) et, pour les programmes, le JSON sont lus ici, en UTF-8.",
    );
    pub(super) const FOREIGN: Self = Self::new(
        403,
        "The form was sent from another site than those that may send it.",
        "Le formulaire a été envoyé depuis un site qui n'y est pas autorisé.",
    );
    pub(super) const RETURN: Self = Self::new(
        400,
        "The form does not lead back to a site that is allowed (`return_to`).",
        "Le formulaire ne ramène pas vers un site autorisé (`return_to`).",
    );
    pub(super) const ADDRESS: Self = Self::new(
        422,
        "The address is not one that mail can be sent to. Check its spelling: only the address itself, without a name.",
        "L'adresse n'est pas une adresse électronique valable. Vérifiez-la : seulement l'adresse, sans nom.",
    );
    pub(super) const PURPOSE: Self = Self::new(
        422,
        "There is no such purpose that one can agree to here.",
        "Il n'y a pas ici de finalité de ce nom à laquelle consentir.",
    );
    pub(super) const FIELD: Self = Self::new(
        422,
        "A field holds what cannot be recorded: it is too long, or holds an address where there should be none.",
        "Un champ contient ce qui ne peut être enregistré : il est trop long, ou contient une adresse là où il n'en faut pas.",
    );
    pub(super) const LINK_UNKNOWN: Self = Self::new(
        404,
        "This link is not valid. Open it from the mail once more, whole, or ask for a new one.",
        "Ce lien n'est pas valable. Ouvrez-le de nouveau depuis le courriel, en entier, ou demandez-en un autre.",
    );
    pub(super) const LINK_USED: Self = Self::new(
        410,
        "This link was used: what it was for is done. Nothing more is needed.",
        "Ce lien a déjà servi : c'est fait. Rien de plus n'est nécessaire.",
    );
    pub(super) const LINK_EXPIRED: Self = Self::new(
        410,
        "This link has expired. Ask for a new one.",
        "Ce lien a expiré. Demandez-en un autre.",
    );
    pub(super) const NOT_HERE: Self = Self::new(
        409,
        "This cannot be changed here: the page may have been open for long. Open it once more from the mail.",
        "Ceci ne peut être changé ici : la page était peut-être ouverte depuis longtemps. Ouvrez-la de nouveau depuis le courriel.",
    );
    pub(super) const TOO_MANY: Self = Self {
        retry_after: Some(60),
        ..Self::new(
            429,
            "Too many requests came from your network. Try again in a minute.",
            "Trop de demandes viennent de votre réseau. Réessayez dans une minute.",
        )
    };
    pub(super) const UNAVAILABLE: Self = Self {
        retry_after: Some(60),
        ..Self::new(
            503,
            "This cannot be done at the moment; nothing was changed that was not confirmed to you. Try again later.",
            "C'est impossible pour le moment ; rien n'a été changé qui ne vous ait été confirmé. Réessayez plus tard.",
        )
    };
    pub(super) const NO_RECEIPT: Self =
        Self::new(404, "There is no such receipt.", "Ce reçu n'existe pas.");

    /// Another method than those that are taken.
    pub(super) fn method(allow: &'static str) -> Self {
        Self {
            allow: Some(allow),
            ..Self::new(
                405,
                "This cannot be done at this address.",
                "Ce n'est pas possible à cette adresse.",
            )
        }
    }

    /// Why a request could not be read.
    pub(super) fn of_reason(reason: Reason) -> Self {
        match reason {
            Reason::UnsupportedMediaType => Self::MEDIA,
            Reason::TooManyRequests => Self::TOO_MANY,
            Reason::MethodNotAllowed => Self::method("GET, HEAD, POST"),
            Reason::Overloaded | Reason::Internal => Self::UNAVAILABLE,
            other => Self::new(
                other.status(),
                "The request cannot be read in one way only, or is too large or too slow.",
                "La demande n'est pas lisible, ou est trop grande ou trop lente.",
            ),
        }
    }

    /// In a language.
    pub(super) fn text(&self, language: Language) -> &'static str {
        match language {
            Language::En => self.en,
            Language::Fr => self.fr,
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refused) => Self::from(refused),
            Error::Nobody => Self::LINK_UNKNOWN,
            error => {
                tracing::error!(%error, "the portal cannot use the consent ledger");
                Self::UNAVAILABLE
            }
        }
    }
}

impl From<Refused> for Trouble {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::LinkUnknown | Refused::Link => Self::LINK_UNKNOWN,
            Refused::LinkUsed => Self::LINK_USED,
            Refused::LinkExpired => Self::LINK_EXPIRED,
            Refused::Text(_) | Refused::Address(_) => Self::FIELD,
            Refused::Purpose => Self::PURPOSE,
            _ => Self::NOT_HERE,
        }
    }
}
