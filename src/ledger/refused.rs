//! What may not be recorded, and why: fixed texts.

/// What may not be recorded, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The channel may not claim this kind of event.
    #[error("this channel does not record events of this kind")]
    Kind,
    /// The channel may not claim this proof.
    #[error(
        "this channel does not prove that much; only a confirmed link makes `double-opt-in` of a person's own act"
    )]
    Proof,
    /// The proof `signed-request` without a reference to what was signed.
    #[error("`signed-request` needs a reference to what was signed")]
    Unsigned,
    /// A purpose that is no name; or everything, where something must be named.
    #[error(
        "this is no name of a purpose, or it must name one: only what denies, lifts or tells may be about `*`"
    )]
    Purpose,
    /// A text that is too long, or holds what it may not.
    #[error("`{0}` is blank or too long, or holds a control character")]
    Text(&'static str),
    /// A text that may hold an address.
    #[error("`{0}` holds an `@`: the ledger keeps no addresses; write something else that tells")]
    Address(&'static str),
    /// A time that lies ahead.
    #[error("`at` lies more than five minutes ahead")]
    Ahead,
    /// A time that cannot be, or an end before the beginning.
    #[error("`expires` is not after `at`")]
    Expires,
    /// Who overrides a denial is neither the person nor staff.
    #[error("only staff records despite a denial, and only what affirms")]
    Despite,
    /// The reference was used for something else.
    #[error("this reference was used for another event")]
    Reference,
    /// The link is not this person's, or not for this.
    #[error("the link is not for this")]
    Link,
    /// There is no such link.
    #[error("there is no such link")]
    LinkUnknown,
    /// The link is too old.
    #[error("the link has expired")]
    LinkExpired,
    /// The link was used.
    #[error("the link was used")]
    LinkUsed,
    /// Both names are one person's.
    #[error("they are one person already")]
    Merged,
    /// More persons than one may be.
    #[error("one person is made of at most 200")]
    MergedMany,
    /// More names of purposes and recipients than can be told apart.
    #[error("the ledger knows at most 65,000 names of purposes, and as many of recipients")]
    Names,
}
