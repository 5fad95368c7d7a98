//! What is promised of files, standings and receipts, over a ledger in a folder of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;

use super::*;
use crate::ledger::{
    Address, Channel, Clock, Draft, Kind, Ledger, PersonKeys, Place, Proof, Settings, Who,
};
use crate::policy::{Authority, ConsentText, Language, Organisation};

const HEADING: &str = "email,purpose,kind,at,proof,source";

struct Stage {
    ledger: Ledger,
    _folder: tempfile::TempDir,
}

async fn stage() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        place: Place::Folder(folder.path().to_owned()),
        keys: PersonKeys::new(&[&[7; 32]]).unwrap(),
        bytes_max: 1 << 30,
        clock: Clock::system(),
    };
    Stage {
        ledger: Ledger::open(settings).await.unwrap(),
        _folder: folder,
    }
}

fn terms() -> PolicyTerms {
    let newsletter = Purpose {
        proof: Proof::SingleOptIn,
        max_age: Some(3.years().fieldwise()),
        data: vec!["contact.email".to_owned()],
        ..Purpose::of_basis("consent")
    };
    let marketing = Purpose {
        honours_objection: true,
        ..Purpose::of_basis("legitimate-interest")
    };
    let text = ConsentText {
        version: "3".to_owned(),
        words: BTreeMap::from([(Language::Fr, "Oui, écrivez-moi.".to_owned())]),
    };
    PolicyTerms {
        purposes: BTreeMap::from([
            ("newsletter".to_owned(), newsletter),
            ("marketing".to_owned(), marketing),
        ]),
        texts: BTreeMap::from([("newsletter".to_owned(), text)]),
        organisation: Organisation {
            name: Some("Example SA".to_owned()),
            country: Some("FR".to_owned()),
            address: Some("1 rue de la Paix, Paris".to_owned()),
            dpo: Some("dpo@example.com".to_owned()),
            authority: Some(Authority {
                name: "CNIL".to_owned(),
                url: "https://www.cnil.fr".to_owned(),
            }),
            languages: vec![Language::Fr],
        },
    }
}

fn anna() -> Who {
    Who::Address(Address::parse("anna@example.com").unwrap())
}

async fn imported(stage: &Stage, text: &[u8]) -> Checked {
    let terms = terms();
    let import = Import::of(text, &terms, "test").unwrap();
    import.record(&stage.ledger, &mut |_| ()).await.unwrap()
}

async fn checked(stage: &Stage, text: &str) -> Checked {
    let terms = terms();
    let import = Import::of(text.as_bytes(), &terms, "test").unwrap();
    import.check(&stage.ledger, &mut |_| ()).await.unwrap()
}

async fn events(stage: &Stage) -> usize {
    let all = stage.ledger.events_after(0).await.unwrap();
    all.len()
}

#[tokio::test]
async fn a_file_as_spreadsheets_write_it_is_read() {
    let stage = stage().await;
    let lines = "\u{feff}email;purpose;kind;at;proof;source\r\n\
        \"anna@example.com\";newsletter;given;2024-01-02;single-opt-in;\"fair; \"\"big\"\" hall\"\r\n\
        ;;;;;\r\n\
        bob@example.com;newsletter;refused;2024-01-02T10:00:00Z;;'=1+1\r\n";
    let done = imported(&stage, lines.as_bytes()).await;
    assert_eq!(
        (done.lines, done.new, done.bad),
        (2, 2, 0),
        "{:?}",
        done.wrong
    );
    let all = stage.ledger.events_after(0).await.unwrap();
    assert_eq!(all[0].source, "fair; \"big\" hall");
    assert_eq!(
        (all[1].source.as_str(), all[1].kind),
        ("=1+1", Kind::Refused)
    );
    // Once more, nothing changes; a line that is not there yet is added.
    let done = imported(&stage, lines.as_bytes()).await;
    assert_eq!((done.new, done.known), (0, 2));
    let more = format!("{HEADING}\nanna@example.com,newsletter,given,2024-01-03,none,fair\n");
    assert_eq!(imported(&stage, more.as_bytes()).await.new, 1);
    assert_eq!(events(&stage).await, 3);
}

