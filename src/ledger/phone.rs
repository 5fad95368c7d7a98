//! The one spelling of a telephone number: E.164, by the country that the house is in. A number finds persons and never proves
//! who somebody is: households share them.

use std::fmt;

/// Digits of a number, with its country (E.164).
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// A telephone number: `+` and digits. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone(String);

/// Why a text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// It holds what a number does not, or too many digits, or too few.
    #[error("this is no telephone number")]
    Form,
    /// It does not name its country, and none is known that it could be of.
    #[error(
        "the number does not begin with `+`, and `organisation.country` is not set or not known"
    )]
    Country,
}

/// A country: its code, its calling code, and the digits before a number within it that fall away.
struct Plan(&'static str, &'static str, &'static str);

/// Countries whose numbers are often written without their code.
const PLANS: &[Plan] = &[
    Plan("AT", "43", "0"),
    Plan("AU", "61", "0"),
    Plan("BE", "32", "0"),
    Plan("BG", "359", "0"),
    Plan("CA", "1", "1"),
    Plan("CH", "41", "0"),
    Plan("CY", "357", ""),
    Plan("CZ", "420", ""),
    Plan("DE", "49", "0"),
    Plan("DK", "45", ""),
    Plan("EE", "372", ""),
    Plan("ES", "34", ""),
    Plan("FI", "358", "0"),
    Plan("FR", "33", "0"),
    Plan("GB", "44", "0"),
    Plan("GR", "30", ""),
    Plan("HR", "385", "0"),
    Plan("HU", "36", "06"),
    Plan("IE", "353", "0"),
    Plan("IS", "354", ""),
    // A number keeps its zero.
    Plan("IT", "39", ""),
    Plan("LI", "423", ""),
    Plan("LT", "370", "0"),
    Plan("LU", "352", ""),
    Plan("LV", "371", ""),
    Plan("MT", "356", ""),
    Plan("NL", "31", "0"),
    Plan("NO", "47", ""),
    Plan("NZ", "64", "0"),
    Plan("PL", "48", ""),
    Plan("PT", "351", ""),
    Plan("RO", "40", "0"),
    Plan("SE", "46", "0"),
    Plan("SI", "386", "0"),
    Plan("SK", "421", "0"),
    Plan("US", "1", "1"),
];

impl Phone {
    /// Reads a number, however it is spaced, as it is written in a country (ISO 3166, two letters).
    pub fn parse(text: &str, country: Option<&str>) -> Result<Self, PhoneError> {
        let text = text.trim();
        // `+44 (0)20 …`: the zero is for who calls from within.
        let text = text.replace("(0)", "");
        let is_spacing = |c: char| c.is_whitespace() || matches!(c, '-' | '.' | '/' | '(' | ')');
        let plain: String = text.chars().filter(|c| !is_spacing(*c)).collect();
        let plain = plain.strip_prefix("tel:").unwrap_or(&plain);
        let abroad = plain.strip_prefix('+').or_else(|| plain.strip_prefix("00"));
        let digits = match abroad {
            Some(digits) => digits.to_owned(),
            None => within(plain, country)?,
        };
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit())
            && DIGITS.contains(&digits.len())
            && !digits.starts_with('0');
        match is_number {
            true => Ok(Self(format!("+{digits}"))),
            false => Err(PhoneError::Form),
        }
    }

    /// The number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(…)")
    }
}

/// A number as it is written within a country, with its calling code.
fn within(plain: &str, country: Option<&str>) -> Result<String, PhoneError> {
    let plan = PLANS.iter().find(|plan| Some(plan.0) == country);
    let Plan(_, code, trunk) = plan.ok_or(PhoneError::Country)?;
    let rest = plain.strip_prefix(trunk).unwrap_or(plain);
    Ok(format!("{code}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_number_are_one() {
        for (text, country, one) in [
            ("+33 1 23 45 67 89", None, "+33123456789"),
            ("0033 (0)1.23.45.67.89", None, "+33123456789"),
            ("01 23 45 67 89", Some("FR"), "+33123456789"),
            ("tel:+33-1-23-45-67-89", Some("DE"), "+33123456789"),
            ("06 1234 567", Some("IT"), "+39061234567"),
            ("06 1 234 5678", Some("HU"), "+3612345678"),
            ("1 (212) 555-0100", Some("US"), "+12125550100"),
            ("(212) 555-0100", Some("US"), "+12125550100"),
            ("612 34 56 78", Some("ES"), "+34612345678"),
        ] {
            let phone = Phone::parse(text, country).unwrap();
            assert_eq!(phone.as_str(), one, "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for (text, country, why) in [
            ("", Some("FR"), PhoneError::Form),
            ("01 23 45 67 89", None, PhoneError::Country),
            ("01 23 45 67 89", Some("ZZ"), PhoneError::Country),
            ("+33 1 23 45 67 89 ext. 5", None, PhoneError::Form),
            ("+0 1 23 45 67 89", None, PhoneError::Form),
            ("+12345678901234567", None, PhoneError::Form),
            ("call me", Some("FR"), PhoneError::Form),
        ] {
            assert_eq!(Phone::parse(text, country), Err(why), "{text}");
        }
    }
}
