"""SuiteCRM's JSON:API V8, in the shapes that a SuiteCRM 7.13 was seen to have; strict as that is."""

import base64
import json
import re

from . import people
from .server import Crm, Reply, like, nested

NOW = "2026-11-02T09:15:00+01:00"
MODULES = {
    "Contacts": "Contact",
    "Accounts": "Account",
    "Leads": "Lead",
    "Users": "User",
    "ACLRoles": "ACLRole",
    "SecurityGroups": "SecurityGroup",
    "Opportunities": "Opportunity",
}
LINKS = {
    ("Contacts", "accounts"): "Accounts",
    ("Accounts", "contacts"): "Contacts",
    ("Users", "aclroles"): "ACLRoles",
    ("Users", "SecurityGroups"): "SecurityGroups",
}
JSON_API = "application/vnd.api+json"
OPERATORS = {
    "EQ": lambda value, wanted: value == wanted,
    "NEQ": lambda value, wanted: value != wanted,
    "GT": lambda value, wanted: value > wanted,
    "GTE": lambda value, wanted: value >= wanted,
    "LT": lambda value, wanted: value < wanted,
    "LTE": lambda value, wanted: value <= wanted,
    "LIKE": like,
}
CLIENT, SECRET = "11111111-aaaa-4aaa-8aaa-000000000002", "cc-secret-1"


class Error(Exception):
    def __init__(self, detail, status=400):
        self.reply = Reply(status, dumped({"errors": {"status": status, "title": None, "detail": detail}}))


def dumped(value):
    return json.dumps(value, indent=4, ensure_ascii=False)


