"""What runs: the provider, a CRM, Paravent between them. Everything on free ports of this machine."""

import contextlib
import http.client
import json
import queue
import secrets
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PATIENCE = 180


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Reply:
    def __init__(self, reply):
        self.status, self.headers, self.body = reply.status, reply.headers, reply.read().decode()

    def json(self):
        return json.loads(self.body)

    def __str__(self):
        return f"{self.status} {self.body[:300]}"


def ask(port, target, headers=None, body=None, connection=None, origin="127.0.0.1"):
    """One request; on a connection that is kept, or on one of its own, from an address of this machine."""
    own = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE, source_address=(origin, 0))
    data = None if body is None else json.dumps(body)
    kind = {} if body is None else {"Content-Type": "application/json"}
    try:
        own.request("GET" if body is None else "POST", target, data, {**kind, **(headers or {})})
        return Reply(own.getresponse())
    finally:
        if connection is None:
            own.close()


def log_in(port, user, password="demo"):
    body = {"grant_type": "password", "client_id": "sugar", "username": user, "password": password}
    return ask(port, "/rest/v11_24/oauth2/token", body=body).json()["access_token"]


class Provider:
    """The provider, told over its standard input what to do."""

    def __init__(self, modules, folder):
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        # Modules are looked for beside the file that imports them.
        shutil.copy(HERE / "provider.mjs", folder / "provider.mjs")
        (folder / "node_modules").symlink_to(modules)
        self.errors = folder / "provider.txt"
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(
                ["node", folder / "provider.mjs", str(self.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        self.lines, self.turn = queue.Queue(), threading.Lock()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.lines.put(line)

    def tell(self, name, argument=None):
        with self.turn:
            self.process.stdin.write(json.dumps([name, argument]) + "\n")
            self.process.stdin.flush()
            while True:
                try:
                    line = self.lines.get(timeout=PATIENCE)
                except queue.Empty:
                    raise RuntimeError(f"the provider did not {name}: {self.errors.read_text()[-1500:]}") from None
                if line.startswith('{"done"'):
                    return json.loads(line)["told"]

    def close(self):
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        end(self.process)


class Demo:
    """The CRM with invented people that `paravent demo` brings along."""

    def __init__(self, binary, folder):
        command = [binary, "demo", "--port", "0", "--admin-port", "0", "--crm-port", "0", "--data", folder / "demo"]
        with open(folder / "demo.txt", "wb") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
        ready = next((line for line in self.process.stdout if line.startswith("ready ")), None)
        if ready is None:
            raise RuntimeError(f"the demo did not start: {(folder / 'demo.txt').read_text()}")
        self.crm = json.loads(ready.removeprefix("ready "))["crm"]
        self.port = int(self.crm.rsplit(":", 1)[1])

    def close(self):
        end(self.process)


class Proxy:
    """`paravent serve` before the CRM, with the provider as its issuer: one listener for people, one for tokens alone."""

    def __init__(self, binary, folder, crm, issuer, bounds):
        self.binary, self.folder, self.output = binary, folder, folder / "paravent.txt"
        self.people, self.tokens, self.admin = free_port(), free_port(), free_port()
        for name, secret in (("token.key", secrets.token_bytes(32)), ("service.pw", b"demo")):
            (folder / name).write_bytes(secret)
            (folder / name).chmod(0o600)
        shutil.copytree(ROOT / "policies" / "sugarcrm", folder / "policies")
        self.config = folder / "paravent.yaml"
        self.config.write_text(json.dumps(self.configuration(crm, issuer, bounds)))  # JSON is YAML
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen([binary, "serve", "--config", self.config], stdout=output, stderr=output)
        try:
            self.wait()
        except BaseException:  # also an interruption: nobody else knows the process yet
            self.close()
            raise

    def configuration(self, crm, issuer, bounds):
        refresh, stale = bounds

        def listener(name, port, ways):
            return {"name": name, "bind": f"127.0.0.1:{port}", "upstream": "crm", "identity": ways}

        company = {
            "name": "company",
            "issuer": issuer,
            "audience": "paravent",
            "keys": "discover",
            "type": "at+jwt",
            "parties": ["crm-portal"],
            "claims": {"name": "$.preferred_username", "roles": "$.realm_access.roles[*]"},
            "strengthens": {"crm_user": "$.crm_login"},
            "refresh": f"{refresh}s",
            "stale": f"{stale}s",
        }
        service = {"user": "paravent", "password": {"file": "service.pw"}, "client_id": "sugar", "platform": "paravent"}
        return {
            "listeners": [listener("people", self.people, ["crm-session", "token"]), listener("tokens", self.tokens, ["token"])],
            "admin": {"bind": f"127.0.0.1:{self.admin}"},
            "identity": {"tokens": [company]},
            "upstreams": {"crm": {"url": crm, "dialects": ["sugar-rest"], "service": service}},
            "policies": "policies/",
            "keys": {"token": {"file": "token.key"}},
            "audit": {"dir": "audit/", "durability": "strict"},
        }

    def wait(self):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError):
                if ask(self.admin, "/readyz").status == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError(f"paravent did not become ready:\n{self.said()}")

    def said(self):
        return self.output.read_text(errors="replace")

    def run(self, *arguments):
        return subprocess.run([self.binary, *arguments], check=False, capture_output=True, text=True, timeout=60)

    def close(self):
        end(self.process)

    def verify(self, secrets):
        """The access log is whole, and neither it nor the operator's log holds a token or a value."""
        audit = self.folder / "audit"
        first = self.run("audit", "verify", audit)
        last = next((line.removeprefix("last: ") for line in first.stdout.splitlines() if line.startswith("last: ")), "")
        done = self.run("audit", "verify", audit, "--expect", last)
        problems = [] if done.returncode == 0 else [f"the access log does not verify: {first.stdout}{first.stderr}{done.stdout}{done.stderr}"]
        for file in [self.output, *audit.rglob("*")]:
            text = file.read_text(errors="replace") if file.is_file() else ""
            problems += [f"a secret stands in {file.name}" for secret in secrets if secret in text]
        if self.process.returncode not in (0, None):
            problems.append(f"paravent ended with {self.process.returncode}: {self.said()[-1500:]}")
        return problems


class World:
    """All three."""

    def __init__(self, binary, modules, folder, bounds):
        folder.mkdir()
        with contextlib.ExitStack() as parts:
            self.provider = self.part(parts, Provider(modules, folder))
            self.provider.tell("publish", ["a"])
            self.provider.tell("start")
            self.crm = self.part(parts, Demo(binary, folder))
            self.proxy = self.part(parts, Proxy(binary, folder, self.crm.crm, self.provider.issuer, bounds))
            self.parts = parts.pop_all()
        self.folder = folder

    @staticmethod
    def part(parts, part):
        parts.callback(part.close)
        return part

    def close(self):
        self.parts.close()
