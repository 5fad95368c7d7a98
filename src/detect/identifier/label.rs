//! What the words before a number say that it is: `Tél. :`, `commande n°`, `SIRET`.

use super::reader::is_word;
use super::words::Words;

/// What a number is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// A telephone number.
    Phone,
    /// A payment card.
    Card,
    /// The number of something else: a company, a device, an order, a file.
    Other,
    /// Of something else, if a word for *number* stands between.
    OtherByNumber,
    /// A word for *number*, or one that may stand between a label and what it labels.
    Filler,
    /// A number, and nothing else is said of it.
    Number,
}

use Label::{Card, Filler, Number, Other, OtherByNumber, Phone};

/// How far before a number its label may stand.
pub(super) const REACH: usize = 64;
/// Words before a number that are looked at.
const WORDS_MAX: usize = 6;

/// What the words before byte `at` of a plain text say of the number there, the nearest first.
pub(super) fn before(text: &[u8], at: usize) -> Option<Label> {
    labelled(text, at).map(|(label, _)| label)
}

/// The same, and whether the word stands directly before the number, or with one short word between.
pub(super) fn labelled(text: &[u8], at: usize) -> Option<(Label, bool)> {
    let (mut only_fillers, mut is_numbered, mut is_called_number) = (true, false, false);
    let (mut behind, mut is_near) = (at, true);
    for (place, word) in words_before(text, at).take(WORDS_MAX).enumerate() {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let between = &text[start + word.len()..behind];
        behind = start;
        // Another value: what stands before it labels that. Or another sentence.
        if word.iter().filter(|byte| byte.is_ascii_digit()).count() > 1
            || (place > 0 && ends_sentence(word, between))
        {
            break;
        }
        match of(word) {
            Some(label @ (Phone | Card)) => return Some((label, is_near)),
            Some(Other) if only_fillers => return Some((Other, true)),
            Some(OtherByNumber) if only_fillers && is_numbered => return Some((Other, true)),
            Some(Filler) => {
                is_numbered = true;
                is_called_number |= only_fillers && word.len() > 3;
            }
            _ => {
                is_near &= place == 0 && word.len() <= 5;
                only_fillers = only_fillers && is_article(word);
            }
        }
    }
    is_called_number.then_some((Number, true))
}

/// Whether a sentence ends between a word and the next one.
fn ends_sentence(word: &[u8], between: &[u8]) -> bool {
    let is_end = |pair: &[u8]| {
        b";!?".contains(&pair[0])
            || (pair[0] == b'.' && word.len() > 3 && pair[1].is_ascii_whitespace())
    };
    between.windows(2).any(is_end) || between.contains(&b'\n')
}

fn is_article(word: &[u8]) -> bool {
    const ARTICLES: [&str; 8] = ["e", "es", "is", "o", "s", "a", "le", "la"];
    ARTICLES
        .iter()
        .any(|article| article.as_bytes().eq_ignore_ascii_case(word))
}

/// Whether letters, whatever stood between them, may say that the number behind them is one of something else.
pub(super) fn may_disclaim(letters: &str) -> bool {
    let letters = letters.to_ascii_lowercase();
    let holds = |word: &&str| letters.contains(word.trim_end_matches('*'));
    let fillers = || FILLERS.all().iter().map(|word| word.trim_end_matches('*'));
    let is_numbered = fillers().any(|filler| letters.ends_with(filler));
    // Short words are parts of many others: they stand at the end, or before a word for a number.
    let ends_in = |word: &str| {
        letters.ends_with(word)
            || (is_numbered
                && fillers().any(|filler| {
                    letters
                        .strip_suffix(filler)
                        .is_some_and(|rest| rest.ends_with(word))
                }))
    };
    let (long, short): (Vec<&str>, Vec<&str>) =
        OTHERS.all().iter().partition(|word| word.len() > SHORT);
    long.iter().any(&holds)
        || short.into_iter().any(ends_in)
        || letters.contains("nummer")
        || (is_numbered && BY_NUMBER.all().iter().any(holds))
}

/// Letters of a word that is a part of many others.
const SHORT: usize = 3;

