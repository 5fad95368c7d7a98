"""SugarCRM's REST API v10 to v11_x, as far as the clients here need it, in its documented shapes."""

import json
import re

from . import people
from .server import Crm, Reply, Request, listed, nested

NOW = "2026-11-02T09:15:00+00:00"
LINKS = {("Accounts", "contacts"): "Contacts", ("Contacts", "accounts"): "Accounts"}
LISTING = {
    "fields",
    "filter",
    "q",
    "order_by",
    "max_num",
    "offset",
    "my_items",
    "favorites",
    "view",
    "filter_id",
    "deleted",
    "erased_fields",
    "nulls_last",
}


class Error(Exception):
    def __init__(self, status, label, text):
        self.reply = Reply(status, json.dumps({"error": label, "error_message": text}))


class Sugar(Crm):
    name = "SugarCRM"

    def __init__(self):
        super().__init__()
        self.records = {"Contacts": {}, "Accounts": {}, "Leads": {}, "Opportunities": {}, "Users": {}}
        self.create(
            "Users",
            {
                "user_name": people.USER,
                "last_name": "Bronsen",
                "first_name": "Sally",
                "email1": "sally@example.org",
                "user_hash": people.OTHER_SECRET,
            },
        )
        firms = [self.create("Accounts", {"name": name, "phone_office": "01 99 00 11 00"}) for name in people.FIRMS]
        for person in people.PEOPLE:
            for module in ("Contacts", "Leads"):
                record = self.create(module, fields_of(person, firms[person.firm] if module == "Contacts" else None))
                if module == "Contacts":
                    self.relate("Accounts", firms[person.firm]["id"], "contacts", record["id"])

    def create(self, module, values):
        record = {"id": self.new_id(), "date_entered": NOW, "date_modified": NOW, "deleted": False, "assigned_user_id": "1", "description": ""}
        record.update(values)
        if "last_name" in record:
            record["name"] = record["full_name"] = f"{record.get('first_name', '')} {record['last_name']}".strip()
        record["_module"] = module
        self.records[module][record["id"]] = record
        return record

    def answer(self, request):
        match = re.fullmatch(r"/rest/v1[01](?:_\d+)?/(.*?)/?", request.path)
        if not match:
            return Reply(404, "<h1>Not Found</h1>", "text/html")
        try:
            value = self.route(request, [part for part in match[1].split("/") if part])
            return Reply(200, json.dumps(value))
        except Error as error:
            return error.reply

    def route(self, request, path):
        if path == ["oauth2", "token"]:
            return self.token(request)
        if path in (["metadata", "public"], ["ping"]) and path[0] != "ping":
            return {"_hash": "1", "config": {}}
        self.session(request)
        if path == ["oauth2", "logout"]:
            self.sessions.pop(self.credential(request))
            return {"success": True}
        if path == ["ping"]:
            return "pong"
        if path == ["me"]:
            return {"current_user": self.me()}
        if path == ["metadata"]:
            return self.metadata(dict(request.query))
        if path == ["bulk"]:
            return [self.part(request, part) for part in request.json()["requests"]]
        if path[0] not in self.records:
            raise Error(404, "not_found", f"Could not find module: {path[0]}")
        return self.records_route(request, path[0], path[1:])

    def records_route(self, request, module, path):
        match request.method, path:
            case "GET", [] | ["filter"]:
                return self.listing(request, self.live(module), nested(request.query))
            case "POST", ["filter"]:
                return self.listing(request, self.live(module), request.json() or {})
            case (("GET" | "POST"), ["count"] | ["filter", "count"]):
                asked = nested(request.query) if request.method == "GET" else request.json() or {}
                return {"record_count": len(self.chosen(self.live(module), asked))}
            case "POST", ["duplicateCheck"]:
                asked = request.json()
                twins = [record for record in self.live(module) if all(record.get(name) == asked.get(name) for name in ("first_name", "last_name"))]
                return {"next_offset": -1, "records": [shown(record) for record in twins]}
            case "GET", ["enum", "lead_source"]:
                return {"": "", "Cold Call": "Cold Call", "Existing Customer": "Existing Customer"}
            case "POST", []:
                return shown(self.create(module, writable(request.json())))
            case "GET", [identity]:
                return shown(self.one(module, identity), nested(request.query).get("fields"))
            case "PUT", [identity]:
                if request.headers.get("X-TIMESTAMP", self.one(module, identity)["date_modified"]) != self.one(module, identity)["date_modified"]:
                    raise Error(409, "edit_conflict", "The record has been modified since you last opened it")
                return self.update(module, identity, request.json() or {})
            case "DELETE", [identity]:
                self.one(module, identity)["deleted"] = True
                return {"id": identity}
            case "POST", [identity, "link"]:
                asked = request.json()
                return self.link(module, identity, asked["link_name"], asked["ids"])
            case "GET", [identity, "link", link, "count"]:
                return {"record_count": len(self.chosen(self.related(module, identity, link, LINKS[module, link]), nested(request.query)))}
            case "GET", [identity, "link", link]:
                return self.listing(request, self.related(module, self.one(module, identity)["id"], link, LINKS[module, link]), nested(request.query))
            case "POST", [identity, "link", link]:
                record = self.create(LINKS[module, link], writable(request.json()))
                told = self.link(module, identity, link, [record["id"]])
                return {"record": told["record"], "related_record": told["related_records"][0]}
            case (("POST" | "PUT"), [identity, "link", link, related]):
                told = self.link(module, identity, link, [related])
                return {"record": told["record"], "related_record": told["related_records"][0]}
            case "DELETE", [identity, "link", link, related]:
                self.links.discard((module, identity, link, related))
                return {"record": shown(self.one(module, identity)), "related_record": shown(self.one(LINKS[module, link], related))}
        raise Error(404, "no_method", "Could not find a route with the given path")

    # ---- sessions ------------------------------------------------------------------------------------------------------

    def token(self, request):
        # A body without a type is read as JSON; a form is one where its type says so.
        asked = dict(request.form()) if request.content_type == "application/x-www-form-urlencoded" else request.json()
        grant = asked.get("grant_type")
        if asked.get("client_id") not in ("sugar", "support_portal"):
            raise Error(400, "invalid_client", "client_id is invalid")
        known = grant == "refresh_token" and str(asked.get("refresh_token", "")).removeprefix("refresh-") in self.sessions
        if not known and (grant, asked.get("username"), asked.get("password")) != ("password", people.USER, people.PASSWORD):
            raise Error(401, "need_login", "You must specify a valid username and password.")
        token = self.new_id()
        self.sessions[token] = people.USER
        return {
            "access_token": token,
            "expires_in": 3600,
            "token_type": "bearer",
            "scope": None,
            "refresh_token": f"refresh-{token}",
            "refresh_expires_in": 1209600,
            "download_token": self.new_id(),
        }

    def credential(self, request):
        return request.headers.get("OAuth-Token") or request.headers.get("Authorization", "").removeprefix("Bearer ")

    def session(self, request):
        if self.credential(request) not in self.sessions:
            raise Error(401, "invalid_grant", "The access token provided is invalid.")

    def me(self):
        return {
            "type": "user",
            "id": "83809b38-2de3-5b61-81d9-cb4225b4f5bc",
            "full_name": "Sally Bronsen",
            "user_name": people.USER,
            "roles": ["Sales"],
            "my_teams": [{"id": "1", "name": "Global"}],
            "preferences": {"language": "fr_FR"},
            "module_list": sorted(self.records),
            "acl": {},
            "is_manager": False,
            "_hash": "1",
        }

    def metadata(self, asked):
        wanted = (asked.get("type_filter") or "modules,full_module_list,server_info").split(",")
        modules = [name for name in (asked.get("module_filter") or ",".join(self.records)).split(",") if name in self.records]
        whole = {
            "modules": {name: {"fields": {field: {"name": field, "type": "varchar"} for field in self.field_names(name)}, "_hash": "1"} for name in modules},
            "full_module_list": {**{name: name for name in self.records}, "_hash": "1"},
            "server_info": {"flavor": "ENT", "version": "13.0.0", "build": "1"},
        }
        return {**{key: whole[key] for key in wanted if key in whole}, "_hash": "1"}

    def field_names(self, module):
        return sorted({name for record in self.records[module].values() for name in record if not name.startswith("_")} | {"description"})

    # ---- records -------------------------------------------------------------------------------------------------------

    def one(self, module, identity):
        record = self.find(module, identity)
        if record is None:
            raise Error(404, "not_found", f"Could not find record: {identity} in module: {module}")
        return record

    def update(self, module, identity, values):
        record = self.one(module, identity)
        record.update(writable(values), date_modified="2026-11-03T10:00:00+00:00")
        return shown(record)

    def link(self, module, identity, link, ids):
        for related in ids:
            self.one(LINKS[module, link], related)
            self.relate(module, identity, link, related)
        return {"record": shown(self.one(module, identity)), "related_records": [shown(self.one(LINKS[module, link], related)) for related in ids]}

    def chosen(self, records, asked):
        if unknown := set(asked) - LISTING - {"_"}:
            raise Error(422, "invalid_parameter", f"unexpected {sorted(unknown)}")
        condition = asked.get("filter")
        condition = listed(json.loads(condition) if isinstance(condition, str) and condition else condition)
        return [record for record in records if matches(record, condition or [])]

    def listing(self, request, records, asked):
        records = self.chosen(records, asked)
        for order in reversed((asked.get("order_by") or "date_modified:desc").split(",")):
            field, _, direction = order.partition(":")
            records = sorted(records, key=lambda record: str(record.get(field, "")), reverse=direction.lower() == "desc")
        start, size = int(asked.get("offset") or 0), int(asked.get("max_num") or 20)
        page = records[start : start + size]
        more = start + size < len(records)
        return {"next_offset": start + size if more else -1, "records": [shown(record, asked.get("fields")) for record in page]}

    def part(self, outer, part):
        target = "/rest/" + part["url"].lstrip("/")
        data = part.get("data", "")
        body = data if isinstance(data, str) else json.dumps(data)
        reply = self.answer(Request(part.get("method", "GET").upper(), target, outer.headers, body.encode()))
        return {"contents": json.loads(reply.body), "headers": [], "status": reply.status}