#[tokio::test]
async fn every_bad_line_is_counted_and_none_is_repeated() {
    let stage = stage().await;
    let bad = [
        "secret-anna,newsletter,given,2024-01-02,none,fair",
        "secret@example.com,secretletter,given,2024-01-02,none,fair",
        "secret@example.com,newsletter,secretly,2024-01-02,none,fair",
        "secret@example.com,newsletter,confirmed,2024-01-02,double-opt-in,fair",
        "secret@example.com,newsletter,given,secret,none,fair",
        "secret@example.com,newsletter,given,2126-01-02,none,fair",
        "secret@example.com,newsletter,given,2024-01-02,secret,fair",
        "secret@example.com,newsletter,given,2024-01-02,,fair",
        "secret@example.com,newsletter,given,2024-01-02,signed-request,fair",
        "secret@example.com,newsletter,given,2024-01-02,none,secret@example.com",
        "secret@example.com,*,given,2024-01-02,none,fair",
        "secret@example.com,newsletter,given,2024-01-02,none",
        ",newsletter,given,2024-01-02,none,fair",
        "secret@example.com,newsletter,objection_lifted,2024-01-02,none,fair",
    ];
    let good = "anna@example.com,newsletter,given,2024-01-02,none,fair\n";
    let many: String = (0..2000)
        .map(|n| format!("{}\n", bad[n % bad.len()]))
        .collect();
    let found = checked(&stage, &format!("{HEADING}\n{good}{many}")).await;
    assert_eq!((found.lines, found.new, found.bad), (2001, 1, 2000));
    assert_eq!(found.wrong.len(), 100);
    for (number, wrong) in found.wrong.iter().enumerate() {
        assert_eq!(wrong.line, number as u64 + 3, "{wrong}");
        assert!(!wrong.to_string().contains("secret"), "{wrong}");
    }
    assert_eq!(events(&stage).await, 0, "to look changes nothing");
    // The good ones of them, where that is wanted.
    let done = imported(&stage, format!("{HEADING}\n{many}{good}").as_bytes()).await;
    assert_eq!((done.new, done.bad, events(&stage).await), (1, 2000, 1));
}

#[tokio::test]
async fn a_reference_stands_for_one_event() {
    let stage = stage().await;
    let line = |who: &str, reference: &str| {
        format!("{who}@example.com,newsletter,given,2024-01-02,none,fair,{reference}\n")
    };
    let heading = format!("{HEADING},reference\n");
    let twice = format!("{heading}{}{}", line("anna", "t-1"), line("bob", "t-1"));
    let found = checked(&stage, &twice).await;
    assert_eq!((found.new, found.bad), (1, 1));
    let first = format!("{heading}{}", line("anna", "t-1"));
    assert_eq!(imported(&stage, first.as_bytes()).await.new, 1);
    assert_eq!(imported(&stage, first.as_bytes()).await.known, 1);
    let other = format!("{heading}{}", line("bob", "t-1"));
    assert_eq!(checked(&stage, &other).await.bad, 1);
    assert_eq!(events(&stage).await, 1);
}

async fn stand(stage: &Stage, purpose: &str) -> Stand {
    let now = Timestamp::now();
    let answer = answer(&stage.ledger, &anna(), &terms(), &[purpose], now).await;
    answer.unwrap().purposes.remove(purpose).unwrap()
}

