"""Sentences as staff type them, by language, with places for identifiers in braces. All invented."""

WITH = {
    "iban": {
        "fr": ["RIB reçu : {iban}", "Merci de virer sur {iban} avant vendredi", "{iban}", "Nouveau compte pour les remboursements ({iban}), ancien à supprimer.", "iban {iban} bic inconnu", "Prélèvement refusé sur {iban}. Rappeler.", "<p>IBAN&nbsp;: <b>{iban}</b></p>", "Mme Leroy a changé de banque, c'est maintenant {iban}, merci"],
        "en": ["Bank details: {iban}", "please pay into {iban} by Friday", "Refund to {iban}, see mail of Monday", "IBAN={iban};", "New account {iban} replaces the old one", "customer gave {iban} over the phone"],
        "de": ["IBAN: {iban}", "Bitte auf {iban} überweisen", "Neue Bankverbindung {iban} ab Mai", "Lastschrift von {iban} zurückgegeben", "Kd. hat {iban} durchgegeben"],
        "es": ["Número de cuenta {iban}", "Domiciliar en {iban}, gracias", "IBAN {iban} (titular: la empresa)", "devolver el importe a {iban}"],
        "it": ["Bonifico su {iban}", "IBAN: {iban} intestato alla società", "nuove coordinate {iban} da giugno", "rimborso sul conto {iban}"],
    },
    "card": {
        "fr": ["Carte bancaire {card} exp 12/27", "CB {card}", "a payé avec la carte {card}, ticket joint", "Client a dicté sa carte au téléphone : {card} cvv à redemander", "N° de carte : {card}", "{card}", "opposition sur la visa {card} depuis hier"],
        "en": ["card number {card}, expires 09/28", "Paid by Visa {card}", "cc: {card}", "He read out his card: {card}", "Charge {card} again tomorrow", "Amex {card} declined twice"],
        "de": ["Kreditkarte {card} gültig bis 11/27", "Kartennummer: {card}", "Abbuchung über {card} fehlgeschlagen", "zahlt mit Karte {card}"],
        "es": ["Tarjeta {card} caduca 10/27", "pagó con la tarjeta {card}", "nº de tarjeta: {card}", "cargo de 50 € en {card}"],
        "it": ["carta di credito {card} scad. 08/28", "numero carta: {card}", "Pagato con {card}", "addebito su {card} rifiutato"],
    },
    "nir": {
        "fr": ["NIR {nir}", "N° sécu : {nir}", "numéro de sécurité sociale {nir} communiqué par l'assuré", "secu={nir} mutuelle à vérifier", "Attestation Vitale au nom de M. Petit, {nir}", "{nir}", "immatriculée {nir} à la CPAM", "pour le dossier : {nir}, voir scan", "Son numéro INSEE est {nir} ."],
        "en": ["French social security number {nir}", "NIR of the employee: {nir}", "SSN (France) {nir} on file"],
        "de": ["französische Sozialversicherungsnummer {nir}", "NIR: {nir} laut Vertrag"],
        "es": ["número de la seguridad social francesa {nir}"],
        "it": ["numero di previdenza francese {nir}"],
    },
    "bic": {
        "fr": ["BIC : {bic}", "code BIC {bic} à confirmer", "IBAN reçu, BIC/SWIFT {bic}", "banque: {bic} (BIC)", "Le bic est {bic}, je corrige la fiche", "Code swift = {bic}"],
        "en": ["SWIFT code {bic}", "BIC: {bic}", "Their bank's BIC is {bic}", "swift/bic {bic} for transfers from abroad", "Use {bic} as BIC"],
        "de": ["BIC {bic}", "BIC: {bic}, Bank in der Stadt", "SWIFT-Code: {bic}", "der BIC lautet {bic}"],
        "es": ["código BIC {bic}", "SWIFT: {bic}", "BIC/SWIFT {bic} del banco"],
        "it": ["codice BIC {bic}", "SWIFT {bic}", "BIC: {bic} della filiale"],
    },
    "mail": {
        "fr": ["Mail : {mail}", "Écrire à {mail} pour la suite", "{mail}", "Nouvelle adresse {mail}, l'ancienne ne marche plus.", "relance envoyée à {mail} le 12/03", "Contact compta <{mail}>", "mettre {mail} en copie, merci", "Répondu par d'autres ({mail}).", "joignable sur {mail} ou au bureau", "voir avec {mail}; elle décide", "mailto:{mail}"],
        "en": ["Email: {mail}", "send the quote to {mail}", "Her new address is {mail}.", "cc {mail} please", "bounced: {mail}", "From: {mail}", "Reach him at {mail}, not by phone", "Use {mail} for invoices", "<a href=\"mailto:{mail}\">write</a>"],
        "de": ["E-Mail: {mail}", "Angebot an {mail} schicken", "Neue Adresse {mail} ab sofort", "Bitte {mail} in Kopie nehmen", "erreichbar unter {mail}"],
        "es": ["correo: {mail}", "enviar el presupuesto a {mail}", "Su nuevo correo es {mail}, gracias", "poner en copia a {mail}"],
        "it": ["mail {mail}", "scrivere a {mail} per il preventivo", "nuovo indirizzo {mail}", "in copia {mail}, grazie"],
    },
    "hidden": {
        "fr": ["Contact : {mail}", "écrire à {mail} svp", "courriel {mail}", "son mail, {mail}, est sur le site"],
        "en": ["Email: {mail}", "write to {mail} please", "contact {mail} for details", "her e-mail is {mail}"],
        "de": ["E-Mail: {mail}", "schreiben an {mail}", "Kontakt {mail} für Fragen"],
        "es": ["correo: {mail}", "escribir a {mail}", "contacto {mail}"],
        "it": ["mail: {mail}", "scrivere a {mail}", "contatto {mail} per info"],
    },
    "phone": {
        "fr": ["Tél. {phone}", "Rappeler au {phone} après 17h", "{phone}", "portable: {phone}", "Nouveau numéro {phone}, ancien coupé", "Appelé le {phone}, pas de réponse", "Mme Roux ({phone}) attend un devis", "fixe {phone} - laisser un message", "tel:{phone}", "joignable au {phone} le matin", "Fax : {phone}", "Standard {phone}, demander M. Vidal"],
        "en": ["Phone: {phone}", "call back on {phone} after 5", "mobile {phone}", "Left a voicemail at {phone}", "new number: {phone}", "She can be reached at {phone}, mornings only", "Tel {phone}", "rang {phone}, no answer", "office line {phone} (ask for Pat)"],
        "de": ["Tel.: {phone}", "Rückruf unter {phone} erbeten", "Handy {phone}", "neue Nummer {phone}", "unter {phone} erreichbar", "Telefon {phone}, vormittags", "hat angerufen von {phone}"],
        "es": ["Tel. {phone}", "llamar al {phone} por la tarde", "móvil {phone}", "Su teléfono es {phone}", "nuevo número: {phone}", "No contesta en el {phone}"],
        "it": ["Tel. {phone}", "richiamare il {phone} dopo le 17", "cellulare {phone}", "nuovo numero {phone}", "Telefono: {phone}", "risponde al {phone}"],
    },
    "passport": {
        "fr": ["Passeport n° {passport}", "numéro de passeport : {passport}, expire en 2031", "passeport {passport} délivré à Nantes", "copie du passeport ({passport}) reçue", "Pièce d'identité: passeport français {passport}", "passeport={passport}", "A fourni {passport} (passeport)"],
        "en": ["Passport no. {passport}", "passport number {passport}, valid until 2030", "Passport: {passport}", "travels on passport {passport}", "his passport ({passport}) expires soon", "UK passport number: {passport}"],
        "de": ["Reisepass Nr. {passport}", "Reisepassnummer: {passport}", "Passnummer {passport} notiert", "Reisepass {passport}, gültig bis 2032"],
        "es": ["pasaporte nº {passport}", "Número de pasaporte: {passport}", "viaja con pasaporte {passport}", "pasaporte {passport} caduca pronto"],
        "it": ["passaporto n. {passport}", "numero di passaporto: {passport}", "passaporto {passport} rilasciato a Roma"],
    },
    "dni": {
        "es": ["DNI {national_id}", "NIF: {national_id}", "con DNI nº {national_id}, domiciliada en Madrid", "documento {national_id}", "titular {national_id}", "DNI del cliente: {national_id}."],
        "fr": ["DNI espagnol {national_id}", "carte espagnole, DNI: {national_id}"],
        "en": ["Spanish DNI {national_id}", "DNI: {national_id} (copy on file)"],
        "de": ["spanische DNI {national_id}"],
        "it": ["DNI spagnolo {national_id}"],
    },
    "nie": {
        "es": ["NIE {national_id}", "NIE: {national_id} en trámite", "extranjero con NIE {national_id}", "número {national_id}"],
        "en": ["NIE number {national_id}", "her NIE is {national_id}"],
        "fr": ["NIE {national_id} pour l'achat en Espagne"],
    },
    "fiscal": {
        "it": ["C.F. {national_id}", "codice fiscale {national_id}", "CF: {national_id}", "{national_id}", "il sig. Rossi, {national_id}, chiede", "Cod. fisc.: {national_id} da verificare"],
        "en": ["Italian tax code {national_id}", "codice fiscale: {national_id}"],
        "fr": ["code fiscal italien {national_id}"],
        "de": ["italienische Steuernummer {national_id}"],
    },
    "tax_id": {"de": ["Steuer-ID {national_id}", "Steueridentifikationsnummer: {national_id}", "IdNr. {national_id}", "Steuer-IdNr.: {national_id} nachgereicht", "steuerliche Identifikationsnummer {national_id}"], "en": ["German tax ID {national_id}", "TIN: {national_id}"], "fr": ["Steuer-ID allemande : {national_id}"]},
    "bsn": {"en": ["BSN {national_id}", "Dutch BSN: {national_id}", "BSN number {national_id} on the contract"], "de": ["BSN: {national_id}", "niederländische BSN {national_id}"], "fr": ["numéro BSN {national_id}", "burgerservicenummer : {national_id}"]},
    "pesel": {"en": ["PESEL {national_id}", "PESEL: {national_id} per contract"], "de": ["PESEL {national_id}", "PESEL-Nr. {national_id}"], "fr": ["PESEL : {national_id}"]},
    "nino": {"en": ["NI number {national_id}", "National Insurance no. {national_id}", "NINO: {national_id}", "NI: {national_id}", "national insurance number is {national_id}"], "fr": ["National Insurance {national_id} (GB)"]},
    "avs": {"fr": ["N° AVS {national_id}", "AVS: {national_id}", "numéro AVS de l'assurée : {national_id}"], "de": ["AHV-Nr. {national_id}", "AHV: {national_id}", "AHV-Nummer {national_id} fehlt noch im System"], "it": ["numero AVS {national_id}"]},
    "belgian": {"fr": ["Registre national {national_id}", "NISS : {national_id}", "n° national: {national_id}", "numéro de registre national {national_id}"], "en": ["Belgian national number {national_id}", "INSZ {national_id}"], "de": ["Rijksregister {national_id}"]},
    "birth": {
        "fr": ["né le {birth_date} à Lyon", "Née le {birth_date}", "date de naissance : {birth_date}", "DDN {birth_date}", "Mme Roche, née Blanc le {birth_date} à Nice", "Date de naissance du bénéficiaire: {birth_date}, à vérifier", "fils né le {birth_date}", "née à Brest le {birth_date}, deux enfants", "né(e) le : {birth_date}", "{birth_date} (date de naissance)", "son anniversaire, {birth_date}, cadeau à prévoir", "M. NE LE {birth_date}", "naissance: {birth_date}\nville: Lille"],
        "en": ["born {birth_date}", "DOB: {birth_date}", "date of birth {birth_date}", "D.O.B. {birth_date}", "He was born on {birth_date} in Leeds", "Birthday: {birth_date}", "her daughter was born on {birth_date}", "{birth_date} (date of birth)", "Insured person: J. Walsh, born in Cork on {birth_date}", "birth date = {birth_date}"],
        "de": ["geb. {birth_date}", "geboren am {birth_date} in Köln", "Geburtsdatum: {birth_date}", "Geb.-Datum {birth_date}", "Geburtstag {birth_date}, Karte schicken", "Frau Huber, * {birth_date}", "{birth_date} geboren", "Tochter, geboren am {birth_date}"],
        "es": ["nacido el {birth_date} en Sevilla", "Fecha de nacimiento: {birth_date}", "nacida el {birth_date}", "F. nac. {birth_date}", "su hija nació el {birth_date}", "fecha nacimiento {birth_date}", "cumpleaños: {birth_date}"],
        "it": ["nato il {birth_date} a Torino", "nata a Bari il {birth_date}", "data di nascita: {birth_date}", "D. nascita {birth_date}", "compleanno {birth_date}", "il titolare, nato a Pisa il {birth_date}, firma"],
    },
    "address": {
        "fr": ["Adresse : {address}", "Habite {address}", "livrer au {address}", "{address}", "A déménagé, maintenant {address}.", "Domicilié {address} depuis mars", "Courrier à envoyer : {address}, à l'attention de Mme Petit", "rdv chez lui, {address}, digicode 12B4", "Nouvelle adresse perso: {address}"],
        "en": ["Address: {address}", "lives at {address}", "Deliver to {address}.", "moved to {address} in June", "{address}", "Home address is {address}, ring twice", "send it to: {address}"],
        "de": ["Adresse: {address}", "wohnt in der {address}", "wohnhaft {address}", "Lieferung an {address}", "Neue Anschrift: {address}", "{address}", "umgezogen nach {address}, bitte ändern"],
        "es": ["Dirección: {address}", "vive en {address}", "enviar a {address}", "domicilio {address}, 2ª puerta", "{address}"],
        "it": ["Indirizzo: {address}", "abita in {address}", "residente in {address}", "spedire a {address}", "{address}"],
    },
}

