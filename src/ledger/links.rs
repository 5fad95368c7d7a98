//! Links in the store: by the SHA-256 of their tokens.

use super::error::Error;
use super::keys::PersonKeys;
use super::newlink::{NewLink, is_for, sha256};
use super::person::PersonId;
use super::refused::Refused;
use super::shown::{Shown, Use};
use super::store::{Transaction, Value};

/// Makes a link good.
pub(super) fn insert(
    within: &mut dyn Transaction,
    link: &NewLink,
    person: &PersonId,
    event: Option<&str>,
) -> Result<(), Error> {
    let sql = "INSERT INTO links (sha256, use, person, event, purpose, key_id, expires, used) VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)";
    let values: [Value; 7] = [
        (&sha256(&link.token)).into(),
        link.used_for.name().into(),
        person.as_str().into(),
        event.into(),
        (&link.purpose).into(),
        (&link.key_id).into(),
        link.expires.as_millisecond().into(),
    ];
    within.run(sql, &values).map(drop)
}

/// Under which keys links were made that are still good.
pub(super) fn keys(within: &mut dyn Transaction, now: i64) -> Result<Vec<String>, Error> {
    let sql = "SELECT DISTINCT key_id FROM links WHERE expires > $1 AND (used IS NULL OR use IN ('preferences', 'unsubscribe'))";
    let rows = within.run(sql, &[now.into()])?;
    rows.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// Forgets the links of a person.
pub(super) fn forget_all_of(within: &mut dyn Transaction, person: &PersonId) -> Result<(), Error> {
    let sql = "DELETE FROM links WHERE person = $1";
    within.run(sql, &[person.as_str().into()]).map(drop)
}

/// Forgets some of the links that ended before a moment; how many.
pub(super) fn forget_before(within: &mut dyn Transaction, moment: i64) -> Result<usize, Error> {
    let sql = "DELETE FROM links WHERE sha256 IN (SELECT sha256 FROM links WHERE expires < $1 LIMIT 500) RETURNING sha256";
    Ok(within.run(sql, &[moment.into()])?.len())
}

/// Looks a token up. Nothing changes.
pub(super) fn look(
    keys: &PersonKeys,
    within: &mut dyn Transaction,
    used_for: Use,
    token: &str,
    now: i64,
) -> Result<Shown, Error> {
    let sha256 = sha256(token);
    let sql = "SELECT use, person, event, purpose, expires, used FROM links WHERE sha256 = $1";
    let found = within.run(sql, &[(&sha256).into()])?;
    let row = found.first().ok_or(Refused::LinkUnknown)?;
    let purpose = row.text(3)?;
    if row.text(0)? != used_for.name() || !is_for(keys, token, used_for, purpose) {
        return Err(Refused::LinkUnknown.into());
    }
    if used_for.is_once() && row.integer_or_none(5)?.is_some() {
        return Err(Refused::LinkUsed.into());
    }
    if now >= row.integer(4)? {
        return Err(Refused::LinkExpired.into());
    }
    Ok(Shown {
        sha256,
        used_for,
        person: PersonId(row.text(1)?.to_owned()),
        purpose: purpose.to_owned(),
        event: row.text_or_none(2)?,
    })
}

/// Takes a link, which may have been taken since it was looked up.
pub(super) fn take(within: &mut dyn Transaction, shown: &Shown, now: i64) -> Result<(), Error> {
    let sql = "UPDATE links SET used = $1 WHERE sha256 = $2 AND expires > $3 RETURNING sha256";
    let values: [Value; 3] = [now.into(), (&shown.sha256).into(), now.into()];
    let once = "UPDATE links SET used = $1 WHERE sha256 = $2 AND expires > $3 AND used IS NULL RETURNING sha256";
    let taken = match shown.used_for.is_once() {
        true => within.run(once, &values)?,
        false => within.run(sql, &values)?,
    };
    if !taken.is_empty() {
        return Ok(());
    }
    let sql = "SELECT used FROM links WHERE sha256 = $1";
    let found = within.run(sql, &[(&shown.sha256).into()])?;
    let row = found.first().ok_or(Refused::LinkUnknown)?;
    match shown.used_for.is_once() && row.integer_or_none(0)?.is_some() {
        true => Err(Refused::LinkUsed.into()),
        false => Err(Refused::LinkExpired.into()),
    }
}
