"""dolibarr: deletes with a body, and repeats the id of the path in it."""

from dolibarr import Dolibarr

from crms.dolibarr import API_KEY
from steps import BASE, IVO, NAMES, ODILE, get, gone, holds, intact, masked, run, same, seen, step, unheard, unseen, wrote

URL = BASE + "/api/index.php/"


def error(told):
    return get(get(told, "error"), "code")


@step
def login():
    global crm
    same(error(Dolibarr(URL, "wrong").call_list_api("contacts")), 401)
    crm = Dolibarr(URL, API_KEY)
    same(crm.call_get_api("users", "info")["login"], "sally")


@step
def list_():
    global ids
    contacts = crm.call_list_api("contacts", {"limit": 10, "sortfield": "t.lastname", "sortorder": "ASC"})
    ids = {contact["firstname"]: contact["id"] for contact in contacts}
    same([contact["lastname"] for contact in contacts], NAMES)
    for contact in contacts:
        holds("•" in contact["array_options"]["options_iban_perso"], "no mask")
        unseen(contact["array_options"], "options_nir", "options_religion")
    same([contact["lastname"] for contact in crm.call_list_api("contacts", {"limit": 2, "page": 2, "sortfield": "t.lastname"})], NAMES[4:])
    same(error(crm.call_list_api("contacts", {"limit": 2, "page": 3})), 404)


@step
def read():
    odile = crm.call_get_api("contacts", ids["Odile"])
    same((odile["lastname"], odile["phone_mobile"]), ("Vasseur", ODILE.phone))
    masked(odile["array_options"]["options_iban_perso"], ODILE)
    same(error(crm.call_get_api("contacts", 999)), 404)
    same(error(crm.call_list_api("orders")), 404)


@step
def filter_():
    found = crm.call_list_api("contacts", {"sqlfilters": "(t.lastname:like:'Vass%') and (t.firstname:=:'Lise')"})
    same([contact["firstname"] for contact in found], ["Lise"])
    same(error(crm.call_list_api("contacts", {"sqlfilters": "(t.lastname:=:'Personne')"})), 404)
    seen()
    same(error(crm.call_list_api("contacts", {"sqlfilters": "(te.iban_perso:like:'FR%')"})), 403)
    unheard()
    same(error(crm.get_orders_by_status(1)), 404)


@step
def create():
    global new
    new = crm.call_create_api("contacts", {"firstname": "Nina", "lastname": "D'Arc"})
    wrote("contacts", new, firstname="Nina", lastname="D'Arc")


@step
def update():
    crm.call_update_api("contacts", ids["Ivo"], {"phone_mobile": "06 39 98 77 77"})
    same(error(crm.call_update_api("contacts", ids["Ivo"], {"array_options": {"options_iban_perso": "FR76 1111"}})), 403)
    intact(
        "contacts",
        ids["Ivo"],
        phone_mobile="06 39 98 77 77",
        array_options={"options_nir": IVO.nir, "options_iban_perso": IVO.iban, "options_religion": IVO.belief},
    )


@step
def delete():
    same(crm.call_delete_api("contacts", new), 1)
    gone("contacts", new)


run()
