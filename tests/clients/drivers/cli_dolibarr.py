"""cli-dolibarr: a command line; to change one field it writes back all that it read."""

import json
import pathlib
import subprocess
import sys

from crms.dolibarr import API_KEY
from steps import BASE, IVO, NAMES, ODILE, gone, holds, intact, masked, people, run, same, seen, step, unheard, unseen, wrote

COMMAND = pathlib.Path(sys.executable).with_name("cli-dolibarr")


def call(*arguments, key=API_KEY, good=True):
    done = subprocess.run(
        [COMMAND, "--url", BASE + "/api/index.php", "--api-key", key, "--json", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    holds((done.returncode == 0) == good, f"ended with {done.returncode}: {(done.stdout + done.stderr)[-300:]}")
    return json.loads(done.stdout) if good else done.stderr


@step
def login():
    holds("Error:" in call("contacts", "list", key="wrong", good=False), "no error")


@step
def list_():
    global ids
    contacts = call("contacts", "list", "--sortfield", "t.lastname")
    ids = {contact["firstname"]: contact["id"] for contact in contacts}
    same([contact["lastname"] for contact in contacts], NAMES)
    for contact in contacts:
        holds("•" in contact["array_options"]["options_iban_perso"], "no mask")
        unseen(contact["array_options"], "options_nir", "options_religion")
    same([firm["name"] for firm in call("thirdparties", "list")], people.FIRMS)


@step
def read():
    odile = call("contacts", "get", ids["Odile"])
    same((odile["lastname"], odile["phone_mobile"]), ("Vasseur", ODILE.phone))
    masked(odile["array_options"]["options_iban_perso"], ODILE)
    same(call("contacts", "email", ODILE.email)["firstname"], "Odile")
    holds("Error:" in call("contacts", "get", 999, good=False), "no error")


@step
def filter_():
    same(
        [contact["firstname"] for contact in call("contacts", "list", "--filter", "(t.fk_soc:=:1)", "--properties", "id,firstname,lastname")],
        ["Odile", "Noël"],
    )
    seen()
    holds("Error:" in call("contacts", "list", "--filter", "(te.iban_perso:like:'FR%')", good=False), "not refused")
    unheard()


@step
def create():
    global new
    new = call("contacts", "create", "--firstname", "Nina", "--lastname", "D'Arc", "--fk_soc", 1)
    wrote("contacts", new, firstname="Nina", lastname="D'Arc")


@step
def update():
    call("contacts", "update", ids["Ivo"], "--set", "phone_mobile=06 39 98 77 77")
    intact(
        "contacts",
        ids["Ivo"],
        phone_mobile="06 39 98 77 77",
        note_private=IVO.note,
        array_options={"options_nir": IVO.nir, "options_iban_perso": IVO.iban, "options_religion": IVO.belief},
    )
    holds(
        "Error:" in call("contacts", "update", ids["Ivo"], "--data", '{"array_options": {"options_iban_perso": "FR76 1111"}}', good=False),
        "not refused",
    )


@step
def delete():
    call("contacts", "delete", new)
    gone("contacts", new)


run()
