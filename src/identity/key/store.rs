//! Changes the file of API keys: one command at a time, each change whole or not at all.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac;
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp};

use super::file::{self, BadFile, Change, File, Key, Secret, What};
use super::spelling;
use crate::files::{self, Owner, words};
use crate::identity::NoRandomness;

/// Why keys cannot be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file, or what lies beside it, cannot be read or written.
    #[error("could not use `{}`: {}", .path.display(), words(.source))]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not understood.
    #[error("could not read the API keys `{}`: {source}", .path.display())]
    Bad {
        /// Which.
        path: PathBuf,
        /// Why.
        source: BadFile,
    },
    /// The proxy could not read what this user would write.
    #[error("`{}` belongs to another user: run this as its owner, or as root", .path.display())]
    Owner {
        /// Which.
        path: PathBuf,
    },
    /// A name that cannot be one.
    #[error("`--name` must be made of at most 100 ASCII letters, digits, `.`, `_` and `-`")]
    Name,
    /// Networks that cannot be meant.
    #[error("`--from` must name networks, and not every address")]
    Networks,
    /// There is such a key.
    #[error("there is a key `{name}` already: `paravent key rotate {name}` gives it a new secret")]
    Taken {
        /// Its name.
        name: String,
    },
    /// There was such a key.
    #[error("the key `{name}` was revoked, and its name never comes back: choose another one")]
    Revoked {
        /// Its name.
        name: String,
    },
    /// There is no such key.
    #[error("there is no key `{name}`: `paravent key list` names all")]
    Unknown {
        /// The name.
        name: String,
    },
    /// A secret that would expire before it is used.
    #[error(
        "the new secret would have expired already: say until when it is valid with `--expires`"
    )]
    Expired,
    /// There are enough.
    #[error("{0}")]
    Full(&'static str),
    /// Randomness.
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
}

/// Who changes a key, and when.
#[derive(Clone, Debug)]
pub struct Doing {
    /// The user of the operating system.
    pub by: String,
    /// When.
    pub now: Timestamp,
    /// The id of the event that the change becomes: a new one.
    pub event: String,
}

/// A new secret.
#[derive(Clone)]
pub struct Made {
    /// The whole key: to be shown once.
    pub key: String,
    /// Until when it is valid.
    pub expires: Timestamp,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made")
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

/// The file of API keys, locked by whoever changes it; each lock is for one change.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    owner: Owner,
    file: File,
    /// Holds the lock until it is dropped.
    _lock: fs::File,
}

impl Store {
    /// Reads a file without a lock; one that is not there holds no key.
    ///
    /// # Errors
    /// If it cannot be read or understood.
    pub fn read(path: &Path) -> Result<File, StoreError> {
        let bytes = match files::read(path, file::FILE_BYTES_MAX) {
            Ok(contents) => contents.bytes,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(File::new()),
            Err(source) => {
                let path = path.to_owned();
                return Err(StoreError::File { path, source });
            }
        };
        File::parse(&bytes).map_err(|source| StoreError::Bad {
            path: path.to_owned(),
            source,
        })
    }

