"""SuiteCRM's legacy API, `service/v4_1/rest.php`, in the shapes that a SuiteCRM 7 on PHP 8 was seen to have."""

import hashlib
import html
import json
import re
import sqlite3

from . import people
from .server import Crm, Reply

NOW = "2026-11-02 09:15:00"
MODULES = ("Contacts", "Accounts", "Leads", "Users", "Opportunities")
LINKS = {
    ("Contacts", "accounts"): "Accounts",
    ("Accounts", "contacts"): "Contacts",
    ("Contacts", "email_addresses"): "EmailAddresses",
    ("Leads", "email_addresses"): "EmailAddresses",
    ("Users", "aclroles"): "ACLRoles",
    ("Users", "SecurityGroups"): "SecurityGroups",
    ("Opportunities", "contacts"): "Contacts",
    ("Opportunities", "accounts"): "Accounts",
}
ARGUMENTS = {
    "login": "user_auth application_name name_value_list",
    "logout": "session",
    "get_user_id": "session",
    "get_server_info": "",
    "get_available_modules": "session filter",
    "get_module_fields": "session module_name fields",
    "get_entry": "session module_name id select_fields link_name_to_fields_array track_view",
    "get_entries": "session module_name ids select_fields link_name_to_fields_array track_view",
    "get_entry_list": "session module_name query order_by offset select_fields link_name_to_fields_array max_results deleted favorites",
    "get_entries_count": "session module_name query deleted",
    "get_relationships": "session module_name module_id link_field_name related_module_query related_fields related_module_link_name_to_fields_array deleted order_by offset limit",
    "set_entry": "session module_name name_value_list track_view",
    "set_entries": "session module_name name_value_lists",
    "set_relationship": "session module_name module_id link_field_name related_ids name_value_list delete",
    "search_by_module": "session search_string modules offset max_results assigned_user_id select_fields unified_search_only favorites",
}


class Fault(Exception):
    def __init__(self, number, name, description):
        self.told = {"name": name, "number": number, "description": description}


class Broken(Exception):
    """PHP ended: status 500 and nothing else."""


