"""pysugarcrm: any path of v10; its log-in says no content type."""

from pysugarcrm import SugarCRM, sugar_api

from steps import BASE, IVO, NAMES, ODILE, failure, get, holds, intact, masked, people, run, same, seen, step, unheard, unseen, wrote


@step
def login():
    global crm
    with failure(ValueError):
        SugarCRM(BASE, people.USER, "wrong")
    with sugar_api(BASE, people.USER, people.PASSWORD) as short:
        same(short.me["current_user"]["user_name"], people.USER)
    holds(short.is_closed, "not logged out")
    crm = SugarCRM(BASE, people.USER, people.PASSWORD)


@step
def list_():
    global ids
    records = crm.get("/Contacts", query_params={"max_num": 20})["records"]
    ids = {record["first_name"]: record["id"] for record in records}
    same(sorted(record["last_name"] for record in records), NAMES)
    for record in records:
        holds("•" in record["iban_c"], "no mask")
        unseen(record, "nir_c", "religion_c", "portal_password")


@step
def read():
    odile = crm.get("/Contacts/" + ids["Odile"])
    same(odile["phone_mobile"], ODILE.phone)
    masked(odile["iban_c"], ODILE)
    same(crm.get("/Contacts/00000000-0000-0000-0000-000000000000")["error"], "not_found")


@step
def filter_():
    found = crm.get("/Contacts", query_params={"filter[0][last_name][$starts]": "Vass", "order_by": "first_name:desc"})
    same([record["first_name"] for record in found["records"]], ["Odile", "Lise"])
    found = crm.post("/Contacts/filter", json={"filter": [{"email1": {"$equals": ODILE.email}}]})
    same([record["first_name"] for record in found["records"]], ["Odile"])
    seen()
    same(get(crm.get("/Contacts", query_params={"filter[0][nir_c][$starts]": "1"}), "error"), "not_authorized")
    unheard()


@step
def create():
    global new
    new = crm.post("/Contacts", json={"first_name": "Nina", "last_name": "D'Arc"})["id"]
    wrote("Contacts", new, first_name="Nina", last_name="D'Arc")


@step
def update():
    told = crm.put("/Contacts/" + ids["Ivo"], json={"phone_mobile": "06 39 98 77 77"})
    masked(told["iban_c"], IVO)
    same(get(crm.put("/Contacts/" + ids["Ivo"], json={"iban_c": told["iban_c"] + " "}), "error"), "not_authorized")
    intact("Contacts", ids["Ivo"], phone_mobile="06 39 98 77 77", iban_c=IVO.iban)


@step
def relate():
    firm = crm.get("/Accounts", query_params={"fields": "name"})["records"][0]["id"]
    told = crm.post(f"/Accounts/{firm}/link", json={"link_name": "contacts", "ids": [new]})
    same(told["related_records"][0]["id"], new)
    holds(new in [record["id"] for record in crm.get(f"/Accounts/{firm}/link/contacts")["records"]], "not related")


run()
