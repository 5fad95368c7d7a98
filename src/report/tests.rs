//! Reports over logs that were written for them.
