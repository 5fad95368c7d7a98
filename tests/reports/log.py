"""Writes an access log for the reports: invented people of a sales office over some months, and names that mean harm."""

import hashlib
import json
import random
from datetime import datetime, timedelta, timezone

HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "</td></table></style><h1>broken</h1>",
    "=HYPERLINK(\"http://example.org\",\"click\")",
    "+1-1;=cmd|' /C calc'!A0",
    "@SUM(A1:A9)",
    "\u202egnp.exe\u202c \u2066rlo\u2069",
    "bell\u0007 esc\u001b[31m null\u0000 line\nbreak\ttab",
    "W" * 300,
    "{{ 7*7 }} {% raw %} ${x} %(y)s",
    "عبد الرحمن — 山田太郎 — Zoë",
    "\"quoted\", 'single' & <angle>",
]

CATEGORIES = {
    "Contacts.last_name": "identity.name",
    "Contacts.email1": "contact.email",
    "Contacts.phone_work": "contact.phone",
    "Contacts.iban_c": "financial.iban",
    "Contacts.religion_c": "special.belief",
    "Contacts.health_c": "special.health",
    "Leads.last_name": "identity.name",
    "Leads.email1": "contact.email",
    "Accounts.name": "work.organisation",
    "Opportunities.amount": "commercial.figures",
}
ROLES = {
    "sales": ("contract", "contract", {"financial.iban": "mask", "special.belief": "hide", "special.health": "hide"}),
    "finance": ("payment", "legal-obligation", {"special.belief": "hide", "special.health": "hide"}),
    "marketing": ("prospecting", "legitimate-interest", {"financial.iban": "hide", "special.belief": "hide", "special.health": "hide", "contact.phone": "mask"}),
}


