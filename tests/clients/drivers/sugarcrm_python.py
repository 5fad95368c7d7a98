"""sugarcrm-python: the method stands in the query too (`rest.php?login`)."""

from sugarcrm.client import Client
from sugarcrm.exception import InvalidLogin, UnknownError

from steps import BASE, IVO, NAMES, NOEL, ODILE, failure, gone, holds, intact, masked, people, refusal, run, same, side, step, unseen, wrote


def values(entry):
    return {name: pair["value"] for name, pair in entry["name_value_list"].items()}


@step
def login():
    global crm
    with failure(InvalidLogin):
        Client(BASE, people.USER, "wrong")
    crm = Client(BASE, people.USER, people.PASSWORD)
    holds("Contacts" in [module["module_key"] for module in crm.get_available_modules()["modules"]], "no modules")
    holds("last_name" in crm.get_module_fields("Contacts")["module_fields"], "no fields")


@step
def list_():
    global ids
    told = crm.get_entry_list("Contacts")
    contacts = [values(entry) for entry in told["entry_list"]]
    ids = {contact["first_name"]: contact["id"] for contact in contacts}
    same(sorted(contact["last_name"].replace("&#039;", "'") for contact in contacts), NAMES)
    for contact in contacts:
        holds("•" in contact["iban_c"], "no mask")
        unseen(contact, "nir_c", "religion_c")
    page = crm.get_entry_list(
        "Contacts",
        order_by="contacts.last_name DESC",
        offset=1,
        max_results=2,
        select_fields=["last_name"],
        link_name_to_fields_array={"accounts": ["name"]},
    )
    same([values(entry)["last_name"] for entry in page["entry_list"]], ["Vasseur", "Terrier"])
    same(page["relationship_list"][0]["link_list"][0]["name"], "accounts")


@step
def read():
    odile = values(crm.get_entry("Contacts", ids["Odile"], select_fields=["last_name", "iban_c", "phone_mobile"])["entry_list"][0])
    same((odile["last_name"], odile["phone_mobile"]), ("Vasseur", ODILE.phone))
    masked(odile["iban_c"], ODILE)
    same(len(crm.get_entries("Contacts", [ids["Odile"], ids["Ivo"]])["entry_list"]), 2)


@step
def filter_():
    found = crm.get_entry_list("Contacts", query="contacts.last_name LIKE 'O\\'B%' OR contacts.first_name IN ('Ivo', 'Maud')")
    same(sorted(values(entry)["first_name"] for entry in found["entry_list"]), ["Ivo", "Maud", "Noël"])
    same(crm.get_entries_count("Contacts", query="contacts.last_name = 'Vasseur'"), {"result_count": "2"})
    with refusal(UnknownError):
        crm.get_entry_list("Contacts", query=f"contacts_cstm.iban_c = '{NOEL.iban}'")


@step
def create():
    global new
    new = crm.set_entry("Contacts", {"first_name": "Nina", "last_name": "D'Arc"})["id"]
    wrote("Contacts", new, first_name="Nina", last_name="D'Arc")


@step
def update():
    crm.set_entry("Contacts", {"id": ids["Ivo"], "phone_mobile": "06 39 98 77 77"})
    intact("Contacts", ids["Ivo"], phone_mobile="06 39 98 77 77", iban_c=IVO.iban)
    with refusal(UnknownError, of="update"):
        crm.set_entry("Contacts", {"id": ids["Ivo"], "iban_c": "FR76 1111"})


@step
def relate():
    firm = crm.get_entry_list("Accounts")["entry_list"][0]["id"]
    same(crm.set_relationship("Accounts", firm, "contacts", [new])["created"], 1)
    holds(["Accounts", firm, "contacts", new] in side("links"), "the link did not arrive")
    told = crm.get_relationships("Accounts", firm, "contacts", "", ["last_name", "iban_c"], [])
    holds(new in [entry["id"] for entry in told["entry_list"]], "not related")
    same(crm.set_relationship("Accounts", firm, "contacts", [new], delete=1)["deleted"], 1)


@step
def delete():
    crm.set_entry("Contacts", {"id": new, "deleted": 1})
    gone("Contacts", new)


run()
