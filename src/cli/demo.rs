//! `paravent demo`: a small CRM with invented people, and the proxy in front of it; no set-up, no network, no root.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use clap::Args;
use http::uri::Scheme;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

mod kept;

use self::kept::{Addresses, Kept};
use super::{DONE, UNUSABLE, print, unusable};
use crate::audit::note::SigningKey;
use crate::audit::{self, Log, Options, Signing, SigningKeys, Target};
use crate::config::{
    self, Algorithm, ClaimPath, ClaimPaths, KeySource, Proof, Timeouts, Upstream, Way,
};
use crate::consent::PolicyTerms;
use crate::demo::{self, ACCOUNTS, Crm, Issuer, PASSWORD};
use crate::diagnostic::{File, Place};
use crate::dialect::{self, Dialect, Secret, sugar_rest};
use crate::files;
use crate::identity::{Tokens, Ways};
use crate::ledger::{self, Clock, Ledger, PersonKeys};
use crate::pipeline::LiveSchema;
use crate::policy::{Policy, Source};
use crate::proxy::{ListenerSetup, Proxy, Setup, limits, settings};
use crate::server;
use crate::transport::Destination;

/// Where the demo listens and writes.
#[derive(Debug, Args)]
#[command(
    after_help = "Every port may be 0 for any free one. The last line on standard output is\n  ready {\"proxy\": URL, \"admin\": URL, \"crm\": URL, \"tokens\": URL, \"portal\": URL, \"config\": FILE}\nCtrl-C stops it."
)]
pub(super) struct Arguments {
    /// Port of the proxy
    #[arg(long, value_name = "N", default_value_t = 8080)]
    port: u16,
    /// Port of the admin listener (health, metrics)
    #[arg(long, value_name = "N", default_value_t = 9180)]
    admin_port: u16,
    /// Port of the bare CRM [default: any free one]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    crm_port: u16,
    /// Port of the second listener, for tokens [default: any free one]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    tokens_port: u16,
    /// Port of the portal, where persons confirm and change what they agree to [default: any free one]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    portal_port: u16,
    /// Folder of the access log (DIR/audit), the consent ledger, mails, keys, policy and configuration [default: a fresh temporary folder]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> u8 {
    super::logging::start(false, "info");
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return unusable(&error),
    };
    match runtime.block_on(demonstrate(arguments)) {
        Ok(()) => DONE,
        Err(error) => {
            unusable(&*error);
            UNUSABLE
        }
    }
}

async fn demonstrate(arguments: &Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let asked = server::listen()?.stop;
    let data = match &arguments.data {
        Some(dir) => dir.clone(),
        None => folder_of_its_own()?,
    };
    std::fs::create_dir_all(&data)?;
    let listener = listen(arguments.crm_port, "the CRM").await?;
    let crm = listener.local_addr()?;
    let portal = listen(arguments.portal_port, "the portal").await?;
    let (stop_crm, crm_stopped) = oneshot::channel::<()>();
    let people = Arc::new(Crm::invent(SEED));
    let serving = tokio::spawn(demo::serve(listener, people.clone(), async {
        let _ = crm_stopped.await;
    }));
    let issuer = Issuer::new().map_err(|_| NO_RANDOMNESS)?;
    let sources = demo::policy_sources_with_consent();
    let kept = Kept::open(&data, &sources)?;
    let (log, checkpoint) = signed_log(&data)?;
    let policy = policy(&sources, &kept)?;
    let ledger = ledger(&data, &kept, (&people, &policy)).await?;
    let ground = Ground {
        crm,
        issuer: &issuer,
        data: &data,
    };
    let mut setup = set_up(arguments, &ground, log, (policy, ledger))?;
    let portal_at = portal.local_addr()?;
    setup.portal = Some(kept.portal(portal, UPSTREAM)?);
    let proxy = Proxy::start(setup).await?;
    let addresses = Addresses {
        portal: portal_at,
        proxy: proxy.addresses[0],
        tokens: proxy.addresses[1],
        admin: proxy.admin,
        crm,
    };
    let config = kept.configure(&addresses)?;
    let by_token = by_token(addresses.proxy, addresses.tokens, &issuer)?;
    let (folder, audit) = (&*data, &*checkpoint);
    print(&greeting(&addresses, (folder, audit, &config), &by_token));
    print(&format!("ready {}\n", ready(&addresses, &config)));
    asked.clone().times(1).await;
    proxy.stop(asked.times(2)).await;
    let _ = stop_crm.send(());
    let _ = serving.await;
    Ok(())
}

