//! Kinds of identifier: one registry, and a file for how each is found.

#[cfg(test)]
pub(super) use proved::search_fully;

use super::layers;
use super::plain::{self, Plain};
use super::statement::Topic;
use super::{Meant, Span, WITHHELD, compact};
use sight::Sight;

mod address;
mod bic;
mod birth_date;
mod card;
mod iban;
mod label;
mod mail;
mod national_id;
mod nir;
mod passport;
mod phone;
mod proved;
mod reader;
mod sight;
mod words;

#[cfg(test)]
mod tests;

/// A kind of identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Postal address: street, number, postcode, town.
    Address,
    /// Business identifier code (ISO 9362).
    Bic,
    /// Date of somebody's birth.
    BirthDate,
    /// Payment card number (ISO/IEC 7812, Luhn).
    Card,
    /// International bank account number (ISO 13616, mod 97).
    Iban,
    /// E-mail address.
    Mail,
    /// National identification number of another country than France.
    NationalId,
    /// French national identification number, with key, Corsican departments included.
    Nir,
    /// Number of a passport.
    Passport,
    /// Telephone number.
    Phone,
    /// No identifier: a statement about a person, of a category of Art. 9 or 10 GDPR.
    Statement(Topic),
}

/// What there is to know of a kind.
struct Entry {
    kind: Kind,
    /// Its name in policies and in brackets.
    name: &'static str,
    /// The category of those that are found in a text.
    category: &'static str,
    /// What tells one.
    evidence: Evidence,
    /// Bytes of the longest, in groups.
    longest: usize,
    /// Whether a whole value, however it is grouped, is a valid one.
    is_valid: fn(&str) -> bool,
    /// Whether one is found whatever stands on both sides of it, apart from it.
    stands_anywhere: fn(&str) -> bool,
}

/// What tells an identifier of a kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Evidence {
    /// A checksum; in a text, whatever stands beside it.
    Checksum,
    /// A form that nothing else has, but where it stands in a text: then also the words beside it.
    Form,
    /// The words beside it.
    Words,
}

/// All kinds, in the order of their names.
static REGISTRY: [Entry; 10] = [
    Entry {
        kind: Kind::Address,
        name: "address",
        category: "contact.address",
        evidence: Evidence::Words,
        longest: address::BYTES_MAX,
        is_valid: |_| false,
        stands_anywhere: |_| false,
    },
    Entry {
        kind: Kind::Bic,
        name: "bic",
        category: "financial.bic",
        evidence: Evidence::Form,
        longest: 14,
        is_valid: |value| compact(value).is_some_and(|symbols| bic::is_bic(symbols.as_bytes())),
        stands_anywhere: |_| false,
    },
    Entry {
        kind: Kind::BirthDate,
        name: "birth_date",
        category: "identity.birth_date",
        evidence: Evidence::Words,
        longest: birth_date::BYTES_MAX,
        is_valid: birth_date::is_date,
        stands_anywhere: |_| false,
    },
    Entry {
        kind: Kind::Card,
        name: "card",
        category: "financial.card",
        evidence: Evidence::Checksum,
        longest: 23,
        is_valid: |value| compact(value).is_some_and(|symbols| card::is_card(symbols.as_bytes())),
        stands_anywhere: card::stands_anywhere,
    },
    Entry {
        kind: Kind::Iban,
        name: "iban",
        category: "financial.iban",
        evidence: Evidence::Checksum,
        longest: 42,
        is_valid: |value| compact(value).is_some_and(|symbols| iban::is_valid(symbols.as_bytes())),
        stands_anywhere: |value| {
            compact(value).is_some_and(|symbols| {
                iban::national_length(symbols.as_bytes()) == Some(symbols.len())
            })
        },
    },
    Entry {
        kind: Kind::Mail,
        name: "mail",
        category: "contact.email",
        evidence: Evidence::Words,
        longest: mail::BYTES_MAX,
        is_valid: mail::is_mail,
        stands_anywhere: |_| true,
    },
    Entry {
        kind: Kind::NationalId,
        name: "national_id",
        category: "identity.national_id",
        evidence: Evidence::Words,
        longest: national_id::BYTES_MAX,
        is_valid: national_id::is_national_id,
        stands_anywhere: |_| false,
    },
    Entry {
        kind: Kind::Nir,
        name: "nir",
        category: "identity.national_id",
        evidence: Evidence::Checksum,
        longest: 26,
        is_valid: |value| {
            nir::compact(value).is_some_and(|symbols| nir::is_nir(symbols.as_bytes()))
        },
        stands_anywhere: |_| true,
    },
    Entry {
        kind: Kind::Passport,
        name: "passport",
        category: "identity.national_id.passport",
        evidence: Evidence::Words,
        longest: passport::BYTES_MAX,
        is_valid: passport::is_number,
        stands_anywhere: |_| false,
    },
    Entry {
        kind: Kind::Phone,
        name: "phone",
        category: "contact.phone",
        evidence: Evidence::Words,
        longest: phone::BYTES_MAX,
        is_valid: phone::is_number,
        stands_anywhere: phone::stands_anywhere,
    },
];