class SuiteV8(Crm):
    name = "SuiteCRM V8"

    def __init__(self):
        super().__init__()
        self.records = {module: {} for module in MODULES}
        self.user = self.create(
            "Users",
            {"user_name": people.USER, "first_name": "Sally", "last_name": "Bronsen", "is_admin": "0", "authenticate_id": people.OTHER_SECRET},
        )["id"]
        self.relate("Users", self.user, "aclroles", self.create("ACLRoles", {"name": "Sales"})["id"])
        firms = [self.create("Accounts", {"name": name, "phone_office": "01 99 00 11 00"}) for name in people.FIRMS]
        for person in people.PEOPLE:
            firm = firms[person.firm]
            values = person.fields
            contact = self.create("Contacts", {**values, "account_id": firm["id"], "account_name": firm["name"]})
            self.relate("Accounts", firm["id"], "contacts", contact["id"])
            self.relate("Contacts", contact["id"], "accounts", firm["id"])

    def create(self, module, values):
        record = {
            "id": self.new_id(),
            "date_entered": NOW,
            "date_modified": NOW,
            "deleted": "0",
            "created_by": "1",
            "assigned_user_id": "1",
            "description": "",
            **values,
        }
        if "last_name" in record:
            record["name"] = record["full_name"] = f"{record.get('first_name', '')} {record['last_name']}".strip()
        self.records[module][record["id"]] = record
        return record

    def answer(self, request):
        # SuiteCRM 8 has the same below /legacy.
        match = re.fullmatch(r"(?:/legacy)?/Api/(?:index\.php/)?(.*)", request.path)
        if match and match[1] == "access_token" and request.method == "POST":
            return self.token(request)
        if not match or not match[1].startswith("V8/"):
            return Reply(404, "<html><head><title>Page Not Found</title></head></html>", "text/html;charset=UTF-8")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.sessions:
            return Reply(
                401,
                json.dumps(
                    {
                        "error": "access_denied",
                        "message": "The resource owner or authorization server denied the request.",
                        "hint": "The JWT string must have two dots",
                    }
                ),
            )
        try:
            reply = self.route(request, match[1].split("/")[1:])
        except Error as error:
            return error.reply
        if reply is None:
            return Reply(404, "<html><head><title>Page Not Found</title></head></html>", "text/html;charset=UTF-8")
        status, value = reply
        return Reply(status, dumped(value), JSON_API)

    def token(self, request):
        if request.content_type in ("application/json", JSON_API):
            asked = request.json() or {}
        else:
            asked = dict(request.form())
        if "Authorization" in request.headers and "client_id" not in asked:
            asked["client_id"], _, asked["client_secret"] = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode().partition(":")
        if (asked.get("client_id"), asked.get("client_secret")) != (CLIENT, SECRET):
            return Reply(
                401,
                json.dumps({"error": "invalid_client", "message": "Client authentication failed"}),
                "application/json",
                [("WWW-Authenticate", 'Basic realm="OAuth"')],
            )
        grant = asked.get("grant_type")
        if grant == "password" and (asked.get("username"), asked.get("password")) != (people.USER, people.PASSWORD):
            return Reply(500, json.dumps({"error": "unknown_error", "message": f"The password is invalid: {asked.get('password')}"}))
        if grant not in ("password", "client_credentials", "refresh_token"):
            return Reply(
                400,
                json.dumps({"error": "unsupported_grant_type", "message": "The authorization grant type is not supported by the authorization server."}),
            )
        token = f"eyJ0eXAiOiJKV1QifQ.{self.new_id()}.c2ln"
        self.sessions[token] = people.USER
        told = {"token_type": "Bearer", "expires_in": 3600, "access_token": token}
        return Reply(
            200,
            json.dumps(told if grant == "client_credentials" else {**told, "refresh_token": "refresh-" + token}),
            "application/json; charset=UTF-8",
        )

    def route(self, request, path):
        asked = nested(request.query)
        match request.method, path:
            case "POST", ["logout"]:
                self.sessions.pop(request.headers["Authorization"].partition(" ")[2])
                return 200, {"meta": {"message": "You have been successfully logged out"}, "data": []}
            case "GET", ["current-user"]:
                return 200, {"data": self.shown("Users", self.records["Users"][self.user], None)}
            case "GET", ["meta", "modules"]:
                return 200, {"data": {"type": "modules", "attributes": {name: {"label": name, "access": ["access", "view", "list"]} for name in MODULES}}}
            case "GET", ["meta", "fields", module]:
                names = {name: {"type": "varchar", "dbType": "varchar"} for record in self.records[self.module(module)].values() for name in record}
                return 200, {"data": {"type": "fields", "attributes": names}}
            case "GET", ["module", module]:
                return 200, self.listing(self.module(module), self.live(self.module(module)), asked)
            case "GET", ["module", module, identity]:
                self.only(asked, {"fields"})
                return 200, {"data": self.shown(self.module(module), self.one(module, identity), asked.get("fields"))}
            case (("POST" | "PATCH"), ["module"]):
                return 201, {"data": self.write(request)}
            case "DELETE", ["module", module, identity]:
                self.one(module, identity)["deleted"] = "1"
                return 200, {"meta": {"message": f"Record with id {identity} is deleted"}, "data": []}
            case "GET", ["module", module, identity, "relationships", link]:
                self.only(asked, {"filter", "sort", "page"})
                module = self.module(module)
                self.one(module, identity)
                if (module, link) not in LINKS:
                    raise Error(f"Cannot load relationship {link} for {MODULES[module]} module")
                target = LINKS[module, link]
                return 200, self.listing(target, self.related(module, identity, link, target), asked)
            case "POST", ["module", module, identity, "relationships", *link]:
                return 201, self.join(self.module(module), identity, link, request.json())
            case "DELETE", ["module", module, identity, "relationships", link, related]:
                self.links.discard((self.module(module), identity, link, related))
                return 200, {
                    "meta": {"message": f"Relationship has been deleted between {module} with id {identity} and {link} with id {related}"},
                    "data": [],
                }

    def only(self, asked, names):
        if unknown := set(asked) - names:
            raise Error(f'The option "{min(unknown)}" does not exist. Defined options are: "fields", "filter", "page", "sort".')

    def module(self, name):
        found = name if name in MODULES else next((module for module, bean in MODULES.items() if bean == name), None)
        if found is None:
            raise Error(f"Module {name} does not exist")
        return found

    def one(self, module, identity):
        record = self.find(self.module(module), identity)
        if record is None:
            raise Error(f"{module} module with id {identity} is not found")
        return record

    def shown(self, module, record, fields):
        names = fields.get(module, "").split(",") if fields else [name for name in record if name != "id"]
        for name in names:
            if name not in {name for each in self.records[module].values() for name in each}:
                raise Error(f"The following field in {MODULES[module]} module is not found: {name}")
        links = {target: {"links": {"related": f"V8/module/{module}/{record['id']}/relationships/{link}"}} for (owner, link), target in LINKS.items() if owner == module}
        attributes = {name: escaped(record.get(name, "")) for name in names}
        return {"type": MODULES[module], "id": record["id"], "attributes": attributes or [], "relationships": links}

    def listing(self, module, records, asked):
        self.only(asked, {"fields", "filter", "sort", "page"})
        records = [record for record in records if self.matches(module, record, asked.get("filter") or {})]
        sort = asked.get("sort", "")
        if sort:
            records = sorted(records, key=lambda record: str(record.get(sort.lstrip("-"), "")), reverse=sort.startswith("-"))
        size, number = int(asked.get("page", {}).get("size", 20)), int(asked.get("page", {}).get("number", 1))
        page = records[(number - 1) * size : number * size]
        told = {"data": [self.shown(module, record, asked.get("fields")) for record in page]}
        if "size" in asked.get("page", {}):
            told = {"meta": {"total-pages": -(-len(records) // size), "records-on-this-page": len(page)}, **told}
        return told

    def matches(self, module, record, condition):
        if not isinstance(condition, dict):
            raise Error("Filter must be an array")
        joined = all if condition.get("operator", "and").lower() == "and" else any
        found = []
        for name, comparisons in condition.items():
            if name == "operator":
                continue
            if not isinstance(comparisons, dict):
                raise Error(f"Filter field {name} must be an array")
            if name.endswith("_c") or name == "email1":
                raise Error("Database failure. Please refer to suitecrm.log for details.")
            for operator, wanted in comparisons.items():
                if operator.upper() not in OPERATORS:
                    raise Error(f"Filter operator {operator} is invalid")
                found.append(OPERATORS[operator.upper()](str(record.get(name, "")).lower(), wanted.lower()))
        return joined(found) if found else True

    def write(self, request):
        if request.content_type not in ("application/json", JSON_API):
            raise Error('The required option "data" is missing.')
        data = (request.json() or {}).get("data")
        if not isinstance(data, dict) or "type" not in data:
            raise Error('The required option "data" is missing.')
        module, attributes = self.module(data["type"]), dict(data.get("attributes") or {})
        if request.method == "PATCH":
            record = self.one(module, data.get("id"))
            record.update(attributes)
        else:
            if "id" in data and data["id"] in self.records[module]:
                raise Error(f"Bean {module} with id {data['id']} is already exist")
            record = self.create(module, attributes | ({"id": data["id"]} if "id" in data else {}))
        return self.shown(module, record, None)

    def join(self, module, identity, link, body):
        target = self.module(body["data"]["type"])
        related = body["data"]["id"]
        name = link[0] if link else next((name for (owner, name), to in LINKS.items() if (owner, to) == (module, target)), None)
        self.one(module, identity), self.one(target, related)
        if (module, name) not in LINKS:
            raise Error(f"Cannot find relationship between {module} and {target}")
        self.relate(module, identity, name, related)
        return {"meta": {"message": f"{MODULES[target]} with id {related} has been added to {MODULES[module]} with id {identity}"}, "data": []}


def escaped(value):
    return value.replace("'", "&#039;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;") if isinstance(value, str) else value


CRM, POLICIES, DIALECTS = SuiteV8, "examples/suitecrm/policies", ["suitecrm-v8"]
