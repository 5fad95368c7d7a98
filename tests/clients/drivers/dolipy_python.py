"""dolipy: lists of firms and invoices; sends `{}` with GET."""

import os

from steps import BASE

os.environ["BASE_URL"] = BASE
from dolipy.dolibarr import DolibarrClient
from requests.exceptions import RequestException

from crms.dolibarr import API_KEY
from steps import ODILE, failure, holds, people, refusal, run, same, step


@step
def login():
    global crm
    with failure(RequestException):
        DolibarrClient(api_key="wrong").invoices()
    crm = DolibarrClient(api_key=API_KEY)
    same(crm.call(endpoint="status")["success"]["code"], 200)


@step
def list_():
    same([firm["name"] for firm in crm.third_parties({"limit": 10})], people.FIRMS)
    invoices = crm.invoices()
    same([invoice["total_ttc"] for invoice in invoices], ["120.00", "120.00"])
    holds("RIB" in invoices[0]["note_private"] and "•" in invoices[0]["note_private"], "no mask in the text")


@step
def read():
    same(crm.call(endpoint="contacts/1")["phone_mobile"], ODILE.phone)


@step
def filter_():
    same(
        [firm["name"] for firm in crm.third_parties({"sqlfilters": "(t.nom:like:'Dupont%')", "sortfield": "t.nom", "sortorder": "ASC"})],
        people.FIRMS[1:],
    )
    with refusal(RequestException):
        crm.call(endpoint="contacts", params={"sqlfilters": "(te.iban_perso:like:'FR%')"})


run()
