"""What the parts play on: a CRM, Paravent in front of it, callers, and the access log."""

import contextlib
import http.client
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

from world import ROOT, Demo, ask, end, free_port, log_in

CALLERS = 6
PATIENCE = 120
USERS = ("sally", "fanny", "sam", "dora")


class Missing(Exception):
    """Something that a part needs is not there."""


def needs(program):
    """Where everything must be tried, what the distribution has is installed."""
    if shutil.which(program) is None and os.environ.get("CI") and shutil.which("apt-get"):
        command = ["apt-get", "install", "--yes", "--no-install-recommends", program]
        subprocess.run(command, check=False, capture_output=True, timeout=300)
    if shutil.which(program) is None:
        raise Missing(f"`{program}` is not installed")


class Crm:
    """The CRM, and sessions of it, which outlive the proxy."""

    def __init__(self, binary, folder):
        self.binary, self.folder = binary, folder
        self.demo = Demo(str(binary), folder)
        self.url = self.demo.crm

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.demo.close()


class Reply:
    """What a client received: when it asked, the status, the decision, and whether the body came whole."""

    def __init__(self, began, status, decision, is_whole):
        self.began, self.status, self.decision, self.is_whole = began, status, decision, is_whole


class Proxy:
    """`paravent serve`, with a log of its own."""

    def __init__(self, crm, name, audit=None, before=(), dir=None, preexec=None):
        self.crm, self.home, self.before, self.preexec = crm, crm.folder / name, list(before), preexec
        self.home.mkdir()
        self.audit = dir or self.home / "audit"
        (self.home / "token.key").write_bytes(secrets.token_bytes(32))
        (self.home / "token.key").chmod(0o600)
        shutil.copytree(ROOT / "policies" / "sugarcrm", self.home / "policies")
        self.settings, self.process = audit or {}, None
        self.config = self.home / "paravent.yaml"
        self.configure()

    def configure(self):
        """On ports that are free now. While it is down, a connection of this machine may take one."""
        self.port, self.admin = free_port(), free_port()
        config = {
            "listeners": [{"name": "people", "bind": f"127.0.0.1:{self.port}", "upstream": "crm"}],
            "admin": {"bind": f"127.0.0.1:{self.admin}"},
            "upstreams": {"crm": {"url": self.crm.url, "dialects": ["sugar-rest"]}},
            "policies": "policies/",
            "keys": {"token": {"file": "token.key"}},
            "limits": {"held_bytes_max": "64KiB"},
            "audit": {"dir": str(self.audit), **self.settings},
            "state": {"dir": str(self.home / "state")},
        }
        self.config.write_text(json.dumps(config))  # JSON is YAML

    def start(self):
        """Starts it; returns how long it took until it was ready."""
        command = [*self.before, str(self.crm.binary), "serve", "--config", str(self.config)]
        began = time.monotonic()
        with open(self.home / "paravent.txt", "ab") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=output, preexec_fn=self.preexec)
        if not self.becomes(200):
            self.kill()
            if "Address already in use" in self.said()[-300:]:
                self.configure()
                return self.start()
            raise RuntimeError(f"paravent did not become ready:\n{self.said()}")
        return time.monotonic() - began

    def ready(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return ask(self.admin, "/readyz?verbose").status
        return None

    def becomes(self, status, within=PATIENCE):
        until = time.monotonic() + within
        while time.monotonic() < until and self.process.poll() is None:
            if self.ready() == status:
                return True
            time.sleep(0.02)
        return False

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        end(self.process)
        return self.process.returncode

    def said(self):
        return (self.home / "paravent.txt").read_text(errors="replace")[-2000:]

    def verify(self, *arguments, dir=None):
        """The exit code of `audit verify` and what it says."""
        command = [str(self.crm.binary), "audit", "verify", str(dir or self.audit), *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=600)
        return done.returncode, done.stdout + done.stderr

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill()


class Events:
    """The ids in a log; what was read once is not read again."""

    def __init__(self, dir):
        self.dir, self.read, self.ids = dir, {}, set()

    def look(self):
        for path in sorted(self.dir.glob("audit-*.jsonl")):
            at = self.read.get(path, 0)
            with open(path, "rb") as file:
                file.seek(at)
                *lines, _ = file.read().split(b"\n")
            for line in lines:
                at += len(line) + 1
                with contextlib.suppress(ValueError):
                    self.ids.add(json.loads(line)["id"])
            self.read[path] = at
        return self.ids


class Load:
    """Callers who read, list, search, write and ask for what they may not have, until told to stop."""

    def __init__(self, port, sessions, callers=CALLERS):
        self.port, self.sessions = port, sessions
        self.replies, self.lock, self.stopping = [], threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.call, args=(number,), daemon=True) for number in range(callers)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(PATIENCE)

    def call(self, number):
        chance, connection = random.Random(number), None
        while not self.stopping.is_set():
            connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
            try:
                self.ask(connection, chance)
            except (OSError, http.client.HTTPException):
                connection.close()
                connection = None
                time.sleep(0.005)

    def ask(self, connection, chance):
        method, target, body = request(chance)
        headers = {"OAuth-Token": chance.choice(self.sessions)}
        if body is not None:
            headers["Content-Type"] = "application/json"
        began = time.monotonic()
        connection.request(method, target, body and json.dumps(body), headers)
        reply = connection.getresponse()
        received = Reply(began, reply.status, reply.headers.get("Paravent-Decision"), False)
        with self.lock:
            self.replies.append(received)
        reply.read()
        received.is_whole = True

    def succeeded(self, since=0.0):
        return [reply for reply in self.replies if reply.began >= since and reply.status < 300]


def request(chance):
    """One of the requests of a day."""
    base, person = "/rest/v11_24", chance.choice(("Contacts", "Leads", "Accounts"))
    kind = chance.randrange(12)
    if kind < 4:
        return "GET", f"{base}/{person}?max_num={chance.choice((1, 5, 20))}", None
    if kind < 6:
        return "GET", f"{base}/Contacts?max_num=200", None  # more than is held: it streams
    if kind < 8:
        return "POST", f"{base}/{person}", {"description": "as discussed", "last_name": "Doe", "name": "Doe Ltd"}
    if kind < 9:
        return "POST", f"{base}/{person}/filter", {"filter": [{"name": {"$starts": "A"}}], "max_num": 3}
    if kind < 10:
        return "GET", f"{base}/Contacts?filter[0][iban_c]=x", None
    if kind < 11:
        return "GET", f"{base}/me", None
    parts = [{"url": f"/v11_24/{person}?max_num=2", "method": "GET"} for _ in range(3)]
    return "POST", f"{base}/bulk", {"requests": parts}


def sessions(proxy):
    return [log_in(proxy.port, user) for user in USERS]


def unrecorded(replies, ids):
    """What is wrong: replies that somebody received, though no event tells of them. A 503 says itself that there may be none."""
    problems = []
    for reply in replies:
        if reply.decision is None and reply.status < 300:
            problems.append(f"a reply with status {reply.status} names no decision")
        elif reply.decision is not None and reply.status != 503 and reply.decision not in ids:
            problems.append(f"no event for a reply with status {reply.status}: {reply.decision}")
    return problems
