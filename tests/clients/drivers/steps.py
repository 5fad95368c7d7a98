"""What every driver uses: its steps are run in order and told one by one, as lines of JSON."""

import contextlib
import json
import os
import traceback
import urllib.request

from crms import people

BASE = os.environ.get("CLIENT_BASE", "")  # where the client finds its CRM: the proxy
CRM = os.environ.get("CLIENT_CRM", "")  # the scripted CRM's side door
ORDER = ["login", "list", "read", "filter", "create", "update", "relate", "delete"]
ODILE, NOEL, MAUD, IVO, LISE = people.PEOPLE
NAMES = sorted(person.last for person in people.PEOPLE)
steps = {}


def step(function):
    steps[function.__name__.strip("_")] = function
    return function


class Deviation(AssertionError):
    pass


def same(actual, expected, what="value"):
    if actual != expected:
        raise Deviation(f"{what}: {actual!r} instead of {expected!r}")


def holds(condition, what):
    if not condition:
        raise Deviation(what)


def get(record, name):
    return record.get(name) if isinstance(record, dict) else getattr(record, name, None)


def masked(value, person):
    """The last digits of an account are shown, and not the others."""
    text = "".join(str(value).split())
    holds(text.endswith(person.iban[-4:]) and text != person.iban and "•" in text, f"no mask: {value!r}")


def unseen(record, *names):
    """Absent or without a value."""
    for name in names:
        holds(get(record, name) in (None, ""), f"{name} is seen")


@contextlib.contextmanager
def failure(error):
    """The library says so in its own way."""
    try:
        yield
    except error:
        return
    raise Deviation("no error")


@contextlib.contextmanager
def refusal(error, of=None):
    """A failure, of which the CRM heard nothing; of a write it may have been asked what it would change."""
    seen()
    with failure(error):
        yield
    unheard(of)


def unheard(of=None):
    heard = [request for request in seen() if not (of == "update" and is_look_up(request))]
    same(heard, [], "the CRM heard")


def is_look_up(request):
    return request["method"] == "GET" or "method=get_entry&" in request["body"]


def side(*path):
    with urllib.request.urlopen("/".join((CRM + "/-", *path)), timeout=10) as reply:
        return json.load(reply)


def seen():
    return side("seen")


def stored(module, identity):
    return side("record", module, str(identity))


def wrote(module, identity, **values):
    """The CRM has these values, as they were sent."""
    record = stored(module, identity)
    holds(record is not None, f"{module}/{identity} did not arrive")
    same({name: record.get(name) for name in values}, values, f"{module} in the CRM")


def intact(module, identity, **values):
    """Nothing overwrote these, no mask either."""
    wrote(module, identity, **values)
    holds("•" not in json.dumps(stored(module, identity), ensure_ascii=False), "a mask was written")


def gone(module, identity):
    record = stored(module, identity)
    holds(record is None or record.get("deleted") in (True, "1", 1), f"{module}/{identity} is still there")


def run():
    print(json.dumps({"planned": [name for name in ORDER if name in steps]}), flush=True)
    failed_login = False
    for name in ORDER:
        if name not in steps:
            continue
        result = {"step": name, "ok": False}
        if failed_login:
            result["error"] = "no session"
        else:
            try:
                steps[name]()
                result["ok"] = True
            except Exception as error:  # noqa: BLE001  whatever a library throws is its step's result
                trace = traceback.extract_tb(error.__traceback__)
                place = [frame for frame in trace if "drivers" in frame.filename and not frame.filename.endswith(("steps.py", "replay.py"))]
                result["error"] = f"{type(error).__name__}: {error}"[:2500] + (f" (line {place[-1].lineno})" if place else "")
            except SystemExit as error:
                result["error"] = f"the library ended the program: {error}"
        failed_login = failed_login or (name == "login" and not result["ok"])
        print("\n" + json.dumps(result, ensure_ascii=False), flush=True)
