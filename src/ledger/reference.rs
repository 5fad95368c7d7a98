//! Names of records over all CRMs: `upstream:Module/id`.

use std::fmt;

/// Bytes of a reference.
const BYTES_MAX: usize = 400;

/// The name of a record over all CRMs: `upstream:Module/id`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference(String);

/// Why a text is no reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// It is not of that form.
    #[error("a record is written `upstream:Module/id`")]
    Form,
    /// It may hold an address.
    #[error("the name of a record holds an `@`: the ledger keeps no addresses")]
    Address,
}

impl Reference {
    /// Reads `upstream:Module/id`.
    pub fn parse(text: &str) -> Result<Self, ReferenceError> {
        let (upstream, rest) = text.split_once(':').ok_or(ReferenceError::Form)?;
        let (module, id) = rest.split_once('/').ok_or(ReferenceError::Form)?;
        let plain = |part: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
            !part.is_empty() && part.chars().all(fits)
        };
        let is_id = !id.is_empty() && id.chars().all(|c| !c.is_control() && !c.is_whitespace());
        if text.contains('@') {
            return Err(ReferenceError::Address);
        }
        match plain(upstream) && plain(module) && is_id && text.len() <= BYTES_MAX {
            true => Ok(Self(text.to_owned())),
            false => Err(ReferenceError::Form),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_names_upstream_module_and_record() {
        for good in ["crm:People/6f0c-1", "k-1:clients/12/3", "a.b:M_c/x:y"] {
            assert_eq!(Reference::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "crm",
            "crm:",
            "crm:People",
            "crm:People/",
            ":People/1",
            "crm:/1",
            "crm:P Q/1",
            "crm:People/1 2",
            "crm:People/1\n",
        ] {
            assert_eq!(Reference::parse(bad), Err(ReferenceError::Form), "{bad}");
        }
        let address = Reference::parse("crm:People/anna@example.com");
        assert_eq!(address, Err(ReferenceError::Address));
    }
}
