"""zucker: records as objects, filters in brackets; logs in with a form, at an address with a slash behind it."""

from zucker import RequestsClient, model
from zucker.exceptions import SugarError, ZuckerException

from steps import BASE, IVO, NAMES, NOEL, ODILE, failure, gone, holds, intact, masked, people, refusal, run, same, step, stored, unseen, wrote

client = RequestsClient(BASE, people.USER, people.PASSWORD)


class Contact(model.SyncModule, client=client, api_name="Contacts"):
    first_name = model.StringField()
    last_name = model.StringField()
    iban_c = model.StringField()
    nir_c = model.StringField()
    religion_c = model.StringField()
    description = model.StringField()
    phone_mobile = model.StringField()


class Account(model.SyncModule, client=client, api_name="Accounts"):
    name = model.StringField()
    contacts = model.RelatedField(Contact, "contacts")


@step
def login():
    client.fetch_metadata("server_info", "full_module_list")
    holds("Contacts" in client, "no metadata")
    with failure(ZuckerException):
        RequestsClient(BASE, people.USER, "wrong").fetch_metadata("server_info")


@step
def list_():
    contacts = list(Contact.find())
    same(sorted(contact.last_name for contact in contacts), NAMES)
    for contact in contacts:
        holds("•" in contact["iban_c"], "no mask")
        unseen(contact._original_data, "nir_c", "religion_c")


@step
def read():
    odile = Contact.find(Contact.last_name == "Vasseur", Contact.first_name == "Odile")[0]
    masked(odile["iban_c"], ODILE)
    odile.refresh()
    same(odile.phone_mobile, ODILE.phone)
    masked(odile["iban_c"], ODILE)
    holds("RIB" in odile.description and "•" in odile.description, "no mask in the text")
    same(Contact.get_by_id(odile["id"]).last_name, "Vasseur")


@step
def filter_():
    same([contact.first_name for contact in Contact.find(Contact.last_name == "O'Brien")], ["Noël"])
    same(len(Contact.find((Contact.last_name == "Vasseur") | (Contact.first_name == "Ivo"))), 3)
    same([contact.first_name for contact in Contact.find(Contact.last_name.starts_with("dag"))], ["Ivo"])
    same(len(Contact.find(~(Contact.last_name == "Vasseur"))), 3)
    with refusal(SugarError):
        list(Contact.find(Contact.iban_c == NOEL.iban))


@step
def create():
    global new
    new = Contact(first_name="Nina", last_name="D'Arc")
    new.save()
    wrote("Contacts", new["id"], first_name="Nina", last_name="D'Arc")


@step
def update():
    ivo = Contact.find(Contact.first_name == "Ivo")[0]
    ivo.phone_mobile = "06 39 98 77 77"
    ivo.save()
    intact("Contacts", ivo["id"], phone_mobile="06 39 98 77 77", iban_c=IVO.iban, nir_c=IVO.nir)
    masked(ivo["iban_c"], IVO)
    ivo.iban_c = "FR76 1111"
    with refusal(SugarError, of="update"):
        ivo.save()


@step
def relate():
    firm = Account.get(Account.name == people.FIRMS[1])
    same(sorted(contact.first_name for contact in firm.contacts), ["Ivo", "Lise", "Maud"])


@step
def delete():
    identity = new["id"]
    new.delete()
    gone("Contacts", identity)
    holds(stored("Contacts", identity) is not None, "it never was there")


run()
