#!/usr/bin/env python3
"""Makes positives.jsonl and negatives.jsonl anew, byte for byte: invented texts with and without identifiers."""

import json
import re
from pathlib import Path

from numbers_of_nobody import *  # noqa: F403
from sentences import WITH, WITHOUT

HERE = Path(__file__).parent
LANGUAGES = ["fr", "en", "de", "es", "it"]
BEFORE = {
    "fr": ["Appel du matin. ", "Vu au salon, ", "Note : ", "Suite à notre échange, ", "M. Petit\n", "<p>Bonjour,</p>", "- ", "RAS sinon. "],
    "en": ["Morning call. ", "Met at the fair, ", "Note: ", "As discussed, ", "Mr Small\n", "* ", "FYI ", "Update from Tuesday: "],
    "de": ["Anruf heute früh. ", "Messekontakt, ", "Notiz: ", "Wie besprochen: ", "Hr. Klein\n", "- ", "Zur Info: "],
    "es": ["Llamada de la mañana. ", "Visto en la feria, ", "Nota: ", "Según lo hablado, ", "- "],
    "it": ["Telefonata di stamattina. ", "Visto in fiera, ", "Nota: ", "Come d'accordo, ", "- "],
}
BEHIND = {
    "fr": [" À suivre.", "\nRelance lundi.", ", merci", " (vu avec Paul)", " !", "<br/>Fin"],
    "en": [" To be continued.", "\nChase on Monday.", ", thanks", " (agreed with Paul)", "!"],
    "de": [" Fortsetzung folgt.", "\nMontag nachfassen.", ", danke", " (mit Paul geklärt)"],
    "es": [" Continuará.", "\nInsistir el lunes.", ", gracias", " (hablado con Pablo)"],
    "it": [" Da seguire.", "\nSollecitare lunedì.", ", grazie", " (visto con Paolo)"],
}
MONTHS = {
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "en": "January February March April May June July August September October November December".split(),
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre".split(),
}
PHONES = {"fr": ["FR", "FR", "FR", "FR", "BE", "CH", "LU"], "en": ["GB", "GB", "GB", "IE", "IE", "NL", "DE"], "de": ["DE", "DE", "DE", "AT", "CH"], "es": ["ES", "ES", "ES", "PT"], "it": ["IT", "IT", "IT", "CH"]}


def birth_date(lang):
    day, month, year = R.randint(1, 28), R.randint(1, 12), R.randint(1930, 2019)
    name = MONTHS[lang][month - 1]
    numeric = [f"{day:02}/{month:02}/{year}", f"{day:02}.{month:02}.{year}", f"{day:02}-{month:02}-{year}", f"{year}-{month:02}-{day:02}", f"{day}/{month}/{year}", f"{day:02}/{month:02}/{year % 100:02}"]
    words = {
        "fr": [f"{'1er' if day == 1 else day} {name} {year}", f"{day} {name[:4]}. {year}" if len(name) > 5 else f"{day} {name} {year}", f"{day} {name.upper()} {year}", f"{day:02} {month:02} {year}"],
        "en": [f"{day} {name} {year}", f"{name} {day}, {year}", f"{day}{'th' if 4 <= day <= 20 else 'st' if day % 10 == 1 else 'nd' if day % 10 == 2 else 'rd' if day % 10 == 3 else 'th'} {name} {year}", f"{day} {name[:3]} {year}", f"{name[:3]} {day}, {year}"],
        "de": [f"{day}. {name} {year}", f"{day}.{month}.{year}", f"{day}. {name[:3]}. {year}" if len(name) > 4 else f"{day}. {name} {year}", f"{day}.{month}.{year % 100:02}"],
        "es": [f"{day} de {name} de {year}", f"{day} {name} {year}", f"{day} de {name} del {year}"],
        "it": [f"{day} {name} {year}", f"{day} {name[:3]} {year}", f"{day}/{month}/{year}"],
    }
    return R.choice(numeric + words[lang] * 2)


