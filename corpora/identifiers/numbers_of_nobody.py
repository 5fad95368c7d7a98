"""Invented numbers: each has the form and the check digits of its kind, none was given to anybody on purpose."""

import random
import string

R = random.Random(20261129)


def digits(count):
    return "".join(R.choice(string.digits) for _ in range(count))


def letters(count):
    return "".join(R.choice(string.ascii_uppercase) for _ in range(count))


def grouped(text, *sizes, sep=" "):
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    if at < len(text):
        parts.append(text[at:])
    return sep.join(part for part in parts if part)


def luhn(body):
    total = 0
    for place, digit in enumerate(reversed(body)):
        digit = int(digit)
        if place % 2 == 0:
            digit = digit * 2 - 9 if digit > 4 else digit * 2
        total += digit
    return body + str(-total % 10)


def iban(country=None):
    forms = {"FR": "n23", "DE": "n18", "ES": "n20", "IT": "a1n22", "BE": "n12", "NL": "a4n10", "LU": "n16", "CH": "n17", "AT": "n16",
             "GB": "a4n14", "IE": "a4n14", "PT": "n21", "PL": "n24", "NO": "n11", "MC": "n23", "MT": "a4n23"}
    country = country or R.choice(list(forms))
    form, body, at = forms[country], "", 0
    while at < len(form):
        end = at + 1
        while end < len(form) and form[end].isdigit():
            end += 1
        count = int(form[at + 1 : end])
        body += letters(count) if form[at] == "a" else digits(count)
        at = end
    value = int("".join(str(int(c, 36)) for c in body + country + "00"))
    return f"{country}{98 - value % 97:02}{body}"


def spell_iban(text):
    return R.choice([
        lambda: text,
        lambda: grouped(text, *[4] * 9),
        lambda: grouped(text, *[4] * 9),
        lambda: text.lower(),
        lambda: grouped(text, *[4] * 9, sep="-"),
        lambda: grouped(text, *[4] * 9, sep="\u00a0"),
        lambda: grouped(text, 2, 2, *[5] * 6),
        lambda: grouped(text, *[4] * 9, sep="."),
    ])()


def card():
    head, length = R.choice([("4", 16), ("4", 16), ("51", 16), ("55", 16), ("2225", 16), ("53", 16), ("34", 15), ("37", 15), ("6011", 16), ("3530", 16), ("622126", 16), ("2202", 16), ("36", 14)])
    return luhn(head + digits(length - 1 - len(head)))


def spell_card(text):
    if len(text) == 15:
        return R.choice([text, grouped(text, 4, 6, 5), grouped(text, 4, 6, 5, sep="-")])
    if len(text) == 14:
        return R.choice([text, grouped(text, 4, 6, 4)])
    return R.choice([text, grouped(text, 4, 4, 4, 4), grouped(text, 4, 4, 4, 4), grouped(text, 4, 4, 4, 4, sep="-"), grouped(text, 4, 4, 4, 4, sep="."), grouped(text, 4, 4, 4, 4, sep="\u00a0")])


def nir():
    sex = R.choice("1212121278")
    department = R.choice([f"{R.randint(1, 95):02}"] * 8 + ["2A", "2B", "97", "99"])
    if department == "20":
        department = "13"
    if department == "97":
        place = str(R.randint(1, 6)) + f"{R.randint(1, 39):02}"
    else:
        place = f"{R.randint(1, 580):03}"
    body = f"{sex}{R.randint(0, 99):02}{R.randint(1, 12):02}{department}{place}{R.randint(1, 999):03}"
    value = int(body.replace("2A", "19").replace("2B", "18")) if department in ("2A", "2B") else int(body)
    return body, f"{97 - value % 97:02}"


def spell_nir(body, key):
    spaced = grouped(body, 1, 2, 2, 2, 3, 3)
    body = R.choice([body, body, body.lower()])
    return R.choice([
        lambda: body + key,
        lambda: f"{spaced} {key}",
        lambda: f"{spaced} {key}",
        lambda: f"{body} {key}",
        lambda: f"{body} / {key}",
        lambda: f"{spaced} clé {key}",
        lambda: f"{body} clé {key}",
        lambda: f"{body} cle {key}",
        lambda: f"{spaced} (clé {key}",
        lambda: f"{body}-{key}",
        lambda: f"{spaced} clef : {key}",
        lambda: f"{body}\n{key}",
        lambda: f"{spaced} cl&eacute; {key}",
        lambda: f"{spaced}/{key}",
    ])()


