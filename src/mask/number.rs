//! Rounding of numbers by their decimal spelling, exactly.

/// Digits before the point of a number that can be rounded; larger ones are redacted.
const INTEGER_DIGITS_MAX: usize = 30;

/// Rounds a decimal number (`-?digits[.digits][e±digits]`) to the nearest multiple of `step`, halves away from zero, and
/// then to two significant digits: more of them would tell which number it is.
pub(super) fn round(spelling: &str, step: u64) -> Option<String> {
    let step = u128::from(step);
    let (is_negative, magnitude) = match spelling.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, spelling),
    };
    let (integer, is_half_or_more) = parts(magnitude)?;
    let quotient = integer.checked_div(step)?;
    let rest = integer % step;
    let is_up = rest * 2 + u128::from(is_half_or_more) >= step;
    let rounded = two_digits((quotient + u128::from(is_up)).checked_mul(step)?);
    let sign = if is_negative && rounded > 0 { "-" } else { "" };
    Some(format!("{sign}{rounded}"))
}

/// A number rounded to two significant digits.
fn two_digits(number: u128) -> u128 {
    let mut unit = 1;
    while number / unit >= 100 {
        unit *= 10;
    }
    (number / unit + u128::from(number % unit * 2 >= unit && unit > 1)) * unit
}

/// The integer part, and whether the fraction is a half or more.
fn parts(magnitude: &str) -> Option<(u128, bool)> {
    let (mantissa, exponent) = match magnitude.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, small_exponent(exponent)?),
        None => (magnitude, 0),
    };
    let (integer, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if integer.is_empty() || !all_digits(integer) || !all_digits(fraction) {
        return None;
    }
    let leading_zeros = integer.len() - integer.trim_start_matches('0').len();
    let digits: Vec<u64> = integer
        .bytes()
        .chain(fraction.bytes())
        .skip(leading_zeros)
        .map(|byte| u64::from(byte - b'0'))
        .collect();
    let point = i64::try_from(integer.len() - leading_zeros).ok()? + exponent;
    let Ok(point) = usize::try_from(point) else {
        return Some((0, false));
    };
    if point > INTEGER_DIGITS_MAX {
        return None;
    }
    let digit = |place: usize| digits.get(place).copied().unwrap_or(0);
    let integer = (0..point).fold(0_u128, |value, place| value * 10 + u128::from(digit(place)));
    Some((integer, digit(point) >= 5))
}

fn small_exponent(exponent: &str) -> Option<i64> {
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let value: i64 = (digits.len() <= 6 && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())??;
    Some(if exponent.starts_with('-') {
        -value
    } else {
        value
    })
}

#[cfg(test)]
mod tests {
    use super::round;

    #[test]
    fn numbers_are_rounded_by_their_spelling() {
        for (spelling, step, expected) in [
            ("1499", 1000, "1000"),
            ("1500", 1000, "2000"),
            ("1499.9999999999999999999999", 1000, "1000"),
            ("-1500", 1000, "-2000"),
            ("-1", 1000, "0"),
            ("-0", 10, "0"),
            ("0.5", 1, "1"),
            ("0.49999999999999999999", 1, "0"),
            ("2.5", 5, "5"),
            ("2.4", 5, "0"),
            ("12345678901234567890123", 1000, "12000000000000000000000"),
            ("12345", 10, "12000"),
            ("12500", 2500, "13000"),
            ("99950", 10, "100000"),
            ("345", 1, "350"),
            ("42", 1, "42"),
            ("1.5e3", 1000, "2000"),
            ("15E-1", 1, "2"),
            ("5e-1", 1, "1"),
            ("9e-2", 1, "0"),
            ("0.00012e+7", 1000, "1000"),
            ("007", 5, "5"),
        ] {
            assert_eq!(
                round(spelling, step).as_deref(),
                Some(expected),
                "{spelling}"
            );
        }
    }

    #[test]
    fn what_cannot_be_rounded_is_refused() {
        for spelling in [
            "", "-", ".5", "5.", "1e", "1e400", "e5", "1,5", "NaN", "+5", "1 000", "１",
        ] {
            assert_eq!(round(spelling, 10), None, "{spelling}");
        }
        assert_eq!(round("5", 0), None);
    }
}
