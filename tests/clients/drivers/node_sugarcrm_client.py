"""node-sugarcrm-client: arguments by name, the password in plain; its log-in calls the second one `application`."""

import json
import pathlib
import subprocess

from steps import BASE, IVO, NAMES, NOEL, ODILE, gone, holds, intact, masked, people, run, same, seen, side, step, unheard, unseen, wrote

node = subprocess.Popen(["node", pathlib.Path(__file__).with_suffix(".js")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def ask(method, **parameters):
    node.stdin.write(json.dumps({"method": method, "parameters": parameters}) + "\n")
    node.stdin.flush()
    line = node.stdout.readline()
    holds(line, "the library crashed")
    return json.loads(line)[0]


def call(method, **parameters):
    return ask(method, session=session, **parameters)


def values(entry):
    return {name: pair["value"] for name, pair in entry["name_value_list"].items()}


def pairs(**values):
    return [{"name": name, "value": value} for name, value in values.items()]


@step
def login():
    global session
    ask("init", apiURL=BASE + "/service/v4_1/rest.php", login=people.USER, passwd=people.PASSWORD)
    session = ask("login")
    holds(isinstance(session, str) and session, f"no session: {session}")
    same(call("get_module_fields", module_name="Contacts", fields=["last_name"])["module_fields"]["last_name"]["name"], "last_name")


@step
def list_():
    global ids
    told = call(
        "get_entry_list",
        module_name="Contacts",
        query="",
        order_by="last_name",
        offset=0,
        select_fields=[],
        link_name_to_fields_array=[],
        max_results=20,
        deleted=0,
    )
    contacts = [values(entry) for entry in told["entry_list"]]
    ids = {contact["first_name"]: contact["id"] for contact in contacts}
    same([contact["last_name"].replace("&#039;", "'") for contact in contacts], NAMES)
    for contact in contacts:
        holds("•" in contact["iban_c"], "no mask")
        unseen(contact, "nir_c", "religion_c")


@step
def read():
    odile = values(call("get_entry", module_name="Contacts", id=ids["Odile"])["entry_list"][0])
    same((odile["last_name"], odile["phone_mobile"]), ("Vasseur", ODILE.phone))
    masked(odile["iban_c"], ODILE)


@step
def filter_():
    told = call(
        "get_entry_list",
        module_name="Contacts",
        query="contacts.last_name like 'Vass%' AND contacts.first_name <> 'Odile'",
        select_fields=["first_name"],
    )
    same([values(entry)["first_name"] for entry in told["entry_list"]], ["Lise"])
    seen()
    holds("number" in call("get_entries_count", module_name="Contacts", query=f"contacts_cstm.iban_c = '{NOEL.iban}'"), "not refused")
    unheard()


@step
def create():
    global new
    new = call("set_entry", module_name="Contacts", name_value_list=pairs(first_name="Nina", last_name="D'Arc"))["id"]
    wrote("Contacts", new, first_name="Nina", last_name="D'Arc")


@step
def update():
    call("set_entry", module_name="Contacts", name_value_list=pairs(id=ids["Ivo"], phone_mobile="06 39 98 77 77"))
    holds("number" in call("set_entry", module_name="Contacts", name_value_list=pairs(id=ids["Ivo"], iban_c="FR76 1111")), "not refused")
    intact("Contacts", ids["Ivo"], phone_mobile="06 39 98 77 77", iban_c=IVO.iban)


@step
def relate():
    firm = call("get_entry_list", module_name="Accounts")["entry_list"][0]["id"]
    same(call("set_relationship", module_name="Accounts", module_id=firm, link_field_name="contacts", related_ids=[new])["created"], 1)
    holds(["Accounts", firm, "contacts", new] in side("links"), "the link did not arrive")


@step
def delete():
    call("set_entry", module_name="Contacts", name_value_list=pairs(id=new, deleted="1"))
    gone("Contacts", new)


run()
node.stdin.close()
node.wait(10)
