"""espocrm-mcp-server: tools for an assistant, called here as an assistant calls them."""

import json
import os
import pathlib
import subprocess

from crms.espo import API_KEY
from steps import BASE, IVO, NAMES, NOEL, ODILE, gone, holds, intact, masked, run, same, seen, step, unheard, unseen, wrote

SERVER = pathlib.Path(os.environ["NODE_PATH"]) / "espocrm-mcp-server" / "build" / "index.js"


class Server:
    def __init__(self, key):
        self.process = subprocess.Popen(["node", SERVER, BASE, key], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.number = 0
        self.call("initialize", protocolVersion="2024-11-05", capabilities={}, clientInfo={"name": "driver", "version": "1"})
        self.tell({"method": "notifications/initialized"})

    def tell(self, message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        self.process.stdin.flush()

    def call(self, method, **parameters):
        self.number += 1
        self.tell({"id": self.number, "method": method, "params": parameters})
        for line in self.process.stdout:
            if line.startswith("{") and json.loads(line).get("id") == self.number:
                return json.loads(line)["result"]
        raise AssertionError("the server ended")

    def tool(self, name, **arguments):
        told = self.call("tools/call", name=name, arguments=arguments)
        text = told["content"][0]["text"]
        return (text, True) if told.get("isError") else (json.loads(text), False)

    def close(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait(10)


def tool(name, **arguments):
    value, failed = server.tool(name, **arguments)
    holds(not failed, value)
    return value


def refused(name, of=None, **arguments):
    seen()
    value, failed = server.tool(name, **arguments)
    holds(failed and "EspoCRM API Error" in value, f"not refused: {value}")
    unheard(of)


@step
def login():
    global server
    wrong = Server("wrong")
    holds(wrong.tool("search_records", entityType="Contact", searchParams={})[1], "no error")
    wrong.close()
    server = Server(API_KEY)


@step
def list_():
    global ids
    told = tool("search_records", entityType="Contact", searchParams={"maxSize": 50, "orderBy": "lastName", "order": "asc"})
    ids = {contact["firstName"]: contact["id"] for contact in told["list"]}
    same([contact["lastName"] for contact in told["list"]], NAMES)
    for contact in told["list"]:
        holds("•" in contact["cIban"], "no mask")
        unseen(contact, "cNir", "cReligion")


@step
def read():
    odile = tool("get_record", entityType="Contact", id=ids["Odile"])
    same((odile["lastName"], odile["phoneNumber"]), ("Vasseur", ODILE.phone))
    masked(odile["cIban"], ODILE)


@step
def filter_():
    told = tool(
        "search_records",
        entityType="Contact",
        searchParams={"select": "id,firstName", "where": [{"type": "equals", "attribute": "lastName", "value": "O'Brien"}]},
    )
    same([contact["firstName"] for contact in told["list"]], ["Noël"])
    told = tool("search_records", entityType="Contact", searchParams={"where": [{"type": "in", "attribute": "firstName", "value": ["Ivo", "Lise"]}]})
    same(sorted(contact["firstName"] for contact in told["list"]), ["Ivo", "Lise"])
    refused("search_records", entityType="Contact", searchParams={"where": [{"type": "equals", "attribute": "cIban", "value": NOEL.iban}]})


@step
def create():
    global new
    new = tool("create_record", entityType="Contact", data={"firstName": "Nina", "lastName": "D'Arc"})["id"]
    wrote("Contact", new, firstName="Nina", lastName="D'Arc")


@step
def update():
    whole = tool("get_record", entityType="Contact", id=ids["Ivo"])
    tool("update_record", entityType="Contact", id=ids["Ivo"], data={"phoneNumber": "06 39 98 77 77"})
    refused("update_record", of="update", entityType="Contact", id=ids["Ivo"], data={"cIban": "FR76 1111"})
    tool("update_record", entityType="Contact", id=ids["Ivo"], data={"description": whole["description"] + " Merci."})
    intact("Contact", ids["Ivo"], phoneNumber="06 39 98 77 77", description=IVO.note + " Merci.", cIban=IVO.iban)


@step
def relate():
    firm = tool("search_records", entityType="Account", searchParams={})["list"][0]["id"]
    same(len(tool("get_related_records", entityType="Account", id=firm, link="contacts", searchParams={"maxSize": 10})["list"]) in (2, 3), True)
    same(len(tool("get_related_records", entityType="Account", id=firm, link="contacts")["list"]) in (2, 3), True)


@step
def delete():
    tool("delete_record", entityType="Contact", id=new)
    gone("Contact", new)


try:
    run()
finally:
    server.close()
