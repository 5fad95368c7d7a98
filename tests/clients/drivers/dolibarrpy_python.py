"""dolibarrpy: filters as dataclasses, pages until the end."""

from dolibarrpy import Dolibarrpy
from dolibarrpy.Dolibarrpy import ContactFilter, DolibarrListError, ThirdpartyFilter, UserFilter

from crms.dolibarr import API_KEY
from steps import BASE, IVO, NAMES, ODILE, failure, get, holds, intact, masked, people, refusal, run, same, step, unseen, wrote

URL = BASE + "/api/index.php/"


@step
def login():
    global crm
    with failure(DolibarrListError):
        Dolibarrpy(URL, "wrong", 16, False).find_all_contacts()
    crm = Dolibarrpy(URL, API_KEY, 16, False)


@step
def list_():
    global ids
    contacts = crm.find_all_contacts(ContactFilter(limit=3))
    ids = {contact["firstname"]: contact["id"] for contact in contacts}
    same(sorted(contact["lastname"] for contact in contacts), NAMES)
    for contact in contacts:
        holds("•" in contact["array_options"]["options_iban_perso"], "no mask")
        unseen(contact["array_options"], "options_nir", "options_religion")
    same([firm["name"] for firm in crm.find_some_thirdparty(ThirdpartyFilter(limit=5, mode=1))], people.FIRMS)
    holds("sally" in [user["login"] for user in crm.find_some_users(UserFilter(limit=5))], "no users")


@step
def read():
    odile = crm.get_contact_by_cid(ids["Odile"])
    same((odile["lastname"], odile["phone_mobile"]), ("Vasseur", ODILE.phone))
    masked(odile["array_options"]["options_iban_perso"], ODILE)
    same(crm.get_contact_by_email(ODILE.email)["firstname"], "Odile")
    same(crm.get_thirdparty_by_tid(1)["name"], people.FIRMS[0])
    masked(crm.get_thirdparties_bankaccounts_by_tid(1)[0]["iban"], ODILE)
    same(get(crm.get_contact_by_cid(999)["error"], "code"), 404)
    same(crm.get_status()["success"]["code"], 200)


@step
def filter_():
    found = crm.find_all_contacts(ContactFilter(sqlfilters="(t.lastname:=:'O'Brien') or (t.firstname:like:'Iv%')", sortfield="t.firstname", sortorder="DESC"))
    same([contact["firstname"] for contact in found], ["Noël", "Ivo"])
    same(sorted(contact["firstname"] for contact in crm.find_all_contacts(ContactFilter(thirdparty_ids="2"))), ["Ivo", "Lise", "Maud"])
    with refusal(DolibarrListError):
        crm.find_all_contacts(ContactFilter(sqlfilters="(te.iban_perso:like:'FR%')"))


@step
def create():
    new = crm.create_thirdparties({"name": "Chez D'Arc", "client": "1"})
    wrote("thirdparties", new, name="Chez D'Arc")


@step
def update():
    crm.update_contact_by_cid(ids["Ivo"], {"phone_mobile": "06 39 98 77 77"})
    same(get(crm.update_contact_by_cid(ids["Ivo"], {"array_options": {"options_iban_perso": "FR76 1111"}})["error"], "code"), 403)
    intact(
        "contacts",
        ids["Ivo"],
        phone_mobile="06 39 98 77 77",
        array_options={"options_nir": IVO.nir, "options_iban_perso": IVO.iban, "options_religion": IVO.belief},
    )


run()
