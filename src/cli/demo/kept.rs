//! What the demo keeps in its folder beside the access log: keys, its policy, mails, and a configuration by which commands find
//! the consent ledger while it runs.

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use tokio::net::TcpListener;

use super::{NO_RANDOMNESS, nowhere, random};
use crate::config::{self, MAY, MailWay};
use crate::consent::Signer;
use crate::demo::{Issuer, PASSWORD, SERVICE};
use crate::diagnostic::Spanned;
use crate::files;
use crate::hex::hex;
use crate::policy::Source;
use crate::proxy::PortalSetup;

/// How the configuration begins: what begins otherwise is somebody's own, and stays.
const MARK: &str = "# Written by `paravent demo` each time it starts.";
const CONFIG: &str = "paravent.yaml";
const POLICIES: &str = "policies";
/// The folder of mails.
pub(super) const MAIL: &str = "mail";
/// From whom the demo's mails are.
const FROM: &str = "Example SA <privacy@example.com>";
/// The program that may use the portal's API.
const PROGRAM: &str = "website";
/// Bytes of a file that is read.
const BYTES_MAX: usize = 64 << 10;
/// Characters of a line of a PEM file.
const LINE: usize = 64;

/// Where the demo listens.
pub(super) struct Addresses {
    pub(super) proxy: SocketAddr,
    pub(super) tokens: SocketAddr,
    pub(super) admin: SocketAddr,
    pub(super) crm: SocketAddr,
    pub(super) portal: SocketAddr,
}

/// The folder of a demo.
pub(super) struct Kept<'d> {
    dir: &'d Path,
    /// The key of tokens in replies.
    pub(super) token_key: Vec<u8>,
    /// The key under which the ledger finds persons.
    pub(super) person_key: Vec<u8>,
    /// The key that signs receipts, PKCS#8 in PEM form.
    receipts_key: Vec<u8>,
    /// The SHA-256 of the key of the program that may use the portal's API.
    program: [u8; 32],
}

impl<'d> Kept<'d> {
    /// Makes a folder the demo's, or goes on with one that is. Keys that are there stay.
    pub(super) fn open(dir: &'d Path, policy: &[Source]) -> Result<Self, Box<dyn Error>> {
        is_ours(dir)?;
        std::fs::create_dir_all(dir.join(MAIL))?;
        // Marked from the start, so that a demo that did not come to its end is gone on with.
        files::replace(&dir.join(CONFIG), format!("{MARK}\n").as_bytes())?;
        let keys = dir.join("keys");
        for source in policy {
            let name = Path::new(&source.path).file_name();
            let name = name.ok_or("a file of the policy has no name")?;
            let path = dir.join(POLICIES).join(name);
            files::replace(&path, source.text.as_bytes())?;
        }
        files::replace(&keys.join("service.pw"), PASSWORD.as_bytes())?;
        let of_random = || Ok(random::<32>()?.to_vec());
        let program = kept(&keys.join("website.key"), || {
            Ok(hex(&random::<32>()?).into())
        })?;
        let program = digest(&SHA256, &program);
        Ok(Self {
            dir,
            token_key: kept(&keys.join("token.key"), of_random)?,
            person_key: kept(&keys.join("person.key"), of_random)?,
            receipts_key: kept(&keys.join("receipts.pem"), signing_key)?,
            program: program.as_ref().try_into()?,
        })
    }

    /// The portal on a socket of this machine; its mails become files.
    pub(super) fn portal(
        &self,
        socket: TcpListener,
        upstream: &str,
    ) -> Result<PortalSetup, Box<dyn Error>> {
        let bind = socket.local_addr()?;
        let settings = config::Portal {
            bind: stated(bind),
            url: stated(format!("http://{bind}")),
            tls: None,
            return_to: Vec::new(),
            api: vec![config::ApiClient {
                name: PROGRAM.to_owned(),
                sha256: self.program,
                may: MAY.iter().map(|(_, right)| *right).collect(),
            }],
            trusted_proxies: Vec::new(),
        };
        let mail = config::Mail {
            place: nowhere(),
            way: MailWay::Folder(stated(self.dir.join(MAIL))),
            from: FROM.to_owned(),
        };
        let signer = Signer::read(&self.receipts_key)?;
        let portal = PortalSetup::on(socket, settings, upstream, &mail, signer)?;
        Ok(portal)
    }

