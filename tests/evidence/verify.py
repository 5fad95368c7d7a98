#!/usr/bin/env python3
"""A second verifier of the access log, written from docs/audit-format.md alone.

    verify.py LOG [--key FILE-OR-LINE]... [--checkpoint FILE-OR-FOLDER]... [--expect-gap FIRST-LAST]... [--trust-local]

Prints one JSON object: `exit`, `kind`, `first_bad` (the first and the last event that may be the first bad one), and exits with
that code. Needs Python 3.9 and its standard library; Ed25519 is done here, in some milliseconds a signature. A compressed segment
needs the command `zstd`.
"""

import argparse
import base64
import binascii
import hashlib
import json
import os
import re
import struct
import subprocess
import sys

LINE_MAX = 4 << 20
INTEGER_MAX = 1 << 53
DEPTH_MAX = 127
NOTE_MAX = 16384


# --- Ed25519 (RFC 8032, 5.1.7), as strict as most: S below the order, no other spelling of a point.

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def add(one, other):
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(number, point):
    found = (0, 1, 1, 0)
    while number > 0:
        if number & 1:
            found = add(found, point)
        point = add(point, point)
        number >>= 1
    return found


def same(one, other):
    return (one[0] * other[2] - other[0] * one[2]) % P == 0 and (one[1] * other[2] - other[1] * one[2]) % P == 0


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * SQRT_M1 % P
    if (x * x - xx) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = point(BASE_Y.to_bytes(32, "little"))
SEEN = {}


def is_signed(public, message, signature):
    asked = (public, message, signature)
    if asked not in SEEN:
        SEEN[asked] = ed25519(public, message, signature)
    return SEEN[asked]


def ed25519(public, message, signature):
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = point(public), point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= L:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    return same(times(s, BASE), add(r, times(h, a)))


# --- Hashes and the tree.


def leaf_of(line):
    return hashlib.sha256(b"\0" + line).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


class Tree:
    """Its edge only; the newest leaf apart, so that another one can be tried in its place."""

    def __init__(self, start):
        self.start, self.size, self.edge, self.newest, self.roots = start, 0, [], None, {}

    def push(self, leaf):
        if self.newest is not None:
            self.edge = grown(self.edge, self.size - 1, self.newest)
        self.newest = leaf
        self.size += 1

    def whole(self):
        return self.edge if self.newest is None else grown(self.edge, self.size - 1, self.newest)

    def root(self):
        return root(self.whole())

    def copy(self):
        other = Tree(self.start)
        other.size, other.edge, other.newest, other.roots = self.size, list(self.edge), self.newest, dict(self.roots)
        return other

    def mark(self, wanted):
        if self.size in wanted:
            self.roots[self.size] = self.root()


def grown(edge, size, leaf):
    edge = list(edge)
    while size & 1:
        leaf = node(edge.pop(), leaf)
        size >>= 1
    return edge + [leaf]


def root(edge):
    if not edge:
        return hashlib.sha256(b"").digest()
    found = edge[-1]
    for left in reversed(edge[:-1]):
        found = node(left, found)
    return found


# --- Canonical JSON.


class NotCanonical(Exception):
    pass


def integer(text):
    if len(text) > 17 or not text.isdigit() or int(text) > INTEGER_MAX:
        raise NotCanonical(text)
    return int(text)


def no_number(text):
    raise NotCanonical(text)


