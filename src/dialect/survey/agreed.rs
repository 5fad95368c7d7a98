//! What the records of a CRM say of consent, and how that is read: nothing of it is known to anybody but the dialect.

use serde_json::Value;

use super::Row;

/// The fields in which a CRM keeps what persons agreed to. A record that lacks one of them says nothing by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsentFields {
    /// The fields of a person's name.
    pub name: Vec<String>,
    /// The field that lists to what the person agreed.
    pub agreed: Option<String>,
    /// The field of the day on which that was last looked at.
    pub at: Option<String>,
    /// The word of that list by which the person withdrew.
    pub withdrawn: Option<String>,
    /// Fields that say yes where the person wants no mail.
    pub opted_out: Vec<String>,
}

/// Whether the person behind an address confirmed what the CRM asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The address, as it is written.
    pub address: String,
    /// What a policy calls that.
    pub word: &'static str,
    /// Whether it is so.
    pub stands: bool,
    /// Since when, as the CRM writes it.
    pub at: Option<String>,
    /// When the mail with the question went, as the CRM writes it.
    pub asked_at: Option<String>,
    /// Whether nobody wants mail there; `None`: the CRM does not tell.
    pub opted_out: Option<bool>,
}

impl Confirmation {
    /// Whether the CRM says that the address is not confirmed, or not by a mail, or that mail is not wanted there.
    pub fn is_taken_back(&self) -> bool {
        // A day that is none is blank in JSON, or the zero of SQL.
        let is_no_day = |at: &str| at.is_empty() || at.starts_with("0000-00-00");
        !self.stands || self.at.as_deref().is_some_and(is_no_day) || self.opted_out == Some(true)
    }

    /// Whether all is told that must be, to be sure of it.
    pub fn is_whole(&self) -> bool {
        self.at.is_some() && self.asked_at.is_some() && self.opted_out.is_some()
    }
}

/// What one record says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The person's name, in lower case; blank if the record tells none.
    pub name: String,
    /// To what the person agreed; `None`: the record does not tell.
    pub agreed: Option<Vec<String>>,
    /// When, as the CRM writes it.
    pub at: Option<String>,
    /// Whether the person withdrew; `None`: the record does not tell.
    pub withdrawn: Option<bool>,
    /// Whether the person wants no mail; `None`: the record does not tell.
    pub opted_out: Option<bool>,
    /// Whether the person confirmed the primary address; `None`: the record does not tell.
    pub confirmed: Option<Confirmation>,
}

impl ConsentFields {
    /// What a record says.
    pub fn read(&self, row: &Row<'_>) -> Said {
        let words = self.agreed.as_ref().and_then(|field| row.value(field));
        let words = words.as_ref().and_then(words_of);
        let withdrawn = self.withdrawn.as_ref().zip(words.as_ref());
        let withdrawn = withdrawn.map(|(word, words)| words.contains(word));
        let at = self.at.as_ref().and_then(|field| row.value(field));
        let said = self.opted_out.iter().filter_map(|field| row.value(field));
        let said: Vec<bool> = said.filter_map(|value| is_yes(&value)).collect();
        Said {
            name: self.name(row),
            agreed: words,
            at: at.and_then(|value| Some(value.as_str()?.trim().to_owned())),
            withdrawn,
            opted_out: (!said.is_empty()).then(|| said.contains(&true)),
            confirmed: None,
        }
    }

    /// The words of a name, so that spaces and capitals make no other one.
    fn name(&self, row: &Row<'_>) -> String {
        let parts = self.name.iter().filter_map(|field| row.value(field));
        let parts: Vec<String> = parts
            .filter_map(|value| Some(value.as_str()?.to_lowercase()))
            .collect();
        let words: Vec<&str> = parts
            .iter()
            .flat_map(|part| part.split_whitespace())
            .collect();
        words.join(" ")
    }
}

/// A list of words: as JSON has lists, or in one text, in which some CRMs put each between carets.
fn words_of(value: &Value) -> Option<Vec<String>> {
    let clean = |text: &str| text.trim().to_owned();
    let words: Vec<String> = match value {
        Value::Null => Vec::new(),
        Value::String(text) => text.split(['^', ',']).map(clean).collect(),
        Value::Array(all) => {
            let words = all.iter().map(|one| Some(clean(one.as_str()?)));
            words.collect::<Option<_>>()?
        }
        _ => return None,
    };
    Some(words.into_iter().filter(|word| !word.is_empty()).collect())
}

/// A yes or no, as CRMs write it. What is neither says nothing.
pub(in crate::dialect) fn is_yes(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        Value::Null => Some(false),
        Value::Number(number) => Some(number.as_i64() != Some(0)),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "" | "0" | "false" | "no" | "off" => Some(false),
            "1" | "true" | "yes" | "on" => Some(true),
            _ => None,
        },
        _ => None,
    }
}