impl Kind {
    /// Every kind of identifier, in the order of their names.
    pub const IDENTIFIERS: [Self; 10] = [
        Self::Address,
        Self::Bic,
        Self::BirthDate,
        Self::Card,
        Self::Iban,
        Self::Mail,
        Self::NationalId,
        Self::Nir,
        Self::Passport,
        Self::Phone,
    ];

    /// What there is to know of a kind of identifier.
    fn entry(self) -> Option<&'static Entry> {
        REGISTRY.iter().find(|entry| entry.kind == self)
    }

    /// The kind's name in policies and in brackets: `iban`. All statements have one name, since theirs would tell what is
    /// withheld.
    pub fn as_str(self) -> &'static str {
        self.entry().map_or(WITHHELD, |entry| entry.name)
    }

    /// The category of those that are found in a text: `financial.iban`.
    pub fn category(self) -> &'static str {
        match self {
            Self::Statement(topic) => topic.category(),
            _ => self.entry().map_or("", |entry| entry.category),
        }
    }

    /// Whether a checksum tells one, whatever stands beside it.
    pub fn has_checksum(self) -> bool {
        self.evidence() == Some(Evidence::Checksum)
    }

    /// Whether a whole value by itself can prove to be one.
    pub fn proves_itself(self) -> bool {
        self.evidence()
            .is_some_and(|evidence| evidence != Evidence::Words)
    }

    fn evidence(self) -> Option<Evidence> {
        self.entry().map(|entry| entry.evidence)
    }

    /// Bytes of the longest identifier of the kind, in groups. A statement stands as it stood.
    pub(crate) fn longest(self) -> usize {
        self.entry().map_or(0, |entry| entry.longest)
    }

    /// Whether a whole value, however it is grouped, is a valid identifier of this kind.
    pub fn is_valid(self, value: &str) -> bool {
        self.entry().is_some_and(|entry| (entry.is_valid)(value))
    }

    /// Whether a compacted value has the length and the characters of this kind, whatever its checksum. Of kinds that
    /// cannot prove themselves, none has.
    pub(crate) fn is_shaped(self, symbols: &str) -> bool {
        let symbols = symbols.as_bytes();
        match self {
            Self::Bic => bic::is_bic(symbols),
            Self::Card => card::is_shaped(symbols),
            Self::Iban => iban::is_shaped(symbols),
            Self::Nir => nir::is_shaped(symbols),
            _ => false,
        }
    }
}

/// Whether an identifier is found whatever stands on both sides of it, apart from it: an IBAN of its country's length, a
/// national number, a card in one piece or in groups as cards are, a mail address, a telephone number in one of the usual
/// forms. What is coded, or two that overlap, is not; nor is what words beside it tell.
pub(crate) fn stands_in_any_company(kind: Kind, identifier: &str) -> bool {
    let entry = kind.entry();
    entry.is_some_and(|entry| (entry.is_valid)(identifier) && (entry.stands_anywhere)(identifier))
}

