"""EspoCRM's REST API, as far as the clients here need it, in the shapes that an EspoCRM 8 was seen to have."""

import base64
import json
import re
import secrets

from . import people
from .server import Crm, Reply, like, listed, nested

NOW = "2026-11-02 09:15:00"
ENTITIES = ("Contact", "Account", "Lead", "Opportunity", "Case", "Task", "Call", "Meeting", "User", "Team")
LINKS = {("Account", "contacts"): "Contact", ("Contact", "accounts"): "Account", ("Contact", "account"): "Account"}
API_KEY = "b1f0c2d3e4a5968778695a4b3c2d1e0f"
SEARCH = {
    "select",
    "attributeSelect",
    "where",
    "whereGroup",
    "offset",
    "maxSize",
    "orderBy",
    "order",
    "sortBy",
    "asc",
    "primaryFilter",
    "boolFilterList",
    "textFilter",
    "searchParams",
    "maxTextAttributeLength",
}


class Error(Exception):
    """A status and a reason in a header; the body is empty unless one is given."""

    def __init__(self, status, reason, body="", kind="text/html; charset=UTF-8"):
        self.reply = Reply(status, body, kind, [("X-Status-Reason", reason)])


class Espo(Crm):
    name = "EspoCRM"

    def __init__(self):
        super().__init__()
        self.records = {entity: {} for entity in ENTITIES}
        self.user = self.create("User", {"userName": people.USER, "firstName": "Sally", "lastName": "Bronsen", "type": "regular", "apiKey": people.OTHER_SECRET})["id"]
        firms = [self.create("Account", {"name": name}) for name in people.FIRMS]
        for person in people.PEOPLE:
            contact = self.create("Contact", {"accountId": firms[person.firm]["id"], "accountName": firms[person.firm]["name"], **fields_of(person)})
            self.relate("Account", firms[person.firm]["id"], "contacts", contact["id"])
            self.create("Lead", fields_of(person))

    def new_id(self):
        return secrets.token_hex(9)[:17]

    def create(self, entity, values):
        record = {
            "id": self.new_id(),
            "deleted": False,
            "createdAt": NOW,
            "modifiedAt": NOW,
            "createdById": "5f0c9be1a2b3c4d5e",
            "createdByName": "Admin",
            "description": None,
            **values,
        }
        if "lastName" in record:
            record["name"] = f"{record.get('firstName') or ''} {record['lastName']}".strip()
        self.records[entity][record["id"]] = record
        return record

    def answer(self, request):
        if not request.path.startswith("/api/v1/"):
            return Reply(404, "<!doctype html><html></html>", "text/html; charset=UTF-8")
        try:
            self.authenticate(request)
            path = request.path.removeprefix("/api/v1/").split("/")
            return Reply(200, json.dumps(self.route(request, path)))
        except Error as error:
            return error.reply

    def authenticate(self, request):
        given = request.headers.get("Espo-Authorization") or request.headers.get("Authorization", "").removeprefix("Basic ")
        if request.headers.get("X-Api-Key") == API_KEY:
            return
        try:
            if given and base64.b64decode(given).decode() == f"{people.USER}:{people.PASSWORD}":
                return
        except ValueError:
            pass
        raise Error(401, "")

    def route(self, request, path):
        if path == ["App", "user"]:
            shown = {key: value for key, value in self.records["User"][self.user].items() if key != "apiKey"}
            return {
                "user": {**shown, "teamsIds": ["team1"], "teamsNames": {"team1": "Sales"}, "defaultTeamId": "team1"},
                "acl": {"table": {"Contact": {"read": "all"}}},
                "preferences": {"dateFormat": "DD.MM.YYYY"},
                "token": None,
                "settings": {},
            }
        if path == ["Metadata"]:
            return {"entityDefs": {entity: {"fields": {}} for entity in ENTITIES}}
        entity = next((name for name in ENTITIES if name.lower() == path[0].lower()), None)
        if entity is None:
            raise Error(404, "Controller '" + path[0] + "' does not exist.")
        match request.method, path[1:]:
            case "GET", []:
                return self.listing(self.live(entity), request)
            case "POST", []:
                return self.add(entity, request)
            case "GET", [identity]:
                return self.one(entity, identity)
            case (("PUT" | "PATCH"), [identity]):
                record = self.one(entity, identity)
                record.update(self.body(request))
                return record
            case "DELETE", [identity]:
                self.one(entity, identity)["deleted"] = True
                return True
            case "GET", [identity, link] if (entity, link) in LINKS:
                return self.listing(self.related(entity, identity, link, LINKS[entity, link]), request)
            case (("POST" | "DELETE"), [identity, link]) if (entity, link) in LINKS:
                asked = self.body(request)
                if not (asked.get("ids") or asked.get("id")):
                    raise Error(400, "")
                for related in asked.get("ids") or [asked["id"]]:
                    entry = (entity, identity, link, related)
                    (self.links.add if request.method == "POST" else self.links.discard)(entry)
                return True
        raise Error(404, "Route not found.")

    def body(self, request):
        try:
            return dict(request.form()) if request.content_type == "application/x-www-form-urlencoded" else request.json() or {}
        except json.JSONDecodeError:
            raise Error(500, "Syntax error") from None

    def one(self, entity, identity):
        record = self.find(entity, identity)
        if record is None:
            raise Error(404, "Record does not exist.")
        return record

    def add(self, entity, request):
        values = self.body(request)
        twins = [record for record in self.live(entity) if values.get("emailAddress") and record.get("emailAddress") == values["emailAddress"]]
        if twins and request.headers.get("X-Skip-Duplicate-Check", "").lower() not in ("true", "1"):
            raise Error(409, "duplicate", json.dumps(twins), "application/json")
        if entity in ("Contact", "Lead") and not values.get("lastName"):
            told = {"messageTranslation": {"label": "validationFailure", "scope": None, "data": {"field": "lastName", "type": "required"}}}
            raise Error(400, "Field validation failure; entityType: " + entity, json.dumps(told), "application/json")
        return self.create(entity, values)

    def listing(self, records, request):
        asked = nested(request.query)
        if "searchParams" in asked:
            asked |= json.loads(asked["searchParams"])
        if unknown := set(asked) - SEARCH - {"_"}:
            raise Error(400, f"unexpected {sorted(unknown)}")
        for item in listed(asked.get("where") or asked.get("whereGroup") or []):
            records = [record for record in records if matches(record, item)]
        order = asked.get("orderBy") or asked.get("sortBy") or "createdAt"
        down = asked.get("order", "asc").lower() in ("desc", "true") or asked.get("asc") == "false"
        records = sorted(records, key=lambda record: str(record.get(order) or ""), reverse=down)
        size, start = int(asked.get("maxSize") or 200), int(asked.get("offset") or 0)
        if size > 200:
            raise Error(403, "Max size should not exceed 200. Use offset and limit.")
        names = asked.get("select") or asked.get("attributeSelect")
        page = [project(record, names) for record in records[start : start + size]]
        return {"total": -1 if request.headers.get("X-No-Total") else len(records), "list": page}


