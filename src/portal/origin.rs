//! From where forms may come. No page here rests on a cookie: who sends a form has typed it, or holds the link. So this only
//! keeps other sites from having their visitors fill in ours.

use super::Asked;
use super::route::Route;
use super::trouble::Trouble;
use crate::config::Portal;

/// Looks from where a form comes.
pub(super) fn check(settings: &Portal, route: Route, asked: &Asked) -> Result<(), Trouble> {
    // What ends mails is sent by programs for mail, from wherever they are.
    if route == Route::Unsubscribe {
        return Ok(());
    }
    let is_own = match asked.origin.as_deref() {
        None => true,
        // What browsers state of pages without a referrer, as ours are.
        Some("null") => asked
            .site
            .as_deref()
            .is_none_or(|site| matches!(site, "same-origin" | "none")),
        Some(origin) if route.is_open() => settings.takes_forms_of(origin),
        Some(origin) => origin == settings.origin(),
    };
    match is_own {
        true => Ok(()),
        false => Err(Trouble::FOREIGN),
    }
}
