//! Replies that waited while somebody whom they are about has denied something.

use crate::dialect::Dialect;
use crate::filter::Filtered;
use crate::reason::Reason;

use super::{Body, Part, Reply, Whole};

impl Reply {
    /// Remembers what is told of what was written, if nothing more may be shown by the time it leaves.
    #[must_use]
    pub fn lessened_to(self, lesser: Option<Filtered>) -> Self {
        Self { lesser, ..self }
    }

    /// The same, where somebody whom it is about has denied something since it was made. What was written stays written.
    #[must_use]
    pub fn outdated(self, dialect: &dyn Dialect) -> Self {
        match self.lesser {
            _ if self.reason.is_some() => self,
            Some(lesser) => Self {
                body: Body::Whole(Whole(vec![Part::Filtered(lesser)])),
                lesser: None,
                ..self
            },
            None => {
                let refusal = Reason::StandingChanged.into();
                Self::from_refusal(dialect, refusal, self.decision.as_deref())
            }
        }
    }
}
