//! Whether mails can leave: the folder for them can be written, or the mail server takes mails of the account; none is handed
//! over.

use std::time::Duration;

use crate::config::{Config, Mail, MailWay, codes};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::notify::{Failure, Mailer, SetUpError};

use super::log_folder::writable;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What can be seen on this machine.
pub(super) fn look(config: &Config, found: &mut Diagnostics) {
    let Some(mail) = &config.mail else { return };
    match &mail.way {
        MailWay::Folder(folder) => {
            let unwritable = writable(&folder.value).err();
            found.push_any(unwritable.map(|unwritable| {
                let problem = Diagnostic::error(codes::MAIL_UNUSABLE, TITLE);
                problem
                    .at(&folder.place, unwritable.label)
                    .help(unwritable.help)
            }));
        }
        MailWay::Smtp(_) => {
            let wrong = Mailer::new(mail).err();
            found.push_any(wrong.map(|wrong| not_set_up(mail, wrong)));
        }
    }
}

/// Reaches the mail server, for at most half a minute. It may be there later: mails wait for it for a day.
pub async fn mail(config: &Config) -> Diagnostics {
    let mut found = Diagnostics::new();
    let Some(mail) = &config.mail else {
        return found;
    };
    // What cannot be set up is told of already.
    let Ok(mailer) = Mailer::new(mail) else {
        return found;
    };
    let reached = tokio::time::timeout(PATIENCE, mailer.reach()).await;
    let failure = reached.unwrap_or(Err(Failure::Timeout)).err();
    found.push_any(failure.map(|failure| unreached(mail, failure)));
    found
}

const TITLE: &str = "mails cannot leave";

fn not_set_up(mail: &Mail, wrong: SetUpError) -> Diagnostic {
    let help = "look at `ca` (certificates in PEM), `host` and `password`";
    Diagnostic::error(codes::MAIL_UNUSABLE, TITLE)
        .at(&mail.place, wrong.to_string())
        .help(help)
}

fn unreached(mail: &Mail, failure: Failure) -> Diagnostic {
    let help = match failure {
        Failure::Refused => {
            "look at `user` and `password`, and whether the server lets this machine send mails from `from`"
        }
        Failure::Deferred => "ask again later; mails wait for a day",
        Failure::Timeout => "look at the address, and at routes and firewalls on the way",
        _ => {
            "look at `host` and `port` (465: TLS from the first byte; elsewhere STARTTLS), and at the authority of its certificate: `ca: FILE`"
        }
    };
    Diagnostic::error(codes::MAIL_UNUSABLE, TITLE)
        .at(&mail.place, failure.to_string())
        .help(help)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    use tokio::net::TcpListener;

    use super::*;

    fn config(mail: &str) -> Config {
        let dir = tempfile::tempdir().unwrap();
        for name in ["person.key", "token.key"] {
            crate::files::replace(&dir.path().join(name), &[b'k'; 32]).unwrap();
        }
        std::fs::create_dir(dir.path().join("policies")).unwrap();
        let text = format!(
            "listeners: [{{ name: crm, bind: \"127.0.0.1:8445\", upstream: crm }}]\n\
             upstreams: {{ crm: {{ url: \"http://127.0.0.1:1\", dialects: [sugar-rest] }} }}\n\
             policies: policies\n\
             keys: {{ token: {{ file: token.key }}, person: [{{ file: person.key }}] }}\n\
             state: {{ dir: state }}\n\
             audit: {{ dir: audit }}\n\
             portal: {{ bind: \"127.0.0.1:8446\", url: \"http://127.0.0.1:8446\" }}\n\
             mail: {{ {mail}, from: privacy@example.com }}\n"
        );
        let file = dir.path().join("paravent.yaml");
        std::fs::write(&file, text).unwrap();
        let (config, found) = Config::load(&file);
        config.unwrap_or_else(|| panic!("{}", found.render(false)))
    }

    /// A server that answers each command alike, but for the first words.
    async fn server(says: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (read, mut write) = socket.into_split();
                let _ = write.write_all(b"220 mail.example.com\r\n").await;
                let mut lines = BufReader::new(read).lines();
                while let Ok(Some(_)) = lines.next_line().await {
                    let _ = write.write_all(says.as_bytes()).await;
                }
            }
        });
        port
    }

    async fn problems(mail_section: &str) -> String {
        let config = config(mail_section);
        let mut found = Diagnostics::new();
        look(&config, &mut found);
        found.extend(mail(&config).await);
        found.render(false)
    }

    #[tokio::test]
    async fn a_mail_server_is_reached_or_why_not_is_told() {
        let smtp =
            |port: u16| format!("smtp: {{ host: localhost, port: {port}, in_clear: allowed }}");
        let port = server("250 fine\r\n").await;
        assert_eq!(problems(&smtp(port)).await, "");
        let port = server("550 not you\r\n").await;
        let told = problems(&smtp(port)).await;
        assert!(
            told.contains("C054") && told.contains("refuses it"),
            "{told}"
        );
        assert!(!told.contains("not you"), "{told}");
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let told = problems(&smtp(port)).await;
        assert!(told.contains("cannot be reached"), "{told}");
    }

    #[tokio::test]
    async fn a_folder_for_mails_can_be_written_or_is_told_of() {
        let dir = tempfile::tempdir().unwrap();
        let at = |path: PathBuf| format!("dir: {}", path.display());
        assert_eq!(problems(&at(dir.path().join("mail"))).await, "");
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let told = problems(&at(file.join("mail"))).await;
        assert!(told.contains("C054"), "{told}");
    }
}