class SuiteV4(Crm):
    name = "SuiteCRM v4_1"

    def __init__(self):
        super().__init__()
        self.records = {module: {} for module in (*MODULES, "EmailAddresses", "ACLRoles", "SecurityGroups")}
        user = self.create("Users", {"user_name": people.USER, "first_name": "Sally", "last_name": "Bronsen", "is_admin": "0", "user_hash": people.OTHER_SECRET})
        self.user = user["id"]
        self.relate("Users", self.user, "aclroles", self.create("ACLRoles", {"name": "Sales"})["id"])
        firms = [self.create("Accounts", {"name": name, "phone_office": "01 99 00 11 00"}) for name in people.FIRMS]
        for person in people.PEOPLE:
            firm = firms[person.firm]
            values = person.fields
            contact = self.create("Contacts", {**values, "account_id": firm["id"], "account_name": firm["name"]})
            self.relate("Accounts", firm["id"], "contacts", contact["id"])
            self.relate("Contacts", contact["id"], "accounts", firm["id"])
            address = self.create("EmailAddresses", {"email_address": person.email, "email_address_caps": person.email.upper()})
            self.relate("Contacts", contact["id"], "email_addresses", address["id"])
            self.relate("Leads", self.create("Leads", values)["id"], "email_addresses", address["id"])

    def create(self, module, values):
        record = {
            "id": self.new_id(),
            "date_entered": NOW,
            "date_modified": NOW,
            "deleted": "0",
            "assigned_user_id": "1",
            "created_by": "1",
            "description": "",
            **values,
        }
        if module in ("Contacts", "Leads", "Users"):
            record.setdefault("phone_work", "")
            record["name"] = record["full_name"] = f"{record.get('first_name', '')} {record.get('last_name', '')}".strip()
        self.records[module][record["id"]] = record
        return record

    # ---- the envelope --------------------------------------------------------------------------------------------------

    def answer(self, request):
        version = re.fullmatch(r"/service/v(2|2_1|3|3_1|4|4_1)/rest\.php", request.path)
        if not version:
            return Reply(404, "Not Found", "text/html")
        given = dict(request.query)
        if request.content_type == "application/x-www-form-urlencoded":
            given |= dict(request.form())
        elif request.content_type == "multipart/form-data":
            given |= multipart(request)
        method = given.get("method", "").lower()
        if not method:
            return Reply(200, "<html><body>SugarCRM Rest</body></html>", "text/html")
        if given.get("input_type", "").upper() != "JSON" or given.get("response_type", "").upper() != "JSON":
            return Reply(200, "Array\n(\n)\n", "text/html; charset=UTF-8")
        try:
            value = older(version[1], self.call(method, json.loads(given.get("rest_data", "null"))))
        except Fault as fault:
            value = fault.told
        except (Broken, sqlite3.Error):
            return Reply(500, "", "text/html; charset=UTF-8")
        except json.JSONDecodeError:
            value = None
        text = json.dumps(value, separators=(",", ":")).replace("/", "\\/")
        return Reply(200, text, "application/json; charset=UTF-8", [("Set-Cookie", "PHPSESSID=" + people.OTHER_SECRET)])

    def call(self, method, given):
        if method not in ARGUMENTS:
            raise Fault("-1", "Unknown Error", "There was an error processing the request")
        names = ARGUMENTS[method].split()
        if isinstance(given, list):
            given = dict(zip(names, given))
        elif isinstance(given, dict) and given and all(key.isdigit() for key in given):
            given = {names[int(key)]: value for key, value in given.items()}
        given = given or {}
        if set(given) - set(names):
            raise Broken
        if method not in ("login", "get_server_info") and given.get("session") not in self.sessions:
            raise Fault(11, "Invalid Session ID", "The session ID is invalid")
        module = given.get("module_name")
        if module is not None and module not in self.records:
            raise Fault(20, "Module Does Not Exist", "This module is not available on this server")
        return getattr(self, method)(**{name: given.get(name) for name in names})

    # ---- sessions ------------------------------------------------------------------------------------------------------

    def login(self, user_auth, application_name, name_value_list):
        user_auth = user_auth or {}
        plain = user_auth.get("encryption") == "PLAIN"
        secret = people.PASSWORD if plain else hashlib.md5(people.PASSWORD.encode()).hexdigest()
        if user_auth.get("user_name") != people.USER or str(user_auth.get("password")).lower() != secret.lower():
            raise Fault(10, "Invalid Login", "Login attempt failed please check the username and password")
        session = self.new_id().replace("-", "")[:26]
        self.sessions[session] = people.USER
        facts = {
            "user_id": self.user,
            "user_name": people.USER,
            "user_language": "en_us",
            "user_is_admin": False,
            "mobile_max_list_entries": None,
            "user_default_dateformat": "m/d/Y",
        }
        return {"id": session, "module_name": "Users", "name_value_list": {name: {"name": name, "value": value} for name, value in facts.items()}}

    def logout(self, session):
        self.sessions.pop(session)

    def get_user_id(self, session):
        return self.user

    def get_server_info(self):
        return {"flavor": "CE", "version": "6.5.25", "gmt_time": NOW}

    def get_available_modules(self, session, filter):
        return {"modules": [{"module_key": name, "module_label": name, "favorite_enabled": True, "acls": [{"action": "list", "access": True}]} for name in MODULES]}

    def get_module_fields(self, session, module_name, fields):
        known = {
            name: {"name": name, "type": "varchar", "group": "", "label": name, "required": 0, "options": [], "default_value": ""} for name in self.names(module_name)
        }
        links = {
            link: {"name": link, "type": "link", "group": "", "relationship": link, "module": target, "bean_name": target}
            for (module, link), target in LINKS.items()
            if module == module_name
        }
        wanted = set(fields or known)
        return {
            "module_name": module_name,
            "table_name": module_name.lower(),
            "module_fields": {name: known[name] for name in known if name in wanted},
            "link_fields": links,
        }

    # ---- reading -------------------------------------------------------------------------------------------------------

    def names(self, module):
        return list(dict.fromkeys(name for record in self.records[module].values() for name in record))

    def chosen(self, module, query, order_by=""):
        """Asks a database that holds the records in the tables that SuiteCRM has."""
        base = sqlite3.connect(":memory:")
        base.create_function("regexp", 2, lambda pattern, value: value is not None and re.search(pattern, value, re.IGNORECASE) is not None)
        table = module.lower()
        names = [name for name in self.names(module) if name not in ("email1",)]
        own, custom = [name for name in names if not name.endswith("_c")], [name for name in names if name.endswith("_c")]
        create_table(base, table, own, self.records[module].values())
        create_table(base, table + "_cstm", ["id_c", *custom], [{"id_c": record["id"], **record} for record in self.records[module].values()])
        addresses = self.records["EmailAddresses"]
        rows = [
            {"bean_id": bean, "bean_module": owner, "email_address_id": address, "deleted": "0", "primary_address": "1"}
            for owner, bean, link, address in self.links
            if link == "email_addresses"
        ]
        create_table(base, "email_addr_bean_rel", ["bean_id", "bean_module", "email_address_id", "deleted", "primary_address"], rows)
        create_table(base, "email_addresses", ["id", "email_address", "email_address_caps", "deleted"], addresses.values())
        text = re.sub(
            r"_utf8mb4\s+0x([0-9a-f]+)",
            lambda found: "'" + bytes.fromhex(found[1]).decode().replace("'", "''") + "'",
            f"({query})" if query else "(1=1)",
            flags=re.IGNORECASE,
        )
        text = re.sub(r"""\\(['"])""", lambda found: found[1] * 2, text)
        order = f" ORDER BY {order_by}" if order_by else ""
        found = base.execute(f"SELECT {table}.id FROM {table} JOIN {table}_cstm ON {table}.id = id_c WHERE {text} AND {table}.deleted = '0'{order}")
        return [self.records[module][row[0]] for row in found]

    def entry(self, module, record, fields, links, nested):
        wanted = fields or self.names(module)
        values = {name: {"name": name, "value": shown(record.get(name, ""))} for name in wanted if name in record or name in self.names(module)}
        told = []
        for link in links or []:
            target = LINKS.get((module, link["name"]))
            rows = [
                {name: {"name": name, "value": shown(row.get(name, ""))} for name in link["value"]}
                for row in (self.related(module, record["id"], link["name"], target) if target else [])
            ]
            told.append({"name": link["name"], "records": [{"link_value": row} for row in rows] if nested else rows})
        return {"id": record["id"], "module_name": module, "name_value_list": values}, {"link_list": told} if nested else told

    def get_entry(self, session, module_name, id, select_fields, link_name_to_fields_array, track_view):
        return self.get_entries(session, module_name, [id], select_fields, link_name_to_fields_array, track_view)

    def get_entries(self, session, module_name, ids, select_fields, link_name_to_fields_array, track_view):
        entries, links = [], []
        for identity in ids:
            record = self.find(module_name, identity)
            if record is None:
                warning = [
                    {"name": "warning", "value": "Access to this object is denied since it has been deleted or does not exist"},
                    {"name": "deleted", "value": "1"},
                ]
                entries.append({"id": identity, "module_name": module_name, "name_value_list": warning})
                continue
            entry, linked = self.entry(module_name, record, select_fields, link_name_to_fields_array, False)
            entries.append(entry)
            links.append(linked)
        return {"entry_list": entries, "relationship_list": links if link_name_to_fields_array else []}

    def get_entry_list(self, session, module_name, query, order_by, offset, select_fields, link_name_to_fields_array, max_results, deleted, favorites):
        records = self.chosen(module_name, query, order_by)
        start, size = int(offset or 0), int(max_results or 0) or 20
        page = records[start : start + size]
        told = [self.entry(module_name, record, select_fields, link_name_to_fields_array, True) for record in page]
        return {
            "result_count": len(page),
            "total_count": str(len(records)),
            "next_offset": start + len(page),
            "entry_list": [entry for entry, _ in told],
            "relationship_list": [links for _, links in told] if link_name_to_fields_array else [],
        }

    def get_entries_count(self, session, module_name, query, deleted):
        return {"result_count": str(len(self.chosen(module_name, query)))}

    def get_relationships(
        self,
        session,
        module_name,
        module_id,
        link_field_name,
        related_module_query,
        related_fields,
        related_module_link_name_to_fields_array,
        deleted,
        order_by,
        offset,
        limit,
    ):
        target = LINKS.get((module_name, link_field_name))
        if target is None:
            raise Fault(20, "Module Does Not Exist", "This module is not available on this server")
        records = self.related(module_name, module_id, link_field_name, target)
        if related_module_query:
            allowed = self.chosen(target, related_module_query)
            records = [record for record in records if record in allowed]
        start = int(offset or 0)
        page = records[start : start + int(limit)] if limit else records[start:]
        told = [self.entry(target, record, related_fields, related_module_link_name_to_fields_array, False) for record in page]
        return {
            "entry_list": [entry for entry, _ in told],
            "relationship_list": [links for _, links in told] if related_module_link_name_to_fields_array else [],
        }

    def search_by_module(self, session, search_string, modules, offset, max_results, assigned_user_id, select_fields, unified_search_only, favorites):
        found = []
        for module in modules:
            rows = [
                record
                for record in self.live(module)
                if search_string.lower().strip("%") in " ".join(str(record.get(name, "")) for name in ("first_name", "last_name", "name", "email1")).lower()
            ]
            found.append(
                {
                    "name": module,
                    "records": [{name: {"name": name, "value": shown(row.get(name, ""))} for name in select_fields or ("id", "name", "phone_work")} for row in rows],
                }
            )
        return {"entry_list": found}

    # ---- writing -------------------------------------------------------------------------------------------------------

    def set_entry(self, session, module_name, name_value_list, track_view):
        values = pairs(name_value_list)
        known = self.find(module_name, values.get("id", ""))
        if values.get("id") and known is None:
            raise Fault(20, "No Records", "No records found")
        if known is None:
            record = self.create(module_name, values)
        else:
            record = known
            record.update(values)
        return {"id": record["id"], "entry_list": {name: {"name": name, "value": shown(value)} for name, value in values.items()}}

    def set_entries(self, session, module_name, name_value_lists):
        return {"ids": [self.set_entry(session, module_name, values, None)["id"] for values in name_value_lists]}

    def set_relationship(self, session, module_name, module_id, link_field_name, related_ids, name_value_list, delete):
        if (module_name, link_field_name) not in LINKS:
            return {"created": 0, "failed": 1, "deleted": 0}
        for related in related_ids:
            entry = (module_name, module_id, link_field_name, related)
            (self.links.discard if delete else self.links.add)(entry)
        return {"created": 0 if delete else 1, "failed": 0, "deleted": 1 if delete else 0}