#[tokio::test]
async fn a_standing_names_what_decides() {
    let stage = stage().await;
    let nothing = stand(&stage, "newsletter").await;
    assert_eq!((nothing.state, nothing.is_valid), ("none", false));
    assert_eq!(nothing.because, "nothing-recorded");
    let record = async |purpose: &str, kind: Kind, proof: Proof, despite: Option<&str>| {
        let mut draft = Draft::new(anna(), purpose, kind, Channel::Staff);
        draft.proof = proof;
        (draft.source, draft.by) = ("telephone".to_owned(), "kim".to_owned());
        draft.despite_denial = despite.map(str::to_owned);
        stage.ledger.append(draft).await.unwrap().event().id.clone()
    };
    record("newsletter", Kind::Given, Proof::None, None).await;
    assert_eq!(stand(&stage, "newsletter").await.because, "proof-too-weak");
    let given = record("newsletter", Kind::Given, Proof::SingleOptIn, None).await;
    let valid = stand(&stage, "newsletter").await;
    assert_eq!(
        (valid.state, valid.is_valid, valid.because),
        ("given", true, "valid")
    );
    assert_eq!(
        (valid.event, valid.proof),
        (Some(given), Some(Proof::SingleOptIn))
    );
    let at = Timestamp::from_millisecond(valid.at.unwrap()).unwrap();
    let until = at.to_zoned(TimeZone::UTC).checked_add(3.years()).unwrap();
    assert_eq!(valid.until, Some(until.timestamp().as_millisecond()));
    let denied = record("*", Kind::Withdrawn, Proof::None, None).await;
    let after = stand(&stage, "newsletter").await;
    assert_eq!(
        (after.state, after.is_valid, after.because),
        ("withdrawn", false, "denied")
    );
    assert_eq!(after.event.as_ref(), Some(&denied));
    let person = stage.ledger.person(anna()).await.unwrap().unwrap();
    let history = stage.ledger.history(person.id).await.unwrap();
    assert_eq!(denial(&history, "newsletter").unwrap().id, denied);
    // A purpose without consent heeds objections, not withdrawals.
    assert!(stand(&stage, "marketing").await.is_valid);
    record("marketing", Kind::Objected, Proof::None, None).await;
    assert_eq!(stand(&stage, "marketing").await.because, "objected");
}

