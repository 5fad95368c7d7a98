//! A mail in its form (RFC 5322), built anew for each way of handing it over.

use lettre::message::header::{
    self, ContentTransferEncoding, Header, HeaderName, HeaderValue, MIME_VERSION_1_0,
};
use lettre::message::{Body, Mailbox};
use lettre::{Address, Message};

use super::failure::Failure;
use super::letter::Letter;

/// How a text that is not ASCII is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As it is: for files.
    Plain,
    /// Quoted-printable: every mail server takes it.
    Quoted,
}

/// Bytes of a line (RFC 5322, section 2.1.1).
const LINE_BYTES_MAX: usize = 998;

/// Builds a mail. Its identifier is that of its place in the outbox: what is handed over twice is seen to be one mail.
pub(super) fn build(
    letter: &Letter,
    from: &Mailbox,
    id: &str,
    encoding: Encoding,
) -> Result<Message, Failure> {
    let to: Address = letter.to.parse().map_err(|_| Failure::Form)?;
    let body = body(letter, encoding)?;
    let domain = from.email.domain();
    let mut builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(letter.subject.clone())
        .message_id(Some(format!("<{id}@{domain}>")))
        .date_now()
        .header(MIME_VERSION_1_0)
        .header(header::ContentType::TEXT_PLAIN)
        .header(Language(letter.language.clone()))
        .header(AutoSubmitted);
    if let Some(link) = &letter.unsubscribe {
        builder = builder
            .header(Unsubscribe(format!("<{link}>")))
            .header(OneClick);
    }
    builder.body(body).map_err(|_| Failure::Form)
}

/// The text. Where it can be written as it is, it is, so that a link stays whole on its line, however long that is.
fn body(letter: &Letter, encoding: Encoding) -> Result<Body, Failure> {
    let text = letter.text.replace('\n', "\r\n");
    let is_short = text.lines().all(|line| line.len() <= LINE_BYTES_MAX);
    let as_it_is = match (text.is_ascii(), encoding) {
        (true, _) => ContentTransferEncoding::SevenBit,
        (false, Encoding::Plain) => ContentTransferEncoding::EightBit,
        (false, Encoding::Quoted) => ContentTransferEncoding::QuotedPrintable,
    };
    match is_short && as_it_is != ContentTransferEncoding::QuotedPrintable {
        true => Ok(Body::dangerous_pre_encoded(text.into_bytes(), as_it_is)),
        false => Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable)
            .map_err(|_| Failure::Form),
    }
}

type Odd = Box<dyn std::error::Error + Send + Sync>;

/// A header of a fixed name, which is written and never read.
macro_rules! written {
    ($header:ident, $name:literal, $this:ident => $value:expr) => {
        impl Header for $header {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(_: &str) -> Result<Self, Odd> {
                Err("nothing reads it".into())
            }

            fn display(&self) -> HeaderValue {
                let $this = self;
                // As it is: where a link is folded or encoded, some programs do not find it.
                HeaderValue::dangerous_new_pre_encoded(Self::name(), $value, $value)
            }
        }
    };
}

/// In which language it is (RFC 3282).
#[derive(Clone)]
struct Language(String);
written!(Language, "Content-Language", this => this.0.clone());

/// That no person has written it, so that nothing answers by itself (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;
written!(AutoSubmitted, "Auto-Submitted", _this => "auto-generated".to_owned());

/// What ends mails (RFC 2369).
#[derive(Clone)]
struct Unsubscribe(String);
written!(Unsubscribe, "List-Unsubscribe", this => this.0.clone());

/// That it does so by one request (RFC 8058).
#[derive(Clone)]
struct OneClick;
written!(OneClick, "List-Unsubscribe-Post", _this => "List-Unsubscribe=One-Click".to_owned());

#[cfg(test)]
mod tests {
    use super::super::letter::{Links, Subject};
    use super::super::texts::House;
    use super::*;
    use crate::ledger;
    use crate::policy::{Language, Organisation};

    fn mail(language: Language, label: &str, encoding: Encoding) -> String {
        let organisation = Organisation {
            name: Some("Exemple".to_owned()),
            ..Organisation::default()
        };
        let house = House {
            organisation: &organisation,
        };
        let to = ledger::Address::parse("anna@example.com").unwrap();
        let subject = Subject::Confirm {
            purpose: "newsletter",
            label,
            asked: None,
        };
        let links = Links {
            main: format!(
                "https://privacy.example.com/consent/confirm?t={}",
                "x".repeat(60)
            ),
            unsubscribe: Some("https://privacy.example.com/preferences/unsubscribe?t=y".to_owned()),
        };
        let letter = Letter::new(&to, &subject, links, &house, language);
        let from: Mailbox = "privacy@example.com".parse().unwrap();
        let message = build(&letter, &from, "o_1", encoding).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[test]
    fn a_link_is_whole_on_its_line_wherever_a_text_can_be_written_as_it_is() {
        let link = format!(
            "https://privacy.example.com/consent/confirm?t={}",
            "x".repeat(60)
        );
        for (language, label, encoding) in [
            (Language::En, "Letter", Encoding::Plain),
            (Language::En, "Letter", Encoding::Quoted),
            (Language::Fr, "Lettre é", Encoding::Plain),
        ] {
            let mail = mail(language, label, encoding);
            assert!(mail.split("\r\n").any(|line| line == link), "{mail}");
        }
        let quoted = mail(Language::Fr, "Lettre", Encoding::Quoted);
        assert!(
            quoted.is_ascii() && quoted.contains("quoted-printable"),
            "{quoted}"
        );
        let long = mail(Language::En, &"x".repeat(1200), Encoding::Plain);
        assert!(long.contains("quoted-printable"), "{long}");
    }

    #[test]
    fn a_mail_says_how_it_is_ended_and_that_nobody_has_written_it() {
        let mail = mail(Language::En, "Letter", Encoding::Plain);
        for line in [
            "Message-ID: <o_1@example.com>",
            "List-Unsubscribe: <https://privacy.example.com/preferences/unsubscribe?t=y>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(mail.split("\r\n").any(|one| one == line), "{line}: {mail}");
        }
    }
}
