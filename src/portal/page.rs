//! Pages: no script, no cookie, nothing from elsewhere.

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header;

use super::answer::Answer;
use super::rows::{Decision, Row};
use super::trouble::Trouble;
use super::words::Words;
use crate::consent::PolicyTerms;
use crate::policy::Language;

/// The style of all pages. The policy of each page lets in these bytes and no others.
const STYLE: &str = include_str!("../../templates/portal/style.css");
const HTML: &str = "text/html; charset=utf-8";

/// What all pages have.
pub(super) struct Frame<'a> {
    terms: &'a PolicyTerms,
    language: Language,
    w: &'static Words,
    /// Where the page is in the other language, if it can be asked for there.
    path: Option<&'static str>,
    token: Option<&'a str>,
}

impl<'a> Frame<'a> {
    pub(super) fn new(terms: &'a PolicyTerms, language: Language) -> Self {
        Self {
            terms,
            language,
            w: Words::of(language),
            path: None,
            token: None,
        }
    }

    /// The same for a page at an address.
    pub(super) fn at(self, path: &'static str, token: Option<&'a str>) -> Self {
        Self {
            path: Some(path),
            token,
            ..self
        }
    }

    fn lang(&self) -> &'static str {
        self.language.as_str()
    }

    fn style(&self) -> &'static str {
        STYLE
    }

    fn house(&self) -> &str {
        let name = self.terms.organisation.name.as_deref();
        name.unwrap_or_default()
    }

    /// The same page in the other language.
    fn other(&self) -> Option<String> {
        let languages = &self.terms.organisation.languages;
        let other = super::speech::named(self.w.other_code)?;
        if !languages.is_empty() && !languages.contains(&other) {
            return None;
        }
        let token = self.token.map(|token| format!("t={token}&"));
        let token = token.unwrap_or_default();
        Some(format!("{}?{token}lang={}", self.path?, self.w.other_code))
    }

    /// What persons read of a purpose.
    pub(super) fn label<'p>(&'p self, purpose: &'p str) -> &'p str {
        match self.terms.purposes.get(purpose) {
            _ if purpose == "*" => self.w.all_purposes,
            Some(known) => known.label(purpose, self.language),
            None => purpose,
        }
    }

    /// What the page shows of that, as its form carries it.
    fn seen(&self, purpose: &str) -> String {
        super::seen::shown(self.terms, purpose, self.language)
    }

    /// What persons are asked to consent to.
    fn asked(&self, purpose: &str) -> Option<&str> {
        let asked = self.terms.asked(purpose, self.language);
        asked.map(|(_, words)| words)
    }
}

#[derive(Template)]
#[template(path = "portal/confirm.html")]
struct Confirm<'a> {
    f: &'a Frame<'a>,
    w: &'static Words,
    label: &'a str,
    asked: Option<&'a str>,
    purpose: &'a str,
    token: &'a str,
}

#[derive(Template)]
#[template(path = "portal/told.html")]
struct Told<'a> {
    f: &'a Frame<'a>,
    w: &'static Words,
    title: &'a str,
    lead: &'a str,
    label: Option<&'a str>,
    /// The token of the link to the person's choices.
    choices: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "portal/preferences.html")]
struct Preferences<'a> {
    f: &'a Frame<'a>,
    w: &'static Words,
    token: &'a str,
    notice: Option<&'a str>,
    rows: &'a [Row],
    decisions: &'a [Decision],
    has_receipts: bool,
    is_signed: bool,
}

#[derive(Template)]
#[template(path = "portal/ask.html")]
struct Ask<'a> {
    f: &'a Frame<'a>,
    w: &'static Words,
}

#[derive(Template)]
#[template(path = "portal/end.html")]
struct End<'a> {
    f: &'a Frame<'a>,
    w: &'static Words,
    label: &'a str,
    token: &'a str,
}

/// Where a person confirms: looks for the first time, or once more because something else is in force than what was read.
pub(super) fn confirm(frame: &Frame<'_>, purpose: &str, token: &str, status: u16) -> Answer {
    let page = Confirm {
        f: frame,
        w: frame.w,
        label: frame.label(purpose),
        asked: frame.asked(purpose),
        purpose,
        token,
    };
    made(status, &page)
}

/// What a person has confirmed.
pub(super) fn confirmed(frame: &Frame<'_>, purpose: &str) -> Answer {
    let page = Told {
        title: frame.w.confirmed_title,
        lead: frame.w.confirmed_lead,
        label: Some(frame.label(purpose)),
        choices: frame.token,
        ..told(frame)
    };
    made(200, &page)
}

/// That a form was taken. The same bytes, whoever was named.
pub(super) fn accepted(frame: &Frame<'_>) -> Answer {
    let page = Told {
        title: frame.w.accepted_title,
        lead: frame.w.accepted_lead,
        ..told(frame)
    };
    made(202, &page)
}

/// That mails were ended.
pub(super) fn ended(frame: &Frame<'_>) -> Answer {
    let page = Told {
        title: frame.w.ended_title,
        lead: frame.w.ended_lead,
        ..told(frame)
    };
    made(200, &page)
}

/// Why there is no other page.
pub(super) fn trouble(frame: &Frame<'_>, trouble: &Trouble) -> Answer {
    let page = Told {
        title: frame.w.trouble_title,
        lead: trouble.text(frame.language),
        ..told(frame)
    };
    let mut answer = made(trouble.status, &page);
    if let Some(allow) = trouble.allow {
        answer = answer.with(header::ALLOW, allow);
    }
    match trouble.retry_after {
        Some(seconds) => answer.with(header::RETRY_AFTER, &seconds.to_string()),
        None => answer,
    }
}

/// Where a person asks for the link.
pub(super) fn ask(frame: &Frame<'_>) -> Answer {
    made(
        200,
        &Ask {
            f: frame,
            w: frame.w,
        },
    )
}

/// Where a person ends mails.
pub(super) fn end(frame: &Frame<'_>, purpose: &str, token: &str) -> Answer {
    let page = End {
        f: frame,
        w: frame.w,
        label: frame.label(purpose),
        token,
    };
    made(200, &page)
}

/// What a person sees and changes.
pub(super) struct Choices<'a> {
    pub(super) token: &'a str,
    /// Whether a change was just recorded.
    pub(super) is_changed: Option<bool>,
    pub(super) rows: &'a [Row],
    pub(super) decisions: &'a [Decision],
    pub(super) has_receipts: bool,
    pub(super) is_signed: bool,
}

/// Where a person sees and changes what they agree to.
pub(super) fn preferences(frame: &Frame<'_>, choices: &Choices<'_>) -> Answer {
    let notice = choices.is_changed.map(|is_changed| match is_changed {
        true => frame.w.changed,
        false => frame.w.unchanged,
    });
    let page = Preferences {
        f: frame,
        w: frame.w,
        token: choices.token,
        notice,
        rows: choices.rows,
        decisions: choices.decisions,
        has_receipts: choices.has_receipts,
        is_signed: choices.is_signed,
    };
    made(200, &page)
}

fn told<'a>(frame: &'a Frame<'a>) -> Told<'a> {
    Told {
        f: frame,
        w: frame.w,
        title: "",
        lead: "",
        label: None,
        choices: None,
    }
}

fn made(status: u16, page: &impl Template) -> Answer {
    let Ok(text) = page.render() else {
        return Answer::new(500, "text/plain; charset=utf-8", "");
    };
    let style = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    );
    Answer::new(status, HTML, text).with(header::CONTENT_SECURITY_POLICY, &policy)
}
