//! How many names of the CRM nobody has said anything of.

use prometheus::{IntGaugeVec, Opts, Registry};

/// What a name that nobody has said anything of names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// A field of a record that no policy classifies.
    Field,
    /// A field with a value of a type that cannot be shown.
    Type,
    /// A key beside records.
    Key,
}

impl Drift {
    fn as_str(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Type => "type",
            Self::Key => "key",
        }
    }
}

/// The gauges.
#[derive(Clone, Debug)]
pub(super) struct NameGauges {
    gaps: IntGaugeVec,
    drift: IntGaugeVec,
}

impl NameGauges {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let gauge =
            |name: &str, help: &str, labels: &[&str]| -> Result<IntGaugeVec, prometheus::Error> {
                let gauge = IntGaugeVec::new(Opts::new(name, help), labels)?;
                registry.register(Box::new(gauge.clone()))?;
                Ok(gauge)
            };
        Ok(Self {
            gaps: gauge(
                "paravent_unclassified_fields",
                "Fields that the CRM described or sent and that no policy classifies.",
                &["dialect"],
            )?,
            drift: gauge(
                "paravent_drift",
                "Names that the CRM sent and nobody has said anything of, by what they name.",
                &["dialect", "kind"],
            )?,
        })
    }

    pub(super) fn gaps(&self, dialect: &str, count: usize) {
        set(&self.gaps, &[dialect], count);
    }

    pub(super) fn drift(&self, dialect: &str, kind: Drift, count: usize) {
        set(&self.drift, &[dialect, kind.as_str()], count);
    }
}

fn set(gauge: &IntGaugeVec, labels: &[&str], count: usize) {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    gauge.with_label_values(labels).set(count);
}
