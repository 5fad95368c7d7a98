//! What a field most likely is, by its values, its name and its type. Data of Art. 9 and 10 GDPR is told by the name alone, a
//! checksum by the values alone. Nothing is ever said to be `technical`, and what nobody can tell stays open.

use std::collections::BTreeSet;

use super::counts::FieldCounts;
use super::dictionary::{Dictionary, is_strict};
use super::looks::Look;
use crate::dialect::Origin;
use crate::dialect::survey::Sort;
use crate::policy::Classified;
use crate::vocabulary::Category;

/// What is known of a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    /// Its name, as the CRM writes it.
    pub(super) name: &'a str,
    /// What was counted of it.
    pub(super) counts: Option<&'a FieldCounts>,
    /// What its type says.
    pub(super) sort: Option<Sort>,
    /// Where its value comes from.
    pub(super) origin: &'a Origin,
    /// What the policy says.
    pub(super) classified: &'a Classified,
}

/// What should be done about a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: it is classified, and nothing speaks against that.
    Ok,
    /// It is not classified, and is most likely this.
    Suggest(BTreeSet<String>),
    /// It is classified, and its values prove to be this, too.
    Holds(String),
    /// A wildcard gives it this category, and none of its many values is one.
    FalseCatch(String),
    /// It is not classified, and nobody can tell what it is.
    Open,
    /// It needs no classification: it is never shown, or has no value of its own.
    Settled,
}

/// Values from which on none of them being something says that the field is not that.
const MANY: u64 = 50;

/// Judges a field.
pub(super) fn judge(known: Known<'_>) -> Verdict {
    let is_own = matches!(known.origin, Origin::Own | Origin::Items(_));
    match known.origin {
        Origin::Secret | Origin::Structural(_) | Origin::Related(_) | Origin::UnknownRelated => {
            return Verdict::Settled;
        }
        _ if !known.classified.is_open => return of_classified(known, is_own),
        // What it copies decides.
        _ if !is_own => return Verdict::Settled,
        _ => {}
    }
    let suggested = suggested(known);
    match suggested.is_empty() {
        true => Verdict::Open,
        false => Verdict::Suggest(suggested),
    }
}

fn of_classified(known: Known<'_>, is_own: bool) -> Verdict {
    let (categories, Some(counts)) = (&known.classified.categories, known.counts) else {
        return Verdict::Ok;
    };
    if !is_own {
        return Verdict::Ok;
    }
    let covers = |category: &str| {
        let category = Category::new(category);
        let related = |own: &Category| own.covers(&category) || category.covers(own);
        categories.iter().any(related)
    };
    let is_private = |category: &Category| !matches!(category.as_str(), "free_text");
    if let Some(proved) = proved(counts)
        && proved.has_checksum()
        && let Some(category) = category_of(proved)
        && !covers(category)
        && categories.iter().any(is_private)
    {
        return Verdict::Holds(category.to_owned());
    }
    let is_none = |category: &&Category| {
        let looks = LOOKS
            .iter()
            .filter(|look| look.has_checksum() && category_of(**look) == Some(category.as_str()));
        let mut looks = looks.peekable();
        looks.peek().is_some() && looks.all(|look| counts.looking(*look) == 0)
    };
    if !known.classified.is_named
        && counts.looked() >= MANY
        && let Some(wrong) = categories.iter().find(is_none)
    {
        return Verdict::FalseCatch(wrong.as_str().to_owned());
    }
    Verdict::Ok
}

/// What a field that is not classified most likely is.
fn suggested(known: Known<'_>) -> BTreeSet<String> {
    let told = Dictionary::shipped().tells(known.name);
    let strict = told.iter().copied().filter(|one| is_strict(one));
    let mut suggested: BTreeSet<String> = strict.map(str::to_owned).collect();
    let proved = known.counts.and_then(proved);
    suggested.extend(proved.and_then(category_of).map(str::to_owned));
    if !suggested.is_empty() || !may_be_ordinary(known) {
        return suggested;
    }
    if !told.is_empty() {
        return told.into_iter().map(str::to_owned).collect();
    }
    suggested.extend(by_type(known).map(str::to_owned));
    suggested
}

/// Whether a field may hold data of an ordinary category: ids, switches and stamps do not, whatever they are called.
fn may_be_ordinary(known: Known<'_>) -> bool {
    let folded = known.name.to_ascii_lowercase();
    let stem = folded.strip_suffix("_c").unwrap_or(&folded);
    let is_id = stem == "id" || stem.ends_with("_id") || known.name.ends_with("Id");
    let mostly = known.counts.and_then(FieldCounts::mostly);
    let look = mostly.map(|(look, _)| look);
    let of_no_person = matches!(
        known.sort,
        Some(Sort::Flag | Sort::Choice | Sort::Id | Sort::Other)
    );
    let told = Dictionary::shipped().tells(known.name);
    let is_consent = told.contains("consent_record");
    let is_birth = told.contains("identity.birth_date");
    !is_id
        && (is_consent || !of_no_person)
        && match look {
            Some(Look::Flag) => is_consent,
            Some(Look::Moment) => is_consent || is_birth,
            Some(Look::Id) => false,
            _ => true,
        }
}

