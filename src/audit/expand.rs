//! Events in full: what the terms of a segment say is put back into the events that name them.

use std::collections::HashMap;

use super::chain::Line;
use super::format::brief::{Definition, Request, Stated, Terms};
use super::format::notice::Notice;
use super::format::{Told, full};
use super::verdict::Tampering;

/// The terms that the events of one segment have said so far.
#[derive(Debug, Default)]
pub(super) struct Segment {
    terms: HashMap<String, Terms>,
}

/// An event in full.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// What happened to a request.
    Request(Box<full::Request>),
    /// Anything else that happened.
    Notice(Box<Notice>),
    /// Nothing happened: terms are said, for events behind.
    Terms,
}

impl Segment {
    /// Learns terms that an event before those that are read has said.
    pub(super) fn know(&mut self, id: String, terms: Terms) {
        self.terms.insert(id, terms);
    }

    /// Reads an event, and learns the terms that it says. Events are to be read in their order.
    ///
    /// # Errors
    /// If it has not the form of its version, or its terms are missing or do not fit.
    pub(super) fn read(&mut self, line: &Line) -> Result<Told, Tampering> {
        let told = line.told().ok_or(Tampering::Malformed)?;
        self.check(&told)?;
        Ok(told)
    }

    /// Learns the terms that an event says, or looks whether those that it names are there and fit.
    ///
    /// # Errors
    /// If they are missing or do not fit.
    pub(super) fn check(&mut self, told: &Told) -> Result<(), Tampering> {
        match told {
            Told::Terms(definition) => self.learn(definition)?,
            Told::Brief(request) => {
                let terms = self.terms_of(request)?;
                if !request.counts.fit(terms.data.len()) {
                    return Err(Tampering::Miscounted);
                }
            }
            Told::Full(_) | Told::Notice(_) => {}
        }
        Ok(())
    }

    /// Reads an event in full.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn expand(&mut self, line: &Line) -> Result<Entry, Tampering> {
        Ok(match self.read(line)? {
            Told::Full(request) => Entry::Request(request),
            Told::Brief(request) => {
                let terms = self.terms_of(&request)?;
                let full = request.in_full(terms).ok_or(Tampering::Miscounted)?;
                Entry::Request(Box::new(full))
            }
            Told::Terms(_) => Entry::Terms,
            Told::Notice(notice) => Entry::Notice(notice),
        })
    }

    fn learn(&mut self, definition: &Definition) -> Result<(), Tampering> {
        if !definition.is_sound() {
            return Err(Tampering::TermsChanged);
        }
        let (id, terms) = (&definition.id, &definition.terms);
        self.terms.insert(id.clone(), terms.clone());
        Ok(())
    }

    fn terms_of<'a>(&'a self, request: &'a Request) -> Result<&'a Terms, Tampering> {
        match &request.terms {
            Stated::Here(terms) => Ok(terms),
            Stated::ById(id) => self.terms.get(id).ok_or(Tampering::TermsMissing),
        }
    }
}
