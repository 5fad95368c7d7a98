//! The one spelling of an address for mail: two texts that reach the same mailbox are one address, and only they.
//!
//! `docs/consent/addresses.md` tells the rule, and why.

use std::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization as _;

/// Bytes of what stands before the `@` (RFC 5321, 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;
/// Bytes of the whole (RFC 5321, 4.5.3.1.3, without the angle brackets).
const BYTES_MAX: usize = 254;
/// Bytes of a text that is looked at.
pub(super) const TEXT_BYTES_MAX: usize = 2048;

/// An address in its one spelling. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(String);

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing.
    #[error("the address is blank")]
    Blank,
    /// No `@`, or several.
    #[error("an address has one `@`")]
    At,
    /// Longer than an address may be.
    #[error("the address is too long: at most 64 bytes before the `@`, 254 in all")]
    Long,
    /// A dot at an end, or two together.
    #[error("before the `@`, dots stand between other characters")]
    Dots,
    /// A character that has no place.
    #[error("the address holds a character that has no place in one")]
    Character,
    /// A quoted part that says what cannot be said without quotes.
    #[error("what stands in quotes cannot be said without them")]
    Quoted,
    /// A comment, or a name beside the address.
    #[error("only the address itself: no name, brackets or comment")]
    Comment,
    /// An IP address for a domain.
    #[error("an IP address is no domain")]
    Literal,
    /// No name of a domain.
    #[error("what stands after the `@` is no name of a domain")]
    Domain,
}

impl Address {
    /// Reads an address, however it is spelled.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Blank);
        }
        if text.len() > TEXT_BYTES_MAX {
            return Err(AddressError::Long);
        }
        if text.contains(['<', '>', '(', ')', ',', ';']) {
            return Err(AddressError::Comment);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(AddressError::At)?;
        if domain.starts_with('[') {
            return Err(AddressError::Literal);
        }
        let local = self::local(local)?;
        let address = format!("{local}@{}", self::domain(domain)?);
        match address.len() <= BYTES_MAX {
            true => Ok(Self(address)),
            false => Err(AddressError::Long),
        }
    }

    /// The spelling, for who sends mail. It is stored nowhere in clear.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

/// What stands before the `@`, in composed lower case.
fn local(text: &str) -> Result<String, AddressError> {
    let text = unquoted(text)?;
    if text.contains('@') {
        return Err(AddressError::At);
    }
    let local = match text.is_ascii() {
        // Most are, and those are composed.
        true => text.to_ascii_lowercase(),
        false => {
            let composed: String = text.nfc().collect();
            composed.to_lowercase().nfc().collect()
        }
    };
    if local.split('.').any(str::is_empty) {
        return Err(AddressError::Dots);
    }
    if !local.chars().all(|c| c == '.' || is_text(c)) {
        return Err(AddressError::Character);
    }
    match local.len() <= LOCAL_BYTES_MAX {
        true => Ok(local),
        false => Err(AddressError::Long),
    }
}

/// What quotes say that could stand without them (RFC 5321, 4.1.2: they are the same then).
fn unquoted(text: &str) -> Result<&str, AddressError> {
    let Some(rest) = text.strip_prefix('"') else {
        return Ok(text);
    };
    let inner = rest.strip_suffix('"').ok_or(AddressError::Quoted)?;
    let is_plain =
        !inner.split('.').any(str::is_empty) && inner.chars().all(|c| c == '.' || is_text(c));
    match is_plain {
        true => Ok(inner),
        false => Err(AddressError::Quoted),
    }
}

/// Whether a character may stand in a word before the `@`: `atext` (RFC 5322), and beyond ASCII (RFC 6531) whatever can be
/// seen.
fn is_text(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c),
        false => !c.is_control() && !c.is_whitespace() && !is_unseen(c),
    }
}

/// Whether a character is not seen: two addresses that look the same would be two.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{ffff}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{e0000}'..='\u{10ffff}'
    )
}