async fn listen(port: u16, what: &str) -> Result<TcpListener, String> {
    let socket = TcpListener::bind(loopback(port)).await;
    socket.map_err(|error| format!("could not listen on port {port} for {what}: {error}"))
}

/// Where everything is, for programs.
fn ready(at: &Addresses, config: &Path) -> Value {
    let url = |address: SocketAddr| format!("http://{address}");
    json!({
        "proxy": url(at.proxy),
        "admin": url(at.admin),
        "crm": url(at.crm),
        "tokens": url(at.tokens),
        "portal": url(at.portal),
        "config": config.display().to_string(),
    })
}

fn dialects() -> Vec<Arc<dyn Dialect>> {
    vec![Arc::new(sugar_rest::described())]
}

fn policy(sources: &[Source], kept: &Kept<'_>) -> Result<Arc<Policy>, Box<dyn std::error::Error>> {
    let schemas: Vec<_> = dialects().iter().map(|one| one.schema().clone()).collect();
    let (policy, found) = Policy::compile(sources, &schemas, &kept.token_key);
    let policy = policy.ok_or_else(|| found.render(false))?;
    Ok(Arc::new(policy))
}

/// The consent ledger, with what the contacts have agreed to.
async fn ledger(
    data: &Path,
    kept: &Kept<'_>,
    (people, policy): (&Crm, &Policy),
) -> Result<Arc<Ledger>, Box<dyn std::error::Error>> {
    let settings = ledger::Settings {
        place: ledger::Place::Folder(data.join(STATE)),
        keys: PersonKeys::new(&[&kept.person_key])?,
        bytes_max: LEDGER_BYTES_MAX,
        clock: Clock::system(),
    };
    let ledger = Ledger::open(settings).await?;
    let terms = PolicyTerms::of(policy);
    let text = terms.texts.get(demo::PURPOSE);
    let shown = text.and_then(|text| terms.shown(demo::PURPOSE, &text.version, demo::LANGUAGE));
    let shown = shown.ok_or("the demo's policy has no text of its newsletter")?;
    let now = Timestamp::now();
    people.agree(&ledger, UPSTREAM, &shown, now).await?;
    Ok(Arc::new(ledger))
}

/// What the proxy stands on.
struct Ground<'g> {
    crm: SocketAddr,
    issuer: &'g Issuer,
    data: &'g Path,
}

