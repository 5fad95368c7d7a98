//! What an event tells of an access, for whoever decides it anew.

use super::events::Found;

/// An access, as its event tells it.
#[derive(Clone, Debug)]
pub struct Access<'a> {
    /// The caller's id.
    pub caller: &'a str,
    /// The roles that counted.
    pub roles: &'a [String],
    /// The purpose.
    pub purpose: Option<&'a str>,
    /// Whether the request or the caller's token stated it.
    pub is_stated: bool,
    /// The strengths that were proved.
    pub strengths: &'a [String],
    /// The hash of the policy that decided.
    pub policy: &'a str,
    /// Why it was refused, if it was.
    pub refused: Option<&'a str>,
    /// Fields that the request named.
    pub asked: &'a [String],
    /// Fields that it matched.
    pub matched: &'a [String],
    /// Fields that it sorted by.
    pub sorted: &'a [String],
    /// What was shown and withheld.
    pub data: Vec<Shown<'a>>,
    /// How many records.
    pub records: u64,
}

/// What became of fields of one category.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// The category; `None`: nobody has classified them.
    pub category: Option<&'a str>,
    /// `Module.field`.
    pub fields: &'a [String],
    /// Whether it was found inside of their texts.
    pub is_in_text: bool,
}

impl Found {
    /// The access that it is about; `None` if it is about none, or of nobody.
    pub fn access(&self) -> Option<Access<'_>> {
        let event = self.request()?;
        let caller = event.caller.as_ref()?;
        let outcome = event.outcome.as_ref();
        let refused = outcome.filter(|outcome| outcome.kind == "denied");
        let purpose = event.purpose.as_ref();
        let stated = ["header", "claim"];
        Some(Access {
            caller: &caller.id,
            roles: &caller.roles,
            purpose: purpose.map(|purpose| purpose.id.as_str()),
            is_stated: purpose.is_some_and(|purpose| stated.contains(&&*purpose.chosen_by)),
            strengths: event.auth.as_ref().map_or(&[], |auth| &auth.strengths),
            policy: &event.policy.hash,
            refused: refused.map(|outcome| outcome.reason.as_deref().unwrap_or_default()),
            asked: &event.request.asked,
            matched: &event.request.matched,
            sorted: &event.request.sorted,
            data: event
                .data
                .iter()
                .map(|entry| Shown {
                    category: entry.category.as_deref(),
                    fields: &entry.fields,
                    is_in_text: entry.in_text > 0,
                })
                .collect(),
            records: event.records.count,
        })
    }
}
