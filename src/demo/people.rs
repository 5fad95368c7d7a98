//! Identifiers of people who do not exist: valid in form and checksum, issued to nobody.

use super::chance::Chance;

/// An account at a bank that does not exist.
#[derive(Debug)]
pub(super) struct BankAccount {
    pub(super) iban: String,
    pub(super) bic: String,
}

/// Bank codes that no French bank has, each with an invented BIC.
const BANKS: [(&str, &str); 4] = [
    ("99991", "ZZOCFRPP"),
    ("99993", "ZZVLFR21XXX"),
    ("99995", "ZZMTFRPPLYO"),
    ("99997", "ZZBRFRPP"),
];

/// Invents a bank account: most are French, some German or Spanish.
pub(super) fn bank_account(chance: &mut Chance) -> BankAccount {
    match chance.below(10) {
        0 => BankAccount {
            // German bank codes begin with 1 to 8.
            iban: iban("DE", &format!("99{}", chance.digits(16))),
            bic: "ZZRHDE99".into(),
        },
        1 => {
            let (bank, account) = (format!("0000{}", chance.digits(4)), chance.digits(10));
            let keys = format!(
                "{}{}",
                spanish_key(&format!("00{bank}")),
                spanish_key(&account)
            );
            BankAccount {
                iban: iban("ES", &format!("{bank}{keys}{account}")),
                bic: "ZZTJES99XXX".into(),
            }
        }
        _ => french_account(chance),
    }
}

fn french_account(chance: &mut Chance) -> BankAccount {
    let (bank, bic) = BANKS[chance.below(BANKS.len())];
    let branch = chance.digits(5);
    let mut account = chance.digits(11);
    if chance.in_hundred(20) {
        let letter = char::from(b'A' + chance.below(26) as u8);
        account.replace_range(7..8, letter.encode_utf8(&mut [0; 4]));
    }
    let key = rib_key(&bank_number(&format!("{bank}{branch}{account}")));
    BankAccount {
        iban: iban("FR", &format!("{bank}{branch}{account}{key:02}")),
        bic: bic.into(),
    }
}

/// The IBAN of a national account number: ISO 13616, check digits by ISO 7064 mod 97-10.
pub(super) fn iban(country: &str, national: &str) -> String {
    let check = 98 - mod_97(&format!("{national}{country}00"));
    format!("{country}{check:02}{national}")
}

/// The remainder by 97 of a number whose letters count as 10 to 35.
pub(super) fn mod_97(text: &str) -> u32 {
    text.chars().fold(0, |rest, c| match c.to_digit(36) {
        Some(digit) if digit < 10 => (rest * 10 + digit) % 97,
        Some(pair) => (rest * 100 + pair) % 97,
        None => rest,
    })
}

/// Letters of a French account number as the digits that its key counts them as: A and J are 1, S is 2.
pub(super) fn bank_number(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            'A'..='R' => char::from(b'1' + (c as u8 - b'A') % 9),
            'S'..='Z' => char::from(b'2' + (c as u8 - b'S')),
            other => other,
        })
        .collect()
}

/// The key that makes bank, branch, account and key a multiple of 97.
pub(super) fn rib_key(number: &str) -> u32 {
    97 - mod_97(&format!("{number}00"))
}

/// A Spanish control digit: weights 1, 2, 4, 8, 5, 10, 9, 7, 3, 6.
fn spanish_key(digits: &str) -> u32 {
    let sum: u32 = digits
        .chars()
        .filter_map(|c| c.to_digit(10))
        .zip([1, 2, 4, 8, 5, 10, 9, 7, 3, 6])
        .map(|(digit, weight)| digit * weight)
        .sum();
    match 11 - sum % 11 {
        11 => 0,
        10 => 1,
        key => key,
    }
}