def members(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("a key twice")
    return found


def in_order(value, depth=1):
    if isinstance(value, (dict, list)) and depth > DEPTH_MAX:
        raise NotCanonical("too deep")
    if isinstance(value, dict):
        for key, item in sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass")):
            in_order(item, depth + 1)
        return
    if isinstance(value, list):
        for item in value:
            in_order(item, depth + 1)


ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def quoted(text):
    return '"' + "".join(ESCAPES.get(one) or ("\\u%04x" % ord(one) if ord(one) < 0x20 else one) for one in text) + '"'


def spelled(value):
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return "[" + ",".join(map(spelled, value)) + "]"
    pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(quoted(key) + ":" + spelled(item) for key, item in pairs) + "}"


def read(line):
    """The value of a line in canonical form; None if it is not."""
    try:
        value = json.loads(
            line.decode("utf-8"), parse_int=integer, parse_float=no_number, parse_constant=no_number, object_pairs_hook=members
        )
        in_order(value)
        return value if spelled(value).encode("utf-8") == line else None
    except (ValueError, NotCanonical, RecursionError):
        return None


class Event:
    def __init__(self, line, value):
        self.line, self.value = line, value
        self.seq, self.leaf = value["seq"], leaf_of(line)
        prev = value["prev"]
        self.prev = bytes.fromhex(prev[7:]) if re.fullmatch("sha256:[0-9a-f]{64}", prev) else None

    @property
    def name(self):
        return self.value.get("event")


def is_text(value):
    return isinstance(value, str)


def is_number(value):
    return isinstance(value, int) and not isinstance(value, bool)


def event_of(line):
    if len(line) > LINE_MAX:
        return None
    value = read(line)
    if not isinstance(value, dict) or value.get("v") not in (1, 2) or not is_number(value["v"]):
        return None
    if not is_number(value.get("seq")) or not all(is_text(value.get(name)) for name in ("prev", "id", "time")):
        return None
    return Event(line, value)


def is_later(line):
    try:
        value = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and is_number(value.get("v")) and 2 < value["v"] < 1 << 64


# --- Forms. A form is a function from a value to whether it has it.


def texts(value):
    return isinstance(value, list) and all(map(is_text, value))


def objects(**fields):
    """Fields: a form; (form, "?") if it may be missing or null; (form, "=") if it may be missing."""

    def has(value):
        if not isinstance(value, dict):
            return False
        for name, form in fields.items():
            form, may = form if isinstance(form, tuple) else (form, "")
            if name not in value:
                if not may:
                    return False
            elif not form(value[name]) and not (may == "?" and value[name] is None):
                return False
        return True

    return has


def lists(form):
    return lambda value: isinstance(value, list) and all(map(form, value))


def one_of(*words):
    return lambda value: is_text(value) and value in words


def missing(form):
    return (form, "?")


def empty(form):
    return (form, "=")


LEVEL = one_of("hide", "redact", "token", "mask", "clear")
KINDS = (
    "full", "partial", "observed", "denied", "not-found-by-policy", "challenged", "rejected", "unauthenticated", "limited",
    "upstream-error", "unfilterable", "aborted", "audit-unavailable",
)
STATUS = missing(lambda value: is_number(value) and value < 65536)
WITHHELD = objects(consent=is_number, restriction=empty(is_number), retention=is_number, row=is_number)
PURPOSE = objects(basis=is_text, chosen_by=is_text, id=is_text)
PHASE = one_of("closed", "continued", "opened")


def outcome(*more):
    return objects(
        kind=one_of(*KINDS, *more), milliseconds=is_number, reason=missing(is_text), status=STATUS,
        upstream_milliseconds=missing(is_number), would=missing(is_text),
    )


def auth(amr):
    return objects(acr=missing(is_text), age_seconds=is_number, amr=amr, method=is_text, strengths=empty(texts))


ORIGIN = objects(ip=is_text)
DATA = dict(by=texts, category=missing(is_text), fields=texts, level=LEVEL, would=missing(LEVEL), would_by=empty(texts))

REQUEST_1 = objects(
    auth=missing(auth(texts)),
    caller=missing(objects(id=is_text, kind=is_text, name=is_text, roles=texts)),
    data=lists(objects(in_text=is_number, records=is_number, **DATA)),
    dropped_masks=texts, flagged=empty(texts), origin=ORIGIN,
    outcome=missing(outcome()), part_of=missing(is_text), phase=PHASE,
    policy=objects(hash=is_text, mode=is_text, name=is_text, schema=missing(is_text)),
    purpose=missing(PURPOSE), records=objects(count=is_number, refs=texts, withheld=WITHHELD),
    request=objects(
        action=missing(is_text), dialect=missing(is_text), module=missing(is_text), route=missing(is_text),
        trace=missing(is_text), upstream=missing(is_text), asked=texts, matched=texts, sorted=texts, written=texts,
    ),
    node=is_text,
)

TERMS = objects(
    asked=empty(texts), data=empty(lists(objects(**DATA))),
    policy=objects(hash=is_text, mode=is_text, name=is_text, schema=is_text), purpose=missing(PURPOSE), roles=empty(texts),
)


def is_counts(value):
    if not isinstance(value, list):
        return False
    before = -1
    for one in value:
        is_sound = isinstance(one, list) and all(map(is_number, one)) and len(one) in (2, 3) and (len(one) < 3 or one[2] > 0)
        if not is_sound or one[0] <= before:
            return False
        before = one[0]
    return True


def is_refs(value):
    return isinstance(value, dict) and all(map(texts, value.values()))


REQUEST_2 = objects(
    auth=missing(auth(empty(texts))), caller=missing(objects(id=is_text, kind=is_text, name=is_text)), counts=empty(is_counts),
    dropped_masks=empty(texts), flagged=empty(texts), origin=ORIGIN, outcome=missing(outcome()), part_of=missing(is_text),
    phase=PHASE, records=empty(objects(count=empty(is_number), refs=empty(is_refs), withheld=empty(WITHHELD))),
    request=objects(
        action=missing(is_text), module=missing(is_text), route=missing(is_text), trace=missing(is_text), dialect=is_text,
        upstream=is_text, matched=empty(texts), sorted=empty(texts), written=empty(texts),
    ),
    terms=lambda value: is_text(value) or TERMS(value),
    node=is_text,
)

GAP = objects(last_seq=is_number, last_hash=is_text, why=is_text, refused=is_number, node=is_text)
SEGMENT = objects(log=is_text, tree=texts, node=is_text, **{"from": is_number})
PRUNED = objects(
    first_seq=is_number, last_seq=is_number, segments=is_number, bytes=is_number, keep=is_text, why=is_text, node=is_text
)
KEY = objects(key=is_text, previous=missing(is_text), signatures=texts, node=is_text)


def terms_id(terms):
    """The id of terms: of their canonical text, without what is missing or empty."""

    def without(value):
        return {name: item for name, item in value.items() if item is not None and item != []}

    known = {name: terms[name] for name in ("asked", "data", "policy", "purpose", "roles") if name in terms}
    known = without(known)
    if "data" in known:
        names = ("by", "category", "fields", "level", "would", "would_by")
        kept = []
        for entry in known["data"]:
            entry = {name: entry[name] for name in names if name in entry}
            kept.append({n: v for n, v in entry.items() if n in ("by", "fields", "level") or (v is not None and v != [])})
        known["data"] = kept
    known["policy"] = {name: known["policy"][name] for name in ("hash", "mode", "name", "schema")}
    if "purpose" in known:
        known["purpose"] = {name: known["purpose"][name] for name in ("basis", "chosen_by", "id")}
    return "t:" + hashlib.sha256(spelled(known).encode("utf-8")).digest()[:16].hex()


# --- Keys and notes.


class Key:
    def __init__(self, name, public):
        self.name, self.public = name, public
        self.id = hashlib.sha256(name.encode("utf-8") + b"\n\x01" + public).digest()[:4]

    def __eq__(self, other):
        return isinstance(other, Key) and (self.name, self.public) == (other.name, other.public)


def strict_base64(text):
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error):
        return None
    return data if base64.b64encode(data).decode() == text else None


