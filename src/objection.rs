//! Why a request is refused, and what in it the refusal is about: a name that goes back to whoever typed it, and nowhere
//! else.

use std::borrow::Cow;
use std::fmt;

use crate::reason::Reason;

/// Bytes of a name that is told.
const NAME_BYTES_MAX: usize = 64;

/// A reason, and the part of the request that it is about, where one can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Objection {
    /// Why.
    pub reason: Reason,
    /// What it is about.
    pub about: Option<About>,
}

/// What an objection is about. Its `Debug` shows no name: a caller may have typed a value there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum About {
    /// A parameter of the query string, or an argument of this name.
    Parameter(Name),
    /// A header.
    Header(Name),
    /// A member of the body.
    Member(Name),
    /// More records at a time than these.
    Rows(u32),
    /// A category of which a text says something that may not be written. Whoever gets the reply has just typed it.
    Category(&'static str),
}

/// A name of letters, digits and `_-.[]$`, as a caller typed it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    bytes: [u8; NAME_BYTES_MAX],
    length: usize,
}

impl Objection {
    /// A parameter that is not accepted.
    pub fn parameter(name: &str) -> Self {
        let about = Name::new(name).map(About::Parameter);
        Self::new(Reason::UnknownParameter, about)
    }

    /// A member of the body that is not accepted.
    pub fn member(name: &str) -> Self {
        let about = Name::new(name).map(About::Member);
        Self::new(Reason::MalformedBody, about)
    }

    /// A header that changes what the request means, and is not understood.
    pub fn header(name: &str) -> Self {
        let about = Name::new(name).map(About::Header);
        Self::new(Reason::PreconditionNotUnderstood, about)
    }

    /// A page of more than so many rows, in a request whose reply would not tell that there are more.
    pub fn page_too_large(rows_max: u32) -> Self {
        Self::new(Reason::PageTooLarge, Some(About::Rows(rows_max)))
    }

    /// A text that says something of this category.
    pub fn statement(category: &'static str) -> Self {
        Self::new(
            Reason::SpecialCategoryInText,
            Some(About::Category(category)),
        )
    }

    fn new(reason: Reason, about: Option<About>) -> Self {
        Self { reason, about }
    }

    /// The text that the caller reads.
    pub fn text(&self) -> Cow<'static, str> {
        match &self.about {
            None => self.reason.text().into(),
            Some(About::Parameter(name)) => {
                format!("The parameter \"{name}\" is not accepted here.").into()
            }
            Some(About::Header(name)) => format!(
                "The header \"{name}\" would change what the request means, and is not understood here."
            )
            .into(),
            Some(About::Member(name)) => {
                format!("The member \"{name}\" of the body is not accepted here.").into()
            }
            Some(About::Rows(rows)) => {
                format!("At most {rows} records at a time are given here; ask page by page.").into()
            }
            Some(About::Category(category)) => format!(
                "The text says something of a person's {category} that you may not write."
            )
            .into(),
        }
    }
}

impl From<Reason> for Objection {
    fn from(reason: Reason) -> Self {
        Self::new(reason, None)
    }
}

impl Name {
    /// A name that can be told; `None` if it is too long, or made of other signs.
    pub fn new(text: &str) -> Option<Self> {
        let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]$".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_harmless) {
            return None;
        }
        let mut bytes = [0; NAME_BYTES_MAX];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        Some(Self {
            bytes,
            length: text.len(),
        })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        f.write_str(std::str::from_utf8(bytes).unwrap_or_default())
    }
}

impl fmt::Debug for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parameter(_) => f.write_str("Parameter"),
            Self::Header(_) => f.write_str("Header"),
            Self::Member(_) => f.write_str("Member"),
            Self::Rows(rows) => f.debug_tuple("Rows").field(rows).finish(),
            Self::Category(_) => f.write_str("Category"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NAME_BYTES_MAX, Objection};

    #[test]
    fn a_harmless_name_is_told_and_no_other() {
        let told = |name: &str| Objection::parameter(name).text().into_owned();
        for name in [
            "nulls_last",
            "filter[0][$x]",
            "a.b-c",
            &"a".repeat(NAME_BYTES_MAX),
        ] {
            assert!(told(name).contains(&format!("\"{name}\"")), "{name}");
        }
        let general = told("");
        for name in [
            "é",
            "a b",
            "<b>",
            "a\"b",
            "a\n",
            &"a".repeat(NAME_BYTES_MAX + 1),
        ] {
            assert_eq!(told(name), general, "{name}");
        }
    }

    #[test]
    fn debug_output_shows_no_name() {
        for objection in [
            Objection::parameter("canary"),
            Objection::member("canary"),
            Objection::header("canary"),
        ] {
            assert!(objection.text().contains("canary"));
            assert!(!format!("{objection:?}").contains("canary"));
        }
    }
}
