//! What client certificates promise.

use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

use super::*;
use crate::config::Clients;
use crate::diagnostic::{File, Place, Spanned};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    Authority::self_signed(authority_params(name), KeyPair::generate().unwrap()).unwrap()
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// A certificate with names of each kind: a word, a colon, and the name.
fn client(
    by: &Authority,
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> CertificateDer<'static> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "boss.example.com");
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params.serial_number = Some(SerialNumber::from(7_u64));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.subject_alt_names = names.iter().map(|name| name_of(name)).collect();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    params.signed_by(&key, by).unwrap().der().clone()
}

fn name_of(name: &str) -> SanType {
    let (kind, name) = name.split_once(':').unwrap();
    let text = name.try_into().unwrap();
    match kind {
        "dns" => SanType::DnsName(text),
        "uri" => SanType::URI(text),
        _ => SanType::Rfc822Name(text),
    }
}

/// A list of revoked certificates, valid for November and December 2026.
fn list(by: &Authority, revoked: &[u64]) -> String {
    let revoked_certs = revoked.iter().map(|serial| RevokedCertParams {
        serial_number: SerialNumber::from(*serial),
        revocation_time: date_time_ymd(2026, 11, 1),
        reason_code: None,
        invalidity_date: None,
    });
    let params = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 11, 1),
        next_update: date_time_ymd(2027, 1, 1),
        crl_number: SerialNumber::from(1_u64),
        issuing_distribution_point: None,
        revoked_certs: revoked_certs.collect(),
        key_identifier_method: KeyIdMethod::Sha256,
    };
    params.signed_by(by).unwrap().pem().unwrap()
}

fn at(month: u8, day: u8) -> UnixTime {
    let seconds = date_time_ymd(2026, month, day).unix_timestamp();
    UnixTime::since_unix_epoch(Duration::from_secs(seconds.unsigned_abs()))
}

struct Bench(tempfile::TempDir);

impl Bench {
    fn new(by: &Authority) -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        std::fs::write(bench.path("ca.pem"), by.as_ref().pem()).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn list(&self, text: &str) {
        std::fs::write(self.path("new"), text).unwrap();
        std::fs::rename(self.path("new"), self.path("ca.crl")).unwrap();
    }

    fn certificates(&self, crl: bool) -> Result<Certificates, CertificatesError> {
        Certificates::new(&Clients {
            ca: placed(&self.path("ca.pem")),
            crl: crl.then(|| placed(&self.path("ca.crl"))),
        })
    }
}

fn placed(path: &Path) -> Spanned<PathBuf> {
    Spanned {
        value: path.to_owned(),
        place: Place {
            file: File::new("paravent.yaml", "x"),
            span: 0..1,
        },
    }
}

fn judged(
    certificates: &Certificates,
    certificate: &CertificateDer<'static>,
    now: UnixTime,
) -> Result<Vec<String>, &'static str> {
    let judged = certificates.judge_at(std::slice::from_ref(certificate), now);
    judged.map_err(|refused| {
        assert_eq!(refused.reason, Reason::BadCertificate);
        refused.why
    })
}

/// Makes the next look one that is due.
fn wait() {
    std::thread::sleep(Duration::from_millis(260));
}

#[test]
fn names_are_those_of_the_subject_and_never_the_common_one() {
    let by = authority("machines");
    let certificates = Bench::new(&by).certificates(false).unwrap();
    let names = |names: &[&str]| judged(&certificates, &client(&by, names, |_| {}), at(12, 1));
    assert_eq!(
        names(&["dns:Mailer.Example.com"]).unwrap(),
        ["dns:mailer.example.com"]
    );
    let all = [
        "dns:a.example",
        "uri:spiffe://x/y",
        "email:Ann@example.org",
        "dns:b.example",
    ];
    assert_eq!(names(&all).unwrap(), all);
    assert_eq!(
        names(&["dns:a.example", "dns:A.example"]).unwrap(),
        ["dns:a.example"]
    );
    // What names nobody in particular, or reads in two ways, counts for nothing.
    for none in [
        &[][..],
        &["dns:*.example.com"],
        &["dns:a.example\0.evil.example"],
        &["dns:a..example"],
        &["dns:a b"],
        &["uri:"],
        &["uri:a b"],
        &["email:a\0@example.org"],
    ] {
        let told = names(none).unwrap_err();
        assert_eq!(
            told, "it has no subject alternative name that counts",
            "{none:?}"
        );
    }
    let mixed = names(&["dns:*.example.com", "dns:a.example"]).unwrap();
    assert_eq!(mixed, ["dns:a.example"]);
}