def is_name(name):
    return name != "" and not any(one.isspace() or one == "+" or ord(one) < 0x20 or 0x7F <= ord(one) < 0xA0 for one in name)


def key_of(line):
    parts = line.rstrip().split("+", 2)
    if len(parts) != 3 or not is_name(parts[0]):
        return None
    material = strict_base64(parts[2])
    if material is None or len(material) != 33 or material[0] != 1:
        return None
    key = Key(parts[0], material[1:])
    return key if key.id.hex() == parts[1] else None


class Checkpoint:
    """A signed note whose text is a checkpoint; nothing of it is proved yet."""

    def __init__(self, name, data, is_outside):
        self.name, self.is_outside, self.standing = name, is_outside, None
        self.signer_counts, self.counts, self.seq = None, False, None
        self.is_read = self.parse(data)

    def parse(self, data):
        try:
            note = data.decode("utf-8")
        except UnicodeDecodeError:
            return False
        if len(data) > NOTE_MAX or any(one != "\n" and (ord(one) < 0x20 or 0x7F <= ord(one) < 0xA0) for one in note):
            return False
        split = note.rfind("\n\n")
        if split < 0 or not note.endswith("\n"):
            return False
        self.text, lines = note[: split + 1], note[split + 2 : -1].split("\n")
        self.signatures = []
        if len(note) < split + 3 or len(lines) > 100:
            return False
        for line in lines:
            parts = line[2:].split(" ", 1)
            if not line.startswith("\u2014 ") or len(parts) != 2 or not is_name(parts[0]):
                return False
            data = strict_base64(parts[1])
            if data is None or len(data) < 5:
                return False
            self.signatures.append((parts[0], data[:4], data[4:]))
        lines = self.text[:-1].split("\n")
        if len(lines) < 3 or not lines[0] or not all(lines[3:]) or not re.fullmatch("0|[1-9][0-9]*", lines[1]):
            return False
        self.origin, self.size, self.root = lines[0], int(lines[1]), strict_base64(lines[2])
        found = re.match("paravent/([^/]*)/", self.origin)
        self.log, self.log_known = found.group(1) if found else "", bool(found)
        return self.root is not None and len(self.root) == 32 and self.size < 1 << 64

    def is_proof(self):
        return self.standing == "agrees" and bool(self.signer_counts) and self.size > 0

    def signed_by(self, keys):
        """True, False if forged, None if by none of them."""
        found = None
        for name, number, signature in self.signatures:
            key = next((key for key in keys if (key.name, key.id) == (name, number)), None)
            if key is None:
                continue
            if not is_signed(key.public, self.text.encode("utf-8"), signature):
                return False
            found = True
        return found


# --- What is found.


class Fault(Exception):
    def __init__(self, kind, first, last=None):
        super().__init__(kind)
        self.kind, self.first_bad = kind, [first, first if last is None else last]


class Unusable(Exception):
    pass


class Later(Exception):
    pass


# --- The folder.


def segment_files(folder):
    found = {}
    for name in os.listdir(folder):
        match = re.fullmatch(r"audit-([0-9]{16,20})\.jsonl(\.zst)?", name)
        if match and "%016d" % int(match.group(1)) == match.group(1) and int(match.group(1)) < 1 << 64:
            seq = int(match.group(1))
            if match.group(2) is None or seq not in found:
                found[seq] = os.path.join(folder, name)
    return dict(sorted(found.items()))