def fields_of(person):
    return {
        "salutationName": None,
        "firstName": person.first,
        "lastName": person.last,
        "emailAddress": person.email,
        "phoneNumber": person.phone,
        "emailAddressData": [{"emailAddress": person.email, "lower": person.email, "primary": True, "optOut": False, "invalid": False}],
        "phoneNumberData": [{"phoneNumber": person.phone, "primary": True, "type": "Mobile", "optOut": False, "invalid": False}],
        "description": person.note,
        "cIban": person.iban,
        "cNir": person.nir,
        "cReligion": person.belief,
    }


def project(record, names):
    wanted = names.split(",") if isinstance(names, str) else listed(names)
    return {name: value for name, value in record.items() if not wanted or name in wanted or name == "id"}


def matches(record, item):
    kind, wanted = item["type"], item.get("value")
    if kind in ("and", "or"):
        return (all if kind == "and" else any)(matches(record, each) for each in listed(wanted))
    name = item.get("attribute") or item.get("field")
    if name not in record:
        raise Error(400, f"Not existing attribute '{name}'.")
    value = str(record[name] or "").lower()
    many = [str(each).lower() for each in listed(wanted)] if isinstance(wanted, (list, dict)) else []
    one = str(wanted).lower()
    tests = {
        "equals": lambda: value == one,
        "notEquals": lambda: value != one,
        "in": lambda: value in many,
        "notIn": lambda: value not in many,
        "startsWith": lambda: value.startswith(one),
        "endsWith": lambda: value.endswith(one),
        "contains": lambda: one in value,
        "notContains": lambda: one not in value,
        "like": lambda: like(value, one),
        "greaterThan": lambda: value > one,
        "lessThan": lambda: value < one,
        "isNull": lambda: value == "",
        "isNotNull": lambda: value != "",
    }
    if kind not in tests:
        raise Error(400, f"Bad where item type '{re.sub('[^A-Za-z]', '', kind)}'.")
    return tests[kind]()


CRM, POLICIES, DIALECTS = Espo, "examples/espocrm/policy", ["examples/espocrm/espocrm.yaml"]