#[test]
fn addresses_other_names_and_letters_beyond_ascii_name_nobody() {
    let by = authority("machines");
    let certificates = Bench::new(&by).certificates(false).unwrap();
    let other = client(&by, &["dns:a.example"], |params| {
        let other = (
            vec![1, 2, 3],
            rcgen::OtherNameValue::Utf8String("boss".to_owned()),
        );
        params.subject_alt_names.push(SanType::OtherName(other));
        let address = "10.0.0.1".parse().unwrap();
        params.subject_alt_names.push(SanType::IpAddress(address));
    });
    assert_eq!(
        judged(&certificates, &other, at(12, 1)).unwrap(),
        ["dns:a.example"]
    );
    let raw = |content: Vec<u8>| {
        client(&by, &[], |params| {
            let extension = CustomExtension::from_oid_content(&[2, 5, 29, 17], content);
            params.custom_extensions = vec![extension];
        })
    };
    let name = |tag: u8, name: &[u8]| {
        let length = u8::try_from(name.len()).unwrap();
        [&[0x30, length + 2, tag, length], name].concat()
    };
    let beyond = raw(name(0x81, "ann@exämple.org".as_bytes()));
    assert!(judged(&certificates, &beyond, at(12, 1)).is_err());
    let plain = raw(name(0x81, b"ann@example.org"));
    assert_eq!(
        judged(&certificates, &plain, at(12, 1)).unwrap(),
        ["email:ann@example.org"]
    );
    // Longer than it says.
    let more = raw([name(0x81, b"ann@example.org"), vec![0]].concat());
    assert!(judged(&certificates, &more, at(12, 1)).is_err());
    let many = vec!["dns:a.example"; 101];
    assert!(judged(&certificates, &client(&by, &many, |_| {}), at(12, 1)).is_err());
}

#[test]
fn time_issuer_and_purpose_are_judged() {
    let (by, other) = (authority("machines"), authority("machines"));
    let certificates = Bench::new(&by).certificates(false).unwrap();
    let good = client(&by, &["dns:a.example"], |_| {});
    assert!(judged(&certificates, &good, at(12, 31)).is_ok());
    let after = UnixTime::since_unix_epoch(Duration::from_secs(at(12, 31).as_secs() + 86_401));
    assert_eq!(judged(&certificates, &good, after), Err("it has expired"));
    let before = UnixTime::since_unix_epoch(Duration::from_secs(at(1, 1).as_secs() - 1));
    assert_eq!(
        judged(&certificates, &good, before),
        Err("it is not valid yet")
    );
    // The same name, another key.
    let foreign = client(&other, &["dns:a.example"], |_| {});
    assert!(judged(&certificates, &foreign, at(12, 1)).is_err());
    for purposes in [
        vec![],
        vec![ExtendedKeyUsagePurpose::ServerAuth],
        vec![ExtendedKeyUsagePurpose::Any],
    ] {
        let bad = client(&by, &["dns:a.example"], |params| {
            params.extended_key_usages = purposes.clone();
        });
        let told = judged(&certificates, &bad, at(12, 1));
        assert_eq!(told, Err("it is not one of a client"), "{purposes:?}");
    }
    let both = client(&by, &["dns:a.example"], |params| {
        params
            .extended_key_usages
            .insert(0, ExtendedKeyUsagePurpose::ServerAuth);
    });
    assert!(judged(&certificates, &both, at(12, 1)).is_ok());
    assert!(certificates.judge_at(&[], at(12, 1)).is_err());
    let garbage = CertificateDer::from(vec![0x30, 0x03, 0x02, 0x01, 0x01]);
    assert!(judged(&certificates, &garbage, at(12, 1)).is_err());
    let mut flipped = good.to_vec();
    let last = flipped.len() - 1;
    flipped[last] ^= 1;
    assert!(judged(&certificates, &CertificateDer::from(flipped), at(12, 1)).is_err());
}

#[test]
fn judgements_of_a_second_are_not_those_of_the_next() {
    let by = authority("machines");
    let certificates = Bench::new(&by).certificates(false).unwrap();
    let end = date_time_ymd(2026, 12, 1) + Duration::from_secs(30);
    let short = client(&by, &["dns:a.example"], |params| params.not_after = end);
    let at = |second: u64| {
        UnixTime::since_unix_epoch(Duration::from_secs(
            end.unix_timestamp().unsigned_abs() + second,
        ))
    };
    for _ in 0..2 {
        assert!(judged(&certificates, &short, at(0)).is_ok());
        assert_eq!(judged(&certificates, &short, at(1)), Err("it has expired"));
    }
}

