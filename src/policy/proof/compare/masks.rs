//! Which of two masks shows more. Of values that are long enough for both: one that is too short for a mask is redacted.

use crate::mask::Mask;

/// Whether one mask shows at most what another one does, of every value that both fit. It is a partial order: of two masks
/// that show different parts of a value, neither shows at most what the other does.
pub(in crate::policy) fn at_most(one: &Mask, other: &Mask) -> bool {
    if one == other {
        return true;
    }
    match (one, other) {
        // Nothing of the value.
        (Mask::Constant(_) | Mask::Last(0) | Mask::First(0), _) => true,
        (Mask::Last(few), Mask::Last(many)) | (Mask::First(few), Mask::First(many)) => few <= many,
        (Mask::Card, Mask::Last(many)) | (Mask::Bic, Mask::First(many)) => *many >= 4,
        // The same year, written otherwise; and a date begins with its year.
        (Mask::Year, Mask::YearAsDate) | (Mask::YearAsDate, Mask::Year) => true,
        (Mask::Year | Mask::YearAsDate, Mask::First(many)) => *many >= 4,
        // Coarser steps tell less.
        (Mask::Round(coarse), Mask::Round(fine)) => coarse >= fine,
        _ => false,
    }
}

/// A mask in the words of a policy.
pub(in crate::policy) fn words(mask: &Mask) -> String {
    match mask {
        Mask::Iban => "iban".to_owned(),
        Mask::Bic => "bic".to_owned(),
        Mask::Card => "card".to_owned(),
        Mask::Initials => "initials".to_owned(),
        Mask::Mail => "mail".to_owned(),
        Mask::Last(count) => format!("last: {count}"),
        Mask::First(count) => format!("first: {count}"),
        Mask::Year => "year".to_owned(),
        Mask::YearAsDate => "date: YYYY-01-01".to_owned(),
        Mask::Department => "department".to_owned(),
        Mask::Round(step) => format!("round: {step}"),
        Mask::Constant(text) => format!("constant: {text:?}"),
    }
}