def older(version, value):
    """Version 2 names its modules and does not count all records."""
    if version.startswith("2") and isinstance(value, dict):
        if "modules" in value:
            return {"modules": [module["module_key"] for module in value["modules"]]}
        return {name: inner for name, inner in value.items() if name != "total_count"}
    return value


def pairs(given):
    """A list of names and values, as a list or as an object."""
    items = given.values() if isinstance(given, dict) and all(isinstance(value, dict) for value in given.values()) else given
    return {item["name"]: item["value"] for item in items} if not isinstance(items, dict) else dict(items)


def shown(value):
    """Texts are HTML in this API: quotes and angles are entities, ampersands are not."""
    return html.escape(value).replace("&#x27;", "&#039;").replace("&amp;", "&") if isinstance(value, str) else value


def create_table(base, name, columns, rows):
    base.execute(f"CREATE TABLE {name} ({', '.join(f'{column} TEXT COLLATE NOCASE' for column in columns)})")
    holes = ", ".join("?" * len(columns))
    base.executemany(f"INSERT INTO {name} VALUES ({holes})", [[row.get(column, "0" if column == "deleted" else None) for column in columns] for row in rows])


def multipart(request):
    """The plain fields of a multipart body."""
    boundary = re.search(r'boundary="?([^";]+)', request.headers["Content-Type"])[1].encode()
    fields = {}
    for part in request.body.split(b"--" + boundary)[1:-1]:
        head, _, value = part.strip(b"\r\n").partition(b"\r\n\r\n")
        fields[re.search(rb'name="([^"]+)"', head)[1].decode()] = value.decode()
    return fields


CRM, POLICIES, DIALECTS = SuiteV4, "examples/suitecrm/policies", ["sugar-v4"]