def bic(country=None):
    country = country or R.choice(["FR", "DE", "ES", "IT", "BE", "NL", "LU", "CH", "AT", "GB", "IE", "PT", "PL", "SE"])
    return letters(4) + country + R.choice([letters(2), "PP", "M1", "33", "2X", "B1"]) + R.choice(["", "", "XXX", letters(3), digits(3)])


NAMES = "jean marie camille lucas lea hugo emma noah paul nora david eva tom anna jonas lena felix clara mario giulia marco elena luis sofia carlos marta john emily oliver grace liam".split()
FAMILY = "dupont martin leroy moreau garcia lopez fernandez rossi bianchi ferrari muller schmidt weber wagner becker smith jones taylor brown walsh obrien jansen devries peeters silva costa favre meier gruber huber".split()
HOSTS = "example.org example.com example.net mail.example.org exemple.fr beispiel.de ejemplo.es esempio.it voorbeeld.nl acme.test cabinet-durand.fr mueller-bau.de societa-nord.it grupo-sur.es o2x.io corp.example.co.uk etudes.univ-exemple.fr".split()


def mail_parts():
    a, b = R.choice(NAMES), R.choice(FAMILY)
    local = R.choice([f"{a}.{b}", f"{a}{b}", f"{a[0]}.{b}", f"{a}_{b}", f"{a}-{b}", f"{a}", f"{b}{R.randint(1, 99)}", f"{a}.{b}+crm", f"contact", f"{a}.{b}.{R.randint(60, 99)}", "info", f"{a[0]}{b}"])
    return local, R.choice(HOSTS)


def mail():
    local, host = mail_parts()
    return R.choice([
        lambda: f"{local}@{host}",
        lambda: f"{local}@{host}",
        lambda: f"{local}@{host}",
        lambda: f"{local}@{host}",
        lambda: f"{local.upper()}@{host.upper()}",
        lambda: f"{local.title()}@{host}",
        lambda: f"{local}@{R.choice(['müller-bau.de', 'société-été.fr', 'straße.example', 'españa.example', 'xn--mller-kva.example'])}",
        lambda: f"{R.choice(['josé', 'jörg', 'amélie', 'françois', 'niño'])}.{R.choice(FAMILY)}@{host}",
    ])()


def hidden_mail(lang):
    local, host = mail_parts()
    dotted = R.choice(["dot", "dot"] if lang == "en" else {"fr": ["point", "dot"], "de": ["punkt", "dot"], "es": ["punto", "dot"], "it": ["punto", "dot"]}[lang])
    at = {"en": "at", "fr": "arobase", "de": "at", "es": "arroba", "it": "chiocciola"}[lang]
    return R.choice([
        lambda: f"{local} at {host.replace('.', ' dot ')}",
        lambda: f"{local} {at} {host.replace('.', f' {dotted} ')}",
        lambda: f"{local}(at){host}",
        lambda: f"{local} (at) {host}",
        lambda: f"{local}[at]{host.replace('.', '[dot]')}",
        lambda: f"{local} [at] {host.replace('.', ' [dot] ')}",
        lambda: f"{local}@{host.replace('.', '[.]')}" if False else f"{local} [@] {host}",
        lambda: f"{local}&#64;{host}",
        lambda: f"{local} {{at}} {host}",
        lambda: f"{local}(a){host}",
        lambda: f"{local} (arobase) {host.replace('.', ' (point) ')}",
        lambda: f"{local}&#x40;{host}",
        lambda: f"{local}＠{host}",
        lambda: f"{local} AT {host.replace('.', ' DOT ')}",
    ])()


