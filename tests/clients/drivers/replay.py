"""Sends the requests of a client that no registry has, as they stand in a file, and holds the replies to what it says.

A case has `step`, `method`, `path`, and as the client has them `headers`, `query` (written as PHP's http_build_query does),
`json`, `form`, `rest` (v4's envelope, in the body or, with "send": "query", in the query) or `body`. What is expected:
`status` (200), `equal` (dotted paths and values), `holds` and `lacks` (texts), `count`, `refused` (with the status, and the
CRM hears nothing of it), `stored`. `keep` names values for later cases; `{user}`, `{password}`, `{md5}`, `{Contacts.Odile}`
(an id), `{Odile.email}` and the like stand for what the scripted CRM holds. A status may be a list of those that are right.
"""

import base64
import hashlib
import http.client
import json
import pathlib
import re
import sys
import urllib.parse

from crms import dolibarr, espo
from steps import BASE, Deviation, people, run, same, seen, side, steps, stored

ADDRESS = BASE.removeprefix("http://")
known = {"user": people.USER, "password": people.PASSWORD, "md5": hashlib.md5(people.PASSWORD.encode()).hexdigest()}
known |= {
    "MD5": known["md5"].upper(),
    "basic": base64.b64encode(f"{people.USER}:{people.PASSWORD}".encode()).decode(),
    "api_key": espo.API_KEY,
    "dolapikey": dolibarr.API_KEY,
}
for person in people.PEOPLE:
    known |= {f"{person.first}.{name}": getattr(person, name) for name in ("email", "phone", "iban", "nir", "note")}


def learn(modules):
    for module in modules:
        for record in side("all", module):
            name = record.get("first_name") or record.get("firstName") or record.get("firstname") or record.get("name") or record.get("login") or ""
            known.setdefault(f"{module}.{name.replace(' ', '_')}", str(record["id"]))


def looked_up(name):
    if name not in known:
        raise Deviation(f"not sent: no earlier reply gave {name!r}")
    return known[name]


def filled(value):
    """The value with its placeholders replaced, in whatever depth."""
    if isinstance(value, str):
        return re.sub(r"\{([\w.'-]+)\}", lambda found: str(looked_up(found[1])), value)
    if isinstance(value, dict):
        return {filled(name): filled(inner) for name, inner in value.items()}
    return [filled(inner) for inner in value] if isinstance(value, list) else value


def built(value, prefix=""):
    """PHP's http_build_query: brackets, booleans as 0 and 1, nothing for null and for what is empty."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in pairs:
        key = f"{prefix}[{name}]" if prefix else str(name)
        if isinstance(inner, (dict, list)):
            yield from built(inner, key)
        elif inner is not None:
            yield key, str(int(inner)) if isinstance(inner, bool) else str(inner)


def written(case):
    """The target, the headers and the body of a case."""
    target, headers, body = filled(case["path"]), filled(case.get("headers", {})), None
    query = list(built(filled(case.get("query", {}))))
    if "rest" in case:
        envelope = [("method", case["call"]), ("input_type", "JSON"), ("response_type", "JSON"), ("rest_data", json.dumps(filled(case["rest"])))]
        if case.get("send") == "query":
            query += envelope
        else:
            body = urllib.parse.urlencode(envelope)
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    if query:
        target += ("&" if "?" in target else "?") + urllib.parse.urlencode(query)
    if "json" in case:
        body = json.dumps(filled(case["json"]))
        headers.setdefault("Content-Type", "application/json")
    elif "form" in case:
        body = urllib.parse.urlencode(list(built(filled(case["form"]))))
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    elif "body" in case:
        body = filled(case["body"])
    return target, headers, body


def send(case):
    target, headers, body = written(case)
    connection = http.client.HTTPConnection(ADDRESS, timeout=30)
    connection.request(case["method"], target, body.encode() if body is not None else None, headers)
    reply = connection.getresponse()
    text = reply.read().decode()
    connection.close()
    return reply.status, text


def at(value, path):
    for name in path.split("."):
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def judge(case):
    seen()
    status, text = send(case)
    what = f"{case['method']} {case['path']}" + (f" {case['call']}" if "call" in case else "")
    expected = case.get("refused") or case.get("status", 200)
    if status not in (expected if isinstance(expected, list) else [expected]):
        raise Deviation(f"{what}: {status} instead of {expected}: {text[:200]}")
    if case.get("refused"):
        return same(seen(), [], f"{what}: the CRM heard")
    try:
        value = json.loads(text)
    except ValueError:
        raise Deviation(f"{what}: no JSON: {text[:200]}") from None
    plain = json.dumps(value, ensure_ascii=False)
    for path, wanted in case.get("equal", {}).items():
        same(at(value, path), filled(wanted), f"{what}: {path}")
    for path, wanted in case.get("count", {}).items():
        same(len(at(value, path) if path else value), wanted, f"{what}: how many {path}")
    for wanted in filled(case.get("holds", [])):
        if wanted not in plain:
            raise Deviation(f"{what}: nothing of {wanted!r} in {plain[:300]}")
    for unwanted in filled(case.get("lacks", [])):
        if unwanted in plain:
            raise Deviation(f"{what}: {unwanted!r} is there")
    known.update({name: at(value, path) if path else value for name, path in case.get("keep", {}).items()})
    for module, identity, values in case.get("stored", []):
        record = stored(module, filled(identity)) or {}
        same({name: str(record.get(name)) for name in values}, filled(values), f"{what}: what the CRM stored")


def judge_all(cases):
    """All of a step's cases, so that one deviation does not hide the next."""
    told = []
    for case in cases:
        try:
            judge(case)
        except (Deviation, KeyError, IndexError, TypeError) as error:
            what = f"{case['method']} {case['path']}"
            told.append(str(error) if str(error).startswith(what) else f"{what}: {error if isinstance(error, Deviation) else repr(error)}")
    if told:
        raise Deviation("\n    ".join(told))


def main():
    client = json.loads(pathlib.Path(sys.argv[1]).read_text())
    learn(client["modules"])
    for case in client["cases"]:
        steps.setdefault(case["step"], lambda name=case["step"]: judge_all([each for each in client["cases"] if each["step"] == name]))
    run()


main()