TOWNS = {
    "FR": [("75011", "Paris"), ("69003", "Lyon"), ("13100", "Aix-en-Provence"), ("59000", "Lille"), ("33000", "Bordeaux"), ("94160", "Saint-Mandé"), ("06200", "Nice"), ("35000", "RENNES"), ("44000", "Nantes"), ("67000", "Strasbourg"), ("01000", "Bourg-en-Bresse"), ("17000", "La Rochelle")],
    "BE": [("1000", "Bruxelles"), ("4000", "Liège"), ("B-5000", "Namur"), ("9000", "Gent"), ("2000", "Antwerpen")],
    "CH": [("1204", "Genève"), ("CH-1003", "Lausanne"), ("8001", "Zürich"), ("3011", "Bern")],
    "DE": [("10115", "Berlin"), ("D-80331", "München"), ("50667", "Köln"), ("20095", "Hamburg"), ("60311", "Frankfurt am Main"), ("01067", "Dresden")],
    "AT": [("1010", "Wien"), ("5020", "Salzburg"), ("A-8010", "Graz")],
    "ES": [("28013", "Madrid"), ("08002", "Barcelona"), ("41001", "Sevilla"), ("46001", "Valencia"), ("15001", "A Coruña")],
    "IT": [("20121", "Milano (MI)"), ("00184", "Roma"), ("10121", "Torino TO"), ("80132", "Napoli"), ("50122", "Firenze (FI)")],
    "PT": [("1100-053", "Lisboa"), ("4000-322", "Porto")],
    "NL": [("1012 AB", "Amsterdam"), ("3511LX", "Utrecht"), ("2511 CV", "Den Haag")],
    "LU": [("L-2449", "Luxembourg"), ("4010", "Esch-sur-Alzette")],
}


