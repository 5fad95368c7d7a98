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
        // Two steps of rounding part different values, even where one is a multiple of the other one: in steps of 500, 260
        // and 740 are both 500; in steps of 1000 they are 0 and 1000.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coarser_steps_that_part_other_values_show_other_things() {
        let shown = |step: u64, value: &str| Mask::Round(step).apply_number(value);
        for (coarse, fine, values) in [
            (1000, 300, ["460", "590"]),
            (1000, 500, ["260", "740"]),
            (500, 100, ["12249", "12449"]),
        ] {
            let [one, other] = values;
            assert_eq!(shown(fine, one), shown(fine, other));
            assert_ne!(shown(coarse, one), shown(coarse, other));
            assert!(!at_most(&Mask::Round(coarse), &Mask::Round(fine)));
        }
        assert!(at_most(&Mask::Round(300), &Mask::Round(300)));
    }
}
