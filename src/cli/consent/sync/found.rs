//! What a reading has found, and what came of it.

use jiff::Timestamp;
use serde_json::Value;

use super::super::opened::{Opened, operator};
use super::names::Names;
use crate::consent::sayings;
use crate::dialect::Dialect;
use crate::dialect::survey::{Confirmation, Row};
use crate::ledger::{Address, AddressError, Error, Heard, Reconciled, Reference};
use crate::policy::Person;
use crate::vocabulary::Field;

/// Records that are named one by one.
const TOLD_MAX: usize = 20;

/// What was found so far.
pub(super) struct Found<'a> {
    opened: &'a Opened,
    upstream: &'a str,
    is_dry: bool,
    /// Whether this reading only looks whose addresses there are.
    is_first: bool,
    names: Names,
    has_met_new: bool,
    /// Of the page that is read.
    heard: Vec<Heard>,
    /// What came of it.
    pub(super) came: Reconciled,
    /// Records of whom nobody knows when they agreed.
    pub(super) undated: u64,
    /// Records whose primary address cannot be read.
    pub(super) unread: u64,
    /// Records without a name that the ledger could keep.
    unnamed: u64,
    has_told_opted_out: bool,
    has_told_confirmed: bool,
    notes: Vec<String>,
}

impl<'a> Found<'a> {
    pub(super) fn new(opened: &'a Opened, upstream: &'a str, is_dry: bool) -> Self {
        Self {
            opened,
            upstream,
            is_dry,
            is_first: true,
            names: Names::default(),
            has_met_new: false,
            heard: Vec::new(),
            came: Reconciled::default(),
            undated: 0,
            unread: 0,
            unnamed: 0,
            has_told_opted_out: false,
            has_told_confirmed: false,
            notes: Vec::new(),
        }
    }

    /// A reading of all modules begins.
    pub(super) fn begin(&mut self, number: usize) {
        self.is_first = number == 0;
        if self.is_dry {
            // Nothing of what the reading before found was recorded.
            self.came = Reconciled::default();
        }
        self.has_met_new = false;
        (self.undated, self.unread, self.unnamed) = (0, 0, 0);
        self.notes.clear();
    }

    /// Whether this reading met records that those before had not met.
    pub(super) fn has_met_new(&self) -> bool {
        self.has_met_new
    }

    /// Whether every record could be taken over.
    pub(super) fn is_whole(&self) -> bool {
        self.unnamed == 0
    }

    /// How many records there are.
    pub(super) fn records(&self) -> u64 {
        self.names.met()
    }

    /// How many addresses stand under two names.
    pub(super) fn shared(&self) -> u64 {
        self.names.shared()
    }

    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < TOLD_MAX {
            self.notes.push(note);
        }
    }

    /// Takes up a record.
    pub(super) fn row(&mut self, dialect: &dyn Dialect, person: &Person, row: &Row<'_>) {
        let Some(record) = self.record(row) else {
            self.unnamed += 1;
            return;
        };
        let Some(fields) = dialect.consent() else {
            return;
        };
        self.has_met_new |= self.names.meet(&record);
        let mut said = fields.read(row);
        self.has_told_opted_out |= said.opted_out.is_some();
        self.has_told_confirmed |= row.confirmations.iter().flatten().next().is_some();
        let address = match primary(dialect, person, row).as_deref().map(Address::parse) {
            None | Some(Err(AddressError::Blank)) => None,
            Some(Ok(address)) => Some(address),
            Some(Err(_)) => {
                self.unread += 1;
                self.note(format!(
                    "{record}: its primary address cannot be read, so nobody is found by it"
                ));
                None
            }
        };
        if let Some(address) = &address {
            self.names.note(address, &said.name);
            let told = of_address(row, address);
            if told.iter().any(|one| one.opted_out == Some(true)) {
                said.opted_out = Some(true);
            }
            said.confirmed = together(&told);
        }
        if self.is_first {
            return;
        }
        let said = sayings(&said, &self.opened.terms, Timestamp::now());
        self.undated += u64::from(said.is_undated);
        let is_mail = person.email.is_some();
        self.heard.push(Heard {
            is_shared: address
                .as_ref()
                .is_some_and(|one| self.names.is_shared(one)),
            record,
            address,
            // What is said of mail is said of modules with an address.
            says: if is_mail { said.says } else { Vec::new() },
        });
    }

    /// The name of a record over all CRMs.
    fn record(&self, row: &Row<'_>) -> Option<Reference> {
        let name = format!("{}:{}/{}", self.upstream, row.module, row.id?);
        Reference::parse(&name).ok()
    }

    /// Takes over what the page says.
    pub(super) async fn page(&mut self) -> Result<(), Error> {
        let heard = std::mem::take(&mut self.heard);
        if heard.is_empty() {
            return Ok(());
        }
        let (source, by) = (format!("sync:{}", self.upstream), operator());
        let ledger = &self.opened.ledger;
        let came = ledger.reconcile(heard, source, by, self.is_dry).await?;
        self.came.add(came);
        Ok(())
    }

    /// Tells what was odd. A CRM may be asked for what persons confirmed, because a purpose goes by it.
    pub(super) fn remark(&self, asks_confirmed: bool) {
        for note in &self.notes {
            eprintln!("note: {note}");
        }
        let more = self.unread.saturating_sub(TOLD_MAX as u64);
        if more > 0 {
            eprintln!("note: {more} more records have a primary address that cannot be read");
        }
        if self.unnamed > 0 {
            eprintln!(
                "note: {} records have no id that the ledger could keep; they were left out",
                self.unnamed
            );
        }
        if !self.has_told_opted_out && self.records() > 0 {
            eprintln!(
                "note: no record tells whether mail is wanted: opt-outs in the CRM are not known here"
            );
        }
        if asks_confirmed && !self.has_told_confirmed && self.records() > 0 {
            eprintln!(
                "note: no record tells whether an address was confirmed: that affirms nothing here"
            );
        }
    }
}

/// What is told of an address. Of other addresses of the record it does not matter: by this one the person is found.
fn of_address<'r>(row: &'r Row<'_>, address: &Address) -> Vec<&'r Confirmation> {
    let all = row.confirmations.iter().flatten();
    let of_it = all.filter(|one| Address::parse(&one.address).as_ref() == Ok(address));
    of_it.collect()
}

/// An address that a CRM keeps twice is confirmed if both are, and was so when the later of them was.
fn together(all: &[&Confirmation]) -> Option<Confirmation> {
    let rank = |one: &&&Confirmation| (one.is_taken_back(), !one.is_whole(), one.at.clone());
    all.iter().max_by_key(rank).copied().cloned()
}

/// The primary address of a record, as it is written.
fn primary(dialect: &dyn Dialect, person: &Person, row: &Row<'_>) -> Option<String> {
    let email = person.email.as_ref()?;
    let value = |wanted: &Field| {
        let mut fields = row.fields.iter();
        let (name, _) = fields.find(|(name, _)| Field::fold(name) == *wanted)?;
        row.value(name)
    };
    let stated = match value(email) {
        Some(Value::String(text)) if !text.trim().is_empty() => return Some(text),
        stated => stated,
    };
    let list = dialect.addresses(email)?;
    let all = match stated {
        Some(all @ Value::Array(_)) => all,
        _ => value(&list.field)?,
    };
    let addresses = list.read(&all)?;
    let primary = addresses.iter().find(|(_, is_primary)| *is_primary);
    primary.map(|(address, _)| (*address).to_owned())
}