/// The proxy of the demo, with two listeners before the same CRM: one for its sessions, which tokens may strengthen, one for
/// tokens alone.
fn set_up(
    arguments: &Arguments,
    ground: &Ground<'_>,
    log: Log,
    (policy, ledger): (Arc<Policy>, Arc<Ledger>),
) -> Result<Setup, Box<dyn std::error::Error>> {
    let dialects = dialects();
    let live = |dialect: &Arc<dyn Dialect>| Arc::new(LiveSchema::fixed(UPSTREAM, dialect.clone()));
    let live: Vec<_> = dialects.iter().map(live).collect();
    let destination = destination(ground.crm)?;
    let tokens = Arc::new(Tokens::new(&[trusted(ground.issuer, ground.data)?])?);
    let listener = |name: &str, port, ways| ListenerSetup {
        ways: Ways {
            tokens: Some(tokens.clone()),
            ..Ways::new(ways)
        },
        service: Some(service()),
        name: name.to_owned(),
        bind: loopback(port),
        tls: None,
        tls_files: None,
        upstream: UPSTREAM.into(),
        destination: destination.clone(),
        settings: settings(
            &config::Limits::default(),
            Upstream::PAGE_MAX_DEFAULT,
            false,
        ),
        limits: limits(&config::Limits::default(), &[], &[], &dialects),
        schemas: live.clone(),
    };
    let both = vec![Way::CrmSession, Way::Token];
    Ok(Setup {
        listeners: vec![
            listener("the proxy", arguments.port, both),
            listener("tokens", arguments.tokens_port, vec![Way::Token]),
        ],
        admin: loopback(arguments.admin_port),
        policy,
        log,
        stop_timeout: STOP_TIMEOUT,
        reload: None,
        ledger: Some(ledger),
        portal: None,
        sinks: crate::sinks::Plan::default(),
    })
}

