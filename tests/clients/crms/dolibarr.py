"""Dolibarr's REST API, in the shapes that a Dolibarr 18 was seen to have: an empty list is 404, numbers are texts."""

import json
import re

from . import people
from .server import Crm, Reply, like

API_KEY = "doli-sally-key-0002"
MODULES = ("contacts", "thirdparties", "users", "invoices", "orders", "proposals")
EMPTY = dict.fromkeys(
    (
        "module",
        "import_key",
        "array_languages",
        "contacts_ids",
        "linked_objects",
        "oldref",
        "canvas",
        "fk_project",
        "contact_id",
        "user",
        "origin",
        "origin_id",
        "ref_ext",
        "region_id",
        "barcode_type",
    )
)
COLUMNS = {"rowid": "id", "nom": "name", "fk_soc": "socid", "phone": "phone_pro"}


class Error(Exception):
    def __init__(self, status, message):
        source = {
            "source": "api_contacts.class.php:273 at call stage",
            "stages": {"success": ["get", "route", "negotiate", "authenticate"], "failure": ["call", "message"]},
        }
        self.reply = Reply(status, dumped({"error": {"code": status, "message": message}, "debug": source}), "application/json; charset=utf-8")


def dumped(value):
    return json.dumps(value, indent=4, ensure_ascii=False)


class Dolibarr(Crm):
    name = "Dolibarr"

    def __init__(self):
        super().__init__()
        self.records = {module: {} for module in (*MODULES, "bankaccounts")}
        self.last = {}
        self.create("users", {"login": "admin", "lastname": "Admin", "admin": "1", "api_key": people.OTHER_SECRET})
        self.user = self.create(
            "users",
            {
                "login": people.USER,
                "firstname": "Sally",
                "lastname": "Bronsen",
                "admin": "0",
                "api_key": API_KEY,
                "pass_crypted": people.OTHER_SECRET,
            },
        )
        firms = [
            self.create(
                "thirdparties",
                {"name": name, "client": "1", "code_client": f"CU-{number}", "email": f"firm{number}@example.org", "phone": "01 99 00 11 00"},
            )
            for number, name in enumerate(people.FIRMS)
        ]
        for person in people.PEOPLE:
            firm = firms[person.firm]
            self.create(
                "contacts",
                {
                    "firstname": person.first,
                    "lastname": person.last,
                    "email": person.email,
                    "mail": person.email,
                    "phone_mobile": person.phone,
                    "civility_code": None,
                    "socid": firm["id"],
                    "fk_soc": firm["id"],
                    "socname": firm["name"],
                    "birthday": 253494000,
                    "note_private": person.note,
                    "array_options": {"options_nir": person.nir, "options_iban_perso": person.iban, "options_religion": person.belief},
                },
            )
            self.create(
                "bankaccounts",
                {"label": "RIB", "bank": "Banque", "bic": "AGRIFRPP882", "iban": person.iban, "socid": firm["id"], "proprio": person.last},
            )
        for number, firm in enumerate(firms):
            self.create(
                "invoices",
                {
                    "ref": f"FA2611-{number}",
                    "socid": firm["id"],
                    "total_ttc": "120.00",
                    "date": 1795362055,
                    "note_private": people.PEOPLE[number].note,
                },
            )

    def create(self, module, values):
        self.last[module] = self.last.get(module, 0) + 1
        identity = str(self.last[module])
        record = {
            **EMPTY,
            "id": identity,
            "entity": "1",
            "ref": identity,
            "statut": "1",
            "status": "1",
            "array_options": [],
            "date_creation": 1795362055,
            "date_modification": 1795362055,
            **values,
        }
        self.records[module][identity] = record
        return record

    def answer(self, request):
        if not request.path.startswith("/api/index.php/"):
            return Reply(404, "Not Found", "text/html")
        path = request.path.removeprefix("/api/index.php/").rstrip("/").split("/")
        path[0] = path[0].lower()
        try:
            if path == ["status"]:
                return self.told({"success": {"code": 200, "dolibarr_version": "18.0.0", "access_locked": "0"}})
            key = request.headers.get("DOLAPIKEY") or dict(request.query).get("DOLAPIKEY")
            if key != API_KEY:
                raise Error(401, "Unauthorized: Failed to login to API. No user api_key matching")
            if path[0] not in MODULES:
                return Reply(501, "API not found (failed to include API file)", "text/html; charset=UTF-8")
            return self.told(self.route(request, path[0], path[1:]))
        except Error as error:
            return error.reply

    def told(self, value):
        return Reply(200, dumped(value), "application/json; charset=utf-8")

    def route(self, request, module, path):
        match request.method, path:
            case "GET", ["info"] if module == "users":
                return {key: value for key, value in self.user.items() if key not in ("api_key", "pass_crypted")}
            case "GET", [_, "groups"] if module == "users":
                return [{**EMPTY, "id": 1, "entity": 1, "nom": "Commercial", "name": "Commercial"}]
            case "GET", []:
                return self.listing(module, dict(request.query))
            case "GET", ["email", address]:
                return self.first(module, "email", address)
            case "GET", [identity, "bankaccounts"] if module == "thirdparties":
                names = ("id", "label", "bank", "bic", "iban", "socid")
                return [{name: account[name] for name in names} for account in self.live("bankaccounts") if account["socid"] == identity]
            case "GET", [identity]:
                return self.one(module, identity)
            case "POST", []:
                return int(self.create(module, self.needed(module, self.body(request)))["id"])
            case "PUT", [identity]:
                record = self.one(module, identity)
                for name, value in self.body(request).items():
                    if name == "array_options":
                        record[name] = {**(record[name] or {}), **(value or {})}
                    elif name != "id":
                        record[name] = value
                return record
            case "DELETE", [identity]:
                self.one(module, identity)
                del self.records[module][identity]
                return 1 if module == "contacts" else {"success": {"code": 200, "message": "Object deleted"}}
        raise Error(404, "Not Found")

    def body(self, request):
        return dict(request.form()) if request.content_type == "application/x-www-form-urlencoded" else request.json() or {}

    def needed(self, module, values):
        name = {"contacts": "lastname", "thirdparties": "name"}[module]
        if not values.get(name):
            raise Error(400, f"Bad Request: {name} field missing")
        return values

    def one(self, module, identity):
        record = self.find(module, identity)
        if record is None:
            raise Error(404, f"Not Found: {module.rstrip('s').capitalize()} not found")
        return record

    def first(self, module, name, value):
        found = next((record for record in self.live(module) if record.get(name) == value), None)
        return found or self.one(module, "0")

    def listing(self, module, asked):
        known = {
            "sortfield",
            "sortorder",
            "limit",
            "page",
            "sqlfilters",
            "thirdparty_ids",
            "category",
            "mode",
            "includecount",
            "includeroles",
            "properties",
            "status",
            "DOLAPIKEY",
        }
        asked = {name: value for name, value in asked.items() if name in known}  # what Restler does not know, it ignores
        records = [record for record in self.live(module) if chosen(record, asked.get("sqlfilters", ""))]
        if asked.get("thirdparty_ids"):
            records = [record for record in records if record["socid"] in asked["thirdparty_ids"].split(",")]
        field = COLUMNS.get(re.sub(r"^\w+\.", "", asked.get("sortfield", "t.rowid")), re.sub(r"^\w+\.", "", asked.get("sortfield", "t.rowid")))
        records = sorted(
            records,
            key=lambda record: int(record[field]) if field == "id" else str(record.get(field) or ""),
            reverse=asked.get("sortorder", "ASC").upper() == "DESC",
        )
        size, page = int(asked.get("limit") or 100), int(asked.get("page") or 0)
        records = records[page * size : (page + 1) * size]
        if not records:
            raise Error(404, f"Not Found: {module.capitalize()} not found")
        return records


