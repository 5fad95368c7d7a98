"""sugarcrm-25-api: lists by POST, links, bulk writes."""

import pathlib

from steps import BASE, IVO, NAMES, NOEL, ODILE, failure, gone, holds, intact, masked, people, refusal, run, same, side, step, unseen, wrote

env = pathlib.Path(".env")
env.write_text(f"SUGAR_URL={BASE}\nSUGAR_PLATFORM=api\nSUGAR_USERNAME={people.USER}\nSUGAR_PASSWORD=wrong\n")
import sugarcrm_25_api as sugar


@step
def login():
    with failure(sugar.SugarError):
        sugar.SugarClient().login()
    env.write_text(env.read_text().replace("wrong", people.PASSWORD))
    same(sugar.ping(), {"ping": "pong", "user": people.USER})
    holds("Contacts" in sugar.modules() and "last_name" in sugar.fields("Contacts"), "no metadata")
    side("end-sessions")
    same(sugar.me()["current_user"]["user_name"], people.USER)


@step
def list_():
    global ids
    records = sugar.list_records("Contacts")["records"]
    ids = {record["first_name"]: record["id"] for record in records}
    same(sorted(record["last_name"] for record in records), NAMES)
    for record in records:
        holds("•" in record["iban_c"], "no mask")
        unseen(record, "nir_c", "religion_c", "portal_password")
    page = sugar.list_records("Contacts", fields=["last_name"], max_num=3, offset=3, order_by="last_name:asc")
    same(([record["last_name"] for record in page["records"]], page["next_offset"]), (NAMES[3:], -1))


@step
def read():
    masked(sugar.get_record("Contacts", ids["Odile"])["iban_c"], ODILE)
    same(sugar.get_record("Contacts", ids["Odile"], fields="phone_mobile")["phone_mobile"], ODILE.phone)


@step
def filter_():
    found = sugar.list_records("Contacts", {"last_name": {"$in": ["O'Brien", "Daguin"]}}, fields=["first_name"], order_by="first_name:asc")
    same([record["first_name"] for record in found["records"]], ["Ivo", "Noël"])
    with refusal(sugar.SugarError):
        sugar.list_records("Contacts", {"iban_c": NOEL.iban})


@step
def create():
    global new
    new = sugar.create_record("Contacts", {"first_name": "Nina", "last_name": "D'Arc"})["id"]
    wrote("Contacts", new, first_name="Nina", last_name="D'Arc")
    done = sugar.bulk_create("Contacts", [{"last_name": "Un"}, {"last_name": "Deux"}], progress=False)
    same((done["succeeded"], done["failed"]), (2, 0))


@step
def update():
    sugar.update_record("Contacts", ids["Ivo"], {"phone_mobile": "06 39 98 77 77"})
    done = sugar.bulk_update("Contacts", [{"id": ids["Noël"], "phone_mobile": "06 39 98 88 88"}], progress=False)
    same(done["succeeded"], 1)
    intact("Contacts", ids["Ivo"], phone_mobile="06 39 98 77 77", iban_c=IVO.iban)
    intact("Contacts", ids["Noël"], phone_mobile="06 39 98 88 88", iban_c=NOEL.iban)
    with refusal(sugar.SugarError, of="update"):
        sugar.update_record("Contacts", ids["Ivo"], {"iban_c": "FR76 1111"})


@step
def relate():
    firm = sugar.list_records("Accounts")["records"][0]["id"]
    client = sugar.default_client()
    same(client.relate("Accounts", firm, "contacts", new)["related_record"]["id"], new)
    holds(["Accounts", firm, "contacts", new] in side("links"), "the link did not arrive")
    client.unrelate("Accounts", firm, "contacts", new)
    holds(["Accounts", firm, "contacts", new] not in side("links"), "the link is still there")


@step
def delete():
    sugar.delete_record("Contacts", new)
    gone("Contacts", new)
    same(sugar.bulk_delete("Contacts", {"last_name": {"$in": ["Un", "Deux"]}}, dry_run=False, progress=False)["deleted"], 2)


run()
