"""An installation with a portal, and the release binary that serves it."""

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urlencode

POLICY = """policy: small
organisation: { name: "Exemple & Cie", country: FR, address: "1 rue de la Paix, Paris", dpo: dpo@example.com, authority: { name: CNIL, url: "https://www.cnil.fr" }, languages: [fr, en] }
texts: { letter: { version: "1", en: I want the letter once a month., fr: Je souhaite la lettre une fois par mois. } }
people: { Contacts: { kind: customer, email: email } }
roles:
  sales: { from: { crm.role: "Sales" }, default_purpose: support }
purposes:
  marketing: { label: { en: Offers, fr: Offres }, legal_basis: legitimate-interest, roles: [sales], honour_objection: true }
  newsletter: { label: { en: Monthly letter, fr: Lettre mensuelle }, legal_basis: consent, roles: [sales], consent: { proof: double-opt-in, max_age: 3y, text: letter } }
  support: { label: { en: Support, fr: Assistance }, legal_basis: contract, roles: [sales] }
grants:
  - { name: base, roles: sales, data: [identity.name, contact], level: clear }
classify:
  Contacts: { email: contact.email, last_name: identity.name }
"""

PATIENCE = 180


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def eventually(what, look):
    """What a look finds, once it finds something."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


class Stage:
    """The installation; `mail` is the section of that name, in YAML."""

    def __init__(self, binary, folder, mail):
        self.binary, self.folder, self.port = binary, folder, free_port()
        (folder / "policies").mkdir(parents=True)
        (folder / "policies/policy.yaml").write_text(POLICY)
        for name in ("token.key", "person.key"):
            self.secret(name, os.urandom(32))
        self.secret("smtp.password", b"open sesame")
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", folder / "receipts.pem"], check=True, capture_output=True)
        (folder / "receipts.pem").chmod(0o600)
        self.config = folder / "paravent.yaml"
        self.config.write_text(f"""listeners: [{{ name: crm, bind: "127.0.0.1:{free_port()}", upstream: sugar }}]
admin: {{ bind: "127.0.0.1:{free_port()}" }}
upstreams: {{ sugar: {{ url: "http://127.0.0.1:9", dialects: [sugar-rest] }} }}
policies: policies
keys: {{ token: {{ file: token.key }}, person: [{{ file: person.key }}], receipts: {{ file: receipts.pem }} }}
audit: {{ dir: log }}
state: {{ dir: state }}
portal: {{ bind: "127.0.0.1:{self.port}", url: "{self.url}" }}
mail: {mail}
""")

    def secret(self, name, content):
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @contextlib.contextmanager
    def served(self):
        told = self.folder / "told"
        with told.open("w") as stderr:
            process = subprocess.Popen([self.binary, "serve", "--config", self.config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
        try:
            eventually("the portal listens", lambda: "portal listening" in told.read_text() or process.poll() is not None)
            assert process.poll() is None, told.read_text()
            yield self
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(60)
        assert process.returncode == 0, told.read_text()

    def ask(self, method, target, form=None, headers=()):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        body = None if form is None else urlencode(form)
        kind = {} if form is None else {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, target, body, {**kind, **dict(headers)})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def want(self, address, language="en"):
        form = {"email": address, "purpose": "newsletter", "language": language, "source": "website"}
        status, text = self.ask("POST", "/consent/requests", form)
        assert status == 202, (status, text)

    def link(self, text, path):
        """The link that stands alone on a line."""
        text = text.replace("\r\n", "\n")
        found = re.findall(rf"^{re.escape(self.url + path)}\?t=\S+$", text, re.MULTILINE)
        assert len(found) == 1, text
        return found[0]

    def told(self):
        return (self.folder / "told").read_text()

    def leaks(self, words):
        """Files of the ledger and the log, and what the operator reads, in which a word stands."""
        paths = [path for name in ("log", "state") for path in (self.folder / name).rglob("*") if path.is_file()]
        return [str(path) for path in [*paths, self.folder / "told"] for word in words if word.encode() in path.read_bytes()]


def certificates(folder):
    """An authority of its own, and a certificate of `localhost` that it has signed."""
    folder.mkdir()
    run = lambda *words: subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)  # noqa: E731
    run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
    run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-keyout", "own.key", "-out", "own.csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n")
    run("x509", "-req", "-in", "own.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "own.pem")
    return folder


def mails(folder):
    return sorted(Path(folder).glob("*.eml"))