UNDECODABLE = object()


def zstd_frames(data):
    """The text of a compressed segment as far as it can be read, and whether that is all of it."""
    if len(data) < 17:
        return b"", False
    count, descriptor, magic = struct.unpack("<IBI", data[-9:])
    size = {0: 8, 128: 12}.get(descriptor)
    if magic != 0x8F92EAB1 or size is None:
        return b"", False
    table = len(data) - 9 - count * size - 8
    if table < 0 or struct.unpack("<II", data[table : table + 8]) != (0x184D2A5E, count * size + 9) or count > 65536:
        return b"", False
    entries = [struct.unpack("<II", data[at : at + 8]) for at in range(table + 8, len(data) - 9, size)]
    if any(packed > 5324801 or text > 5242881 for packed, text in entries):
        return b"", False
    if sum(packed for packed, _ in entries) != table or sum(text for _, text in entries) > 1 << 30:
        return b"", False
    found, at = b"", 0
    for packed, length in entries:
        done = subprocess.run(["zstd", "-dcq"], input=data[at : at + packed], capture_output=True, check=False)
        if done.returncode or len(done.stdout) != length:
            return found, False
        found += done.stdout
        at += packed
    return found, True


def lines_of(path):
    """Lines with whether a newline ends them; UNDECODABLE at the end if the rest cannot be read."""
    if not os.path.isfile(path):
        raise Unusable("no regular file")
    with open(path, "rb") as file:
        data = file.read()
    is_whole = True
    if path.endswith(".zst"):
        data, is_whole = zstd_frames(data)
    *lines, rest = data.split(b"\n")
    found = [(line, True) for line in lines]
    if not is_whole:
        return found + [(UNDECODABLE, False)]
    return found + ([(rest, False)] if rest else [])