/// The words before byte `at`, from the nearest on, as far as a label may stand.
pub(super) fn words_before(text: &[u8], at: usize) -> impl Iterator<Item = &[u8]> {
    let first = at.saturating_sub(REACH);
    let mut end = at;
    std::iter::from_fn(move || {
        while end > first && !is_word(text[end - 1]) {
            end -= 1;
        }
        let mut start = end;
        while start > first && is_word(text[start - 1]) {
            start -= 1;
        }
        let word = text.get(start..end).filter(|word| !word.is_empty());
        end = start;
        word
    })
}

/// The words from byte `at` on, as far as a label may stand.
pub(super) fn words_behind(text: &[u8], at: usize) -> impl Iterator<Item = &[u8]> {
    let last = text.len().min(at + REACH);
    let mut start = at;
    std::iter::from_fn(move || {
        while start < last && !is_word(text[start]) {
            start += 1;
        }
        let mut end = start;
        while end < last && is_word(text[end]) {
            end += 1;
        }
        let word = text.get(start..end).filter(|word| !word.is_empty());
        start = end;
        word
    })
}

/// Whether a word is one of a short list, in any case.
pub(super) fn is_one_of(word: &[u8], list: &[&str]) -> bool {
    list.iter()
        .any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// What a word says.
fn of(word: &[u8]) -> Option<Label> {
    if PHONES.hold(word) {
        return Some(Phone);
    }
    if CARDS.hold(word) {
        return Some(Card);
    }
    if FILLERS.hold(word) {
        return Some(Filler);
    }
    // `Kundennummer`, `Vorgangsnr`
    if OTHERS.hold(word) || ["nummer", "nr"].iter().any(|end| ends_in(word, end)) {
        return Some(Other);
    }
    BY_NUMBER.hold(word).then_some(OtherByNumber)
}

fn ends_in(word: &[u8], end: &str) -> bool {
    word.len() > end.len() + 2
        && word[word.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}

/// Words for telephones and their use.
#[rustfmt::skip]
static PHONES: Words = Words::new(&[
    "anruf*", "anrufen", "apparaat", "appel*", "bel", "bellen", "bereikbaar", "call", "callback", "called", "calling",
    "cell", "cellphone", "cellular*", "centralino", "chiama*", "contact*", "contesta", "dial", "durchwahl",
    "erreichbar", "erreichen", "fax", "festnetz", "fijo", "fisso", "fixe", "fon", "gsm", "handy*", "hotline",
    "joignable", "joindre", "kontakt*", "ligne", "linea", "llam*", "mobiel", "mobil", "mobile", "mobiles",
    "mobilfunk*", "mobilnr", "mobilnummer", "mobiltel*", "movil", "natel", "ph", "phone*", "port", "portable*",
    "rappel*", "reach*", "repond", "responde", "richiam*", "ring", "risponde", "ruckruf*", "ruf", "rufnummer", "sms",
    "standard", "tel", "telecop*", "telefax", "telefon*", "telefoon*", "telem", "telemovel", "telephon*", "telf",
    "tels", "texto", "tfno", "tlf", "tlfn", "tlm", "vast", "whatsap", "whatsapp", "zuruckrufen",
]);

/// Words for payment cards.
#[rustfmt::skip]
static CARDS: Words = Words::new(&[
    "amex", "card*", "carta", "cartao", "carte", "cartes", "cb", "debit*", "karte*", "kredit*", "kreditkarte*",
    "maestro", "mastercard", "pan", "tarjeta*", "visa",
]);

/// Words for what has numbers that are nobody's.
#[rustfmt::skip]
static OTHERS: Words = Words::new(&[
    "actenummer*", "akte*", "aktenzeichen", "albaran", "amount*", "angebot*", "article*", "articolo", "articulo*",
    "artikel*", "asin", "asset*", "auftrag*", "avoir", "az", "barcode", "batch", "bce", "bestell*", "bestelnummer",
    "betrag", "bolla", "booking*", "bordereau", "btw", "buchung*", "budget*", "case", "cedola", "cheque", "cif",
    "claim", "cmd", "code", "codice", "codigo", "colis", "colissimo", "commande*", "commessa", "consignment",
    "container", "contract*", "contrat*", "contratto", "coupon", "cp", "ddt", "delivery", "device", "devis",
    "dossier*", "duns", "ean", "ean13", "encomenda", "envio", "eori", "expediente", "expedition", "fac", "factur*",
    "facture*", "faktura", "fattura*", "fatur*", "file", "folio", "gtin*", "gutschein*", "handelsregister*", "hra",
    "hrb", "iccid", "ics", "id", "identifiant", "imei*", "importe", "importo", "imsi", "incident", "inventaire",
    "invoice*", "ipi", "isbn", "issn", "iva", "kbo", "kennung", "key", "kilomet*", "klantnummer", "kvk", "lei", "licence*",
    "licencia", "license*", "licenza", "lieferschein*", "livraison", "lizenz*", "lot", "lote", "lotes", "lots", "lotto", "mac",
    "mandat*", "matricola", "matricule", "montant*", "mwst", "nif", "offer*", "offre", "operation", "orden", "order*",
    "ordernr", "ordine*", "ordini", "paket*", "parcel*", "part", "partita", "pedido*", "piva", "po", "police",
    "policy", "polis", "polisnummer", "poliza", "polizza", "pratica", "precio", "preis", "presupuesto", "preventivo",
    "prezzo", "price", "prix", "product*", "produit*", "produkt*", "proforma", "purchase", "quantit*", "quittung*", "quotation",
    "quote", "rcs", "receipt", "rechnung*", "recibo", "ref", "refer*", "reservation", "rif", "riferimento", "rma",
    "rum", "schaden*", "seguimiento", "sendung*", "serial*", "serie*", "seriennummer", "shipment", "shipping", "sim",
    "siniestro", "sinistre", "sinistro", "siren", "siret", "sku", "sn", "somme", "spedizione", "suivi", "summe",
    "ticket*", "tirage", "token", "total*", "totale", "tracciamento", "track*", "transaction*", "transaktion*",
    "transferencia", "tva", "uid", "umsatz*", "upc", "ust", "ustid*", "vat", "verfolgung*", "version*", "vertrag*", "vin",
    "virement", "vorgang*", "voucher", "werbenummer", "zending*",
]);

/// Words for what may have such a number, if it is called one.
#[rustfmt::skip]
static BY_NUMBER: Words = Words::new(&[
    "abonnement*", "accessoire*", "account*", "cancelled", "client*", "company", "compte", "conto", "cuenta",
    "customer*", "entreprise", "firm", "guide", "konto*", "kunden*", "marche", "material*", "payment", "projet",
    "voiture", "zahlung*",
]);

/// Words for a number.
#[rustfmt::skip]
static FILLERS: Words = Words::new(&[
    "n", "no", "nombor", "nr", "num", "number*", "numero*", "nummer*",
]);

#[cfg(test)]
mod tests {
    use super::{Label, before, of};

    #[test]
    fn a_word_says_what_its_number_is() {
        assert_eq!(of(b"Zending"), Some(Label::Other));
        assert_eq!(of(b"Akte"), Some(Label::Other));
        assert_eq!(of(b"7"), None);
    }

    #[test]
    fn the_nearest_word_counts() {
        for (text, label) in [
            ("Tel.: ", Some(Label::Phone)),
            ("commande n\u{4} ", Some(Label::Other)),
            ("commande prete, appeler le ", Some(Label::Phone)),
            ("rappeler le client : ", Some(Label::Phone)),
            ("client n\u{4} ", Some(Label::Other)),
            ("Kundennummer ", Some(Label::Other)),
            ("nuevo numero: ", Some(Label::Number)),
            ("Appel du matin. Montant ", Some(Label::Other)),
            ("Appel du matin. Vu ", None),
            ("client ", None),
            ("commande de Mme Durand ", None),
            ("commande 4711 ", None),
            ("SIRET : ", Some(Label::Other)),
            ("CB ", Some(Label::Card)),
        ] {
            assert_eq!(before(text.as_bytes(), text.len()), label, "{text}");
        }
    }
}