/// Invents a French national number with its key. Its birth order is `000`, which is never issued.
pub(super) fn national_number(
    chance: &mut Chance,
    is_woman: bool,
    year: usize,
    month: usize,
) -> String {
    let department = match chance.below(12) {
        0 => "2A".to_owned(),
        1 => "2B".to_owned(),
        _ => format!("{:02}", 1 + chance.below(89)),
    };
    // Not department 20, which ended with 1976.
    let department = if department == "20" {
        "21".to_owned()
    } else {
        department
    };
    let sex = if is_woman { 2 } else { 1 };
    let commune = 1 + chance.below(300);
    let number = format!(
        "{sex}{:02}{month:02}{department}{commune:03}000",
        year % 100
    );
    format!("{number}{:02}", nir_key(&number))
}

/// The key of the first 13 characters of a French national number; Corsica counts as 19 and 18.
pub(super) fn nir_key(number: &str) -> u32 {
    let number = number.replacen("2A", "19", 1).replacen("2B", "18", 1);
    97 - mod_97(&number)
}

/// A number from the French ranges reserved for fiction.
pub(super) fn phone(chance: &mut Chance, mobile: bool) -> String {
    let start = if mobile { "06 39 98" } else { "01 99 00" };
    format!("{start} {} {}", chance.digits(2), chance.digits(2))
}

/// The ways in which people write an IBAN in a text.
pub(super) fn written(iban: &str, way: usize) -> String {
    let grouped = |blank: &str| {
        let characters: Vec<char> = iban.chars().collect();
        let groups: Vec<String> = characters.chunks(4).map(|c| c.iter().collect()).collect();
        groups.join(blank)
    };
    match way % 7 {
        0 => iban.to_owned(),
        1 => grouped(" "),
        2 => grouped("-"),
        3 => grouped(" ").to_lowercase(),
        4 => grouped("\u{a0}"),
        5 => grouped(" ").replacen(" ", "\n", 3).replacen("\n", " ", 2),
        _ => iban.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ibans_divide_by_97_and_french_ones_have_their_key() {
        let mut chance = Chance::new(1);
        for _ in 0..500 {
            let account = bank_account(&mut chance);
            let turned = format!("{}{}", &account.iban[4..], &account.iban[..4]);
            assert_eq!(mod_97(&turned), 1, "{}", account.iban);
            if account.iban.starts_with("FR") {
                assert_eq!(account.iban.len(), 27);
                let (number, key) = account.iban[4..].split_at(21);
                assert_eq!(format!("{:02}", rib_key(&bank_number(number))), key);
            }
            assert!(matches!(account.bic.len(), 8 | 11));
            assert_eq!(account.bic[4..6], account.iban[..2]);
        }
    }

    // The examples of the ISO 13616 registry for Germany, France and Spain.
    #[test]
    fn keys_agree_with_the_examples_of_the_registry() {
        assert_eq!(iban("DE", "370400440532013000"), "DE89370400440532013000");
        let french = "20041010050500013M02606";
        assert_eq!(rib_key(&bank_number(&french[..21])), 6);
        assert_eq!(iban("FR", french), "FR1420041010050500013M02606");
        assert_eq!(
            (spanish_key("0021000418"), spanish_key("0200051332")),
            (4, 5)
        );
    }

    #[test]
    fn national_numbers_have_their_key_and_some_people_are_corsican() {
        let mut chance = Chance::new(2);
        let mut corsicans = 0;
        for _ in 0..200 {
            let number = national_number(&mut chance, true, 1984, 3);
            assert_eq!(number.len(), 15);
            let digits = number.replacen("2A", "19", 1).replacen("2B", "18", 1);
            let (body, key) = digits.split_at(13);
            let (body, key): (u64, u64) = (body.parse().unwrap(), key.parse().unwrap());
            assert_eq!((body + key) % 97, 0, "{number}");
            corsicans += usize::from(number != digits);
        }
        assert!(corsicans > 0);
    }

    #[test]
    fn an_iban_is_the_same_however_it_is_written() {
        let iban = "FR7699993002710003141592635";
        for way in 0..7 {
            let text = written(iban, way);
            let read: String = text.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
            assert_eq!(read.to_uppercase(), iban);
        }
        assert!(written(iban, 5).contains('\n') && written(iban, 5).contains(' '));
    }
}