class Log:
    """One pass over a log."""

    def __init__(self, folder, keys, checkpoints, known_gaps, trust_local):
        self.folder, self.given, self.known_gaps, self.trust_local = folder, keys, known_gaps, trust_local
        self.checkpoints = checkpoints + self.inside()
        self.wanted = {one.size for one in self.checkpoints if one.is_read}
        self.counting, self.local = list(keys), self.local_keys()
        self.head, self.before = (0, bytes(32)), (0, bytes(32))
        self.gaps, self.identities = [], []
        self.log, self.tree, self.own = None, Tree(1), None
        self.pruned, self.pruned_seq, self.told, self.leaves = [], 0, [], {}
        self.successions, self.before_segment, self.first_segment = [], None, 0
        self.notes_gap = self.is_stated = False
        self.pending_gap, self.is_whole, self.is_pruned = None, False, False

    def inside(self):
        folder, found = os.path.join(self.folder, "checkpoints"), []
        if os.path.isdir(folder):
            for name in sorted(os.listdir(folder)):
                path = os.path.join(folder, name)
                if name.endswith(".checkpoint") and os.path.isfile(path):
                    with open(path, "rb") as file:
                        found.append(Checkpoint(name, file.read(NOTE_MAX + 1), False))
        return found

    def local_keys(self):
        folder, found = os.path.join(self.folder, "keys"), []
        if os.path.isdir(folder):
            for name in sorted(os.listdir(folder)):
                if name.endswith(".pub"):
                    with open(os.path.join(folder, name), "rb") as file:
                        try:
                            key = key_of(file.read(NOTE_MAX).decode("utf-8"))
                        except UnicodeDecodeError:
                            key = None
                        found += [key] if key else []
        return found

    # Reading

    def lines(self, first):
        if first not in self.cache:
            self.cache = {first: lines_of(self.segments[first])}
        return self.cache[first]

    def events(self, first, start=0):
        for line, is_ended in self.lines(first)[start:]:
            # That a rest cannot be decoded is said when it is its turn.
            event = None if line is UNDECODABLE else event_of(line)
            if event:
                yield event

    def bridged(self, first):
        """The head that a segment says it follows, behind a gap."""
        before = None
        for event in self.events(first):
            before = event.value["prev"] if before is None else before
            value = event.value
            if event.name == "audit.gap" and GAP(value) and value["last_seq"] + 1 == first and value["last_hash"] == before:
                return (first - 1, bytes.fromhex(before[7:])) if re.fullmatch("sha256:[0-9a-f]{64}", before) else None
        return None

    def run(self):
        self.segments, self.cache = segment_files(self.folder), {}
        if not self.segments:
            raise Unusable("no log")
        names = list(self.segments)
        self.begin_pruned(names[0])
        for place, first in enumerate(names):
            following = names[place + 1] if place + 1 < len(names) else None
            self.segment(first, following, place)
        told = max((last for _, last in self.told), default=0)
        if self.pruned_seq > told:
            raise Fault("pruned-untold", told + 1 if told else self.pruned[0][0])

    def begin_pruned(self, first):
        folder = os.path.join(self.folder, "pruned")
        if not os.path.isdir(folder):
            return
        for name in os.listdir(folder):
            match = re.fullmatch(r"leaves-([0-9]{16,20})-([0-9]{16,20})\.bin", name)
            if match and all("%016d" % int(part) == part for part in match.groups()):
                self.pruned.append((int(match.group(1)), int(match.group(2)), os.path.join(folder, name)))
        self.pruned.sort()
        before, sound = 0, []
        for begin, end, path in self.pruned:
            if begin > before and end >= begin and os.path.getsize(path) == 32 * (end - begin + 1):
                before = end
                sound.append((begin, end, path))
            elif end < first:
                raise Fault("pruned-missing", begin)
        self.pruned = sound
        self.first_segment = first
        for begin, end, path in self.pruned:
            with open(path, "rb") as file:
                data = file.read()
            self.leaves.update((seq, data[32 * (seq - begin) :][:32]) for seq in range(begin, end + 1))
        gone = [seq for seq in self.leaves if seq < first]
        if not gone:
            return
        last, stated = max(gone), None
        found = self.lines(first)
        event = event_of(found[0][0]) if found and found[0][0] is not UNDECODABLE else None
        if found and found[0][0] is UNDECODABLE:
            raise Fault("undecodable", 1)
        if event and event.name == "audit.segment" and is_number(event.value.get("from")):
            stated = event.value["from"]
        begin = 1 if stated is None else stated
        tree = Tree(begin) if begin < first else None
        for seq in range(max(begin, 1), last + 1):
            if seq not in self.leaves:
                if stated is not None:
                    raise Fault("pruned-missing", seq)
                tree = None
                break
            if tree:
                tree.push(self.leaves[seq])
                tree.mark(self.wanted)
        self.tree, self.is_pruned = tree, True
        self.head, self.pruned_seq = (last, self.leaves[last]), last

    def segment(self, first, following, place):
        was, follows = self.head, True
        opening = next(iter(self.events(first)), None)
        if not (opening and self.follows(opening)):
            bridge = self.bridged(first)
            if bridge and bridge[0] >= self.head[0]:
                self.pending_gap, self.head, follows = (bridge, was), bridge, False
        expected = self.head[0] + 1
        if first > expected:
            raise Fault("truncated" if place else "removed", expected)
        if first < expected:
            raise Fault("renamed", expected)
        self.before_segment = self.tree and self.tree.copy()
        if not follows:
            self.end()
        self.first, self.own, self.terms = first, Tree(first), {}
        self.notes_gap = self.has_request = self.is_stated = False
        self.is_empty = True
        lines = self.lines(first)
        for at, (line, is_ended) in enumerate(lines):
            expected = self.head[0] + 1
            if line is UNDECODABLE:
                raise Fault("undecodable", expected)
            if not is_ended and following is None:
                break
            event = event_of(line) if is_ended else None
            if event is None:
                if self.no_event(line, is_ended, at, first, following):
                    break
            if not self.follows(event):
                self.contradiction(event, at, first, following)
            self.accept(event)
        is_begun = following is None and (self.is_empty or (self.notes_gap and not self.has_request))
        if not (self.is_stated or is_begun or self.log is None):
            raise Fault("misstated", first)

    def follows(self, event):
        return event.seq == self.head[0] + 1 and event.prev == self.head[1]

    def no_event(self, line, is_ended, at, first, following):
        expected = self.head[0] + 1
        rest = next(self.events(first, at + 1), None)
        if rest is None and is_later(line):
            later = [name for name in self.segments if name > first]
            if not any(any(True for _ in map(event_of_pair, lines_of(self.segments[name])) if _) for name in later):
                self.push(leaf_of(line))
                raise Later()
        if following is not None and rest is None and self.bridged(following):
            return True
        raise Fault("truncated" if following is not None and not is_ended else "not-canonical", expected)

    def contradiction(self, event, at, first, following):
        head, expected = self.head, self.head[0] + 1
        if event.prev == head[1]:
            raise Fault("changed", expected)
        if at == 0 and event.seq < expected:
            raise Fault("renamed", expected)
        rest = list(self.events(first, at + 1))
        behind = rest[0] if rest else None
        if behind is None and following is not None:
            behind = next(self.events(following), None)
        if any(self.follows(later) for later in rest):
            raise Fault("reordered" if event.seq > expected else "inserted", expected)
        is_proved = self.is_proved(event)
        if event.seq == head[0] and event.prev == self.before[1] and event.leaf != head[1] and not is_proved:
            raise Fault("inserted", head[0])
        is_next = behind is not None and behind.seq == expected + 1
        if event.seq == expected:
            if (is_next and behind.prev != event.leaf) or is_proved or head[0] == 0:
                raise Fault("changed", expected)
            if behind is None and self.decide(event):
                raise Fault("changed", expected)
            raise Fault("pruned-differ" if head[0] == self.pruned_seq else "changed", head[0])
        if event.seq > expected:
            raise Fault("changed" if is_next else "removed", expected)
        raise Fault("inserted" if behind is not None and behind.seq == expected else "changed", expected)

    def agrees(self, size, found):
        """Whether a checkpoint that counts has this root at this size; None if there is none."""
        its = [one for one in self.checkpoints if one.is_read and (one.log, one.size) == (self.log, size) and self.sign(one)]
        return any(one.root == found for one in its) if its else None

    def is_proved(self, event):
        if self.log is None or self.tree is None:
            return False
        if self.agrees(self.tree.size, self.tree.root()):
            return True
        value = event.value
        if event.name != "audit.segment" or event.seq != self.first or not SEGMENT(value):
            return False
        return value["log"] != self.log or value["tree"] == [one.hex() for one in self.tree.whole()]

    def decide(self, event):
        if self.log is None or self.tree is None or event.prev is None:
            return False
        edge = grown(grown(self.tree.edge, self.tree.size - 1, event.prev), self.tree.size, event.leaf)
        return self.agrees(self.tree.size + 1, root(edge)) is False

    # Events

    def accept(self, event):
        value, name = event.value, event.name
        if "event" not in value:
            if not (REQUEST_1 if value["v"] == 1 else REQUEST_2)(value):
                raise Fault("malformed", event.seq)
            if value["v"] == 2:
                self.check_terms(event)
        elif not is_text(name) or not is_text(value.get("node")):
            raise Fault("malformed", event.seq)
        elif name == "terms" and value["v"] == 2:
            if not TERMS(value.get("terms")):
                raise Fault("malformed", event.seq)
            if terms_id(value["terms"]) != value["id"]:
                raise Fault("terms-changed", event.seq)
            self.terms[value["id"]] = value["terms"]
        forms = {"audit.segment": SEGMENT, "audit.key": KEY, "audit.pruned": PRUNED, "audit.gap": GAP}
        if name in forms and not forms[name](value):
            raise Fault("malformed", event.seq)
        if self.pruned and event.seq in self.leaves and self.leaves[event.seq] != event.leaf:
            raise Fault("pruned-differ", event.seq)
        told = {"audit.segment": self.state, "audit.key": self.key, "audit.pruned": self.note_pruned, "audit.gap": self.gap}
        if name in told:
            told[name](event)
        self.before, self.head = self.head, (event.seq, event.leaf)
        self.is_empty = False
        self.push(event.leaf)
        if "event" not in value:
            self.has_request = True

    def check_terms(self, event):
        terms = event.value["terms"]
        if is_text(terms):
            if terms not in self.terms:
                raise Fault("terms-missing", event.seq)
            terms = self.terms[terms]
        counts = event.value.get("counts", [])
        if counts and counts[-1][0] >= len(terms.get("data", [])):
            raise Fault("miscounted", event.seq)

    def push(self, leaf):
        for tree in (self.tree, self.own):
            if tree:
                tree.push(leaf)
                tree.mark(self.wanted)

    def leave_segment(self):
        """What the segment holds is not of the identity before, unless it has said so."""
        if self.tree and self.before_segment:
            self.tree = self.before_segment
        self.before_segment = None

    def end(self):
        if self.tree and self.log is not None:
            self.identities.append((self.log, self.tree))
        self.tree = None

    def gap(self, event):
        value = event.value
        if not GAP(value) or not re.fullmatch("sha256:[0-9a-f]{64}", value["last_hash"]):
            raise Fault("malformed", event.seq)
        behind, was = self.pending_gap or ((value["last_seq"], b""), (value["last_seq"], b""))
        self.pending_gap = None
        lost = (was[0] + 1, behind[0]) if was[0] < behind[0] else None
        self.gaps.append((value["last_seq"], lost))
        self.notes_gap, self.has_request, self.is_stated = True, False, False
        if self.log is None:
            self.tree = None

    def state(self, event):
        value = event.value
        if not SEGMENT(value):
            raise Fault("malformed", event.seq)
        is_sound = re.fullmatch("[0-9a-f]{32}", value["log"]) and not self.is_stated
        if not is_sound or not all(re.fullmatch("[0-9a-f]{64}", one) for one in value["tree"]):
            raise Fault("misstated", event.seq)
        log, begin, edge = value["log"], value["from"], [bytes.fromhex(one) for one in value["tree"]]
        if event.seq == self.first:
            self.state_first(event.seq, log, begin, edge)
            self.before_segment = None
        else:
            known = [self.log] + [name for name, _ in self.identities]
            is_new = self.notes_gap and not self.has_request and log not in known
            if not is_new or begin != self.first or edge != self.own.whole():
                raise Fault("misstated", event.seq)
            self.leave_segment()
            self.end()
            self.log, self.tree, self.own = log, self.own, None
        self.is_stated = True

    def state_first(self, seq, log, begin, edge):
        if self.tree is None:
            is_sound = log == self.log if self.log is not None else begin == seq and not edge
            if not is_sound:
                raise Fault("misstated", seq)
            if self.log is None:
                self.log, self.tree, self.own = log, Tree(seq), None
            return
        if (self.log is not None and log != self.log) or begin != self.tree.start:
            raise Fault("misstated", seq)
        whole = self.tree.whole()
        if whole != edge:
            if not self.is_pruned or self.log is not None or len(whole) != len(edge):
                raise Fault("misstated", seq)
            place = next(at for at in range(len(edge)) if edge[at] != whole[at])
            sizes = [1 << bit for bit in range(63, -1, -1) if self.tree.size >> bit & 1]
            first = sum(sizes[:place])
            raise Fault("pruned-differ", begin + first, begin + first + sizes[place] - 1)
        self.log = log

    def key(self, event):
        value = event.value
        if not KEY(value):
            raise Fault("malformed", event.seq)
        key = key_of(value["key"])
        previous = value.get("previous")
        before = key_of(previous) if previous is not None and key else None
        if self.log is None or key is None or (previous is not None and before is None):
            raise Fault("key-forged", event.seq)
        origin = "paravent/%s/%s" % (self.log, value["node"])
        text = "paravent audit key\n%s\n%s\n%s\n" % (origin, value["key"], previous or "")
        signers = [key, before]
        signatures = value["signatures"]
        is_sound = len(signatures) == 1 or (len(signatures) == 2 and before is not None)
        for signer, signature in zip(signers, signatures):
            is_sound = is_sound and is_signed(signer.public, text.encode("utf-8"), strict_base64(signature) or b"")
        if not is_sound:
            raise Fault("key-forged", event.seq)
        if len(signatures) == 2:
            if before in self.counting and key not in self.counting:
                self.counting.append(key)
            if (key, before) not in self.successions:
                self.successions.append((key, before))
        self.local.append(key)

    def note_pruned(self, event):
        value = event.value
        is_sound = PRUNED(value) and value["first_seq"] <= value["last_seq"] < event.seq
        if not is_sound:
            raise Fault("malformed", event.seq)
        self.told.append((event.seq, value["last_seq"]))

    # Checkpoints

    def predecessors(self):
        """Keys before one that counts, as that one itself has signed."""
        found = []
        for key, before in reversed(self.successions):
            met = self.counting + found
            if key in met and before not in met:
                found.append(before)
        return found

    def sign(self, one):
        """Whether a checkpoint counts; says so in it."""
        by = one.signed_by(self.counting)
        if by is None and (self.trust_local or not self.given or not one.is_outside):
            by = one.signed_by(self.local)
            if by is None and not self.given:
                one.signer_counts, one.counts, one.standing = None, False, None
                return False
            one.signer_counts = False
        elif by is None:
            by, one.signer_counts = one.signed_by(self.predecessors()), False
        else:
            one.signer_counts = True
        one.standing = {True: None, False: "forged", None: "unsigned"}[by]
        one.counts = by is True and (one.signer_counts or self.trust_local)
        return one.counts

    def judge(self, one):
        if not one.is_read:
            one.standing = "no-checkpoint"
            return
        self.sign(one)
        if one.standing:
            return
        tree = next((tree for log, tree in self.identities if log == one.log), None)
        if tree is None:
            one.standing = "other-log"
            return
        one.seq = tree.start + one.size - 1
        found = root([]) if one.size == 0 else tree.roots.get(one.size)
        if found is not None:
            one.standing = "agrees" if found == one.root else "differs"
        elif not self.is_whole:
            one.standing = "beyond"
        else:
            begin = tree.start + tree.size
            known = [lost for last, lost in self.gaps if lost and self.knows(last, lost)]
            is_in_gap = any(lost[0] <= begin and one.seq <= lost[1] for lost in known)
            one.standing = "in-gap" if is_in_gap else "missing"

    def knows(self, last, lost):
        """Whether a gap was expected, with all that is missing in it."""
        return any(last == end and (lost is None or begin <= lost[0]) for begin, end in self.known_gaps)

    def mark_pruned(self):
        """Checkpoints of identities of which all was pruned, and whose leaves are there."""
        unknown = {}
        for one in self.checkpoints:
            if one.standing == "other-log" and one.size and (one.counts or one.is_outside) and one.log_known:
                unknown.setdefault(one.log, []).append(one)
        for of_log in unknown.values():
            of_log.sort(key=lambda one: one.size)
            for start in [begin for begin, end, _ in self.pruned if end < self.first_segment]:
                tree, agreeing = Tree(start), []
                for size in sorted({one.size for one in of_log}):
                    while tree.size < size and start + tree.size < self.first_segment and start + tree.size in self.leaves:
                        tree.push(self.leaves[start + tree.size])
                    if tree.size < size:
                        break
                    agreeing += [one for one in of_log if one.size == size and one.root == tree.root()]
                    if not agreeing:
                        break
                for one in agreeing:
                    one.standing = "pruned"
                if agreeing:
                    break

    def is_pruning_vouched(self):
        """Whether an `audit.pruned` of all that was pruned is signed."""
        if not self.pruned_seq:
            return True
        starts = {log: tree.start for log, tree in reversed(self.identities)}
        proofs = [(starts[one.log], one.seq) for one in self.checkpoints if one.is_proof()]
        told = [seq for seq, last in self.told if last >= self.pruned_seq]
        return any(start <= seq <= end for seq in told for start, end in proofs)

    def accused(self):
        for log, tree in self.identities:
            its = [one for one in self.checkpoints if one.is_read and one.log == log and one.seq is not None]
            agreed = sorted(one.size for one in its if one.standing == "agrees" and one.counts)
            accusing = [one for one in its if one.counts or (one.is_outside and not one.signer_counts)]
            differing = [one.size for one in accusing if one.standing == "differs"]
            if differing:
                size = min(differing)
                before = max([one for one in agreed if one < size], default=0)
                if any(one >= size for one in agreed):
                    fault = Fault("split", 0)
                    fault.first_bad = None
                    return fault
                return Fault("forked", tree.start + before, tree.start + size - 1)
            if any(one.standing == "missing" for one in accusing):
                before = max([one for one in agreed if one <= tree.size], default=0)
                return Fault("cut", tree.start + before, tree.start + tree.size)
        return None


