//! What the words before a number say that it is: `Tél. :`, `commande n°`, `SIRET`.
//!
//! Words are compared without accents and in lower case. A word that ends in `*` stands for all that begin so.

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
        if word.iter().filter(|byte| byte.is_ascii_digit()).count() > 1 || (place > 0 && ends_sentence(word, between)) {
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
    let is_end = |pair: &[u8]| b";!?".contains(&pair[0]) || (pair[0] == b'.' && word.len() > 3 && pair[1].is_ascii_whitespace());
    between.windows(2).any(is_end) || between.contains(&b'\n')
}

fn is_article(word: &[u8]) -> bool {
    const ARTICLES: [&str; 8] = ["e", "es", "is", "o", "s", "a", "le", "la"];
    ARTICLES.iter().any(|article| article.as_bytes().eq_ignore_ascii_case(word))
}

/// Whether letters, whatever stood between them, may say that the number behind them is one of something else.
pub(super) fn may_disclaim(letters: &str) -> bool {
    let letters = letters.to_ascii_lowercase();
    WORDS.iter().any(|(word, label)| {
        let stem = word.trim_end_matches('*');
        matches!(label, Other | OtherByNumber) && stem.len() > 2 && letters.contains(stem)
    })
}

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

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == super::super::plain::LETTER
}

/// Whether a word is one of a list, in lower case; one that ends in `*` stands for all that begin so.
pub(super) fn is_one_of(word: &[u8], list: &[&str]) -> bool {
    list.iter().any(|known| fits(word, known))
}

fn fits(word: &[u8], known: &str) -> bool {
    match known.strip_suffix('*') {
        Some(stem) => word
            .get(..stem.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(stem.as_bytes())),
        None => word.eq_ignore_ascii_case(known.as_bytes()),
    }
}

/// What a word says.
fn of(word: &[u8]) -> Option<Label> {
    let first = word.first()?.to_ascii_lowercase().checked_sub(b'a')?;
    let range = STARTS.get(usize::from(first)..usize::from(first) + 2)?;
    let known = WORDS.get(usize::from(range[0])..usize::from(range[1]))?;
    let label = known
        .iter()
        .find(|(known, _)| fits(word, known))
        .map(|(_, label)| *label);
    match label {
        Some(Phone | Card | Filler) => label,
        // `Kundennummer`, `Vorgangsnr`
        _ if ["nummer", "nr"].iter().any(|end| ends_in(word, end)) => Some(Other),
        _ => label,
    }
}

fn ends_in(word: &[u8], end: &str) -> bool {
    word.len() > end.len() + 2 && word[word.len() - end.len()..].eq_ignore_ascii_case(end.as_bytes())
}

/// Where the words of each letter begin in the table, and where those of the last one end.
static STARTS: [u16; 27] = {
    let mut starts = [0; 27];
    let mut letter = 0;
    let mut place = 0;
    while letter < 27 {
        while place < WORDS.len() && WORDS[place].0.as_bytes()[0] < b'a' + letter as u8 {
            place += 1;
        }
        starts[letter] = place as u16;
        letter += 1;
    }
    starts
};

