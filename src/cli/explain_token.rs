//! `paravent explain --token`: what would be understood of a token, and why it is not accepted. Never the token, and of what
//! it says only what the policy has words for.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{DONE, Format, PROBLEMS, UNUSABLE, colour, print, unusable};
use crate::audit::visible;
use crate::config::{Config, Issuer};
use crate::identity::{Caller, Explained, Tokens};
use crate::policy::{Policy, Standing};
use crate::reload::Candidate;

/// Bytes of a file that holds a token.
const FILE_BYTES_MAX: u64 = 64 << 10;

/// Runs the command.
pub(super) fn run(path: &Path, config: Option<&Path>, format: Format) -> u8 {
    let token = match read(path) {
        Ok(token) => token,
        Err(cause) => {
            eprintln!("error: `{}`: {cause}", path.display());
            return UNUSABLE;
        }
    };
    let (issuers, policy) = match config.map(trusted) {
        Some(Ok((issuers, policy))) => (issuers, Some(policy)),
        Some(Err(code)) => return code,
        None => {
            eprintln!("note: without --config FILE, no issuer is known");
            (Vec::new(), None)
        }
    };
    let told = match Told::of(token.trim(), &issuers, policy.as_deref()) {
        Ok(told) => told,
        Err(error) => return unusable(&*error),
    };
    match format {
        Format::Text => print(&told.render()),
        Format::Json => print(&format!("{:#}\n", told.to_json())),
    }
    match told.explained.refused {
        None => DONE,
        Some(_) => PROBLEMS,
    }
}

fn read(path: &Path) -> Result<String, String> {
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bounded = file.take(FILE_BYTES_MAX + 1);
    let length = bounded.read_to_string(&mut text);
    match length.map_err(|error| error.to_string())? {
        0 => Err("it is empty".to_owned()),
        length if length as u64 > FILE_BYTES_MAX => Err(format!("over {FILE_BYTES_MAX} bytes")),
        _ => Ok(text),
    }
}

/// The issuers of a configuration, and its policy. What is wrong with them is told.
fn trusted(path: &Path) -> Result<(Vec<Issuer>, Arc<Policy>), u8> {
    if !path.exists() {
        eprintln!("error: no such configuration file: `{}`", path.display());
        return Err(UNUSABLE);
    }
    let (config, mut found) = Config::load(path);
    let policy = config.as_ref().and_then(|config| {
        let (candidate, problems) = Candidate::at_start(config, None);
        found.extend(problems);
        candidate.map(|candidate| candidate.policy)
    });
    match (config, policy) {
        (Some(config), Some(policy)) if !found.has_errors() => {
            Ok((config.identity.issuers, policy))
        }
        _ => {
            eprint!("{}", found.render(colour()));
            Err(PROBLEMS)
        }
    }
}

/// What is told of a token.
struct Told {
    explained: Explained,
    /// Who somebody would be who shows it, were it accepted.
    standing: Option<Standing>,
}

impl Told {
    fn of(
        token: &str,
        issuers: &[Issuer],
        policy: Option<&Policy>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let tokens = Tokens::new(issuers)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let explained = runtime.block_on(tokens.explain(token, None));
        // A look-up of a name may still go on; nobody waits for it.
        runtime.shutdown_background();
        let claims = explained.claims.clone();
        let standing = policy.zip(claims).map(|(policy, claims)| {
            let ago = tokens.age(&claims);
            policy.standing(&Caller::from_token(claims, ago))
        });
        Ok(Self {
            explained,
            standing,
        })
    }

    fn render(&self) -> String {
        let Explained {
            algorithm,
            kid,
            kind,
            issuer,
            claims,
            used,
            ..
        } = &self.explained;
        let mut out = String::new();
        let mut line = |name: &str, says: &str| {
            let _ = writeln!(out, "{name:<11} {says}");
        };
        line("accepted", &accepted(&self.explained));
        let of_header = [
            ("algorithm", *algorithm),
            ("key", kid.as_deref()),
            ("type", kind.as_deref()),
        ];
        for (name, says) in of_header {
            line(name, &says.map_or_else(|| "none".to_owned(), visible));
        }
        line("issuer", issuer.as_deref().unwrap_or("none that is known"));
        let used: Vec<String> = used
            .iter()
            .map(|(part, path)| format!("{part} from {path}"))
            .collect();
        line("claims", &or_none(&used.join(", ")));
        if let Some(claims) = claims {
            let can = match claims.strengthens() {
                true => "a session of the CRM user that it names",
                false => "no session of the CRM",
            };
            line("strengthens", can);
        }
        if let Some(standing) = &self.standing {
            for (name, says) in lines(standing) {
                line(&name, &says);
            }
        }
        out
    }

