"""A mail server (aiosmtpd) that does what the file `behaviour` says: `take`, `defer` or `refuse`. Each mail that it takes becomes a file,
each that it is offered a line of `offered`. Prints the port once it listens."""

import argparse
import itertools
import ssl
import sys
import threading
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

USER, PASSWORD = b"privacy", b"open sesame"


class Keeper:
    def __init__(self, folder):
        self.folder, self.numbers = folder, itertools.count(1)

    async def handle_DATA(self, server, session, envelope):
        with (self.folder / "offered").open("a") as file:
            is_tls = server.transport.get_extra_info("sslcontext") is not None
            file.write(f"tls={is_tls} user={session.authenticated}\n")
        behaviour = (self.folder / "behaviour").read_text().strip()
        if behaviour == "defer":
            return "451 4.3.0 not now"
        if behaviour == "refuse":
            return "550 5.7.1 not here"
        part = self.folder / f"{next(self.numbers)}.part"
        part.write_bytes(envelope.content)
        part.rename(part.with_suffix(".eml"))
        return "250 2.0.0 taken"


def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (USER, PASSWORD))


class Server(Controller):
    def __init__(self, *args, tls, **options):
        self.tls = tls
        super().__init__(*args, **options)

    def factory(self):
        own = {"tls_context": self.tls, "require_starttls": True} if self.tls else {}
        needs = {"authenticator": authenticate, "auth_required": True} if self.tls or self.ssl_context else {}
        if self.ssl_context:
            needs["auth_require_tls"] = False
        return SMTP(self.handler, hostname="localhost", **own, **needs)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("mode", choices=["starttls", "implicit", "clear"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--certificate")
    parser.add_argument("--key")
    asked = parser.parse_args()
    context = None
    if asked.mode != "clear":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked.certificate, asked.key)
    server = Server(
        Keeper(asked.folder),
        hostname="127.0.0.1",
        port=asked.port,
        tls=context if asked.mode == "starttls" else None,
        ssl_context=context if asked.mode == "implicit" else None,
    )
    server.start()
    print("ready", flush=True)
    sys.stdin.read()
    threading.Thread(target=server.stop, daemon=True).start()


main()
