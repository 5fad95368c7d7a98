//! Receipts: what a person has decided, as a document that other programs read. JSON-LD in the Data Privacy Vocabulary,
//! conforming to its profile of ISO/IEC TS 27560 for the GDPR; `docs/consent/receipts.md` goes through its fields.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::policy_terms::{PolicyTerms, Purpose};
use super::told::time;
use crate::ledger::{ByKind, Event, Kind, Proof};
use crate::policy::Organisation;

/// What a receipt conforms to.
const RECEIPT: &str = "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr";
/// What the record in it conforms to.
const RECORD: &str = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr";

/// What receipts are made of, beside events.
#[derive(Clone, Copy, Debug)]
pub struct Maker<'a> {
    /// What the policy says.
    pub terms: &'a PolicyTerms,
    /// Where persons change what they have decided, if there is such a place.
    pub preferences: Option<&'a str>,
}

/// A receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct Receipt {
    /// The document.
    pub document: Value,
    /// What is not in it because the event does not say it.
    pub lacks: Vec<&'static str>,
}

impl Maker<'_> {
    /// The keys of the policy's `organisation` without which there is no receipt.
    pub fn missing(&self) -> Vec<&'static str> {
        let mut missing = self.terms.organisation.lacks();
        // In which languages the house speaks is no part of a receipt.
        missing.retain(|key| *key != "languages");
        missing
    }

    /// A receipt of a decision; `None` of what is none, or of a purpose that the policy does not declare.
    pub fn receipt(&self, event: &Event, now: Timestamp) -> Option<Receipt> {
        let status = status(event.kind)?;
        let purpose = self.terms.purposes.get(&event.purpose)?;
        let id = format!("receipt-{}", event.id);
        let document = json!({
            "@context": context(),
            "@id": format!("urn:paravent:{id}"),
            "@type": "dpv:ConsentReceipt",
            "dct:identifier": id,
            "dct:conformsTo": RECEIPT,
            "dct:created": now.to_string(),
            "dct:publisher": { "@id": "#controller" },
            "dct:audience": "dpv:DataSubject",
            "dpv:hasRecordOfActivity": self.record(event, purpose, status),
        });
        let lacks = [
            (
                "the text that the person was shown",
                event.text_id.is_none(),
            ),
            ("the language of that text", event.language.is_none()),
        ];
        let lacks = lacks.into_iter().filter(|(_, is_lacking)| *is_lacking);
        Some(Receipt {
            document,
            lacks: lacks.map(|(what, _)| what).collect(),
        })
    }

    fn record(&self, event: &Event, purpose: &Purpose, status: &str) -> Value {
        let organisation = &self.terms.organisation;
        let country = organisation.country.as_deref().unwrap_or_default();
        json!({
            "@id": format!("urn:paravent:{}", event.id),
            "@type": "dpv:ConsentRecord",
            "dct:identifier": event.id,
            "dct:conformsTo": RECORD,
            "dpv:hasDataSubject": {
                "@id": format!("urn:paravent:{}", event.person),
                "@type": "dpv:DataSubject",
                "dct:identifier": event.person.as_str(),
            },
            "dpv:hasDataController": controller(organisation),
            "dpv:hasAuthority": authority(organisation),
            "dpv:hasJurisdiction": format!("loc:{country}"),
            "dpv:hasApplicableLaw": "eu-gdpr:GDPR",
            "dpv:hasLegalBasis": legal_basis(event, purpose),
            "dpv:hasProcess": process(event, purpose, country),
            "dpv:hasConsentControl": {
                "@type": "dpv:WithdrawConsent",
                "dpv:isExercisedAt": self.exercised(),
            },
            "dpv:hasRight": rights(&self.exercised()),
            "dpv:hasNotice": notice(event),
            "dpv:hasConsentStatus": consent_status(event, purpose, status),
            "dct:provenance": { "dct:identifier": event.hash, "dct:type": "SHA-256" },
        })
    }

    /// Where persons withdraw, and exercise their other rights.
    fn exercised(&self) -> String {
        match (self.preferences, &self.terms.organisation.dpo) {
            (Some(url), _) => url.to_owned(),
            (None, Some(dpo)) => format!("mailto:{dpo}"),
            (None, None) => String::new(),
        }
    }
}

fn context() -> Value {
    json!({
        "dct": "http://purl.org/dc/terms/",
        "dpv": "https://w3id.org/dpv#",
        "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
        "loc": "https://w3id.org/dpv/loc#",
    })
}

/// What the vocabulary calls a decision; `None` of what is none.
fn status(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Requested => Some("dpv:ConsentRequested"),
        Kind::Given | Kind::Confirmed => Some("dpv:ConsentGiven"),
        Kind::Renewed => Some("dpv:RenewedConsentGiven"),
        Kind::Refused => Some("dpv:ConsentRefused"),
        Kind::Withdrawn => Some("dpv:ConsentWithdrawn"),
        Kind::Objected
        | Kind::Restricted
        | Kind::ObjectionLifted
        | Kind::RestrictionLifted
        | Kind::Notice => None,
    }
}