/// The domain in its A-form (UTS 46, not transitional), without a dot at the end.
fn domain(text: &str) -> Result<String, AddressError> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.chars().any(is_unseen) {
        return Err(AddressError::Domain);
    }
    let domain = Uts46::new()
        .to_ascii(
            text.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::CheckFirstLast,
            DnsLength::Verify,
        )
        .map_err(|_| AddressError::Domain)?;
    let last = domain.rsplit_once('.').map(|(_, last)| last);
    match last {
        Some(last) if last.bytes().all(|byte| byte.is_ascii_digit()) => Err(AddressError::Literal),
        Some(_) => Ok(domain.into_owned()),
        None => Err(AddressError::Domain),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<String, AddressError> {
        Address::parse(text).map(|address| address.0)
    }

    #[test]
    fn spellings_of_one_mailbox_are_one_address() {
        for (text, one) in [
            ("anna@example.com", "anna@example.com"),
            ("  Anna@Example.COM\n", "anna@example.com"),
            ("\u{a0}anna@example.com.", "anna@example.com"),
            ("\"anna\"@example.com", "anna@example.com"),
            ("anna@bücher.example", "anna@xn--bcher-kva.example"),
            ("anna@BU\u{308}CHER.example", "anna@xn--bcher-kva.example"),
            ("anna@xn--bcher-kva.example", "anna@xn--bcher-kva.example"),
            ("anna@example。com", "anna@example.com"),
            ("Re\u{301}my@example.com", "rémy@example.com"),
            ("RÉMY@example.com", "rémy@example.com"),
            ("o'neill+a=b@example.com", "o'neill+a=b@example.com"),
            ("anna@straße.example", "anna@xn--strae-oqa.example"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(one), "{text}");
        }
    }

    #[test]
    fn different_mailboxes_stay_different() {
        for (one, other) in [
            ("anna@example.com", "anna+news@example.com"),
            ("anna@example.com", "an.na@example.com"),
            ("anna@example.com", "anna@mail.example.com"),
            ("anna@strasse.example", "anna@straße.example"),
        ] {
            assert_ne!(parse(one).unwrap(), parse(other).unwrap());
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        use AddressError as Why;
        let long = |local: usize, label: usize| {
            format!("{}@{}.example", "a".repeat(local), "b".repeat(label))
        };
        for (text, why) in [
            ("", Why::Blank),
            (" \t", Why::Blank),
            ("anna", Why::At),
            ("anna@b@example.com", Why::At),
            ("Anna <anna@example.com>", Why::Comment),
            ("anna(work)@example.com", Why::Comment),
            ("anna@example.com, bob@example.com", Why::Comment),
            ("anna@[192.0.2.1]", Why::Literal),
            ("anna@192.0.2.1", Why::Literal),
            (".anna@example.com", Why::Dots),
            ("anna.@example.com", Why::Dots),
            ("an..na@example.com", Why::Dots),
            ("@example.com", Why::Dots),
            ("an na@example.com", Why::Character),
            ("an\u{200b}na@example.com", Why::Character),
            ("an\u{7}na@example.com", Why::Character),
            ("mailto:anna@example.com", Why::Character),
            ("\"an na\"@example.com", Why::Quoted),
            ("\"an\\\"na\"@example.com", Why::Quoted),
            ("\"anna@example.com", Why::Quoted),
            ("anna@localhost", Why::Domain),
            ("anna@", Why::Domain),
            ("anna@exa_mple.com", Why::Domain),
            ("anna@-example.com", Why::Domain),
            ("anna@example..com", Why::Domain),
            ("anna@exam ple.com", Why::Domain),
            (&long(65, 5), Why::Long),
            (&long(5, 64), Why::Domain),
            (
                &format!("a@{}example", "b123456789.".repeat(23)),
                Why::Domain,
            ),
            (&"a".repeat(5000), Why::Long),
        ] {
            assert_eq!(parse(text), Err(why), "{text}");
        }
        assert!(parse(&long(64, 63)).is_ok());
    }

    proptest! {
        #[test]
        fn the_one_spelling_is_its_own(text in "\\PC{1,12}@\\PC{1,12}\\.(com|example|рф)") {
            if let Ok(one) = parse(&text) {
                prop_assert_eq!(parse(&one), Ok(one.clone()));
                prop_assert_eq!(parse(&format!(" {text} ")), Ok(one));
            }
        }
    }
}