def address(lang):
    country = R.choice({"fr": ["FR"] * 5 + ["BE", "BE", "CH", "LU"], "en": ["GB"] * 4 + ["IE", "IE", "NL"], "de": ["DE"] * 4 + ["AT", "CH-DE"], "es": ["ES"] * 4 + ["PT"], "it": ["IT"]}[lang])
    n = R.randint(1, 180)
    if country == "FR":
        code, town = R.choice(TOWNS["FR"])
        street = R.choice(["rue de la Paix", "avenue Victor Hugo", "bd Voltaire", "place Bellecour", "chemin des Vignes", "impasse du Moulin", "allée des Tilleuls", "quai de la Loire", "route de Lyon", "rue du Général Leclerc", "cours Mirabeau", "RUE DES LILAS", "av. Jean Jaurès", "rue Saint-Honoré", "rue de l'Église", "boulevard du 8 Mai 1945"[:16]])
        return R.choice([f"{n} {street}, {code} {town}", f"{n} {street} {code} {town}", f"{n} bis {street}, {code} {town}", f"{n}, {street} - {code} {town}", f"{n} {street}\n{code} {town}", f"{n}B {street}, bât. C, {code} {town}", f"{n} {street} à {town.title()}", f"{n} {street}, appt 12, {code} {town} Cedex"])
    if country in ("BE", "CH", "LU"):
        code, town = R.choice(TOWNS[country])
        if town in ("Gent", "Antwerpen"):
            return R.choice([f"Kerkstraat {n}, {code} {town}", f"Gentsesteenweg {n} bus 4, {code} {town}"])
        if town in ("Zürich", "Bern"):
            return f"Bahnhofstrasse {n}, {code} {town}"
        street = R.choice(["Rue de la Loi", "Avenue Louise", "Chaussée de Charleroi", "Rue du Rhône", "Chemin des Fleurs", "Rue des Alpes"])
        return R.choice([f"{street} {n}, {code} {town}", f"{street}, {n} - {code} {town}", f"{n}, {street}, {code} {town}", f"{street} {n}\n{code} {town}"])
    if country in ("DE", "AT", "CH-DE"):
        code, town = R.choice(TOWNS[country[:2]]) if country != "CH-DE" else R.choice([("8001", "Zürich"), ("3011", "Bern")])
        street = R.choice(["Hauptstraße", "Bahnhofstr.", "Lindenweg", "Marktplatz", "Goethestraße", "Schillergasse", "Karl-Marx-Allee", "Berliner Straße", "Am Markt", "Alte Landstraße", "Rosenweg", "Mariahilfer Straße", "Unter den Linden", "Kirchgasse"])
        return R.choice([f"{street} {n}, {code} {town}", f"{street} {n}a, {code} {town}", f"{street} {n}\n{code} {town}", f"{street} {n} {code} {town}", f"{street} {n}, 2. OG, {code} {town}"])
    if country == "ES":
        code, town = R.choice(TOWNS["ES"])
        street = R.choice(["Calle Mayor", "C/ Serrano", "Avenida de América", "Plaza de España", "Paseo de Gracia", "calle de Alcalá", "Avda. Diagonal", "Carrer de Mallorca"])
        return R.choice([f"{street} {n}, {code} {town}", f"{street}, {n}, 3º B, {code} {town}", f"{street} nº {n}, {code} {town}", f"{street} {n}, 2º izq., {code} {town}", f"{street}, {n} - {code} {town}"])
    if country == "PT":
        code, town = R.choice(TOWNS["PT"])
        return R.choice([f"Rua Augusta {n}, {code} {town}", f"Avenida da Liberdade, {n}, {code} {town}", f"Rua de Santa Catarina {n}, 2º Esq, {code} {town}"])
    if country == "IT":
        code, town = R.choice(TOWNS["IT"])
        street = R.choice(["Via Garibaldi", "Via Roma", "Corso Vittorio Emanuele", "Piazza San Marco", "Viale Europa", "via dei Mille", "Largo Augusto", "Via XX Settembre"])
        return R.choice([f"{street} {n}, {code} {town}", f"{street}, {n} - {code} {town}", f"{street} n. {n}, {code} {town}", f"{street} {n}/A, {code} {town}", f"{street} {n}, int. 5, {code} {town}"])
    if country == "NL":
        code, town = R.choice(TOWNS["NL"])
        return R.choice([f"Keizersgracht {n}, {code} {town}", f"Dorpsstraat {n}, {code} {town}", f"Stationsplein {n}-A, {code} {town}"])
    if country == "IE":
        return R.choice([f"{n} Main Street, Cork", f"{n} O'Connell Street, Dublin 1, D01 F5P2", f"Apt 4, {n} Grand Canal Quay, Dublin 2", f"{n} Griffith Avenue, Dublin 9, D09 X4T2"])
    street = R.choice(["High Street", "Church Lane", "Station Road", "Victoria Gardens", "Park Avenue", "St Mary's Road", "Queen's Drive", "Baker St", "The Grove", "Mill Close"])
    code, town = R.choice([("SW1A 1AA", "London"), ("M1 4BT", "Manchester"), ("EH1 1YZ", "Edinburgh"), ("B2 5DB", "Birmingham"), ("LS1 4AP", "Leeds"), ("CB2 1TN", "Cambridge")])
    return R.choice([f"{n} {street}, {town} {code}", f"{n} {street}, {town}, {code}", f"Flat 2, {n} {street}, {town} {code}", f"{n}a {street}\n{town}\n{code}", f"{n} {street}, Camden, {town} {code}"])


VALUES = {
    "iban": lambda lang: spell_iban(iban()),
    "card": lambda lang: spell_card(card()),
    "nir": lambda lang: spell_nir(*nir()),
    "bic": lambda lang: bic(),
    "mail": lambda lang: mail(),
    "hidden": lambda lang: hidden_mail(lang),
    "phone": lambda lang: phone(R.choice(PHONES[lang])),
    "passport": lambda lang: passport(),
    "dni": lambda lang: dni(),
    "nie": lambda lang: nie(),
    "fiscal": lambda lang: fiscal_code(),
    "tax_id": lambda lang: tax_id(),
    "bsn": lambda lang: bsn(),
    "pesel": lambda lang: pesel(),
    "nino": lambda lang: nino(),
    "avs": lambda lang: avs(),
    "belgian": lambda lang: belgian(),
    "birth": birth_date,
    "address": address,
}
COUNTS = {"iban": 240, "card": 240, "nir": 200, "bic": 220, "mail": 300, "hidden": 160, "phone": 600, "passport": 220, "dni": 60, "nie": 40, "fiscal": 60, "tax_id": 40, "bsn": 40, "pesel": 30, "nino": 40, "avs": 40, "belgian": 40, "birth": 400, "address": 500}


def date():
    day, month, year = R.randint(1, 28), R.randint(1, 12), R.randint(2015, 2027)
    return R.choice([f"{day:02}/{month:02}/{year}", f"{day:02}.{month:02}.{year}", f"{year}-{month:02}-{day:02}", f"{day}/{month}/{year % 100}"])


