"""Stands between a client and what it talks to, passes every byte on as it is, and keeps a copy."""

import gzip
import http.client
import io
import json
import socket
import threading


class Relay:
    def __init__(self, port):
        self.target, self.talks, self.open = port, [], True
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while self.open:
            try:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            talk = Talk()
            self.talks.append(talk)
            for source, sink, copy in ((client, server, talk.sent), (server, client, talk.received)):
                threading.Thread(target=pump, args=(source, sink, copy), daemon=True).start()

    def close(self):
        self.open = False
        self.listener.close()

    def exchanges(self):
        return [exchange for talk in self.talks for exchange in talk.exchanges()]


def pump(source, sink, copy):
    try:
        while data := source.recv(65536):
            copy.extend(data)
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Talk:
    """What went over one connection, both ways."""

    def __init__(self):
        self.sent, self.received = bytearray(), bytearray()

    def exchanges(self):
        requests, replies = io.BytesIO(bytes(self.sent)), io.BytesIO(bytes(self.received))
        while (request := read_request(requests)) is not None:
            yield request, read_reply(replies, request["method"])


def read_request(stream):
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = http.client.parse_headers(stream)
    if "chunked" in headers.get("Transfer-Encoding", ""):
        body = b""
        while size := int(stream.readline() or b"0", 16):
            body += stream.read(size)
            stream.readline()
        stream.readline()
    else:
        body = stream.read(int(headers.get("Content-Length", 0)))
    return {"method": line[0], "target": line[1], "headers": headers.items(), "body": body.decode(errors="replace")}


class Unclosed:
    """Gives `http.client` a stream that it may not close: more replies follow on it."""

    def __init__(self, stream):
        self.stream = stream

    def makefile(self, *_):
        stream = self.stream

        class Rest(io.BufferedIOBase):
            read, read1, readline, readinto = stream.read, stream.read1, stream.readline, stream.readinto

            def close(self):
                pass

        return Rest()


def read_reply(stream, method):
    reply = http.client.HTTPResponse(Unclosed(stream), method=method)
    try:
        reply.begin()
        body = reply.read()
    except (http.client.HTTPException, ValueError):
        return {"status": 0, "headers": [], "body": ""}
    if reply.getheader("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return {"status": reply.status, "headers": reply.getheaders(), "body": body.decode(errors="replace")}


def plain(text):
    """A text without what a search would stumble over: escapes of JSON, blanks, case."""
    try:
        text = json.dumps(json.loads(text), ensure_ascii=False)
    except ValueError:
        pass
    return "".join(text.split()).lower()