fn controller(organisation: &Organisation) -> Value {
    json!({
        "@id": "#controller",
        "@type": ["dpv:DataController", "dpv:Recipient"],
        "dct:identifier": organisation.name,
        "dpv:hasName": organisation.name,
        "dpv:hasAddress": organisation.address,
        "dpv:hasContact": organisation.dpo,
    })
}

fn authority(organisation: &Organisation) -> Value {
    let authority = organisation.authority.as_ref();
    json!({
        "@type": "dpv:DataProtectionAuthority",
        "dpv:hasName": authority.map(|authority| &authority.name),
        "dpv:hasContact": authority.map(|authority| &authority.url),
    })
}

/// Whoever signed or confirmed a link said it expressly.
fn legal_basis(event: &Event, purpose: &Purpose) -> Value {
    match (purpose.asks_consent(), event.proof) {
        (false, _) => json!({ "@type": "dpv:LegalBasis", "dct:title": purpose.legal_basis }),
        (true, Proof::None) => json!("eu-gdpr:A6-1-a"),
        (true, _) => json!(["eu-gdpr:A6-1-a", "dpv:ExpressedConsent"]),
    }
}

fn process(event: &Event, purpose: &Purpose, country: &str) -> Value {
    let data: Vec<Value> = match purpose.data.is_empty() {
        true => vec![json!("dpv:PersonalData")],
        false => {
            let categories = purpose.data.iter();
            let one = |name: &String| json!({ "@type": "dpv:PersonalData", "dct:title": name });
            categories.map(one).collect()
        }
    };
    let mut recipients = vec![json!({ "@id": "#controller" })];
    if let Some(recipient) = &event.recipient {
        recipients.push(json!({ "@type": "dpv:ThirdParty", "dct:identifier": recipient }));
    }
    json!({
        "@type": "dpv:Process",
        "dpv:hasPurpose": { "@type": "dpv:Purpose", "dct:title": event.purpose },
        "dpv:hasPersonalData": data,
        "dpv:hasRecipient": recipients,
        "dpv:hasDataSource": { "@type": "dpv:DataSubjectDataSource", "dct:title": event.source },
        "dpv:hasStorageCondition": [
            { "@type": "dpv:StorageLocation", "dpv:hasLocation": format!("loc:{country}") },
            { "@type": "dpv:StorageDuration", "dpv:hasDuration": duration(event, purpose) },
        ],
    })
}

/// How long the data are kept for this: until it ends, or until it is withdrawn.
fn duration(event: &Event, purpose: &Purpose) -> Value {
    match purpose.until(event) {
        Some(until) => json!({ "@type": "dpv:UntilTimeDuration", "dct:valid": time(until) }),
        None => {
            let until = match event.kind.affirms() {
                true => "withdrawal",
                false => "the decision: there is no consent",
            };
            json!({ "@type": "dpv:UntilEventDuration", "dct:title": until })
        }
    }
}

fn rights(exercised: &str) -> Value {
    let right = |article: &str, title: &str| {
        json!({
            "@type": ["dpv:DataSubjectRight", article],
            "dct:title": title,
            "dpv:isExercisedAt": exercised,
        })
    };
    json!([
        right("eu-gdpr:A7-3", "Right to withdraw consent"),
        right("eu-gdpr:A15", "Right of access"),
        right("eu-gdpr:A16", "Right to rectification"),
        right("eu-gdpr:A17", "Right to erasure"),
        right("eu-gdpr:A18", "Right to restriction of processing"),
        right("eu-gdpr:A20", "Right to data portability"),
        right("eu-gdpr:A77", "Right to lodge a complaint"),
    ])
}

/// The text that the person was shown, by its name, version and hash.
fn notice(event: &Event) -> Value {
    let (Some(id), Some(version)) = (&event.text_id, &event.text_version) else {
        return json!({
            "@type": "dpv:ConsentNotice",
            "dct:title": "none was recorded",
            "dct:language": event.language,
        });
    };
    json!({
        "@type": "dpv:ConsentNotice",
        "dct:identifier": format!("{id}@{version}"),
        "dct:language": event.language,
        "dct:provenance": { "dct:identifier": event.text_sha256, "dct:type": "SHA-256" },
    })
}

fn consent_status(event: &Event, purpose: &Purpose, status: &str) -> Value {
    let by = match event.by_kind {
        ByKind::Person => json!("dpv:DataSubject"),
        // Whoever recorded it did so in the name of the person.
        ByKind::Staff | ByKind::System | ByKind::Import => json!({ "@id": "#controller" }),
    };
    let mut told = Map::new();
    told.insert("@type".to_owned(), status.into());
    told.insert("dpv:isIndicatedBy".to_owned(), by);
    told.insert(
        "dpv:hasIndicationMethod".to_owned(),
        format!("{} ({})", event.source, event.proof.name()).into(),
    );
    told.insert("dpv:isIndicatedAtTime".to_owned(), time(event.at).into());
    let valid = match event.kind.affirms() {
        true => purpose
            .until(event)
            .map_or_else(|| "until withdrawn".to_owned(), time),
        false => "from then on".to_owned(),
    };
    told.insert("dct:valid".to_owned(), valid.into());
    Value::Object(told)
}