def phone(country):
    d = digits
    return {
        "FR": lambda: R.choice([
            (lambda n: R.choice([grouped(n, 2, 2, 2, 2, 2), grouped(n, 2, 2, 2, 2, 2), grouped(n, 2, 2, 2, 2, 2, sep="."), grouped(n, 2, 2, 2, 2, 2, sep="-"), n, grouped(n, 2, 2, 2, 2, 2, sep="\u00a0"), grouped(n, 4, 3, 3), grouped(n, 4, 2, 2, 2)]))("0" + R.choice("1234567") + d(8)),
            "+33 " + R.choice("1234567") + " " + grouped(d(8), 2, 2, 2, 2),
            "+33" + R.choice("67") + d(8),
            "+33 (0)" + R.choice("1267") + " " + grouped(d(8), 2, 2, 2, 2),
            "0033 6 " + grouped(d(8), 2, 2, 2, 2),
            "0033" + R.choice("67") + d(8),
            "(+33) 6 " + grouped(d(8), 2, 2, 2, 2),
            "+33." + R.choice("67") + "." + grouped(d(8), 2, 2, 2, 2, sep="."),
        ]),
        "BE": lambda: R.choice(["0" + R.choice("47") + R.choice("789") + R.choice("0123456789") + " " + grouped(d(6), 2, 2, 2), "02 " + grouped(d(7), 3, 2, 2), "0475/" + grouped(d(6), 2, 2, 2, sep="."), "+32 4" + d(2) + " " + grouped(d(6), 2, 2, 2), "+32 2 " + grouped(d(7), 3, 2, 2), "010/" + grouped(d(6), 2, 2, 2, sep="."), "+32 (0)4" + d(2) + " " + grouped(d(6), 3, 3)]),
        "CH": lambda: R.choice(["07" + R.choice("6789") + " " + grouped(d(7), 3, 2, 2), "022 " + grouped(d(7), 3, 2, 2), "+41 79 " + grouped(d(7), 3, 2, 2), "+41 (0)44 " + grouped(d(7), 3, 2, 2), "0041 21 " + grouped(d(7), 3, 2, 2), "079" + d(7), "021/" + grouped(d(7), 3, 2, 2)]),
        "DE": lambda: R.choice(["0" + R.choice(["30", "40", "89", "221", "711", "69"]) + R.choice([" ", "/", "-"]) + R.choice("23456789") + d(6), "0171 " + d(7), "0176/" + d(8), "0151" + d(8), "+49 171 " + d(7), "+49 (0)89 " + grouped(d(7), 3, 2, 2), "(0221) " + grouped(d(6), 2, 2, 2), "+49 30 " + d(8), "0049 172 " + d(7), "+49-160-" + d(7), "030 / " + d(8), "0" + R.choice(["4131", "8151", "7071"]) + " " + d(5)]),
        "AT": lambda: R.choice(["0664 " + grouped(d(7), 3, 4), "+43 664 " + d(7), "01 " + grouped(d(7), 3, 2, 2), "0676/" + d(7), "+43 1 " + grouped(d(7), 3, 2, 2), "0650 " + d(7), "+43 (0)662 " + d(6)]),
        "ES": lambda: R.choice([R.choice("67") + d(2) + " " + grouped(d(6), 3, 3), R.choice("67") + d(2) + " " + grouped(d(6), 2, 2, 2), "9" + R.choice("1345") + " " + grouped(d(7), 3, 2, 2), "+34 6" + d(2) + " " + grouped(d(6), 3, 3), "+34 91 " + grouped(d(7), 3, 2, 2), "0034 6" + d(8), "+346" + d(8), "6" + d(8)]),
        "IT": lambda: R.choice(["3" + R.choice("234") + R.choice("0123456789") + " " + grouped(d(7), 3, 4), "3" + R.choice("234") + d(1) + " " + d(7), "06 " + d(8), "02 " + grouped(d(8), 4, 4), "+39 3" + R.choice("234") + d(1) + " " + d(7), "+39 06 " + grouped(d(8), 4, 4), "011 " + d(7), "0039 02 " + d(8), "055/" + d(7), "3" + R.choice("234") + d(8)]),
        "NL": lambda: R.choice(["06-" + d(8), "06 " + d(8), "020 " + grouped(d(7), 3, 4), "+31 6 " + d(8), "+31 (0)20 " + grouped(d(7), 3, 4), "0343-" + d(6), "06" + d(8), "010-" + d(7)]),
        "GB": lambda: R.choice(["07" + d(3) + " " + d(6), "07" + d(3) + " " + grouped(d(6), 3, 3), "020 7" + d(3) + " " + d(4), "0161 " + grouped(d(7), 3, 4), "+44 7" + d(3) + " " + d(6), "+44 (0)20 7" + d(3) + " " + d(4), "(01632) " + d(6), "0044 7" + d(9), "07" + d(9), "01223 " + d(6)]),
        "IE": lambda: R.choice(["087 " + grouped(d(7), 3, 4), "01 " + grouped(d(7), 3, 4), "+353 86 " + grouped(d(7), 3, 4), "(01) " + grouped(d(7), 3, 4), "+353 1 " + grouped(d(7), 3, 4), "085-" + d(7), "021 " + grouped(d(7), 3, 4)]),
        "PT": lambda: R.choice(["9" + R.choice("1236") + d(1) + " " + grouped(d(6), 3, 3), "21 " + grouped(d(7), 3, 2, 2), "+351 9" + R.choice("1236") + d(1) + " " + grouped(d(6), 3, 3), "00351 21 " + grouped(d(7), 3, 4), "+3519" + d(8)]),
        "LU": lambda: R.choice(["+352 621 " + grouped(d(6), 3, 3), "+352 26 " + grouped(d(6), 2, 2, 2), "00352 691 " + d(6), "+352 661 " + d(6)]),
    }[country]()


