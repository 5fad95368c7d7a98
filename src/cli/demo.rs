//! `paravent demo`: a small CRM with invented people, and the proxy in front of it; no set-up, no network, no root.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use clap::Args;
use http::uri::Scheme;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{DONE, UNUSABLE, print, unusable};
use crate::audit::{Log, Options};
use crate::config::{self, Timeouts, Upstream};
use crate::demo::{self, ACCOUNTS, Crm, PASSWORD};
use crate::dialect::Dialect;
use crate::dialect::sugar_rest;
use crate::pipeline::LiveSchema;
use crate::policy::Policy;
use crate::proxy::{ListenerSetup, Proxy, Setup, limits, settings};
use crate::server;
use crate::transport::Destination;

/// Where the demo listens and writes.
#[derive(Debug, Args)]
#[command(
    after_help = "Every port may be 0 for any free one. The last line on standard output is\n  ready {\"proxy\": URL, \"admin\": URL, \"crm\": URL}\nCtrl-C stops it."
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
    /// Folder of the access log (DIR/audit) [default: a fresh temporary folder]
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
    let asked = server::listen()?;
    let data = match &arguments.data {
        Some(dir) => dir.clone(),
        None => folder_of_its_own()?,
    };
    std::fs::create_dir_all(&data)?;
    let listener = TcpListener::bind(loopback(arguments.crm_port))
        .await
        .map_err(|error| {
            format!(
                "could not listen on port {} for the CRM: {error}",
                arguments.crm_port
            )
        })?;
    let crm = listener.local_addr()?;
    let (stop_crm, crm_stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(demo::serve(listener, Arc::new(Crm::invent(SEED)), async {
        let _ = crm_stopped.await;
    }));
    let proxy = Proxy::start(set_up(arguments, crm, &data.join("audit"))?).await?;
    print(&greeting(
        proxy.addresses[0],
        crm,
        &data.join("audit").display().to_string(),
    ));
    let url = |address: SocketAddr| format!("http://{address}");
    let ready =
        json!({"proxy": url(proxy.addresses[0]), "admin": url(proxy.admin), "crm": url(crm)});
    print(&format!("ready {ready}\n"));
    asked.clone().times(1).await;
    proxy.stop(asked.times(2)).await;
    let _ = stop_crm.send(());
    let _ = serving.await;
    Ok(())
}

fn set_up(
    arguments: &Arguments,
    crm: SocketAddr,
    audit: &std::path::Path,
) -> Result<Setup, Box<dyn std::error::Error>> {
    let token_key: [u8; 32] = random()?;
    let dialects: Vec<Arc<dyn Dialect>> = vec![Arc::new(sugar_rest::described())];
    let live = |dialect: &Arc<dyn Dialect>| Arc::new(LiveSchema::fixed("demo", dialect.clone()));
    let live = dialects.iter().map(live).collect();
    let schemas: Vec<_> = dialects.iter().map(|one| one.schema().clone()).collect();
    let (policy, found) = Policy::compile(&demo::policy_sources(), &schemas, &token_key);
    let policy = policy.ok_or_else(|| found.render(false))?;
    let timeouts = Timeouts::default();
    let listener = ListenerSetup {
        name: "the proxy".to_owned(),
        bind: loopback(arguments.port),
        tls: None,
        upstream: "demo".into(),
        destination: Destination {
            scheme: Scheme::HTTP,
            authority: crm.to_string().parse()?,
            prefix: String::new(),
            roots: None,
            connect_timeout: timeouts.connect,
            first_byte_timeout: timeouts.first_byte,
            total_timeout: timeouts.total,
        },
        settings: settings(
            &config::Limits::default(),
            Upstream::PAGE_MAX_DEFAULT,
            false,
        ),
        limits: limits(&config::Limits::default(), &[], &[], &dialects),
        schemas: live,
    };
    Ok(Setup {
        listeners: vec![listener],
        admin: loopback(arguments.admin_port),
        policy: Arc::new(policy),
        log: Log::open(Options {
            node: "demo".to_owned(),
            ..Options::new(audit, &audit.with_file_name("state"))
        })?,
        stop_timeout: STOP_TIMEOUT,
    })
}

fn loopback(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn greeting(proxy: SocketAddr, crm: SocketAddr, audit: &str) -> String {
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
         Each access is recorded:  paravent audit query {audit}\n\
         Ctrl-C stops.\n\n"
    )
}

/// A demo is stopped by somebody who waits for the prompt.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);
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
        .map_err(|_| "the system gives no randomness")?;
    Ok(bytes)
}