# Places in braces are numbers that are nobody's.
WITHOUT = {
    "fr": ["SIRET {siret}", "SIREN {siren_grouped}", "société immatriculée au RCS de Lyon sous le {siren_grouped}", "N° TVA FR{two}{siren}", "IMEI {imei}", "IMEI du téléphone: {imei}", "ICCID {iccid}", "carte SIM {iccid}", "EAN {ean}", "code-barres {ean}", "commande n° {ten}", "Commande {zero_ten} expédiée", "colis 6A{eleven}", "n° de suivi {thirteen}", "Facture F{year}-{five} du {date}", "facture n° {ten} réglée", "Devis {eight} valable jusqu'au {date}", "RDV le {date} à 14h30", "Rappeler avant le {date}", "réunion du {long_date} reportée", "contrat signé le {date}, échéance {date}", "client depuis le {date}", "Montant : {amount} €", "total {amount} EUR HT, {amount} EUR TTC", "budget de {amount} euros pour {year}", "version 12.4.{two}.{four}", "lat 48.85{four}, long 2.35{four}", "GPS: 45.764{three}, 4.835{three}", "12 x 30 x 45 cm, {two} kg", "dossier {two}/{five}", "Réf. client C{eight}", "client n° {zero_ten}", "ticket #{seven} clos", "clé de licence ABCD-{four}-EFGH-{four}", "il ne viendra pas le {date}", "La société est née le {long_date}", "permis n° {twelve}", "{two} rue ? à compléter", "3 places de parking, {two} bureaux", "Prévoir 2 routes pour la livraison, 15 palettes", "cours de 10h à 12h, salle {three}", "score {two}/{two}, {three} points", "le serveur 192.168.{two}.{two} ne répond plus", "Rien à signaler, relance la semaine prochaine.", "Très bon échange, elle réfléchit et revient vers nous.", "Le client préfère être livré le matin ; prévoir le hayon.", "voir @support sur le chat", "compte {eleven} clôturé", "mandat RUM {ten}{five}", "RG {two}/{five}", "n° de série SN{ten}", "réf {zero_ten}", "dossier n° {zero_ten}", "salle 12, place Marie, merci", "ouvert de 08h30 à 12h00 et 14h à 18h", "augmentation de +12 345 678 € sur l'exercice", "tirage: {three} {three} {three} exemplaires", "le {date} au {date} : congés", "né d'une idée de {year}, le produit marche", "Naissance du projet en {year}", "2e étage, bâtiment C, {two} m²", "la carte de visite est à refaire", "passeport à renouveler en {year}", "Son BIC est manquant", "SWIFT à demander à la banque", "RIB à demander", "mail à envoyer demain", "tél. à vérifier", "adresse à compléter"],
    "en": ["VAT GB{nine}", "company number 0{seven}", "order number {ten}", "Order #{zero_ten} shipped", "tracking no. {twelve}", "tracking 1Z{ten}{six}", "Invoice INV-{year}-{five} dated {date}", "invoice no {ten}", "IMEI: {imei}", "SIM card ICCID {iccid}", "EAN {ean}", "ISBN {isbn}", "Meeting on {long_date_en} at 2.30 pm", "follow up by {date}", "contract signed {date}, renewed {date}", "customer since {date}", "Total {amount} USD", "revenue of ${amount} in {year}", "version 3.{two}.{four}-beta", "coordinates 51.50{four}, -0.12{four}", "{two} x {two} x {two} cm, weighs {two} kg", "case no. {eight}", "file {four}/{four}", "ticket {seven} closed", "license key {four}-{four}-{four}-{four}", "serial number SN{ten}", "serial: {zero_ten}", "P.O. {eight}", "the project was born on {long_date_en}", "founded in {year}", "look at example.org for details", "We met at the dot com conference", "see you at 10 at the usual place", "npm install left@1.{two}.0", "@sales please check", "server 10.{two}.{two}.{two} is down", "Nothing new, will call again next week.", "Good talk; they want a second demo with the whole team.", "12 people attended, 3 way call afterwards", "drive 12 miles, close at 5", "5 park rangers and 2 road crews", "page 12 of {three}, line {two}", "{three},{three},{three} units sold", "grew by +12 345 678 EUR", "from {date} to {date} on leave", "policy number {ten}", "claim {nine}", "quote Q{eight} expires {date}", "UUID 8f14e45f-ceea-467f-9575-6e2a5a1b2c3d", "commit 3f2a{four}9bc", "SKU {eight}-{two}", "batch {six}{six}", "scored {two}-{two}", "opening hours 08.30 - 12.00, 13.30 - 17.30", "flight AF{four} on {date}", "passport photos cost {two} pounds", "ask for the BIC", "e-mail missing", "phone to be confirmed", "room {three}, 2nd floor, {two} desks", "born leader, promoted {date}", "account number {eight}", "sort code 12-34-{two}", "customer ID {zero_ten}", "2 High priority tickets, Road map attached"],
    "de": ["USt-IdNr. DE{nine}", "HRB {five} Amtsgericht", "Bestellnummer {ten}", "Auftrag {zero_ten} versandt", "Sendungsnummer {twelve}", "Sendung {twenty}", "Rechnung {year}-{five} vom {date}", "Rechnungsnr. {ten}", "IMEI {imei}", "ICCID {iccid}", "EAN {ean}", "Termin am {date} um 14:30", "Rückruf bis {date}", "Besprechung am {long_date_de} verschoben", "Vertrag seit {date}, kündbar zum {date}", "Kunde seit {date}", "Betrag: {amount} EUR", "Summe {amount} €, Skonto {two} %", "Version 10.{two}.{four}", "Koordinaten 52.52{four}, 13.40{four}", "{two} x {two} cm, {two} kg", "Aktenzeichen {two} O {three}/{two}", "Kundennummer {zero_ten}", "Kd-Nr. {eight}", "Ticket {seven} geschlossen", "Lizenz ABCD-{four}-{four}", "Seriennummer {ten}", "das Unternehmen wurde am {date} gegründet", "Die Firma, geboren aus einer Idee am {date}", "Parkplatz 12 ist frei", "Supermarkt 24 Stunden offen", "Monitoring 24 Monate", "Platz 3 im Ranking", "Weg 5 gesperrt", "Server 172.16.{two}.{two} aus", "Nichts Neues, nächste Woche wieder melden.", "Gutes Gespräch, Angebot kommt im Laufe der Woche.", "Seite {three}, Absatz {two}", "{three}.{three}.{three} Stück", "Urlaub vom {date} bis {date}", "Kontonummer {ten}", "Vertragsnummer {zero_ten}", "Artikel {seven}, Charge {six}", "geöffnet 08.30 - 12.00 Uhr, 13.00 - 17.30 Uhr", "BIC fehlt noch", "Reisepass noch vorlegen", "E-Mail fehlt", "Frühling {year}, Katalog {two}", "+12 345 678 EUR Umsatz", "Zählerstand {six},{two}", "Steuernummer der Firma {two}/{three}/{five}", "Raum {three}, 2. OG", "Projekt {four}-{three}", "Chargen-Nr. {twelve}"],
    "es": ["CIF B{eight}", "NIF de la empresa B-{eight}", "pedido nº {ten}", "pedido {zero_ten} enviado", "seguimiento {twelve}", "factura {year}/{five} del {date}", "factura nº {ten}", "IMEI {imei}", "ICCID {iccid}", "EAN {ean}", "reunión el {long_date_es}", "cita el {date} a las 10:30", "contrato firmado el {date}", "cliente desde el {date}", "importe {amount} €", "total {amount} euros", "versión 2.{two}.{three}", "coordenadas 40.41{four}, -3.70{four}", "expediente {five}/{year}", "referencia {ten}", "número de serie {ten}", "póliza {nine}", "la empresa nació el {date}", "sin novedad, llamar la semana que viene", "Muy buena reunión, piden otra propuesta.", "{three} {three} {three} unidades", "{three} {three} {three} € de ventas", "plaza 12 del garaje", "vacaciones del {date} al {date}", "código {eight}-{three}", "presupuesto {eight}", "albarán {nine}", "horario 08.30-12.00 y 15.00-18.30", "falta el BIC", "falta el correo", "teléfono pendiente", "página {three}, línea {two}", "talla {two}, {two} cajas", "ticket {seven} cerrado", "vía email 12 mensajes"],
    "it": ["P.IVA {eleven}", "partita IVA IT{eleven}", "ordine n. {ten}", "ordine {zero_ten} spedito", "spedizione {twelve}", "fattura {four}/{year} del {date}", "fattura n. {ten}", "IMEI {imei}", "ICCID {iccid}", "EAN {ean}", "riunione il {long_date_it}", "appuntamento il {date} alle 10:30", "contratto firmato il {date}", "cliente dal {date}", "importo {amount} €", "totale {amount} euro", "versione 5.{two}.{three}", "coordinate 45.46{four}, 9.19{four}", "pratica {five}/{two}", "riferimento {ten}", "matricola {nine}", "polizza {nine}", "la società è nata il {long_date_it}", "niente di nuovo, richiamare lunedì", "Buon incontro, vogliono un'altra offerta.", "{three} {three} {three} pezzi", "{three}.{three}.{three} € di fatturato", "ferie dal {date} al {date}", "codice {eight}", "preventivo {eight}", "lotto {six}", "orario 08.30-12.30", "manca il BIC", "manca la mail", "telefono da chiedere", "pagina {three}, riga {two}", "corso 12 ore, aula {two}", "via email 3 volte", "inviato via Teams 12 file", "ticket {seven} chiuso", "NATO il {date} a Bruxelles: riunione"],
}