def fields_of(person, firm):
    values = {
        "salutation": "",
        **person.fields,
        "email": [{"email_address": person.email, "primary_address": True, "invalid_email": False, "opt_out": False}],
        "portal_password": people.OTHER_SECRET,
    }
    return values | ({"account_id": firm["id"], "account_name": firm["name"]} if firm else {"status": "New", "account_name": ""})


def writable(values):
    """What the CRM keeps of a body: what it does not know is dropped without a word."""
    return {name: value for name, value in values.items() if not name.startswith("_") and name not in ("id", "deleted", "fields", "view")}


def shown(record, fields=None):
    names = fields.split(",") if isinstance(fields, str) and fields else fields
    names = [name if isinstance(name, str) else name["name"] for name in listed(names)] if names else None
    kept = {name: value for name, value in record.items() if names is None or name in names or name in ("id", "date_modified", "_module")}
    return {**kept, "_acl": {"fields": {}}}


def matches(record, condition):
    if isinstance(condition, list):
        return all(matches(record, item) for item in condition)
    for name, wanted in condition.items():
        if name in ("$and", "$or"):
            if not (all if name == "$and" else any)(matches(record, item) for item in listed(wanted)):
                return False
        elif name.startswith("$"):
            continue
        elif not all(compare(value_of(record, name), op, want) for op, want in (wanted if isinstance(wanted, dict) else {"$equals": wanted}).items()):
            return False
    return True


