//! Masks that show so much that the rest can be guessed. A mask never shows more than half of a value; but of an account
//! number half is known to everybody, and of a small amount everything is in front.

use crate::diagnostic::{Diagnostic, Diagnostics, grouped};
use crate::mask::Mask;
use crate::vocabulary::{Category, Level, Role};

use super::super::codes;
use super::Looked;
use super::subject::{Subject, subjects};
use super::words::{reach, roles};

/// What values of a category are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// 15 to 34 characters: country, check digits, bank, branch, account.
    Iban,
    /// 8 or 11 characters.
    Bic,
    /// 12 to 19 digits, the first six of which tell the issuer.
    Card,
    /// 9 to 15 characters: an identity card, a NIR.
    NationalId,
    /// 8 to 15 digits.
    Phone,
    Email,
    Name,
    Address,
    /// Eight digits.
    BirthDate,
    Number,
    Other,
}

/// The categories of the catalogue whose form is known; what lies below them is like them.
const FORMS: &[(&str, Form)] = &[
    ("financial.iban", Form::Iban),
    ("financial.bic", Form::Bic),
    ("financial.card", Form::Card),
    ("identity.national_id", Form::NationalId),
    ("identity.birth_date", Form::BirthDate),
    ("identity.name", Form::Name),
    ("contact.phone", Form::Phone),
    ("contact.email", Form::Email),
    ("contact.address", Form::Address),
    ("commercial.figures", Form::Number),
];

impl Form {
    fn of(category: &Category) -> Self {
        let built_in = FORMS
            .iter()
            .find(|(name, _)| Category::new(name).covers(category));
        if let Some((_, form)) = built_in {
            return *form;
        }
        match subjects(category.as_str()).first() {
            Some(Subject::Iban) => Self::Iban,
            Some(Subject::Bic) => Self::Bic,
            Some(Subject::Card) => Self::Card,
            Some(Subject::NationalId) => Self::NationalId,
            Some(Subject::Birth) => Self::BirthDate,
            Some(Subject::Email) => Self::Email,
            Some(Subject::Phone) => Self::Phone,
            Some(Subject::Address) => Self::Address,
            Some(Subject::Amount) => Self::Number,
            _ => Self::Other,
        }
    }

    /// The most characters that may be shown, first ones and last ones. Of an identifier: at most half of its shortest
    /// form, and never all but four. Of a number: two significant digits.
    fn most(self) -> (usize, usize) {
        match self {
            Self::Iban => (7, 7),
            // The first four name the bank, and nobody.
            Self::Bic => (4, 3),
            Self::Card => (6, 6),
            Self::NationalId | Self::Phone | Self::Address => (4, 4),
            Self::Email => (2, 4),
            Self::Name => (3, 3),
            Self::BirthDate => (4, 2),
            Self::Number => (2, 2),
            Self::Other => (8, 8),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Iban => "an IBAN",
            Self::Bic => "a BIC",
            Self::Card => "a card number",
            Self::NationalId => "a national identifier",
            Self::Phone => "a telephone number",
            Self::Email => "an e-mail address",
            Self::Name => "a name",
            Self::Address => "an address",
            Self::BirthDate => "a date of birth",
            Self::Number => "a number",
            Self::Other => "a value",
        }
    }
}

/// Steps below which rounding shows nearly the number itself.
const ROUND_LEAST: u64 = 100;

pub(super) fn warn(looked: &Looked<'_>, found: &mut Diagnostics) {
    for (category, declared) in &looked.model.categories {
        let (Some(mask), Some(place)) = (&declared.mask, &declared.mask_place) else {
            continue;
        };
        let form = Form::of(category);
        let Some((shows, help)) = too_much(form, mask) else {
            continue;
        };
        let title = format!("the mask of `{category}` shows too much: {shows}");
        let seen = looked.sight.seen_by([category], Level::Mask);
        let seen: std::collections::BTreeSet<&Role> = seen;
        found.push(
            Diagnostic::error_to_be(codes::MASK_SHOWS_MUCH, title)
                .at(
                    place,
                    format!(
                        "shown to {}; {}",
                        roles(&seen),
                        reach(&looked.model.classes, category)
                    ),
                )
                .help(help),
        );
    }
}

