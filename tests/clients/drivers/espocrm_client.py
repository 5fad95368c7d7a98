"""espocrm-client: an id of its own on each request. Its filters lose their values on the way and are left out here."""

import logging

from espocrm import EspoCRMClient
from espocrm.auth import APIKeyAuth
from espocrm.config import ClientConfig
from espocrm.exceptions import EspoCRMError

from crms.espo import API_KEY
from steps import BASE, IVO, NAMES, ODILE, failure, gone, holds, intact, masked, refusal, run, same, step, unseen, wrote

logging.disable(logging.CRITICAL)


def connect(key):
    return EspoCRMClient(BASE, APIKeyAuth(key), ClientConfig(base_url=BASE, api_key=key, max_retries=0))


def data(response):
    entity = response.get_entity() if hasattr(response, "get_entity") else response
    return entity.model_dump() if hasattr(entity, "model_dump") else entity


@step
def login():
    global crm
    with failure(EspoCRMError):
        connect("0" * 32).get("App/user")
    crm = connect(API_KEY)
    holds(crm.test_connection(), "no connection")


@step
def list_():
    global ids
    contacts = crm.get("Contact")["data"]  # its own `list_entities` gives the number only
    same(crm.list_entities("Contact").total, 5)
    ids = {contact["firstName"]: contact["id"] for contact in contacts}
    same(sorted(contact["lastName"] for contact in contacts), NAMES)
    for contact in contacts:
        holds("•" in contact["cIban"], "no mask")
        unseen(contact, "cNir", "cReligion")
    page = crm.get("Contact", {"maxSize": 2, "offset": 2, "orderBy": "lastName", "order": "asc", "select": "lastName"})
    same([contact["lastName"] for contact in page["data"]], NAMES[2:4])


@step
def read():
    odile = data(crm.get_entity("Contact", ids["Odile"]))
    same((odile["lastName"], odile["phoneNumber"]), ("Vasseur", ODILE.phone))
    masked(odile["cIban"], ODILE)
    with failure(EspoCRMError):
        crm.get_entity("Contact", "000000000000000aa")


@step
def create():
    global new
    new = data(crm.create_entity("Contact", {"firstName": "Nina", "lastName": "Darc"}))["id"]
    wrote("Contact", new, firstName="Nina", lastName="Darc")


@step
def update():
    crm.update_entity("Contact", ids["Ivo"], {"phoneNumber": "06 39 98 77 77"})
    text = data(crm.get_entity("Contact", ids["Ivo"]))["description"]
    crm.update_entity("Contact", ids["Ivo"], {"description": text + " Merci."}, partial=False)
    with refusal(EspoCRMError, of="update"):
        crm.update_entity("Contact", ids["Ivo"], {"cIban": "FR76 1111"})
    intact("Contact", ids["Ivo"], phoneNumber="06 39 98 77 77", description=IVO.note + " Merci.", cIban=IVO.iban)


@step
def delete():
    holds(crm.delete_entity("Contact", new), "not deleted")
    gone("Contact", new)


run()