    /// Writes the configuration of the demo that runs.
    pub(super) fn configure(&self, at: &Addresses) -> std::io::Result<PathBuf> {
        let path = self.dir.join(CONFIG);
        let text = configuration(at, &hex(&self.program));
        files::replace(&path, text.as_bytes())?;
        std::path::absolute(path)
    }
}

/// Whether a folder may become the demo's: nothing lies there that it would overwrite.
fn is_ours(dir: &Path) -> Result<(), Box<dyn Error>> {
    let config = dir.join(CONFIG);
    let of_another = |what: &Path| {
        format!(
            "`{}` is not the demo's, which would overwrite it; name another folder with `--data`",
            what.display()
        )
    };
    match files::read(&config, BYTES_MAX) {
        Ok(found) if found.bytes.starts_with(MARK.as_bytes()) => Ok(()),
        Ok(_) => Err(of_another(&config).into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let policies = dir.join(POLICIES);
            match policies.exists() {
                true => Err(of_another(&policies).into()),
                false => Ok(()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// What a file holds; where there is none, it is made.
fn kept(
    path: &Path,
    make: impl FnOnce() -> Result<Vec<u8>, Box<dyn Error>>,
) -> Result<Vec<u8>, Box<dyn Error>> {
    match files::read(path, BYTES_MAX) {
        Ok(found) => return Ok(found.bytes),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let made = make()?;
    files::replace(path, &made)?;
    Ok(made)
}

/// A key that signs receipts: PKCS#8 in PEM form.
fn signing_key() -> Result<Vec<u8>, Box<dyn Error>> {
    let key = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map_err(|_| NO_RANDOMNESS)?;
    let mut pem = String::from("-----BEGIN PRIVATE KEY-----");
    for (at, character) in STANDARD.encode(key).chars().enumerate() {
        if at % LINE == 0 {
            pem.push('\n');
        }
        pem.push(character);
    }
    pem.push_str("\n-----END PRIVATE KEY-----\n");
    Ok(pem.into_bytes())
}

/// What would stand in a configuration.
fn stated<T>(value: T) -> Spanned<T> {
    Spanned {
        value,
        place: nowhere(),
    }
}

fn configuration(at: &Addresses, program: &str) -> String {
    let Addresses {
        proxy,
        tokens,
        admin,
        crm,
        portal,
    } = at;
    let may: Vec<&str> = MAY.iter().map(|(word, _)| *word).collect();
    let may = may.join(", ");
    let (issuer, audience) = (Issuer::NAME, Issuer::AUDIENCE);
    let user = SERVICE.name;
    format!(
        "{MARK}\n\
         # The demo that runs, for the commands that go with it: `paravent consent show --config paravent.yaml …`\n\
         listeners:\n\
         \x20 - {{ name: crm, bind: \"{proxy}\", upstream: sugar, identity: [crm-session, token] }}\n\
         \x20 - {{ name: tokens, bind: \"{tokens}\", upstream: sugar, identity: [token] }}\n\
         admin: {{ bind: \"{admin}\" }}\n\
         identity:\n\
         \x20 tokens:\n\
         \x20   - name: company\n\
         \x20     issuer: {issuer}\n\
         \x20     audience: {audience}\n\
         \x20     type: at+jwt\n\
         \x20     keys: {{ file: issuer.json }}\n\
         \x20     claims: {{ name: $.name, roles: $.roles }}\n\
         \x20     strengthens: {{ crm_user: $.crm_login }}\n\
         upstreams:\n\
         \x20 sugar:\n\
         \x20   url: http://{crm}\n\
         \x20   dialects: [sugar-rest]\n\
         \x20   service: {{ user: {user}, password: {{ file: keys/service.pw }}, client_id: sugar, platform: paravent }}\n\
         policies: policies\n\
         keys:\n\
         \x20 token: {{ file: keys/token.key }}\n\
         \x20 person: [{{ file: keys/person.key }}]\n\
         \x20 receipts: {{ file: keys/receipts.pem }}\n\
         \x20 audit: [{{ file: audit.key }}]\n\
         audit: {{ dir: audit, node: demo, publish: [{{ folder: checkpoints }}] }}\n\
         state: {{ dir: state }}\n\
         # Persons reach it at `url`; the program's key is in `keys/website.key`.\n\
         portal:\n\
         \x20 bind: \"{portal}\"\n\
         \x20 url: http://{portal}\n\
         \x20 api: [{{ name: {PROGRAM}, sha256: {program}, may: [{may}] }}]\n\
         mail: {{ dir: {MAIL}, from: {FROM} }}\n"
    )
}
