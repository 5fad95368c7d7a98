"""sugarcrm: arguments by position, queries in SQL made from objects."""

import sugarcrm

from steps import BASE, IVO, NAMES, NOEL, ODILE, failure, holds, intact, masked, people, refusal, run, same, side, step, unseen, wrote


class Account(sugarcrm.SugarObject):
    """The library has no firms, and lets whoever uses it add modules."""

    module = "Accounts"


URL = BASE + "/service/v4_1/rest.php"


@step
def login():
    global session
    with failure((KeyError, sugarcrm.SugarError)):
        sugarcrm.Session(URL, people.USER, "wrong")
    session = sugarcrm.Session(URL, people.USER, people.PASSWORD)
    holds("Contacts" in [module.module_key for module in session.get_available_modules()], "no modules")


@step
def list_():
    global ids
    contacts = session.get_entry_list(sugarcrm.Contact())
    ids = {contact.first_name: contact.id for contact in contacts}
    same(sorted(contact.last_name for contact in contacts), NAMES)
    for contact in contacts:
        holds("•" in contact.iban_c, "no mask")
        unseen(contact, "nir_c", "religion_c")
    same(session.get_entries_count(sugarcrm.Contact()), 5)
    page = session.get_entry_list(sugarcrm.Contact(), fields=["last_name"], order_by="last_name", max_results=2, offset=2)
    same([contact.last_name for contact in page], NAMES[2:4])
    firms = session.get_entry_list(Account(), links={"contacts": ["last_name", "iban_c"]})
    people_of = [contact for firm in firms for contact in firm.contacts]
    same(sorted(contact.last_name for contact in people_of), NAMES)
    holds(all("•" in contact.iban_c for contact in people_of), "no mask behind a link")


@step
def read():
    odile = session.get_entry("Contacts", ids["Odile"], links={"email_addresses": ["email_address"], "accounts": ["name"]})
    same((odile.last_name, odile.phone_mobile, odile.email1), ("Vasseur", ODILE.phone, ODILE.email))
    masked(odile.iban_c, ODILE)
    same((odile.email_addresses[0].email_address, odile.accounts[0].name), (ODILE.email, people.FIRMS[0]))
    same(len(session.get_entries("Contacts", [ids["Odile"], ids["Ivo"]])), 2)
    same(session.get_entry("Contacts", "00000000-0000-0000-0000-000000000000"), None)


@step
def filter_():
    same([contact.first_name for contact in session.get_entry_list(sugarcrm.Contact(last_name="Dag%"))], ["Ivo"])
    same([contact.last_name for contact in session.get_entry_list(sugarcrm.Contact(first_name="Lise", last_name="Vasseur"))], ["Vasseur"])
    same(session.get_entries_count(sugarcrm.Contact(last_name="Vasseur")), 2)
    with refusal((KeyError, sugarcrm.SugarError)):
        session.get_entry_list(sugarcrm.Contact(iban_c=NOEL.iban))


@step
def create():
    global new
    new = session.set_entry(sugarcrm.Contact(first_name="Nina", last_name="D'Arc"))
    wrote("Contacts", new.id, first_name="Nina", last_name="D'Arc")


@step
def update():
    session.set_entry(sugarcrm.Contact(id=ids["Ivo"], phone_mobile="06 39 98 77 77"))
    intact("Contacts", ids["Ivo"], phone_mobile="06 39 98 77 77", iban_c=IVO.iban)
    whole = session.get_entry("Contacts", ids["Noël"])
    whole.phone_mobile = "06 39 98 88 88"
    session.set_entry(whole)  # all that was read goes back, masks too
    intact("Contacts", ids["Noël"], phone_mobile="06 39 98 88 88", iban_c=NOEL.iban, nir_c=NOEL.nir, description=NOEL.note)
    with refusal((KeyError, sugarcrm.SugarError), of="update"):
        session.set_entry(sugarcrm.Contact(id=ids["Ivo"], iban_c="FR76 1111"))


@step
def relate():
    firm = session.get_entry_list(Account())[0]
    child = sugarcrm.Contact(id=new.id)
    same(session.set_relationship(firm, child)["created"], 1)
    holds(["Accounts", firm.id, "contacts", new.id] in side("links"), "the link did not arrive")
    same(session.set_relationship(firm, child, delete=True)["deleted"], 1)


run()