/// What a mask shows too much of, and what would do.
fn too_much(form: Form, mask: &Mask) -> Option<(String, String)> {
    let (first_most, last_most) = form.most();
    let of = form.words();
    let fewer = |most: usize, end: &str| {
        format!("show at most {most}: `{{ {end}: {most} }}`, or take the mask out, which redacts")
    };
    match mask {
        Mask::First(count) if *count > first_most => {
            let left = left(form, *count, true);
            Some((format!("{count} characters of {of}{left}"), fewer(first_most, "first")))
        }
        Mask::Last(count) if *count > last_most => {
            let left = left(form, *count, false);
            Some((format!("{count} characters of {of}{left}"), fewer(last_most, "last")))
        }
        Mask::Round(step) if matches!(form, Form::Number | Form::Other) => (*step < ROUND_LEAST).then(|| {
            let left = match step {
                1 => "one possibility is left".to_owned(),
                step => format!("{step} possibilities are left"),
            };
            let help = format!("round to {ROUND_LEAST} or more: of large numbers two digits are shown in any case");
            (format!("of what is below 100 all, of more two digits; {left}"), help)
        }),
        Mask::Round(_) => Some((
            format!("rounding is for amounts, and of {of} it shows the first digits"),
            "use a mask of its kind, or take the mask out, which redacts".to_owned(),
        )),
        Mask::Initials if matches!(form, Form::Phone | Form::NationalId | Form::Number) => Some((
            format!("of {of} that is written in groups, the first digit of each group"),
            "use `{ last: 2 }`, or take the mask out, which redacts".to_owned(),
        )),
        Mask::Department if matches!(form, Form::Name | Form::Other) => Some((
            format!("{of} of up to three letters is shown whole"),
            "use `{ first: 1 }`, or take the mask out, which redacts".to_owned(),
        )),
        _ => None,
    }
}