def chosen(record, text):
    """`(t.lastname:like:'Pel%') and (…)`, as Dolibarr reads it: each piece is a comparison, whose text loses its outer
    quotes and is escaped then, whatever is in it; the words between stay SQL."""
    if not text:
        return True

    def judge(piece):
        name, operator, wanted = piece[1].split(".")[-1], piece[2].lower(), piece[3].strip()
        name = COLUMNS.get(name, name)
        known = record if name in record else {name: (record["array_options"] or {}).get(f"options_{name}")} if piece[1].startswith(("te.", "ef.")) else {}
        if name not in known:
            raise Error(503, f"Error when retrieve list: Unknown column '{name}'; {wanted}")
        value, wanted = str(known[name] or "").lower(), re.sub(r"^'(.*)'$", r"\1", wanted).lower()
        tests = {
            "=": value == wanted,
            "!=": value != wanted,
            "<>": value != wanted,
            "like": like(value, wanted),
            "<": value < wanted,
            ">": value > wanted,
            "in": value in [part.strip("' ") for part in wanted.split(",")],
        }
        return str(tests[operator])

    words = re.sub(r"\(([^:'()]+):([^:'()]+):([^()]+)\)", judge, text)
    if not re.fullmatch(r"(?:True|False|and|or|[\s()])+", words, re.IGNORECASE):
        raise Error(503, f"Error when validating parameter sqlfilters -> {text}")
    # Nothing but those words is left: Python reads them as SQL does.
    return eval(words.replace("AND", "and").replace("OR", "or"))


CRM, POLICIES, DIALECTS = Dolibarr, "examples/dolibarr/policy", ["examples/dolibarr/dolibarr.yaml"]