def value_of(record, name):
    if name in ("email", "email_addresses.email_address"):
        name = "email1"
    if name not in record and name not in ("phone_work", "title", "department", "date_modified"):
        raise Error(422, "invalid_parameter", f"Could not find field: {name}")
    value = record.get(name)
    return str(int(value)) if isinstance(value, bool) else str(value or "").lower()


def compare(value, operator, wanted):
    many = [str(item).lower() for item in listed(wanted)] if isinstance(wanted, (list, dict)) else []
    one = str(wanted).lower()
    match operator:
        case "$equals":
            return value == one
        case "$not_equals":
            return value != one
        case "$starts":
            return value.startswith(one)
        case "$ends":
            return value.endswith(one)
        case "$contains":
            return one in value
        case "$in":
            return value in many
        case "$not_in":
            return value not in many
        case "$is_null" | "$empty":
            return value == ""
        case "$not_null" | "$not_empty":
            return value != ""
        case "$gt":
            return value > one
        case "$gte":
            return value >= one
        case "$lt":
            return value < one
        case "$lte":
            return value <= one
        case "$between" | "$dateBetween":
            return many[0] <= value <= many[1]
    raise Error(422, "invalid_parameter", f"Unknown operator: {operator}")


CRM, POLICIES, DIALECTS = Sugar, "policies/sugarcrm", ["sugar-rest"]