    fn to_json(&self) -> Value {
        let Explained {
            algorithm,
            kid,
            kind,
            issuer,
            claims,
            used,
            refused,
        } = &self.explained;
        let used = used
            .iter()
            .map(|(part, path)| json!({"part": part, "path": path}));
        let refused = refused.map(|refused| {
            json!({
                "reason": refused.reason.code(), "status": refused.reason.status(), "why": refused.why,
                "retry_after_seconds": refused.retry_after_seconds,
            })
        });
        json!({
            "accepted": refused.is_none(),
            "refused": refused,
            "algorithm": algorithm,
            "key": kid,
            "type": kind,
            "issuer": issuer.as_deref(),
            "claims": Value::from_iter(used),
            "strengthens": claims.as_ref().map(|claims| claims.strengthens()),
            "standing": self.standing.as_ref().map(standing_to_json),
        })
    }
}

fn accepted(explained: &Explained) -> String {
    let Some(refused) = explained.refused else {
        return "yes".to_owned();
    };
    let (status, code) = (refused.reason.status(), refused.reason.code());
    let again = refused.retry_after_seconds;
    let again = again.map_or_else(String::new, |seconds| {
        format!("; may be tried again in {seconds} s")
    });
    format!("no: {} ({status} {code}){again}", refused.why)
}

fn or_none(text: &str) -> String {
    match text {
        "" => "none".to_owned(),
        text => text.to_owned(),
    }
}

/// Who somebody would be, in the words of the policy.
fn lines(standing: &Standing) -> Vec<(String, String)> {
    let names = |names: &mut dyn Iterator<Item = String>| {
        let names: Vec<String> = names.collect();
        or_none(&names.join(", "))
    };
    let mut roles = names(&mut standing.roles.iter().map(ToString::to_string));
    match standing.claims_unused {
        0 => {}
        1 => roles.push_str("; one more of the token makes none of the policy"),
        more => {
            let _ = write!(roles, "; {more} more of the token make none of the policy");
        }
    }
    let purpose = match &standing.purpose {
        Ok(chosen) => format!("{} (by {})", chosen.purpose, chosen.chosen_by),
        Err(reason) => format!("none ({} {})", reason.status(), reason.code()),
    };
    let mut lines = vec![
        ("roles".to_owned(), roles),
        ("purpose".to_owned(), purpose),
        (
            "purposes".to_owned(),
            names(&mut standing.purposes.iter().map(ToString::to_string)),
        ),
    ];
    for (name, proofs) in &standing.strengths {
        let says = match proofs.iter().any(Vec::is_empty) {
            true => "proved".to_owned(),
            false => {
                let lacks: BTreeSet<String> =
                    proofs.iter().map(|lacks| lacks.join(" and ")).collect();
                let lacks: Vec<String> = lacks.into_iter().collect();
                format!("not proved: lacks {}", lacks.join(", or "))
            }
        };
        lines.push(("strength".to_owned(), format!("{name}: {says}")));
    }
    lines
}

fn standing_to_json(standing: &Standing) -> Value {
    let strengths: serde_json::Map<String, Value> = standing
        .strengths
        .iter()
        .map(|(name, proofs)| {
            let is_proved = proofs.iter().any(Vec::is_empty);
            let lacks = if is_proved { &[][..] } else { proofs };
            (name.clone(), json!({"proved": is_proved, "lacks": lacks}))
        })
        .collect();
    let (purpose, no_purpose) = match &standing.purpose {
        Ok(chosen) => (
            json!({"id": chosen.purpose.as_str(), "chosen_by": chosen.chosen_by}),
            Value::Null,
        ),
        Err(reason) => (Value::Null, json!(reason.code())),
    };
    json!({
        "roles": standing.roles.iter().map(|role| role.as_str()).collect::<Vec<_>>(),
        "claims_unused": standing.claims_unused,
        "purpose": purpose,
        "no_purpose": no_purpose,
        "purposes": standing.purposes.iter().map(|purpose| purpose.as_str()).collect::<Vec<_>>(),
        "strengths": strengths,
    })
}
