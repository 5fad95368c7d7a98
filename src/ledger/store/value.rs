//! Values of rows.

use crate::ledger::error::Error;

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ledger) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row that was read. Whoever reads it knows what it must hold.
#[derive(Debug)]
pub(in crate::ledger) struct Row(pub(in crate::ledger) Vec<Value>);

impl Row {
    pub(in crate::ledger) fn integer(&self, place: usize) -> Result<i64, Error> {
        match self.0.get(place) {
            Some(Value::Integer(value)) => Ok(*value),
            _ => Err(Error::corrupt("a number is missing")),
        }
    }

    pub(in crate::ledger) fn text(&self, place: usize) -> Result<&str, Error> {
        match self.0.get(place) {
            Some(Value::Text(value)) => Ok(value),
            _ => Err(Error::corrupt("a text is missing")),
        }
    }

    pub(in crate::ledger) fn text_or_none(&self, place: usize) -> Result<Option<String>, Error> {
        match self.0.get(place) {
            Some(Value::Null) => Ok(None),
            _ => self.text(place).map(|text| Some(text.to_owned())),
        }
    }

    pub(in crate::ledger) fn integer_or_none(&self, place: usize) -> Result<Option<i64>, Error> {
        match self.0.get(place) {
            Some(Value::Null) => Ok(None),
            _ => self.integer(place).map(Some),
        }
    }

    pub(in crate::ledger) fn bytes(&self, place: usize) -> Result<&[u8], Error> {
        match self.0.get(place) {
            Some(Value::Bytes(value)) => Ok(value),
            _ => Err(Error::corrupt("bytes are missing")),
        }
    }
}