#[test]
fn a_list_of_revoked_certificates_is_in_force_as_it_stands() {
    let by = authority("machines");
    let bench = Bench::new(&by);
    bench.list(&list(&by, &[8]));
    let certificates = bench.certificates(true).unwrap();
    let (seven, eight) = (
        client(&by, &["dns:a.example"], |_| {}),
        client(&by, &["dns:b.example"], |params| {
            params.serial_number = Some(SerialNumber::from(8_u64));
        }),
    );
    let now = at(12, 1);
    assert!(judged(&certificates, &seven, now).is_ok());
    assert_eq!(judged(&certificates, &eight, now), Err("it was revoked"));
    // It changes at work, within the same second even.
    bench.list(&list(&by, &[7]));
    wait();
    assert_eq!(judged(&certificates, &seven, now), Err("it was revoked"));
    assert!(judged(&certificates, &eight, now).is_ok());
    // Past its next update it accepts nobody.
    let late = UnixTime::since_unix_epoch(Duration::from_secs(at(12, 31).as_secs() + 86_400));
    let told = judged(&certificates, &eight, late).unwrap_err();
    assert!(told.contains("past its next update"), "{told}");
    // Neither does one that is gone, broken, or of somebody else.
    let der = CertificateDer::from_pem_slice(by.as_ref().pem().as_bytes()).unwrap();
    assert!(!der.is_empty());
    let good = list(&by, &[]);
    let stranger = list(&authority("others"), &[]);
    let forged = list(&authority("machines"), &[]);
    for bad in [
        "",
        "x",
        &good[..good.len() / 2],
        &by.as_ref().pem(),
        &stranger,
        &forged,
    ] {
        bench.list(bad);
        wait();
        assert!(judged(&certificates, &eight, now).is_err(), "{bad}");
        bench.list(&good);
        wait();
        assert!(judged(&certificates, &eight, now).is_ok());
        assert!(certificates.is_current());
    }
    std::fs::remove_file(bench.path("ca.crl")).unwrap();
    wait();
    assert!(judged(&certificates, &eight, now).is_err());
    assert!(!certificates.is_current());
}

#[test]
fn without_a_list_that_must_be_there_nothing_starts() {
    let by = authority("machines");
    let bench = Bench::new(&by);
    let error = bench.certificates(true).unwrap_err();
    assert_eq!(error.path, bench.path("ca.crl"));
    bench.list("x");
    assert!(bench.certificates(true).is_err());
    // DER is read as well.
    let pem = list(&by, &[7]);
    let der = Clients::revocation_lists(pem.as_bytes()).unwrap();
    std::fs::write(bench.path("ca.crl"), &der[0]).unwrap();
    let certificates = bench.certificates(true).unwrap();
    let seven = client(&by, &["dns:a.example"], |_| {});
    assert_eq!(
        judged(&certificates, &seven, at(12, 1)),
        Err("it was revoked")
    );
    std::fs::write(bench.path("ca.pem"), "x").unwrap();
    let error = bench.certificates(true).unwrap_err();
    assert_eq!(error.path, bench.path("ca.pem"));
}

#[test]
fn every_certificate_of_a_chain_needs_its_list() {
    let root = authority("root");
    let key = KeyPair::generate().unwrap();
    let between = Authority::signed_by(authority_params("between"), key, &root).unwrap();
    let own = client(&between, &["dns:a.example"], |_| {});
    let chain = [own, between.as_ref().der().clone()];
    let bench = Bench::new(&root);
    let judged = |certificates: &Certificates| {
        let judged = certificates.judge_at(&chain, at(12, 1));
        judged.map_err(|refused| refused.why)
    };
    assert!(judged(&bench.certificates(false).unwrap()).is_ok());
    bench.list(&list(&between, &[]));
    let told = judged(&bench.certificates(true).unwrap()).unwrap_err();
    assert_eq!(told, "there is no list of revoked certificates for it");
    bench.list(&[list(&between, &[]), list(&root, &[])].concat());
    assert!(judged(&bench.certificates(true).unwrap()).is_ok());
}

proptest! {
    #[test]
    fn whatever_the_bytes_are_nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = der::read(&bytes);
    }

    #[test]
    fn a_certificate_with_other_bytes_is_read_or_not(at in 0_usize..1000, byte: u8) {
        use std::sync::OnceLock;
        static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
        let good = GOOD.get_or_init(|| {
            let names = ["dns:a.example", "uri:x:y", "email:a@b"];
            client(&authority("machines"), &names, |_| {}).to_vec()
        });
        prop_assert_eq!(der::read(good).map(|said| said.names.len()), Some(3));
        let mut bytes = good.clone();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Some(said) = der::read(&bytes) {
            prop_assert!(said.names.iter().all(|name| name.bytes().all(|b| b.is_ascii_graphic())));
        }
    }
}
