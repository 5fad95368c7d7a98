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

/// Builds a mail. Its identifier is that of its place in the outbox: what is handed over twice is seen to be one mail.
pub(super) fn build(
    letter: &Letter,
    from: &Mailbox,
    id: &str,
    encoding: Encoding,
) -> Result<Message, Failure> {
    let to: Address = letter.to.parse().map_err(|_| Failure::Form)?;
    let text = letter.text.replace('\n', "\r\n");
    let encoding = match encoding {
        _ if text.is_ascii() => ContentTransferEncoding::SevenBit,
        Encoding::Plain => ContentTransferEncoding::EightBit,
        Encoding::Quoted => ContentTransferEncoding::QuotedPrintable,
    };
    let body = Body::new_with_encoding(text, encoding).map_err(|_| Failure::Form)?;
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
