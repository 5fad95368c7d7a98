//! Kinds of events, how well they are proven, and by whom they are: closed lists.

/// What an event says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Somebody asked for it, perhaps the person: decides nothing.
    Requested,
    /// Consent.
    Given,
    /// Consent, confirmed by a link.
    Confirmed,
    /// Consent, once more.
    Renewed,
    /// No consent.
    Refused,
    /// Consent no more.
    Withdrawn,
    /// An objection (Art. 21).
    Objected,
    /// A restriction (Art. 18).
    Restricted,
    /// The objection is no more.
    ObjectionLifted,
    /// The restriction is no more.
    RestrictionLifted,
    /// Something was told or done: decides nothing.
    Notice,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Requested,
        Self::Given,
        Self::Confirmed,
        Self::Renewed,
        Self::Refused,
        Self::Withdrawn,
        Self::Objected,
        Self::Restricted,
        Self::ObjectionLifted,
        Self::RestrictionLifted,
        Self::Notice,
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Given => "given",
            Self::Confirmed => "confirmed",
            Self::Renewed => "renewed",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Objected => "objected",
            Self::Restricted => "restricted",
            Self::ObjectionLifted => "objection_lifted",
            Self::RestrictionLifted => "restriction_lifted",
            Self::Notice => "notice",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it affirms.
    pub fn affirms(self) -> bool {
        matches!(self, Self::Given | Self::Confirmed | Self::Renewed)
    }

    /// Whether it denies.
    pub fn denies(self) -> bool {
        matches!(
            self,
            Self::Refused | Self::Withdrawn | Self::Objected | Self::Restricted
        )
    }

    /// Whether it ends a denial.
    pub fn lifts(self) -> bool {
        matches!(self, Self::ObjectionLifted | Self::RestrictionLifted)
    }
}

/// How well it is proven that the person wanted it. The order is that of strength.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// Somebody says so.
    None,
    /// The person ticked or typed it, or somebody did in the person's name.
    SingleOptIn,
    /// Who has the mailbox confirmed it.
    DoubleOptIn,
    /// The person signed it.
    SignedRequest,
}

impl Proof {
    /// All of them, the weakest first.
    pub const ALL: [Self; 4] = [
        Self::None,
        Self::SingleOptIn,
        Self::DoubleOptIn,
        Self::SignedRequest,
    ];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SingleOptIn => "single-opt-in",
            Self::DoubleOptIn => "double-opt-in",
            Self::SignedRequest => "signed-request",
        }
    }

    /// The proof of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|proof| proof.name() == name)
    }
}

/// By whom an event is. The channel fixes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ByKind {
    /// The person's own act.
    Person,
    /// Somebody of the house.
    Staff,
    /// A program of the house.
    System,
    /// A file, or another system.
    Import,
}

impl ByKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Person, Self::Staff, Self::System, Self::Import];

    /// The name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Staff => "staff",
            Self::System => "system",
            Self::Import => "import",
        }
    }

    /// The one of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.name() == name)
    }
}
