"""espo: parameters as PHP's http_build_query writes them."""

from espo import Espo, EspoMethods
from espo.exceptions import EspoError

from crms.espo import API_KEY
from steps import BASE, IVO, NAMES, NOEL, ODILE, failure, gone, holds, intact, masked, refusal, run, same, side, step, unseen, wrote

GET, POST, PUT, PATCH, DELETE = EspoMethods.GET, EspoMethods.POST, EspoMethods.PUT, EspoMethods.PATCH, EspoMethods.DELETE


@step
def login():
    global crm
    with failure(EspoError):
        Espo(BASE, "wrong").request(GET, "Contact")
    crm = Espo(BASE, API_KEY)
    same(crm.request(GET, "App/user")["user"]["userName"], "sally")


@step
def list_():
    global ids
    told = crm.request(GET, "Contact")
    ids = {contact["firstName"]: contact["id"] for contact in told["list"]}
    same((sorted(contact["lastName"] for contact in told["list"]), told["total"]), (NAMES, 5))
    for contact in told["list"]:
        holds("•" in contact["cIban"], "no mask")
        unseen(contact, "cNir", "cReligion")
    page = crm.request(GET, "Contact", {"select": "lastName", "orderBy": "lastName", "order": "desc", "maxSize": 2, "offset": 1})
    same([contact["lastName"] for contact in page["list"]], ["Vasseur", "Terrier"])


@step
def read():
    odile = crm.request(GET, "Contact/" + ids["Odile"])
    same((odile["lastName"], odile["phoneNumber"], odile["emailAddress"]), ("Vasseur", ODILE.phone, ODILE.email))
    masked(odile["cIban"], ODILE)
    with failure(EspoError):
        crm.request(GET, "Contact/000000000000000aa")


@step
def filter_():
    where = [
        {
            "type": "or",
            "value": [
                {"type": "equals", "attribute": "lastName", "value": "O'Brien"},
                {"type": "startsWith", "attribute": "firstName", "value": "Iv"},
            ],
        }
    ]
    same(sorted(contact["firstName"] for contact in crm.request(GET, "Contact", {"where": where})["list"]), ["Ivo", "Noël"])
    same(
        crm.request(GET, "Contact", {"where": [{"type": "in", "attribute": "lastName", "value": ["Vasseur", "Terrier"]}], "maxSize": 1, "select": "id"})["total"],
        3,
    )
    with refusal(EspoError):
        crm.request(GET, "Contact", {"where": [{"type": "equals", "attribute": "cIban", "value": NOEL.iban}]})


@step
def create():
    global new
    new = crm.request(POST, "Contact", {"firstName": "Nina", "lastName": "D'Arc", "emailAddress": "nina@example.org"})["id"]
    wrote("Contact", new, firstName="Nina", lastName="D'Arc")
    with failure(EspoError):
        crm.request(POST, "Contact", {"lastName": "D'Arc", "emailAddress": "nina@example.org"})


@step
def update():
    masked(crm.request(PATCH, "Contact/" + ids["Ivo"], {"phoneNumber": "06 39 98 77 77"})["cIban"], IVO)
    text = crm.request(GET, "Contact/" + ids["Ivo"])["description"]
    crm.request(PUT, "Contact/" + ids["Ivo"], {"description": text + " Merci."})
    with refusal(EspoError, of="update"):
        crm.request(PUT, "Contact/" + ids["Ivo"], {"cIban": "FR76 1111"})
    intact("Contact", ids["Ivo"], phoneNumber="06 39 98 77 77", description=IVO.note + " Merci.", cIban=IVO.iban)


@step
def relate():
    firm = crm.request(GET, "Account")["list"][0]["id"]
    same(crm.request(POST, f"Account/{firm}/contacts", {"id": new}), True)
    holds(["Account", firm, "contacts", new] in side("links"), "the link did not arrive")
    holds(new in [contact["id"] for contact in crm.request(GET, f"Account/{firm}/contacts")["list"]], "not related")


@step
def delete():
    same(crm.request(DELETE, "Contact/" + new), True)
    gone("Contact", new)


run()
