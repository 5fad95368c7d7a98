//! The databases that SQL of a dialect ends up in.

/// A database, as far as it matters how texts are written for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// MySQL from 5.5.3 on, and MariaDB: reads texts in hexadecimal, `_utf8mb4 0x…`.
    Mysql,
    /// Any other: texts are written in quotes, and refused where the CRM would rewrite them.
    Other,
}