/// Whether letters before a number, whatever stood between them, may say that it is the number of something else. They hide
/// cards and telephone numbers from the search.
pub(crate) fn may_disclaim(kind: Kind, letters: &str) -> bool {
    matches!(kind, Kind::Card | Kind::Phone) && label::may_disclaim(letters)
}

/// Letters and digits that may not touch an identifier of a kind, though blanks fall away.
pub(crate) fn elbow_room(kind: Kind) -> usize {
    match kind {
        Kind::Phone => phone::WORD_MIN,
        _ => 0,
    }
}

/// The length of the IBANs of the country that the symbols begin with, if it has one.
pub(crate) fn iban_length(symbols: &[u8]) -> Option<usize> {
    iban::national_length(symbols)
}

/// Whether a text holds anything that an identifier could be made of.
pub(super) fn may_hold_any(text: &str) -> bool {
    let sight = Sight::of(text);
    proved::may_hold_any(sight) || reader::may_hold_any(sight) || layers::may_hold_word(text)
}

/// Adds every identifier of one layer of a text, and every word of it that spells one; `source` tells where a part of the
/// layer stands in the text.
pub(super) fn search_layer(
    layer: &str,
    is_meant: Meant<'_>,
    source: layers::Source<'_>,
    spans: &mut Vec<Span>,
) {
    let before = spans.len();
    let sight = Sight::of(layer);
    let is_read = Kind::IDENTIFIERS
        .into_iter()
        .any(|kind| !kind.has_checksum() && is_meant(kind));
    if proved::may_hold_any(sight) {
        // What is proved to be one thing is not read as another.
        let sought = |kind: Kind| kind.has_checksum() && (is_read || is_meant(kind));
        proved::search_seen(layer, sight, 0, &sought, spans);
    }
    if is_read && reader::may_hold_any(sight) {
        read(layer, sight, 0, is_meant, before, spans);
    }
    let mut kept = before;
    for place in before..spans.len() {
        if is_meant(spans[place].kind) {
            spans.swap(kept, place);
            spans[kept].range = source(&spans[kept].range);
            kept += 1;
        }
    }
    spans.truncate(kept);
    if !layers::may_hold_word(layer) {
        return;
    }
    layers::words(layer, &mut |spelled, word| {
        let mut inside = Vec::new();
        let sought = |kind: Kind| kind.has_checksum() && is_meant(kind);
        proved::search(spelled, 0, &sought, &mut inside);
        spans.extend(inside.into_iter().map(|Span { kind, .. }| Span {
            kind,
            range: source(&word),
        }));
    });
}

/// Adds what a reader takes for an identifier in a text that begins at byte `offset` of the layer, of which those from
/// `first` on are proved.
fn read(
    text: &str,
    sight: Sight,
    offset: usize,
    is_meant: Meant<'_>,
    first: usize,
    spans: &mut Vec<Span>,
) {
    let mut insides = Vec::new();
    let mut plain = Plain::of(text, &mut |inside| insides.push(inside));
    for span in spans.get(first..).unwrap_or_default() {
        let Some(start) = span.range.start.checked_sub(offset) else {
            continue;
        };
        // The country of an account tells which bank stands beside it.
        let (with, kept) = match span.kind {
            Kind::Iban => (plain::ACCOUNT, 2),
            _ => (plain::WALL, 0),
        };
        if span.kind.has_checksum() && span.range.end - offset <= text.len() {
            plain.cover(&(start..span.range.end - offset), with, kept);
        }
    }
    reader::search(plain.bytes(), sight, &mut |kind, range| {
        if is_meant(kind) {
            let range = plain.source(&range);
            let range = range.start + offset..range.end + offset;
            spans.push(Span { kind, range });
        }
    });
    for inside in insides {
        let part = text.get(inside.clone()).unwrap_or_default();
        let sight = Sight::of(part);
        if reader::may_hold_any(sight) {
            read(part, sight, offset + inside.start, is_meant, first, spans);
        }
    }
}