/// The log, open, and the checkpoint of its start: signed by a key that is made once, and published beside the log. That it
/// all lies on one machine is enough to see how it works, and proves nothing.
fn signed_log(data: &Path) -> Result<(Log, PathBuf), Box<dyn std::error::Error>> {
    let kept = data.join("audit.key");
    let (key, line) = match files::read(&kept, 4_096) {
        Ok(read) => {
            let line = String::from_utf8(read.bytes)?;
            (SigningKey::parse(&line)?, None)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let (key, line) = SigningKey::generate("paravent-demo")?;
            (key, Some(line))
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(line) = line {
        files::replace(&kept, format!("{line}\n").as_bytes())?;
    }
    let public = format!("{}\n", key.public());
    files::publish(&data.join("audit.pub"), public.as_bytes())?;
    let folder = data.join("checkpoints");
    std::fs::create_dir_all(&folder)?;
    let signing = Signing {
        targets: vec![Target {
            place: audit::Place::Folder(folder.clone()),
            region: None,
        }],
        ..Signing::new(SigningKeys::one(key))
    };
    let log = Log::open(Options {
        node: "demo".to_owned(),
        signing: Some(signing),
        ..Options::new(&data.join("audit"), &data.join(STATE))
    })?;
    let name = log.published_by(Duration::from_secs(5));
    let name = name.ok_or("the first checkpoint of the access log could not be published")?;
    Ok((log, folder.join(name)))
}

/// Where the CRM is.
fn destination(crm: SocketAddr) -> Result<Destination, Box<dyn std::error::Error>> {
    let timeouts = Timeouts::default();
    Ok(Destination {
        scheme: Scheme::HTTP,
        authority: crm.to_string().parse()?,
        prefix: String::new(),
        roots: None,
        connect_timeout: timeouts.connect,
        first_byte_timeout: timeouts.first_byte,
        total_timeout: timeouts.total,
    })
}

/// The demo's issuer as a configuration would trust it, its public key in a file.
fn trusted(issuer: &Issuer, data: &Path) -> Result<config::Issuer, Box<dyn std::error::Error>> {
    let file = data.join("issuer.json");
    std::fs::write(&file, format!("{:#}\n", issuer.keys()))?;
    let claim = |path| ClaimPath::read(path).ok_or("not the path of a claim");
    Ok(config::Issuer {
        // The policy knows it by this name.
        name: "company".to_owned(),
        place: nowhere(),
        issuer: Issuer::NAME.to_owned(),
        audience: Issuer::AUDIENCE.to_owned(),
        keys: KeySource::File(file),
        algorithms: vec![Algorithm::ES256],
        kind: Some("at+jwt".to_owned()),
        parties: Vec::new(),
        claims: ClaimPaths {
            id: claim("$.sub")?,
            name: Some(claim("$.name")?),
            roles: Some(claim("$.roles")?),
            purpose: None,
        },
        crm_user: Some(claim("$.crm_login")?),
        skew: config::Issuer::SKEW_DEFAULT,
        lifetime_max: config::Issuer::LIFETIME_MAX_DEFAULT,
        refresh: config::Issuer::REFRESH_DEFAULT,
        stale: config::Issuer::STALE_DEFAULT,
    })
}

/// The proxy's own account in the CRM.
fn service() -> config::Service {
    let account = dialect::Account {
        user: Some((demo::SERVICE.name.to_owned(), Secret::new(PASSWORD))),
        client_id: Some("sugar".to_owned()),
        client_secret: None,
        plain: false,
        platform: Some("paravent".to_owned()),
    };
    config::Service {
        place: nowhere(),
        proof: Proof::Login(account),
        files: Vec::new(),
    }
}

/// The demo has no configuration.
fn nowhere() -> Place {
    Place {
        file: File::new("paravent demo", ""),
        span: 0..0,
    }
}

fn loopback(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn greeting(
    at: &Addresses,
    (data, checkpoint, config): (&Path, &Path, &Path),
    by_token: &str,
) -> String {
    let (proxy, crm, portal) = (at.proxy, at.crm, at.portal);
    let mail = data.join(kept::MAIL).display().to_string();
    let config = config.display();
    let audit = data.join("audit").display().to_string();
    let key = data.join("audit.pub").display().to_string();
    let checkpoint = checkpoint.display();
    let accounts: String = ACCOUNTS
        .iter()
        .map(|account| {
            format!(
                "  {:<6} {}\n",
                account.name,
                account.role.unwrap_or("no role in the policy")
            )
        })
        .collect();
    let base = format!("http://{proxy}/rest/v11_24");
    let log_in = format!(
        "curl -s {base}/oauth2/token -H 'Content-Type: application/json' \\\n       -d '{{\"grant_type\":\"password\",\"client_id\":\"sugar\",\"username\":\"sally\",\"password\":\"{PASSWORD}\"}}'"
    );
    format!(
        "Paravent demo: a small CRM with invented people, and the proxy in front of it.\n\
         \n\
         Proxy       http://{proxy}\n\
         Bare CRM    http://{crm}   (what `admin` sees here is the truth)\n\
         Portal      http://{portal}/preferences   (where persons see and change what they agree to)\n\
         Access log  {audit}\n\
         \n\
         Accounts, all with the password `{PASSWORD}`:\n\
         {accounts}\n\
         Try, and then again as `fanny`, or with the address of the bare CRM:\n\
         \n\
         1. log in, and keep the access_token as TOKEN\n\
         \x20    {log_in}\n\
         2. read contacts: bank data is masked, national numbers are redacted, health and belief are not there\n\
         \x20    curl -s '{base}/Contacts?max_num=1&fields=full_name,phone_mobile,iban_c,nir_c,religion_c' -H \"OAuth-Token: $TOKEN\"\n\
         3. try to find somebody by a hidden field\n\
         \x20    curl -s '{base}/Contacts?filter\\[0\\]\\[religion_c\\]\\[$not_empty\\]=' -H \"OAuth-Token: $TOKEN\"\n\
         \n\
         {by_token}\
         Each access is recorded. Ask first:\n\
         8. what was shown in clear of bank data, to whom and why\n\
         \x20    paravent audit query {audit} category=financial level=clear\n\
         9. who tried to find somebody by what they may not see\n\
         \x20    paravent audit query {audit} use=matched,sorted,searched outcome=denied\n\
         10. who saw a person (the id of a contact is in each reply), as that person may read it\n\
         \x20    paravent audit who-saw {audit} Contacts/ID --edition person\n\
         \n\
         The newsletter goes to whoever has confirmed that they want it. Log in as `max` and keep the access_token as MAX:\n\
         11. a contact (with an id of 2.) is there if the ledger says so, else not found\n\
         \x20    curl -s {base}/Contacts/ID -H \"OAuth-Token: $MAX\" -H 'Paravent-Purpose: newsletter'\n\
         12. how somebody stands, and because of what\n\
         \x20    paravent consent show --config {config} --record sugar:Contacts/ID --purpose newsletter\n\
         13. whoever agrees no more is gone within a second\n\
         \x20    paravent consent withdraw --config {config} --record sugar:Contacts/ID --purpose newsletter --source telephone --by kim\n\
         14. whoever wants it again asks with their address, and presses the button behind the link in the mail, a file here\n\
         \x20    curl -s http://{portal}/consent/requests -d purpose=newsletter -d email=ADDRESS\n\
         \x20    grep -h ^http {mail}/*.eml\n\
         \n\
         The log is whole, and goes on from what was signed at the start:\n\
         \x20    paravent audit verify {audit} --key {key} --checkpoint {checkpoint}\n\
         Ctrl-C stops.\n\n"
    )
}

/// What to try with tokens.
fn by_token(
    proxy: SocketAddr,
    tokens: SocketAddr,
    issuer: &Issuer,
) -> Result<String, Box<dyn std::error::Error>> {
    let fanny = ACCOUNTS.iter().find(|account| account.name == "fanny");
    let fanny = fanny.ok_or("nobody is called fanny")?;
    let now = Timestamp::now();
    let token = |is_strong| {
        let token = issuer.token(fanny, is_strong, now);
        token.map_err(|_| NO_RANDOMNESS)
    };
    let (weak, strong) = (token(false)?, token(true)?);
    let hours = Issuer::LIFETIME_SECONDS / 3_600;
    let contacts = format!("http://{tokens}/rest/v11_24/Contacts");
    Ok(format!(
        "By token, without an account in the CRM, on a second listener: http://{tokens}\n\
         The demo's own issuer has made two for `fanny`, good for {hours} hours: she typed a password, or, just now, touched a key.\n\
         \x20    WEAK={weak}\n\
         \x20    STRONG={strong}\n\
         \n\
         4. IBANs are masked, and a header says what would show more\n\
         \x20    curl -si '{contacts}?max_num=5' -H \"Authorization: Bearer $WEAK\" | grep -ioE 'paravent-step-up.*|\"iban_c\":\"[^\"]*\"'\n\
         5. name the field, and you are asked to authenticate more strongly (RFC 9470)\n\
         \x20    curl -si '{contacts}?max_num=5&fields=full_name,iban_c' -H \"Authorization: Bearer $WEAK\"\n\
         6. in clear, for a quarter of an hour after she touched the key\n\
         \x20    curl -s '{contacts}?max_num=5&fields=full_name,iban_c' -H \"Authorization: Bearer $STRONG\"\n\
         7. beside a session of the CRM (of 1.) a token strengthens it, if both are the same user's; this one is not `sally`'s\n\
         \x20    curl -s 'http://{proxy}/rest/v11_24/Contacts?max_num=1' -H \"OAuth-Token: $TOKEN\" -H \"Paravent-Token: $STRONG\"\n\
         \n"
    ))
}

/// A demo is stopped by somebody who waits for the prompt.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
/// The name of the CRM.
const UPSTREAM: &str = "sugar";
/// The folder of what is kept over restarts, in the demo's.
const STATE: &str = "state";
/// Bytes of memory that standings may take.
const LEDGER_BYTES_MAX: u64 = 64 << 20;
const NO_RANDOMNESS: &str = "the system gives no randomness";
/// The same people each time.
const SEED: u64 = 7;

/// A new folder among the system's temporary ones, for nobody else to look into.
fn folder_of_its_own() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let name = format!("paravent-demo-{:016x}", u64::from_ne_bytes(random()?));
    let folder = std::env::temp_dir().join(name);
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder)?;
    Ok(folder)
}

fn random<const BYTES: usize>() -> Result<[u8; BYTES], &'static str> {
    let mut bytes = [0; BYTES];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| NO_RANDOMNESS)?;
    Ok(bytes)
}
