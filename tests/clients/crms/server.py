"""What all scripted CRMs share: HTTP, a store of records, sessions, and a side door that tells what arrived."""

import json
import re
import threading
import urllib.parse
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SIDE_DOOR = "/-/"


class Request:
    """A request as it arrived; `path` is decoded and has no query."""

    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        path, _, self.query_text = target.partition("?")
        self.path = urllib.parse.unquote(path)
        self.query = urllib.parse.parse_qsl(self.query_text, keep_blank_values=True)
        self.content_type = headers.get("Content-Type", "").split(";")[0].strip().lower()

    def json(self):
        return json.loads(self.body) if self.body else None

    def form(self):
        return urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True)

    def told(self):
        return {"method": self.method, "target": self.target, "headers": dict(self.headers.items()), "body": self.body.decode(errors="replace")}


class Reply:
    def __init__(self, status, body, content_type="application/json", headers=()):
        self.status, self.content_type, self.headers = status, content_type, headers
        self.body = body if isinstance(body, bytes) else body.encode()


def nested(pairs):
    """What PHP makes of `a[b][0]=c`: maps, whose keys are texts; `[]` counts up."""
    root = {}
    for name, value in pairs:
        head, *rest = [part for part in re.split(r"\[([^\]]*)\]", name) if part != ""] or [""]
        keys = [head, *rest] if not name.endswith("[]") else [head, *rest, ""]
        place = root
        for key in keys[:-1]:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                break
        else:
            place[keys[-1] if keys[-1] != "" else str(len(place))] = value
    return root


def listed(value):
    """A PHP array that may have come as a map with the keys 0, 1, …"""
    if isinstance(value, dict) and value and all(key.isdigit() for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return value


def like(value, pattern):
    """SQL's LIKE, without regard to case."""
    expression = "".join({"%": ".*", "_": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, value, re.IGNORECASE | re.DOTALL) is not None


class Crm:
    """One CRM with its state. A subclass gives `answer(request) -> Reply`."""

    def __init__(self):
        self.records, self.links, self.sessions = {}, set(), {}
        self.seen, self.mistakes = [], []
        self.lock = threading.RLock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def new_id(self):
        return str(uuid.uuid4())

    def live(self, module):
        return [record for record in self.records[module].values() if not self.is_deleted(record)]

    def find(self, module, identity):
        record = self.records.get(module, {}).get(str(identity))
        return None if record is None or self.is_deleted(record) else record

    def is_deleted(self, record):
        return record.get("deleted") in (True, "1", 1)

    def relate(self, module, identity, link, related):
        self.links.add((module, str(identity), link, str(related)))

    def related(self, module, identity, link, target):
        wanted = {entry[3] for entry in self.links if entry[:3] == (module, str(identity), link)}
        return [record for record in self.live(target) if str(record["id"]) in wanted]

    def side_door(self, request):
        """For the drivers: what arrived, and what is stored."""
        what, *rest = request.path.removeprefix(SIDE_DOOR).split("/")
        if what == "seen":
            told = list(self.seen)
            self.seen.clear()
        elif what == "record":
            told = self.records.get(rest[0], {}).get(rest[1])
        elif what == "all":
            told = list(self.records.get(rest[0], {}).values())
        elif what == "links":
            told = sorted(self.links)
        elif what == "end-sessions":
            told = len(self.sessions)
            self.sessions.clear()
        else:
            return Reply(404, "null")
        return Reply(200, json.dumps(told))

    def serve(self, request):
        with self.lock:
            if request.path.startswith(SIDE_DOOR):
                return self.side_door(request)
            self.seen.append(request.told())
            return self.answer(request)


def handler(crm):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def read_body(self):
            if "chunked" in self.headers.get("Transfer-Encoding", ""):
                body = b""
                while size := int(self.rfile.readline().split(b";")[0], 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))

        def handle_any(self):
            request = Request(self.command, self.path, self.headers, self.read_body())
            try:
                reply = crm.serve(request)
            except Exception as error:  # noqa: BLE001  a mistake of the script must be seen, not waited for
                reply = Reply(599, f"scripted CRM: {error!r}", "text/plain")
                crm.mistakes.append(f"{error!r} at {request.method} {request.target}")
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            for name, value in reply.headers:
                self.send_header(name, value)
            if reply.status != 204:
                self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            if self.command != "HEAD" and reply.status != 204:
                self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_any

        def log_message(self, *_):
            pass

    return Handler
