"""zucker's asynchronous side: lists records by bulk requests, six reads each."""

import asyncio

from zucker import AioClient, model
from zucker.exceptions import SugarError, ZuckerException

from steps import BASE, IVO, NAMES, NOEL, ODILE, failure, gone, holds, intact, masked, people, refusal, run, same, step, unseen, wrote

loop = asyncio.new_event_loop()


def waited(function):
    """A step; what the library waits for without end, as after a bulk that failed, is given up."""

    def wait():
        loop.run_until_complete(asyncio.wait_for(function(), 15))

    wait.__name__ = function.__name__
    return step(wait)


client = AioClient(BASE, people.USER, people.PASSWORD)


class Contact(model.AsyncModule, client=client, api_name="Contacts"):
    first_name = model.StringField()
    last_name = model.StringField()
    iban_c = model.StringField()
    nir_c = model.StringField()
    phone_mobile = model.StringField()


@waited
async def login():
    await client.fetch_metadata("server_info")
    wrong = AioClient(BASE, people.USER, "wrong")
    with failure(ZuckerException):
        await wrong.fetch_metadata("server_info")
    await wrong.close()


@waited
async def list_():
    contacts = [contact async for contact in Contact.find()]
    same(sorted(contact.last_name for contact in contacts), NAMES)
    for contact in contacts:
        holds("•" in contact["iban_c"], "no mask")
        unseen(contact._original_data, "nir_c")


@waited
async def read():
    first, second = await client.bulk(Contact.get(Contact.first_name == "Odile"), Contact.get(Contact.first_name == "Ivo"))
    masked(first["iban_c"], ODILE)
    masked(second["iban_c"], IVO)
    await first.refresh()
    same(first.phone_mobile, ODILE.phone)


@waited
async def filter_():
    found = await Contact.get(Contact.last_name == "O'Brien")
    same(found.first_name, "Noël")
    with refusal(SugarError):
        await client.bulk(Contact.get(Contact.iban_c == NOEL.iban))


@waited
async def create():
    global new
    new = Contact(first_name="Nina", last_name="D'Arc")
    await new.save()
    wrote("Contacts", new["id"], first_name="Nina", last_name="D'Arc")


@waited
async def update():
    ivo = await Contact.get(Contact.first_name == "Ivo")
    ivo.phone_mobile = "06 39 98 77 77"
    await client.bulk(ivo.save())
    intact("Contacts", ivo["id"], phone_mobile="06 39 98 77 77", iban_c=IVO.iban)
    ivo.iban_c = "FR76 1111"
    with refusal(SugarError, of="update"):
        await client.bulk(ivo.save())


@waited
async def delete():
    identity = new["id"]
    await new.delete()
    gone("Contacts", identity)


run()
loop.run_until_complete(client.close())
