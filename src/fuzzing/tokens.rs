//! Tokens, and the keys that are to verify them, from anybody.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::config::{Algorithm, ClaimPath, ClaimPaths, Issuer, KeySource};
use crate::diagnostic::{File, Place};
use crate::identity::{Clock, Tokens};

/// A token; or, before the first line break, keys, and behind it a token. Nothing panics, and what is accepted is that of the issuer.
pub(super) fn token(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let judge = |tokens: &Tokens, token: &str| {
        let (verified, explained) = RUNTIME.block_on(async {
            let verified = tokens.verify(token, Some(b"a certificate")).await;
            (
                verified,
                tokens.explain(token, Some(b"a certificate")).await,
            )
        });
        assert_eq!(explained.refused, verified.as_ref().err().copied());
        if let Ok(claims) = verified {
            assert!(tokens.is_ours(token) && !claims.subject().is_empty());
            assert_eq!(explained.claims, Some(claims));
        }
    };
    match text.split_once('\n') {
        Some((keys, token)) => {
            if let Some(tokens) = with_keys(keys) {
                judge(&tokens, token);
            }
        }
        None => judge(&TOKENS, &text),
    }
}

fn with_keys(keys: &str) -> Option<Tokens> {
    let file = tempfile::NamedTempFile::new().ok()?;
    std::fs::write(file.path(), keys).ok()?;
    let clock = Clock::telling(|| (1_800_000_000_000, Duration::ZERO));
    Tokens::with_clock(&[issuer(file.path())], clock).ok()
}

fn issuer(keys: &Path) -> Issuer {
    let path = |text: &str| ClaimPath::read(text);
    Issuer {
        name: "fuzz".to_owned(),
        place: Place {
            file: File::new("paravent.yaml", ""),
            span: 0..0,
        },
        issuer: "https://login.example".to_owned(),
        audience: "paravent".to_owned(),
        keys: KeySource::File(keys.to_owned()),
        algorithms: Algorithm::ALL.iter().map(|(_, one)| *one).collect(),
        kind: None,
        parties: Vec::new(),
        claims: ClaimPaths {
            id: path("$.sub").expect("a path"),
            name: path("$.name"),
            roles: path("$..roles"),
            purpose: path("$.purpose"),
        },
        crm_user: path("$.crm_user"),
        skew: Issuer::SKEW_DEFAULT,
        lifetime_max: Issuer::LIFETIME_MAX_DEFAULT,
        refresh: Issuer::REFRESH_DEFAULT,
        stale: Issuer::STALE_DEFAULT,
    }
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
});

/// The issuer of the seeds.
static TOKENS: LazyLock<Tokens> = LazyLock::new(|| with_keys(KEYS).expect("keys"));

const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"7kV0NkgOxLiUrwe9fEo5zHYr6H0UIhMuneJmy_trkI0","y":"LiWl8MkRJKX7XYC2nQnxNUXDoiJuDTzUrcG7qNIazfM"}]}"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_go_all_the_way() {
        let seed = |name: &str| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds/token");
            std::fs::read_to_string(folder.join(name)).unwrap()
        };
        let is_good =
            |tokens: &Tokens, token: &str| RUNTIME.block_on(tokens.verify(token, None)).is_ok();
        assert!(is_good(&TOKENS, &seed("good")) && is_good(&TOKENS, &seed("no_kid")));
        let both = seed("keys");
        let (keys, token) = both.split_once('\n').unwrap();
        assert!(is_good(&with_keys(keys).unwrap(), token));
    }
}