/// How many possibilities are left, in words; blank where that cannot be counted. What is public is counted as known: who
/// issued a card, which banks there are, how numbers of a country begin.
fn left(form: Form, shown: usize, first: bool) -> String {
    let tens = |exponent: usize| {
        10_u64
            .checked_pow(u32::try_from(exponent).unwrap_or(u32::MAX))
            .unwrap_or(u64::MAX)
    };
    let left = match (form, first) {
        // The account has eleven digits; before them stands one of some ten thousand banks and branches.
        (Form::Iban, false) => tens(4 + 11_usize.saturating_sub(shown)),
        // Bank and branch have ten digits after country and check digits, which fix two of the last.
        (Form::Iban, true) => tens(25_usize.saturating_sub(shown.max(14))),
        (Form::Bic, _) => tens(4_usize.saturating_sub(shown.saturating_sub(2))),
        // Of sixteen digits six tell the issuer, and one is the check digit.
        (Form::Card, false) => tens(9_usize.saturating_sub(shown)),
        (Form::Card, true) => tens(15_usize.saturating_sub(shown)),
        // The last two digits check the others; sex, year, month and department are few.
        (Form::NationalId, false) => tens(11_usize.saturating_sub(shown.saturating_sub(2))) / 100,
        (Form::NationalId, true) => tens(13_usize.saturating_sub(shown)),
        // Of ten digits the first two tell the kind of number.
        (Form::Phone, false) => 2 * tens(8_usize.saturating_sub(shown)),
        (Form::Phone, true) => tens(10_usize.saturating_sub(shown)),
        // Day and month leave the year; year and month leave the day.
        (Form::BirthDate, false) => 100,
        (Form::BirthDate, true) => {
            if shown >= 6 {
                30
            } else {
                120
            }
        }
        (Form::Email | Form::Name | Form::Address | Form::Number | Form::Other, _) => {
            return String::new();
        }
    };
    match left {
        0 | 1 => "; hardly more than one possibility is left".to_owned(),
        left => format!(
            "; of what is not public, about {} possibilities are left",
            grouped(left)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{FORMS, Form, grouped, too_much};
    use crate::mask::Mask;
    use crate::policy::CATALOGUE;
    use crate::vocabulary::Category;

    fn shows(category: &str, mask: &Mask) -> Option<String> {
        too_much(Form::of(&Category::new(category)), mask).map(|(shows, _)| shows)
    }

    #[test]
    fn the_masks_of_the_catalogue_show_what_they_may() {
        for built_in in CATALOGUE {
            if let Some(mask) = &built_in.mask {
                assert_eq!(shows(built_in.name, mask), None, "{}", built_in.name);
            }
        }
        for (name, _) in FORMS {
            assert!(
                CATALOGUE.iter().any(|built_in| built_in.name == *name),
                "{name}"
            );
        }
    }

    #[test]
    fn of_an_identifier_at_most_half_is_shown_and_never_all_but_four() {
        for (category, shortest, bound) in [
            ("financial.iban", 15, 7),
            ("financial.card", 12, 6),
            ("financial.bic", 8, 3),
            ("identity.national_id", 9, 4),
            ("contact.phone", 8, 4),
        ] {
            assert!(bound * 2 <= shortest && bound + 4 <= shortest, "{category}");
            for count in 1..=16 {
                let told = shows(category, &Mask::Last(count));
                assert_eq!(told.is_some(), count > bound, "{category}: {count}");
                assert!(
                    told.is_none_or(|told| told.contains("left")),
                    "{category}: {count}"
                );
            }
        }
    }

    #[test]
    fn of_a_number_two_digits_are_shown() {
        for (mask, expected) in [
            (Mask::Round(1), true),
            (Mask::Round(10), true),
            (Mask::Round(99), true),
            (Mask::Round(100), false),
            (Mask::Round(5_000), false),
            (Mask::First(2), false),
            (Mask::First(3), true),
            (Mask::Last(3), true),
            (Mask::Constant("x".to_owned()), false),
        ] {
            assert_eq!(
                shows("commercial.figures", &mask).is_some(),
                expected,
                "{mask:?}"
            );
            assert_eq!(shows("hr.salary", &mask).is_some(), expected, "{mask:?}");
        }
        assert_eq!(
            shows("commercial.figures", &Mask::Round(10)).unwrap(),
            "of what is below 100 all, of more two digits; 10 possibilities are left"
        );
    }

    #[test]
    fn a_category_of_ones_own_is_bound_by_what_its_name_speaks_of() {
        for (category, mask) in [
            ("payment.iban", Mask::Last(13)),
            ("financial.iban.old", Mask::First(13)),
            ("hr.passport", Mask::Last(6)),
            ("person.geburtsdatum", Mask::Last(4)),
            ("contact.mobil", Mask::First(8)),
            ("work.code", Mask::Last(9)),
            ("contact.phone", Mask::Round(1000)),
            ("identity.name", Mask::Department),
            ("contact.phone", Mask::Initials),
        ] {
            assert!(shows(category, &mask).is_some(), "{category}: {mask:?}");
        }
        assert_eq!(shows("work.code", &Mask::Last(8)), None);
    }

    #[test]
    fn what_is_left_is_counted() {
        let left = |category, mask: &Mask| shows(category, mask).unwrap();
        assert!(
            left("financial.iban", &Mask::Last(13))
                .ends_with("about 10,000 possibilities are left")
        );
        assert!(
            left("financial.card", &Mask::Last(8)).ends_with("about 10 possibilities are left")
        );
        assert!(
            left("financial.card", &Mask::Last(10))
                .ends_with("hardly more than one possibility is left")
        );
        assert!(
            left("identity.birth_date", &Mask::Last(4))
                .ends_with("about 100 possibilities are left")
        );
        assert_eq!(
            (grouped(7), grouped(1_234_567)),
            ("7".to_owned(), "1,234,567".to_owned())
        );
    }
}