def event_of_pair(pair):
    line, _ = pair
    return None if line is UNDECODABLE else event_of(line)


def verify(folder, keys=(), checkpoints=(), known_gaps=(), trust_local=False):
    """The exit code, the kind of fault, and where the first bad event is."""
    outside = [Checkpoint(name, data, True) for name, data in checkpoints]
    if any(not one.is_read for one in outside):
        return 2, None, None
    log, fault, later = Log(folder, list(keys), outside, list(known_gaps), trust_local), None, False
    try:
        log.run()
        log.is_whole = True
    except Fault as found:
        fault = found
    except Later:
        later = True
    except Unusable:
        log.segments = {}
    if log.head[0] == 0 and fault is None and not later:
        signed = [one.size for one in outside if one.signed_by(log.given)]
        if signed and max(signed) > 0:
            return 1, "cut", [1, 1]
    if not log.segments:
        return 2, None, None
    if log.notes_gap and not log.is_stated:
        log.leave_segment()
    log.end()
    for one in log.checkpoints:
        log.judge(one)
    log.mark_pruned()
    accused = log.accused()
    if accused and (fault is None or accused.first_bad is None or accused.first_bad[1] < fault.first_bad[0]):
        fault = accused
    if fault:
        return 1, fault.kind, fault.first_bad
    if later:
        return 2, None, None
    passes = ("agrees", "in-gap", "pruned")
    fails = any(one.standing not in passes and (one.is_outside or trust_local) for one in log.checkpoints)
    if fails or not all(log.knows(last, lost) for last, lost in log.gaps):
        return 1, None, None
    if trust_local and not log.given:
        return 0, None, None
    vouched = any(one.is_proof() and (one.is_outside or trust_local) for one in log.checkpoints)
    return (0 if vouched and log.is_pruning_vouched() else 3), None, None