fn by_type(known: Known<'_>) -> Option<&'static str> {
    let by_sort = match known.sort {
        Some(Sort::Mail) => Some("contact.email"),
        Some(Sort::Phone) => Some("contact.phone"),
        Some(Sort::Money) => Some("commercial.figures"),
        Some(Sort::Prose) => Some("free_text"),
        _ => None,
    };
    let counts = known.counts;
    let is_prose = |counts: &FieldCounts| {
        let prose = counts.looking(Look::Prose);
        prose >= 3 && prose * 3 >= counts.looked()
    };
    by_sort.or_else(|| counts.filter(|one| is_prose(one)).map(|_| "free_text"))
}

const LOOKS: &[Look] = &[
    Look::Iban,
    Look::Nir,
    Look::Card,
    Look::NationalId,
    Look::Bic,
    Look::Mail,
    Look::Phone,
];

/// What the values prove. How many must be one depends on how often chance makes one.
fn proved(counts: &FieldCounts) -> Option<Look> {
    let proves = |look: &&Look| {
        let (least, percent) = match look {
            Look::Iban | Look::Nir => (1, 50),
            Look::Card => (3, 60),
            Look::NationalId => (5, 90),
            Look::Bic => (3, 90),
            Look::Mail => (1, 60),
            _ => (3, 80),
        };
        let hits = counts.looking(**look);
        hits >= least && hits * 100 >= counts.looked() * percent
    };
    LOOKS.iter().find(proves).copied()
}

fn category_of(look: Look) -> Option<&'static str> {
    look.kind().map(crate::detect::Kind::category)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classified(categories: &[&str], is_named: bool) -> Classified {
        Classified {
            categories: categories.iter().map(|name| Category::new(name)).collect(),
            is_named,
            is_open: categories.is_empty(),
            is_known: true,
        }
    }

    fn counts(looks: &[(Look, u64)]) -> FieldCounts {
        let filled = looks.iter().map(|(_, count)| count).sum();
        FieldCounts {
            seen: filled,
            filled,
            looks: looks.iter().copied().collect(),
            ..FieldCounts::default()
        }
    }

    fn of(name: &str, looks: &[(Look, u64)], sort: Option<Sort>) -> Verdict {
        judge(Known {
            name,
            counts: Some(&counts(looks)),
            sort,
            origin: &Origin::Own,
            classified: &classified(&[], false),
        })
    }

    fn suggest(categories: &[&str]) -> Verdict {
        Verdict::Suggest(categories.iter().map(|one| (*one).to_owned()).collect())
    }

    #[test]
    fn values_names_and_types_tell() {
        use Look::*;
        assert_eq!(
            of("x_c", &[(Iban, 97), (Words, 3)], None),
            suggest(&["financial.iban"])
        );
        assert_eq!(of("x_c", &[(Iban, 10), (Words, 90)], None), Verdict::Open);
        assert_eq!(
            of("x_c", &[(NationalId, 30), (Number, 70)], None),
            Verdict::Open
        );
        assert_eq!(
            of("religion_c", &[(Words, 9)], Some(Sort::Choice)),
            suggest(&["special.belief"])
        );
        assert_eq!(
            of("union_member_c", &[(Flag, 9)], Some(Sort::Flag)),
            suggest(&["special.trade_union"])
        );
        assert_eq!(
            of("has_email_c", &[(Flag, 9)], Some(Sort::Flag)),
            Verdict::Open
        );
        assert_eq!(of("email_template_id", &[(Id, 9)], None), Verdict::Open);
        assert_eq!(
            of("remarks_x", &[], Some(Sort::Prose)),
            suggest(&["free_text"])
        );
        assert_eq!(
            of("blurb_c", &[(Prose, 5), (Words, 5)], None),
            suggest(&["free_text"])
        );
        assert_eq!(
            of("do_not_call", &[(Flag, 5)], Some(Sort::Flag)),
            suggest(&["consent_record"])
        );
        assert_eq!(
            of("shoe_size_c", &[(Number, 50)], Some(Sort::Number)),
            Verdict::Open
        );
        let both = of("religion_iban_c", &[(Iban, 5)], None);
        assert_eq!(both, suggest(&["financial.iban", "special.belief"]));
    }

    #[test]
    fn nothing_is_ever_said_to_be_technical() {
        for name in [
            "id",
            "date_entered",
            "deleted",
            "created_by",
            "technical_id_c",
            "team_id",
        ] {
            for look in [
                Look::Id,
                Look::Moment,
                Look::Number,
                Look::Flag,
                Look::Words,
            ] {
                let verdict = of(name, &[(look, 100)], None);
                assert_eq!(verdict, Verdict::Open, "{name} {look:?}");
            }
        }
    }

    #[test]
    fn what_is_classified_is_held_against_its_values() {
        let with = |categories, is_named, looks: &[(Look, u64)]| {
            judge(Known {
                name: "souvenir_c",
                counts: Some(&counts(looks)),
                sort: None,
                origin: &Origin::Own,
                classified: &classified(categories, is_named),
            })
        };
        let words = [(Look::Words, 60)];
        let national = &["identity.national_id"][..];
        assert_eq!(
            with(national, false, &words),
            Verdict::FalseCatch("identity.national_id".into())
        );
        assert_eq!(with(national, true, &words), Verdict::Ok);
        assert_eq!(with(national, false, &words[..0]), Verdict::Ok);
        let ibans = [(Look::Iban, 60)];
        assert_eq!(
            with(&["commercial.subject"], true, &ibans),
            Verdict::Holds("financial.iban".into())
        );
        assert_eq!(with(&["financial"], true, &ibans), Verdict::Ok);
        let settled = |origin: &Origin| {
            judge(Known {
                name: "x",
                counts: None,
                sort: None,
                origin,
                classified: &classified(&[], false),
            })
        };
        assert_eq!(settled(&Origin::Secret), Verdict::Settled);
    }
}
