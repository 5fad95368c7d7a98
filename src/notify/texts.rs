//! What mails say, in English and French: plain text, the link alone on a line.

use super::letter::Subject;
use crate::policy::{Language, Organisation};

/// Characters of a line, where words can be parted.
const WIDTH: usize = 72;

/// In whose name mails are.
#[derive(Clone, Copy, Debug)]
pub struct House<'a> {
    /// Who answers for the data.
    pub organisation: &'a Organisation,
}

/// The subject and the text of a mail.
pub(super) fn write(
    subject: &Subject<'_>,
    link: &str,
    house: &House<'_>,
    language: Language,
) -> (String, String) {
    let name = house.organisation.name.as_deref().unwrap_or_default();
    let (heading, paragraphs) = match subject {
        Subject::Confirm { label, asked, .. } => confirm(name, label, *asked, link, language),
        Subject::Preferences => preferences(name, link, language),
    };
    let mut text: String = paragraphs
        .iter()
        .map(|paragraph| wrapped(paragraph) + "\n")
        .collect();
    text.push_str("-- \n");
    text.push_str(&signature(house.organisation, language));
    (one_line(&heading), text)
}

fn confirm(
    name: &str,
    label: &str,
    asked: Option<&str>,
    link: &str,
    language: Language,
) -> (String, Vec<String>) {
    let (subject, before, after) = match language {
        Language::En => (
            format!("Please confirm: {label}"),
            format!("Somebody, probably you, asked {name} for this with your address: {label}."),
            [
                "Please confirm that you want it. Open this page and press the button there:",
                "The link is valid for 48 hours. If you did not ask for it, do nothing: without your confirmation nothing happens.",
            ],
        ),
        Language::Fr => (
            format!("Merci de confirmer : {label}"),
            format!(
                "Quelqu'un, vous sans doute, a fait cette demande auprès de {name} avec votre adresse : {label}."
            ),
            [
                "Merci de confirmer que vous le souhaitez. Ouvrez cette page et appuyez sur le bouton :",
                "Le lien est valable 48 heures. Si vous n'avez rien demandé, ne faites rien : sans votre confirmation, rien ne se passe.",
            ],
        ),
    };
    let [ask, end] = after;
    let mut paragraphs = vec![before];
    paragraphs.extend(asked.map(str::to_owned));
    paragraphs.extend([ask.to_owned(), link.to_owned(), end.to_owned()]);
    (subject, paragraphs)
}

fn preferences(name: &str, link: &str, language: Language) -> (String, Vec<String>) {
    let (subject, before, after) = match language {
        Language::En => (
            format!("Your choices with {name}"),
            format!("On this page you see for what {name} uses your data, and change it:"),
            "The link is yours alone and valid for 30 days: do not pass it on. If you did not ask for it, do nothing.",
        ),
        Language::Fr => (
            format!("Vos choix chez {name}"),
            format!(
                "Sur cette page, vous voyez à quoi {name} utilise vos données, et vous pouvez le changer :"
            ),
            "Le lien n'est que pour vous et reste valable 30 jours : ne le transmettez pas. Si vous n'avez rien demandé, ne faites rien.",
        ),
    };
    let paragraphs = vec![before, link.to_owned(), after.to_owned()];
    (subject, paragraphs)
}

fn signature(organisation: &Organisation, language: Language) -> String {
    let officer = match language {
        Language::En => "Data protection:",
        Language::Fr => "Protection des données :",
    };
    let dpo = organisation.dpo.as_ref();
    let dpo = dpo.map(|dpo| format!("{officer} {dpo}"));
    let lines = [organisation.name.clone(), organisation.address.clone(), dpo];
    let lines = lines.into_iter().flatten();
    lines.map(|line| one_line(&line) + "\n").collect()
}

/// Words in lines. What has no space, a link above all, stays whole.
fn wrapped(paragraph: &str) -> String {
    let mut text = String::new();
    let mut width = 0;
    for word in paragraph.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            text.push('\n');
            width = 0;
        } else if width > 0 {
            text.push(' ');
            width += 1;
        }
        text.push_str(word);
        width += length;
    }
    text.push('\n');
    text
}

/// Without what could end a line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_stands_alone_on_its_line_in_both_languages() {
        let organisation = Organisation {
            name: Some("Example SA".to_owned()),
            dpo: Some("dpo@example.com".to_owned()),
            ..Organisation::default()
        };
        let house = House {
            organisation: &organisation,
        };
        let link = format!(
            "https://privacy.example.com/consent/confirm?t={}",
            "x".repeat(90)
        );
        let confirm = Subject::Confirm {
            purpose: "newsletter",
            label: "Newsletter\r\nBcc: somebody@example.com",
            asked: Some("I want it, once a month."),
        };
        for subject in [confirm, Subject::Preferences] {
            for language in [Language::En, Language::Fr] {
                let (heading, text) = write(&subject, &link, &house, language);
                assert_eq!(
                    text.lines().filter(|line| *line == link).count(),
                    1,
                    "{text}"
                );
                assert!(!heading.contains(['\r', '\n']), "{heading}");
                assert!(text.contains("Example SA") && text.contains("dpo@example.com"));
            }
        }
    }
}