/// Words that label numbers, in the order of their first letters.
#[rustfmt::skip]
static WORDS: &[(&str, Label)] = &[
    ("abonnement*", OtherByNumber), ("accessoire*", OtherByNumber), ("account*", OtherByNumber), ("actenummer*", Other),
    ("akte*", Other), ("aktenzeichen", Other), ("albaran", Other), ("amex", Card), ("amount*", Other), ("angebot*", Other), ("anrufen", Phone),
    ("anruf*", Phone), ("apparaat", Phone), ("appel*", Phone), ("article*", Other), ("articulo*", Other), ("articolo", Other),
    ("artikel*", Other), ("asin", Other), ("asset*", Other), ("auftrag*", Other), ("avoir", Other), ("az", Other),
    ("barcode", Other), ("batch", Other), ("bce", Other), ("bel", Phone), ("betrag", Other), ("budget*", Other), ("bellen", Phone), ("bereikbaar", Phone),
    ("bestell*", Other), ("bestelnummer", Other), ("bolla", Other), ("bon", OtherByNumber), ("booking*", Other), ("bordereau", Other), ("btw", Other), ("buchung*", Other),
    ("call", Phone), ("called", Phone), ("calling", Phone), ("callback", Phone), ("cancelled", OtherByNumber), ("card*", Card), ("carta", Card), ("carte", Card), ("cartes", Card), ("cartao", Card),
    ("case", Other), ("cb", Card), ("cedola", Other), ("cell", Phone), ("cellphone", Phone), ("cellular*", Phone), ("centralino", Phone),
    ("cheque", Other), ("chiama*", Phone), ("cif", Other), ("claim", Other), ("client*", OtherByNumber), ("cmd", Other),
    ("code", Other), ("codigo", Other), ("codice", Other), ("contesta", Phone), ("colis", Other), ("colissimo", Other), ("commande*", Other), ("commessa", Other), ("company", OtherByNumber), ("compte", OtherByNumber), ("consignment", Other), ("contact*", Phone),
    ("container", Other), ("conto", OtherByNumber), ("contract*", Other), ("contrat*", Other), ("contratto", Other), ("coupon", Other), ("cp", Other),
    ("cuenta", OtherByNumber), ("customer*", OtherByNumber),
    ("ddt", Other), ("debit*", Card), ("delivery", Other), ("device", Other), ("devis", Other), ("dial", Phone), ("dossier*", Other), ("durchwahl", Phone), ("duns", Other),
    ("ean*", Other), ("encomenda", Other), ("entreprise", OtherByNumber), ("envio", Other), ("eori", Other), ("erreichbar", Phone), ("erreichen", Phone), ("expediente", Other), ("expedition", Other),
    ("fac", Other), ("factur*", Other), ("facture*", Other), ("faktura", Other), ("fatur*", Other), ("fattura*", Other), ("fax", Phone), ("festnetz", Phone), ("fijo", Phone), ("file", Other), ("firm", OtherByNumber),
    ("fisso", Phone), ("fixe", Phone), ("folio", Other), ("fon", Phone),
    ("gsm", Phone), ("gtin*", Other), ("guide", OtherByNumber), ("gutschein*", Other),
    ("handelsregister*", Other), ("handy*", Phone), ("hotline", Phone), ("hra", Other), ("hrb", Other),
    ("iccid", Other), ("id", Other), ("identifiant", Other), ("imei*", Other), ("importe", Other), ("importo", Other), ("imsi", Other), ("incident", Other), ("inventaire", Other), ("invoice*", Other), ("ics", Other), ("isbn", Other), ("issn", Other), ("iva", Other), ("ipi", Other),
    ("joignable", Phone), ("joindre", Phone),
    ("karte*", Card), ("kbo", Other), ("kennung", Other), ("key", Other), ("konto*", OtherByNumber), ("kontakt*", Phone), ("kredit*", Card), ("kreditkarte*", Card), ("kunden*", OtherByNumber), ("kvk", Other), ("klantnummer", Other),
    ("lei", Other), ("licence*", Other), ("licencia", Other), ("license*", Other), ("licenza", Other), ("lieferschein*", Other), ("ligne", Phone), ("linea", Phone), ("livraison", Other), ("lizenz*", Other), ("llam*", Phone), ("lot", Other), ("lotto", Other), ("lote", Other),
    ("mac", Other), ("maestro", Card), ("mandat*", Other), ("marche", OtherByNumber), ("mastercard", Card), ("material*", OtherByNumber), ("matricola", Other), ("matricule", Other), ("mobiel", Phone), ("mobil", Phone), ("mobile", Phone), ("mobiles", Phone), ("mobilnummer", Phone), ("mobilnr", Phone), ("mobiltel*", Phone), ("mobilfunk*", Phone), ("movil", Phone), ("mwst", Other), ("montant*", Other),
    ("n", Filler), ("natel", Phone), ("nif", Other), ("no", Filler), ("nombor", Filler), ("nr", Filler), ("num", Filler), ("number*", Filler), ("numero*", Filler), ("nummer*", Filler), ("num\u{4}", Filler),
    ("offer*", Other), ("offre", Other), ("operation", Other), ("order*", Other), ("ordernr", Other), ("ordine*", Other), ("ordini", Other), ("orden", Other),
    ("paket*", Other), ("pan", Card), ("parcel*", Other), ("part", Other), ("partita", Other), ("payment", OtherByNumber), ("pedido*", Other), ("ph", Phone), ("phone*", Phone), ("piva", Other), ("po", Other), ("police", Other), ("policy", Other), ("poliza", Other), ("polizza", Other),
    ("port", Phone), ("portable*", Phone), ("pratica", Other), ("presupuesto", Other), ("preventivo", Other), ("product*", Other), ("produit*", Other), ("produkt*", Other), ("projet", OtherByNumber), ("proforma", Other), ("po\u{4}", Other), ("polis", Other), ("polisnummer", Other), ("purchase", Other), ("precio", Other), ("prezzo", Other), ("price", Other), ("prix", Other), ("preis", Other),
    ("quote", Other), ("quotation", Other), ("quittung*", Other),
    ("rappel*", Phone), ("rcs", Other), ("reach*", Phone), ("receipt", Other), ("recibo", Other), ("rechnung*", Other), ("ref", Other), ("refer*", Other), ("riferimento", Other), ("rif", Other), ("reservation", Other), ("richiam*", Phone), ("ring", Phone), ("rma", Other), ("ruckruf*", Phone), ("ruf", Phone), ("rufnummer", Phone), ("rum", Other), ("risponde", Phone), ("responde", Phone), ("repond", Phone),
    ("schaden*", Other), ("sendung*", Other), ("serial*", Other), ("serie*", Other), ("seguimiento", Other), ("seriennummer", Other), ("shipment", Other), ("shipping", Other), ("sim", Other), ("siniestro", Other), ("sinistre", Other), ("sinistro", Other), ("siren", Other), ("siret", Other), ("sku", Other), ("sms", Phone), ("sn", Other), ("summe", Other), ("somme", Other), ("spedizione", Other), ("standard", Phone), ("suivi", Other),
    ("tarjeta*", Card), ("tel", Phone), ("tels", Phone), ("telf", Phone), ("telephon*", Phone), ("telefon*", Phone), ("telefoon*", Phone), ("telefax", Phone), ("telecop*", Phone), ("telemovel", Phone), ("tlf", Phone), ("tfno", Phone), ("tlm", Phone), ("telem", Phone), ("tlfn", Phone), ("texto", Phone), ("ticket*", Other), ("token", Other), ("tracciamento", Other), ("track*", Other), ("transaction*", Other), ("transaktion*", Other), ("tva", Other), ("tirage", Other), ("total*", Other), ("totale", Other), ("transferencia", Other),
    ("umsatz*", Other), ("upc", Other), ("ust*", Other), ("uid", Other),
    ("vast", Phone), ("vat", Other), ("verfolgung*", Other), ("vertrag*", Other), ("version*", Other), ("virement", Other), ("visa", Card), ("vin", Other), ("voiture", OtherByNumber), ("vorgang*", Other), ("voucher", Other),
    ("whatsapp", Phone), ("whatsap", Phone), ("werbenummer", Other),
    ("zending*", Other), ("zuruckrufen", Phone), ("zahlung*", OtherByNumber),
];

#[cfg(test)]
mod tests {
    use super::{Label, WORDS, before, of};

    #[test]
    fn words_stand_in_the_order_of_their_first_letters() {
        assert!(WORDS.is_sorted_by_key(|(word, _)| word.as_bytes()[0]));
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
