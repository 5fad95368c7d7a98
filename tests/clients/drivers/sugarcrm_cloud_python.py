"""sugarcrm-cloud-python: Leads and Contacts, an address with a slash behind the id, `null` for what is not asked."""

from sugarcrm_cloud.client import Client
from sugarcrm_cloud.exception import SugarApiExceptionNeedLogin, SugarApiExceptionNotAuthorized

from steps import BASE, NAMES, NOEL, ODILE, failure, holds, masked, people, refusal, run, same, step, unseen, wrote

client = Client(BASE, "8.3")


@step
def login():
    with failure(SugarApiExceptionNeedLogin):
        client.get_token(people.USER, "wrong")
    tokens = client.get_token(people.USER, people.PASSWORD)
    client.set_access_token(client.refresh_token(tokens["refresh_token"])["access_token"])
    same(client.me()["current_user"]["user_name"], people.USER)
    holds("last_name" in client.get_metadata("Contacts")["modules"]["Contacts"]["fields"], "no metadata")


@step
def list_():
    for records in (client.get_contacts()["records"], client.get_leads(params={"max_num": 20, "fields": "last_name,iban_c,nir_c"})["records"]):
        same(sorted(record["last_name"] for record in records), NAMES)
        for record in records:
            holds("•" in record["iban_c"], "no mask")
            unseen(record, "nir_c", "religion_c", "portal_password")


@step
def read():
    for all_, one in ((client.get_contacts, client.get_contact), (client.get_leads, client.get_lead)):
        identity = next(record["id"] for record in all_()["records"] if record["first_name"] == "Odile")
        odile = one(identity)
        same((odile["last_name"], odile["phone_mobile"]), ("Vasseur", ODILE.phone))
        masked(odile["iban_c"], ODILE)


@step
def filter_():
    found = client.filter_contacts([{"last_name": {"$starts": "O'B"}}], max_num=5, fields="first_name,iban_c")
    same([record["first_name"] for record in found["records"]], ["Noël"])
    masked(found["records"][0]["iban_c"], NOEL)
    found = client.filter_leads([{"$or": [{"first_name": "Ivo"}, {"last_name": "Vasseur"}]}], order_by="first_name:asc", max_num=2)
    same(([record["first_name"] for record in found["records"]], found["next_offset"]), (["Ivo", "Lise"], 2))
    with refusal(SugarApiExceptionNotAuthorized):
        client.filter_contacts([{"iban_c": {"$starts": "FR"}}])


@step
def create():
    for create_, module in ((client.create_contact, "Contacts"), (client.create_lead, "Leads")):
        new = create_({"first_name": "Nina", "last_name": "D'Arc"})
        wrote(module, new["id"], first_name="Nina", last_name="D'Arc")
        with refusal(SugarApiExceptionNotAuthorized):
            create_({"last_name": "D'Arc", "iban_c": NOEL.iban})


run()
