"""PySuiteCRM: client credentials over oauthlib, `Content-Type: application/json` on everything, brackets in queries, its own UUIDs."""

import os

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # the log-in lies on loopback, without TLS
from PySuiteCRM import SuiteCRM

from crms.suite_v8 import CLIENT, SECRET
from steps import BASE, IVO, NAMES, ODILE, failure, gone, holds, intact, masked, run, same, seen, side, step, unheard, unseen, wrote

URL = BASE + "/Api/V8"


@step
def login():
    global crm
    with failure(SystemExit):  # this is how it says so
        SuiteCRM.SuiteCRM(CLIENT, "wrong", URL)
    SuiteCRM.SuiteCRM(CLIENT, SECRET, URL)._logout()
    crm = SuiteCRM.SuiteCRM(CLIENT, SECRET, URL)


@step
def list_():
    told = crm.request(f"{URL}/module/Contacts?page[number]=1&page[size]=20", "get")
    same(told["meta"]["total-pages"], 1)
    contacts = [record["attributes"] for record in told["data"]]
    same(sorted(contact["last_name"].replace("&#039;", "'") for contact in contacts), NAMES)
    for contact in contacts:
        holds("•" in contact["iban_c"], "no mask")
        unseen(contact, "nir_c", "religion_c")
    holds("last_name" in crm.Contacts.fields(), "no fields")
    same(sorted(crm.Contacts.get_all(record_per_page=2))[:2], ["data", "data"])


@step
def read():
    global ids
    ids = {name: crm.Contacts.get(fields=["first_name"], first_name=name)[0]["id"] for name in ("Odile", "Ivo")}
    (odile,) = crm.Contacts.get(first_name="Odile")
    same(odile["attributes"]["phone_mobile"], ODILE.phone)
    masked(odile["attributes"]["iban_c"], ODILE)


@step
def filter_():
    found = crm.Contacts.get(fields=["first_name", "last_name"], sort="first_name", last_name="Vasseur")
    same([record["attributes"]["first_name"] for record in found], ["Odile", "Lise"])
    found = crm.Contacts.get(fields=["first_name"], last_name={"operator": "<>", "value": "Vasseur"})
    same(sorted(record["attributes"]["first_name"] for record in found), ["Ivo", "Maud", "Noël"])
    seen()
    with failure(KeyError):
        crm.Contacts.get(fields=["first_name"], nir_c="1")
    unheard()


@step
def create():
    global new
    new = crm.Contacts.create(first_name="Nina", last_name="D'Arc")["data"]["id"]
    wrote("Contacts", new, first_name="Nina", last_name="D'Arc")


@step
def update():
    told = crm.Contacts.update(ids["Ivo"], phone_mobile="06 39 98 77 77")
    masked(told["data"]["attributes"]["iban_c"], IVO)
    seen()
    holds("errors" in crm.Contacts.update(ids["Ivo"], iban_c="FR76 1111"), "not refused")
    unheard(of="update")
    intact("Contacts", ids["Ivo"], phone_mobile="06 39 98 77 77", iban_c=IVO.iban)


@step
def relate():
    firm = crm.Accounts.get(fields=["name"], name="Dupont et Filles")[0]["id"]
    holds("errors" not in crm.Accounts.create_relationship(firm, "Contacts", new), "not related")
    holds(["Accounts", firm, "contacts", new] in side("links"), "the link did not arrive")
    related = crm.Accounts.get_relationship(firm, "Contacts")["data"]
    holds(new in [record["id"] for record in related], "not related")
    crm.Accounts.delete_relationship(firm, "Contacts", new)
    holds(["Accounts", firm, "contacts", new] not in side("links"), "the link is still there")


@step
def delete():
    crm.Contacts.delete(new)
    gone("Contacts", new)


run()