class Log:
    def __init__(self, folder, begin):
        folder.mkdir(mode=0o700, parents=True)
        (folder / "spool").mkdir(mode=0o700)
        self.file = open(folder / "audit-0000000000000001.jsonl", "w", encoding="utf-8", newline="\n")
        self.seq, self.prev, self.now = 0, "sha256:" + "0" * 64, begin
        self.random = random.Random(7)

    def write(self, event, seconds=0):
        self.now += timedelta(seconds=seconds)
        self.seq += 1
        event = {
            "id": event.pop("id", f"01TEST{self.seq:020d}"),
            "node": "par-1a",
            "prev": self.prev,
            "seq": self.seq,
            "time": self.now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{self.now.microsecond // 1000:03d}Z",
            "v": 1,
        } | event
        line = json.dumps(event, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        self.file.write(line + "\n")
        self.prev = "sha256:" + hashlib.sha256(b"\0" + line.encode()).hexdigest()
        return event["id"]

    def request(self, caller, roles, action, module, *, seconds=30, phase="closed", outcome="partial", reason=None, purpose=None,
                data=(), refs=(), matched=(), sorted_by=(), written=(), event_id=None, records=None):
        event = {
            "auth": {"acr": None, "age_seconds": 240, "amr": [], "method": "crm-session"},
            "caller": {"id": caller[0], "kind": "human", "name": caller[1], "roles": list(roles)},
            "data": [
                {"by": ["rule"], "category": category, "fields": list(fields), "in_text": 0, "level": level, "records": count}
                for category, fields, level, count in data
            ],
            "dropped_masks": [],
            "origin": {"ip": caller[2]},
            "outcome": None if phase != "closed" else
            {"kind": outcome, "milliseconds": 12, "reason": reason, "status": 403 if reason else 200, "upstream_milliseconds": 9},
            "part_of": None,
            "phase": phase,
            "policy": {"hash": "sha256:5d41", "mode": "enforce", "name": "office"},
            "purpose": purpose and {"basis": purpose[1], "chosen_by": "default", "id": purpose[0]},
            "records": {"count": len(refs) if records is None else records, "refs": list(refs), "withheld": {"consent": 0, "retention": 0, "row": 0}},
            "request": {"action": action, "asked": [], "dialect": "sugar-rest", "matched": list(matched), "module": module,
                        "route": "GET /rest/{version}/" + str(module), "sorted": list(sorted_by), "trace": None, "written": list(written)},
        }
        if event_id:
            event["id"] = event_id
        return self.write(event, seconds)


def shown(module, role, count, extra=()):
    levels = ROLES[role][2]
    data = {}
    for field, category in CATEGORIES.items():
        if field.startswith(module + "."):
            data.setdefault((category, levels.get(category, "clear")), []).append(field)
    data = [(category, fields, level, count) for (category, level), fields in data.items()]
    return data + list(extra)


def write(folder, days=120, last=None):
    """A log that ends on some day; returns the number of its events."""
    last = last or datetime(2026, 11, 28, 17, 0, tzinfo=timezone.utc)
    log = Log(folder, last - timedelta(days=days, hours=9))
    log.write({"durability": "strict", "event": "audit.started", "head": "none"})
    classified = {}
    for field, category in CATEGORIES.items():
        classified.setdefault(category, []).append(field)
    log.write({"event": "policy.loaded", "hash": "sha256:5d41", "name": "office", "by": "start", "previous": None, "schemas": [],
               "classified": [{"categories": [category], "fields": fields} for category, fields in classified.items()]})
    people = []
    for role, names in {
        "sales": ["Annie Delattre", "Bruno Keller", "Chloé Marchand", "David N’Diaye", "Élodie Garcia-Lefebvre"],
        "finance": ["fanny", "gaston.leroux"],
        "marketing": ["Hélène Dubois", "igor"],
    }.items():
        for name in names:
            people.append(((f"id-{len(people)}", name, f"10.2.{len(people)}.0/24"), role))
    for day in range(days):
        log.now = last - timedelta(days=days - day, hours=8)
        if log.now.weekday() >= 5:
            continue
        for caller, role in people:
            for _ in range(log.random.randint(1, 4)):
                module = log.random.choice(["Contacts", "Contacts", "Leads", "Accounts", "Opportunities"])
                count = log.random.randint(1, 20)
                refs = [f"{module}/{module[:1].lower()}-{log.random.randint(1, 3000)}" for _ in range(count)]
                log.request(caller, [role], "list" if count > 1 else "read", module, purpose=ROLES[role][:2],
                            data=shown(module, role, count), refs=refs)
        if day % 9 == 0:
            caller, role = people[day % len(people)]
            log.request(caller, [role], "update", "Leads", purpose=ROLES[role][:2], refs=["Leads/l-1"], written=["Leads.email1"],
                        outcome="full", data=shown("Leads", role, 1))
        if day % 13 == 0:
            log.write({"event": "auth.refused", "origin": "203.0.113.0/24", "reason": "bad-credential", "count": 14 + day})
            log.write({"event": "audit.read", "command": "query", "uid": 1000, "words": ["category=financial", "reason=<b>case 17</b>"]})
    troubles(log, people)
    log.write({"event": "audit.stopped"})
    log.file.close()
    return log.seq


def troubles(log, people):
    """The last day: somebody tries things, somebody takes a lot, a reply is cut off, and names mean harm."""
    log.now += timedelta(hours=1)
    igor = people[8][0]
    for field in ["Contacts.iban_c"] * 6 + ["Contacts.religion_c", "Contacts.health_c"]:
        log.request(igor, ["marketing"], "list", "Contacts", purpose=ROLES["marketing"][:2], outcome="denied", reason="field-not-usable",
                    matched=[field])
    log.write({"event": "limit.predicates", "caller": igor[0], "name": igor[1], "policy": "sha256:5d41"})
    log.request(igor, ["marketing"], "list", "Contacts", outcome="rejected", reason="malformed-filter")
    bruno = people[1][0]
    for page in range(60):
        refs = [f"Contacts/c-{page * 20 + one}" for one in range(20)]
        log.request(bruno, ["sales"], "list", "Contacts", purpose=ROLES["sales"][:2], refs=refs, seconds=2, data=shown("Contacts", "sales", 20))
    log.request(bruno, ["sales"], "list", "Contacts", purpose=ROLES["sales"][:2], phase="opened", data=shown("Contacts", "sales", 0), records=0)
    log.request(bruno, ["sales"], "delete", "Contacts", purpose=ROLES["sales"][:2], phase="opened", event_id="01CLOSED")
    log.request(bruno, ["sales"], "delete", "Contacts", purpose=ROLES["sales"][:2], outcome="full", refs=["Contacts/c-9"], records=0, event_id="01CLOSED")
    log.request(people[5][0], ["finance"], "read", "Contacts", purpose=ROLES["finance"][:2], refs=["Contacts/c-1"],
                data=[("special.health", ["Contacts.health_c"], "clear", 1), (None, ["Contacts.shoe_size_c"], "redact", 1),
                      (None, ["Contacts.(2 unknown)"], "clear", 1)])
    log.write({"event": "key.created", "key": "k1", "name": "nightly export", "when": "2026-11-28T09:00:00Z", "by": "root"})
    log.write({"event": "policy.rejected", "hash": None, "codes": ["P001"], "by": "watch"})
    for number, name in enumerate(HOSTILE):
        caller = (f"{name}{number}", name, name)
        module = name if number % 2 else "Contacts"
        log.request(caller, [name, "sales"], "list", module, purpose=(name, name), refs=[f"{module}/{name}"], matched=[name],
                    data=[(name, [f"Contacts.{name}", name], "clear", 1), (None, [f"Contacts.{name}"], "redact", 1),
                          ("special.belief", [f"Contacts.{name}"], "mask", 1)])
        log.request(caller, [name], "list", module, outcome="denied", reason="field-not-usable", matched=[f"Contacts.{name}"], sorted_by=[name])
        log.request(caller, [name], name, module, phase="opened", data=[(name, [name], "clear", 0)])
        log.write({"event": "key.created", "key": name, "name": name, "when": name, "by": name})
        log.write({"event": "auth.refused", "origin": name, "reason": name, "count": 3})
        log.write({"event": "audit.read", "command": name, "uid": 0, "words": [name] * 3})


if __name__ == "__main__":
    import sys
    from pathlib import Path
    print(write(Path(sys.argv[1])), "events")