def long_date(lang):
    day, name, year = R.randint(1, 28), R.choice(MONTHS[lang]), R.randint(2015, 2027)
    return {"fr": f"{day} {name} {year}", "en": f"{name} {day}, {year}", "de": f"{day}. {name} {year}", "es": f"{day} de {name} de {year}", "it": f"{day} {name} {year}"}[lang]


NOBODYS = {
    "siret": lambda: R.choice([siret(), grouped(siret(), 3, 3, 3, 5)]),
    "siren": siren,
    "siren_grouped": lambda: grouped(siren(), 3, 3, 3),
    "imei": lambda: R.choice([imei(), grouped(imei(), 2, 6, 6, 1, sep="-"), grouped(imei(), 6, 2, 6, 1)]),
    "iccid": lambda: R.choice([iccid(), grouped(iccid(), 4, 4, 4, 4, 4)]),
    "ean": ean,
    "isbn": lambda: ean("978"),
    "zero_ten": lambda: "0" + R.choice("123456789") + digits(8),
    "date": date,
    "long_date": lambda: long_date("fr"),
    "long_date_en": lambda: long_date("en"),
    "long_date_de": lambda: long_date("de"),
    "long_date_es": lambda: long_date("es"),
    "long_date_it": lambda: long_date("it"),
    "amount": lambda: R.choice([f"{R.randint(1, 999)} {digits(3)},{digits(2)}", f"{R.randint(1, 99)}.{digits(3)}.{digits(3)}", f"{R.randint(1, 9)} {digits(3)} {digits(3)}", f"{R.randint(100, 999)} {digits(3)} {digits(3)}", f"{R.randint(1, 99999)}"]),
    "year": lambda: str(R.randint(1990, 2027)),
    **{word: (lambda count: lambda: R.choice("123456789") + digits(count - 1))(count) for word, count in {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "twenty": 20}.items()},
}
TYPES = {"hidden": "mail", "birth": "birth_date", **{kind: "national_id" for kind in ["dni", "nie", "fiscal", "tax_id", "bsn", "pesel", "nino", "avs", "belgian"]}}


def filled(template, values):
    """The text of a template, and where its values stand in it."""
    text, spans = "", []
    for part in re.split(r"(\{\w+\})", template):
        if re.fullmatch(r"\{\w+\}", part):
            kind, value = values(part[1:-1])
            start = len(text)
            text += value
            if kind:
                spans.append({"type": kind, "start": start, "end": len(text)})
        else:
            text += part
    return text, spans


def wrapped(lang, text, spans):
    before = R.choice(["", "", "", R.choice(BEFORE[lang])])
    behind = R.choice(["", "", "", R.choice(BEHIND[lang])])
    if text.startswith("{") or not before.endswith((" ", "\n", ">")):
        before = before if before.endswith((" ", "\n", ">")) else ""
    return before + text + behind, [{**span, "start": span["start"] + len(before), "end": span["end"] + len(before)} for span in spans]


def positives():
    for kind, count in COUNTS.items():
        sentences = [(lang, sentence) for lang in LANGUAGES for sentence in WITH[kind].get(lang, [])]
        for number in range(count):
            lang, sentence = sentences[number % len(sentences)]
            type_ = TYPES.get(kind, kind)
            text, spans = filled(sentence, lambda _: (type_, VALUES[kind](lang)))
            yield lang, *wrapped(lang, text, spans)


def negatives():
    sentences = [(lang, sentence) for lang in LANGUAGES for sentence in WITHOUT[lang]]
    for number in range(2400):
        lang, sentence = sentences[number % len(sentences)]
        text, spans = filled(sentence, lambda word: (None, NOBODYS[word]()))
        yield lang, *wrapped(lang, text, spans)


for name, texts in (("positives", positives()), ("negatives", negatives())):
    with (HERE / f"{name}.jsonl").open("w", encoding="utf-8") as file:
        for number, (lang, text, spans) in enumerate(texts):
            file.write(json.dumps({"id": f"{name[0]}{number:04}", "lang": lang, "text": text, "spans": spans}, ensure_ascii=False) + "\n")
