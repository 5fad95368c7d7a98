//! The portal: links confirm by a button and once, forms tell nothing of anybody, programs record what they may, and persons see
//! and change what they agree to.

mod api;
mod choices;
mod confirming;
mod forms;
mod served;
mod stage;