#[tokio::test]
async fn nothing_that_goes_out_holds_an_address() {
    let stage = stage().await;
    let lines = format!("{HEADING}\nanna@example.com,newsletter,given,2024-01-02,none,'+33\n");
    imported(&stage, lines.as_bytes()).await;
    for form in [Export::Csv, Export::Json] {
        let (mut export, mut all) = (Exported::new(&stage.ledger, form), String::new());
        while let Some(part) = export.next().await.unwrap() {
            all.push_str(&part);
        }
        assert!(!all.contains("anna") && !all.contains('@'), "{all}");
        match form {
            Export::Csv => {
                assert_eq!(all.lines().count(), 2);
                assert!(all.contains(",'+33,"), "{all}");
            }
            Export::Json => {
                let read: Value = serde_json::from_str(&all).unwrap();
                assert_eq!(read["events"][0]["source"], "+33");
            }
        }
    }
    let (who, terms) = (anna(), terms());
    let now = Timestamp::now();
    let answer = answer(&stage.ledger, &who, &terms, &["newsletter"], now).await;
    let told = answer.unwrap().json().to_string();
    assert!(!told.contains("anna"), "{told}");
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn a_receipt_has_every_mandatory_field() {
    let stage = stage().await;
    let terms = terms();
    let mut draft = Draft::new(anna(), "newsletter", Kind::Given, Channel::Staff);
    (draft.source, draft.by) = ("paper form".to_owned(), "kim".to_owned());
    draft.text = terms.shown("newsletter", "3", "fr");
    draft.language = Some("fr".to_owned());
    let recorded = stage.ledger.append(draft).await.unwrap();
    let maker = Maker {
        terms: &terms,
        preferences: Some("https://privacy.example.com/preferences"),
    };
    assert_eq!(maker.missing(), Vec::<&str>::new());
    let receipt = maker.receipt(recorded.event(), Timestamp::now()).unwrap();
    assert_eq!(receipt.lacks, Vec::<&str>::new());
    // ISO/IEC TS 27560, as the guide of the vocabulary maps it: what is mandatory, and where it stands.
    let record = "/dpv:hasRecordOfActivity";
    for (field, place) in [
        ("schema version", "/dct:conformsTo"),
        ("receipt id", "/dct:identifier"),
        ("creation", "/dct:created"),
        ("record schema version", "R/dct:conformsTo"),
        ("record id", "R/dct:identifier"),
        ("principal id", "R/dpv:hasDataSubject/dct:identifier"),
        ("privacy notice", "R/dpv:hasNotice/dct:identifier"),
        ("language", "R/dpv:hasNotice/dct:language"),
        ("purpose", "R/dpv:hasProcess/dpv:hasPurpose/dct:title"),
        ("lawful basis", "R/dpv:hasLegalBasis"),
        ("personal data", "R/dpv:hasProcess/dpv:hasPersonalData/0"),
        ("controller", "R/dpv:hasDataController/dct:identifier"),
        ("controller's name", "R/dpv:hasDataController/dpv:hasName"),
        (
            "controller's address",
            "R/dpv:hasDataController/dpv:hasAddress",
        ),
        (
            "controller's contact",
            "R/dpv:hasDataController/dpv:hasContact",
        ),
        ("party type", "R/dpv:hasDataController/@type"),
        ("authority", "R/dpv:hasAuthority/dpv:hasName"),
        ("source", "R/dpv:hasProcess/dpv:hasDataSource"),
        (
            "storage location",
            "R/dpv:hasProcess/dpv:hasStorageCondition/0/dpv:hasLocation",
        ),
        (
            "retention period",
            "R/dpv:hasProcess/dpv:hasStorageCondition/1/dpv:hasDuration",
        ),
        ("jurisdiction", "R/dpv:hasJurisdiction"),
        ("recipients", "R/dpv:hasProcess/dpv:hasRecipient/0"),
        (
            "withdrawal method",
            "R/dpv:hasConsentControl/dpv:isExercisedAt",
        ),
        ("rights", "R/dpv:hasRight/0"),
        ("event time", "R/dpv:hasConsentStatus/dpv:isIndicatedAtTime"),
        ("validity", "R/dpv:hasConsentStatus/dct:valid"),
        ("entity", "R/dpv:hasConsentStatus/dpv:isIndicatedBy"),
        ("state", "R/dpv:hasConsentStatus/@type"),
    ] {
        let place = place
            .strip_prefix('R')
            .map_or_else(|| place.to_owned(), |within| format!("{record}{within}"));
        let found = receipt.document.pointer(&place);
        let is_there = found.is_some_and(|value| !value.is_null() && value != "");
        assert!(
            is_there,
            "{field} is not at {place}: {:#}",
            receipt.document
        );
    }
    let told = receipt.document.to_string();
    assert!(!told.contains("anna"), "{told}");
    // Without who is responsible there is none, and it is said what is missing.
    let nobody = PolicyTerms::default();
    let maker = Maker {
        terms: &nobody,
        preferences: None,
    };
    assert_eq!(
        maker.missing(),
        ["name", "country", "address", "dpo", "authority"]
    );
}

#[tokio::test]
async fn what_is_no_decision_has_no_receipt() {
    let stage = stage().await;
    let terms = terms();
    let maker = Maker {
        terms: &terms,
        preferences: None,
    };
    let mut drafts = Vec::new();
    for (purpose, kind) in [("newsletter", Kind::Notice), ("*", Kind::Withdrawn)] {
        let mut draft = Draft::new(anna(), purpose, kind, Channel::Staff);
        (draft.source, draft.by) = ("letter".to_owned(), "kim".to_owned());
        drafts.push(draft);
    }
    for recorded in stage.ledger.append_all(Arc::new(drafts)).await.unwrap() {
        assert_eq!(maker.receipt(recorded.event(), Timestamp::now()), None);
    }
}
