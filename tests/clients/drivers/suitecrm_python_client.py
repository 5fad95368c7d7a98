"""SuitecrmPythonClient: SuiteCRM 8, whose API lies below `/legacy`."""

from PythonAPIClientBase import APIClientException
from SuitecrmPythonClient import SuitecrmApiClient

from crms.suite_v8 import CLIENT, SECRET
from steps import BASE, NAMES, NOEL, ODILE, failure, holds, masked, refusal, run, same, side, step, unseen, wrote

client = SuitecrmApiClient(BASE)


@step
def login():
    global session, modules
    with failure(Exception):  # it has no error of its own for that
        client.getLoginSessionBasedOnClientIdAndSecret(CLIENT, "wrong")
    session = client.getLoginSessionBasedOnClientIdAndSecret(CLIENT, SECRET)
    modules = client.getModules(session)
    holds("last_name" in modules["Contacts"].getFields(session), "no fields")


@step
def read():
    records = [
        modules["Contacts"].getRecordById(session, identity).getInitialData()["attributes"]
        for module, _, link, identity in side("links")
        if (module, link) == ("Accounts", "contacts")
    ]
    same(sorted(record["last_name"].replace("&#039;", "'") for record in records), NAMES)
    odile = next(record for record in records if record["first_name"] == "Odile")
    same(odile["phone_mobile"], ODILE.phone)
    masked(odile["iban_c"], ODILE)
    unseen(odile, "nir_c", "religion_c")
    with failure(APIClientException):
        modules["Contacts"].getRecordById(session, "00000000-0000-0000-0000-000000000000")


@step
def create():
    new = modules["Contacts"].createRecord(session, {"first_name": "Nina", "last_name": "D'Arc"})
    wrote("Contacts", new.getId(), first_name="Nina", last_name="D'Arc")
    with refusal(APIClientException):
        modules["Contacts"].createRecord(session, {"last_name": "D'Arc", "iban_c": NOEL.iban})


run()