def passport():
    return R.choice([
        lambda: digits(2) + letters(2) + digits(5),
        lambda: f"{digits(2)} {letters(2)} {digits(5)}",
        lambda: R.choice("CFGHJK") + "".join(R.choice("CFGHJKLMNPRTVWXYZ0123456789") for _ in range(3)) + digits(4) + R.choice("TXZ4"),
        lambda: letters(3) + digits(6),
        lambda: letters(2) + digits(7),
        lambda: digits(9),
        lambda: R.choice("PXL") + digits(7),
        lambda: "N" + letters(1) + "R" + digits(5) + "8",
        lambda: letters(2) + digits(6),
        lambda: letters(2) + " " + digits(7),
    ])()


def dni():
    number = digits(8)
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]
    return R.choice([number + letter, f"{number}-{letter}", f"{number} {letter}", f"{number[:2]}.{number[2:5]}.{number[5:]}-{letter}"])


def nie():
    first, number = R.choice("XYZ"), digits(7)
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[int(str("XYZ".index(first)) + number) % 23]
    return R.choice([first + number + letter, f"{first}-{number}-{letter}", f"{first}{number}-{letter}"])


def fiscal_code():
    odd = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
    body = "".join(R.choice("BCDFGLMNPRSTVZ") for _ in range(6)) + f"{R.randint(40, 99)}{R.choice('ABCDEHLMPRST')}{R.choice([R.randint(1, 31), R.randint(41, 71)]):02}{R.choice('ABCDEFGHIL')}{digits(3)}"
    total = 0
    for place, symbol in enumerate(body):
        value = int(symbol) if symbol.isdigit() else ord(symbol) - 65
        total += odd[value] if place % 2 == 0 else value
    code = body + chr(65 + total % 26)
    return R.choice([code, code, code, grouped(code, 3, 3, 5, 5), grouped(code, 6, 5, 5), code.lower()])


def tax_id():
    while True:
        body = R.choice("123456789") + digits(9)
        counts = [body.count(digit) for digit in string.digits]
        if sum(count > 1 for count in counts) != 1 or max(counts) > 3:
            continue
        product = 10
        for digit in body:
            total = (int(digit) + product) % 10 or 10
            product = total * 2 % 11
        value = body + str((11 - product) % 10)
        return R.choice([value, grouped(value, 2, 3, 3, 3)])


def bsn():
    while True:
        body = digits(8)
        check = sum(int(digit) * weight for digit, weight in zip(body, range(9, 1, -1))) % 11
        if check < 10 and body[0] != "0":
            value = body + str(check)
            return R.choice([value, grouped(value, 3, 3, 3), grouped(value, 4, 2, 3, sep=".")])


def pesel():
    body = f"{R.randint(40, 99)}{R.randint(1, 12):02}{R.randint(1, 28):02}{digits(4)}"
    return body + str(-sum(int(digit) * weight for digit, weight in zip(body, [1, 3, 7, 9] * 3)) % 10)


def nino():
    value = R.choice("ABCEHJ") + R.choice("ABCEHJ") + digits(6) + R.choice("ABCD")
    if value[:2] in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ"):
        return nino()
    return R.choice([value, grouped(value, 2, 2, 2, 2, 1)])


def avs():
    body = "756" + digits(9)
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    value = body + str(-total % 10)
    return R.choice([grouped(value, 3, 4, 4, 2, sep="."), grouped(value, 3, 4, 4, 2, sep="."), value, grouped(value, 3, 4, 4, 2)])


def belgian():
    year = R.choice([R.randint(40, 99), R.randint(0, 10)])
    body = f"{year:02}{R.randint(1, 12):02}{R.randint(1, 28):02}{R.randint(1, 997):03}"
    key = 97 - int(("2" if year < 20 else "") + body) % 97
    value = f"{body}{key:02}"
    return R.choice([f"{value[:2]}.{value[2:4]}.{value[4:6]}-{value[6:9]}.{value[9:]}", f"{value[:2]}.{value[2:4]}.{value[4:6]}-{value[6:9]}-{value[9:]}", value, f"{value[:6]} {value[6:9]} {value[9:]}"])


def siren():
    return luhn(R.choice("34578") + digits(7))


def siret():
    base = siren()
    return luhn(base + "000" + digits(1))


def imei():
    return luhn(R.choice(["35", "86", "01", "99"]) + digits(12))


def iccid():
    return luhn("89" + R.choice(["33", "49", "34", "39", "44", "32"]) + digits(14))


def ean(prefix=None):
    body = (prefix or R.choice(["301", "400", "541", "843", "800", "500", "761", "978"])) + digits(9)
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return body + str(-total % 10)
