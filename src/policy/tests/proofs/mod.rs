//! What must never happen is proved, or shown to happen.

mod brute;
mod speed;
