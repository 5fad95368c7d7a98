//! Names of purposes and recipients as small numbers: they repeat a million times.

use std::sync::PoisonError;
use std::sync::RwLock;

use super::refused::Refused;

/// Names, each with its number.
#[derive(Debug, Default)]
pub(super) struct Names(RwLock<Vec<Box<str>>>);

impl Names {
    /// The number of a name that is known. There are few names, and the one that is asked for is among the first.
    pub(super) fn find(&self, name: &str) -> Option<u16> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let place = names.iter().position(|known| &**known == name)?;
        u16::try_from(place).ok()
    }

    /// The number of a name, which becomes known.
    pub(super) fn number(&self, name: &str) -> Result<u16, Refused> {
        if let Some(number) = self.find(name) {
            return Ok(number);
        }
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = names.iter().position(|known| &**known == name) {
            return u16::try_from(place).map_err(|_| Refused::Names);
        }
        let number = u16::try_from(names.len()).map_err(|_| Refused::Names)?;
        // The last number stands for no name.
        if number == u16::MAX {
            return Err(Refused::Names);
        }
        names.push(name.into());
        Ok(number)
    }
}