    /// Waits until nobody else changes the file, and reads it.
    ///
    /// # Errors
    /// If it cannot be read or understood, or the proxy could not read what would be written.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let owner = Owner::of(path).or_else(|_| Owner::of(folder));
        let owner = owner.map_err(|source| StoreError::File {
            path: folder.to_owned(),
            source,
        })?;
        if !owner.is_here() && !Owner::may_give() {
            let path = path.to_owned();
            return Err(StoreError::Owner { path });
        }
        let lock = lock(path, owner)?;
        Ok(Self {
            path: path.to_owned(),
            owner,
            file: Self::read(path)?,
            _lock: lock,
        })
    }

    /// Makes a key of a new name.
    ///
    /// # Errors
    /// If there is or was one of this name, or it cannot be written.
    pub fn create(
        mut self,
        (name, from): (&str, &[IpNet]),
        expires: Timestamp,
        secret: &[u8],
        doing: Doing,
    ) -> Result<Made, StoreError> {
        if !file::is_name(name) {
            return Err(StoreError::Name);
        }
        if !file::are_networks(from) {
            return Err(StoreError::Networks);
        }
        if let Some(key) = self.file.keys.iter().find(|key| key.name == name) {
            let name = name.to_owned();
            return Err(match key.revoked {
                Some(_) => StoreError::Revoked { name },
                None => StoreError::Taken { name },
            });
        }
        if self.file.keys.len() >= file::KEYS_MAX {
            return Err(StoreError::Full("there are 10,000 keys already"));
        }
        let (made, kept) = new_secret(secret, doing.now, expires)?;
        let id = kept.id.clone();
        self.file.keys.push(Key {
            name: name.to_owned(),
            from: from.to_vec(),
            created: doing.now,
            revoked: None,
            secrets: vec![kept],
        });
        self.changed((name, id), What::Created, doing)?;
        Ok(made)
    }

    /// Gives a key a new secret. Those that it has are valid for `grace` from now on, and no longer than they were. The new
    /// one is valid as long as the newest, if nothing is said.
    ///
    /// # Errors
    /// If there is no such key, or it was revoked, or cannot be written.
    pub fn rotate(
        mut self,
        name: &str,
        grace: SignedDuration,
        expires: Option<Timestamp>,
        secret: &[u8],
        doing: Doing,
    ) -> Result<Made, StoreError> {
        let key = self.find(name)?;
        if key.revoked.is_some() {
            let name = name.to_owned();
            return Err(StoreError::Revoked { name });
        }
        let newest = key.newest().map(|newest| newest.expires);
        let expires = expires.or(newest).ok_or(StoreError::Expired)?;
        let (made, kept) = new_secret(secret, doing.now, expires)?;
        let (now, id) = (doing.now, kept.id.clone());
        let end = now.checked_add(grace).unwrap_or(Timestamp::MAX);
        for old in &mut key.secrets {
            old.expires = old.expires.min(end);
        }
        // The one before is kept when it has expired, too: whoever still presents it is told of in the log.
        let before = key.secrets.pop();
        key.secrets.retain(|old| now < old.expires);
        key.secrets.extend(before);
        key.secrets.push(kept);
        if key.secrets.len() > file::SECRETS_MAX {
            return Err(StoreError::Full(
                "eight secrets of this key are valid already: wait for one to expire, or say `--grace 0s`",
            ));
        }
        self.changed((name, id), What::Rotated, doing)?;
        Ok(made)
    }

    /// Revokes a key for good. Says when it was revoked, if it was before.
    ///
    /// # Errors
    /// If there is no such key, or it cannot be written.
    pub fn revoke(mut self, name: &str, doing: Doing) -> Result<Option<Timestamp>, StoreError> {
        let key = self.find(name)?;
        if key.revoked.is_some() {
            return Ok(key.revoked);
        }
        key.revoked = Some(doing.now);
        let id = key.newest().map(|newest| newest.id.clone());
        self.changed((name, id.unwrap_or_default()), What::Revoked, doing)?;
        Ok(None)
    }

    fn find(&mut self, name: &str) -> Result<&mut Key, StoreError> {
        let mut keys = self.file.keys.iter_mut();
        keys.find(|key| key.name == name)
            .ok_or_else(|| StoreError::Unknown {
                name: name.to_owned(),
            })
    }

    /// Notes a change and writes the file. Nothing has changed before it stands there.
    fn changed(
        &mut self,
        (name, key): (&str, String),
        what: What,
        doing: Doing,
    ) -> Result<(), StoreError> {
        self.file.changes.push(Change {
            event: doing.event,
            time: doing.now,
            what,
            name: name.to_owned(),
            key,
            by: doing.by,
        });
        let many = self.file.changes.len().saturating_sub(file::CHANGES_MAX);
        self.file.changes.drain(..many);
        let failed = |source: io::Error| StoreError::File {
            path: self.path.clone(),
            source,
        };
        let bytes = self
            .file
            .written()
            .map_err(io::Error::from)
            .map_err(failed)?;
        if bytes.len() > file::FILE_BYTES_MAX {
            return Err(StoreError::Full("the file of keys is full"));
        }
        let owner = (!self.owner.is_here()).then_some(self.owner);
        files::replace_for(&self.path, &bytes, owner).map_err(failed)
    }
}

/// Waits for the lock of a file: a file beside it, since the file itself is replaced.
fn lock(path: &Path, owner: Owner) -> Result<fs::File, StoreError> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".lock");
    let beside = PathBuf::from(beside);
    let locked = || {
        let mut options = fs::OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            let links = rustix::fs::OFlags::NOFOLLOW;
            options.mode(0o600).custom_flags(links.bits().cast_signed());
        }
        let file = options.open(&beside)?;
        if !owner.is_here() {
            is_alone(&file)?;
            owner.give(&file)?;
        }
        file.lock()?;
        Ok(file)
    };
    locked().map_err(|source| StoreError::File {
        path: beside.clone(),
        source,
    })
}

/// What another user has put there under a second name is not given away.
fn is_alone(file: &fs::File) -> io::Result<()> {
    let found = file.metadata()?;
    #[cfg(unix)]
    let names = std::os::unix::fs::MetadataExt::nlink(&found);
    #[cfg(not(unix))]
    let names = 1;
    match found.is_file() && names == 1 {
        true => Ok(()),
        false => Err(io::Error::other("it is no file of its own")),
    }
}

/// A new secret, and what is kept of it.
fn new_secret(
    under: &[u8],
    now: Timestamp,
    expires: Timestamp,
) -> Result<(Made, Secret), StoreError> {
    if expires <= now {
        return Err(StoreError::Expired);
    }
    let fresh = spelling::fresh()?;
    let mac = hmac::Key::new(hmac::HMAC_SHA256, under);
    let kept = Secret {
        id: fresh.id,
        hmac: Secret::spelled(hmac::sign(&mac, fresh.text.as_bytes()).as_ref()),
        created: now,
        expires,
    };
    let key = fresh.text;
    Ok((Made { key, expires }, kept))
}
