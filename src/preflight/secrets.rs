//! Who else may read or change the files of secrets.

use std::path::{Path, PathBuf};

use crate::config::{self, Config, MailWay, PublishTo, Tls, codes};
use crate::diagnostic::{Diagnostic, Diagnostics, Spanned, quoted};

/// The owner may do anything with a secret, its group may read it, and nobody else may do anything: unless the
/// configuration lets everybody read, as containers do.
pub(super) fn look(config: &Config, found: &mut Diagnostics) {
    let keys = config.listeners.iter().filter_map(|listener| {
        let tls = listener.tls.as_ref()?;
        Some((&tls.key, PRIVATE_KEY))
    });
    let accounts = config.upstreams.values();
    let accounts = accounts.filter_map(|upstream| upstream.service.as_ref());
    let accounts = accounts.flat_map(|service| &service.files);
    let signing = config.audit_keys().iter().filter_map(|key| key.file());
    let signing = signing.map(|file| (file, "the key that signs checkpoints"));
    let bearers = config.audit.publish.iter().filter_map(|one| match &one.to {
        PublishTo::Https { bearer, .. } => bearer.as_ref()?.file(),
        PublishTo::Folder(_) => None,
    });
    let bearers = bearers.map(|file| (file, "what a place for checkpoints wants to hear"));
    let accounts = accounts.map(|file| (file, "what the proxy's own account proves itself with"));
    let sinks = config.audit.sinks.iter().flat_map(config::Sink::secrets);
    let sinks = sinks.map(|file| (file, "what a sink proves itself with"));
    let portal = config.portal.as_ref().and_then(|one| one.tls.as_ref());
    let mail = config.mail.as_ref().and_then(|mail| match &mail.way {
        MailWay::Smtp(smtp) => smtp.account.as_ref()?.1.file(),
        MailWay::Folder(_) => None,
    });
    let identity = &config.identity;
    let others = [
        (portal.map(|tls| &tls.key), PRIVATE_KEY),
        (mail, "the password of the mail server"),
        (config.token_key_file(), "the token key"),
        (config.api_key_file(), "the key of API keys"),
        (
            identity.keys.as_ref().map(|keys| &keys.file),
            "the file of API keys",
        ),
        (
            identity
                .front
                .as_ref()
                .and_then(|front| front.secret.file()),
            "what the authenticating proxy knows",
        ),
    ];
    let others = others
        .into_iter()
        .filter_map(|(file, what)| Some((file?, what)));
    for (file, what) in keys
        .chain(others)
        .chain(accounts)
        .chain(sinks)
        .chain(signing)
        .chain(bearers)
    {
        if let Some(exposure) = exposure(&file.value, config.are_secrets_readable_by_all()) {
            found.push(told(file, what, exposure));
        }
    }
}

/// Whether others may read, or change, the private key of a listener.
pub fn exposed_key(tls: &Tls, readable_by_all: bool) -> Option<Diagnostic> {
    let exposure = exposure(&tls.key.value, readable_by_all)?;
    Some(told(&tls.key, PRIVATE_KEY, exposure))
}

const PRIVATE_KEY: &str = "the private key";

/// What others may do that they should not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exposure {
    Read,
    Write,
}

fn exposure(path: &Path, readable_by_all: bool) -> Option<Exposure> {
    let mode = mode(path)?;
    if mode & WRITE_BY_OTHERS != 0 {
        Some(Exposure::Write)
    } else if mode & READ_BY_ALL != 0 && !readable_by_all {
        Some(Exposure::Read)
    } else {
        None
    }
}

fn told(file: &Spanned<PathBuf>, what: &str, exposure: Exposure) -> Diagnostic {
    let path = quoted(&file.value.display().to_string());
    let (title, help) = match exposure {
        Exposure::Write => (
            format!("others than its owner may change {path}"),
            format!("take the right away: `chmod go-w {}`", file.value.display()),
        ),
        Exposure::Read => (
            format!("everybody on this machine may read {path}"),
            format!(
                "take the right away: `chmod o= {}`; where a container is handed its secrets so, \
                 say `keys: {{ readable_by_all: true, … }}`",
                file.value.display()
            ),
        ),
    };
    Diagnostic::error(codes::SECRET_EXPOSED, title)
        .at(&file.place, format!("{what} is a secret"))
        .help(help)
}

/// The rights on a file (of what a link leads to); `None` where the system has none.
fn mode(path: &Path) -> Option<u32> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let found = std::fs::metadata(path).ok()?;
        Some(found.permissions().mode())
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

const WRITE_BY_OTHERS: u32 = 0o022;
const READ_BY_ALL: u32 = 0o004;

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_secret_is_its_owners_and_perhaps_read_by_the_group() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token.key");
        std::fs::write(&path, "x").unwrap();
        let exposed = |mode: u32, readable_by_all: bool| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&path, mode).unwrap();
            exposure(&path, readable_by_all)
        };
        for good in [0o400, 0o600, 0o440, 0o640, 0o700] {
            assert_eq!(exposed(good, false), None, "{good:o}");
        }
        for read in [0o444, 0o644, 0o604] {
            assert_eq!(exposed(read, false), Some(Exposure::Read), "{read:o}");
            assert_eq!(exposed(read, true), None, "{read:o}");
        }
        for write in [0o660, 0o622, 0o602, 0o666, 0o777] {
            assert_eq!(exposed(write, true), Some(Exposure::Write), "{write:o}");
        }
    }
}