def known_gap(text):
    """FIRST-LAST, or LAST alone if nothing was missing."""
    found = re.fullmatch("([0-9]+)(?:-([0-9]+))?", text)
    if not found:
        sys.exit(2)
    first, last = int(found.group(1)), found.group(2)
    return (first + 1, first) if last is None else (first, int(last))


def given_keys(words):
    found = []
    for word in words:
        line = word
        if os.path.exists(word):
            with open(word, encoding="utf-8") as file:
                line = file.read()
        key = key_of(line)
        if key is None:
            sys.exit(2)
        found.append(key)
    return found


def given_checkpoints(paths):
    found = []
    for path in paths:
        names = [path]
        if os.path.isdir(path):
            names = [os.path.join(path, name) for name in sorted(os.listdir(path)) if not name.startswith(".")]
        for name in names:
            with open(name, "rb") as file:
                found.append((name, file.read(NOTE_MAX + 1)))
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("log")
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--checkpoint", action="append", default=[])
    parser.add_argument("--expect-gap", action="append", default=[], type=known_gap)
    parser.add_argument("--trust-local", action="store_true")
    args = parser.parse_args()
    keys, checkpoints = given_keys(args.key), given_checkpoints(args.checkpoint)
    code, kind, first_bad = verify(args.log, keys, checkpoints, args.expect_gap, args.trust_local)
    print(json.dumps({"exit": code, "kind": kind, "first_bad": first_bad}))
    return code


if __name__ == "__main__":
    sys.exit(main())
