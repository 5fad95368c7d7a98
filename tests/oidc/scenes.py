"""What is checked. Each scene has a provider, a CRM and a proxy of its own."""

import base64
import concurrent.futures
import http.client
import json
import secrets
import threading
import time
import urllib.error

from person import Person
from world import ask, log_in

CONTACTS = "/rest/v11_24/Contacts"
NAMED = f"{CONTACTS}?max_num=20&fields=full_name,iban_c"
# How much later than a bound says something may be seen: the machine does other things, too.
SLACK = 5
FLOOD = 1000
# How long an issuer is not asked again, in seconds.
PAUSE = 60
# The least that a configuration may say, and nearly so: how old keys may be until they are asked for again, and at all.
REFRESH, STALE = 60, 90


class Scene:
    def __init__(self, name):
        self.name, self.passed, self.problems, self.figures, self.secrets = name, [], [], [], []

    def check(self, what, holds, told=""):
        if holds:
            self.passed.append(what)
        else:
            self.problems.append(f"{what}: {told}")

    def keep(self, token):
        """A token that no log may hold; neither may they hold its signature alone."""
        self.secrets += [token, token.rsplit(".", 1)[1]]
        return token


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def ibans(reply):
    return [record["iban_c"] for record in reply.json()["records"] if record["iban_c"]]


def masked(reply):
    found = ibans(reply)
    return bool(found) and all("•" in iban for iban in found)


def clear(reply):
    found = ibans(reply)
    return bool(found) and not any("•" in iban for iban in found)


def parts(token):
    return [json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))) for part in token.split(".")[:2]]


def written(header, claims, signature=None):
    def encode(raw):
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    texts = [encode(json.dumps(part).encode()) for part in (header, claims)]
    return ".".join([*texts, signature or encode(secrets.token_bytes(64))])


def forged(token, **header):
    """The same claims, signed by nobody."""
    was, claims = parts(token)
    return written({**was, **header}, claims)


# ---- claims and step-up ---------------------------------------------------------------------------------------------


def step_up(scene, world):
    """From a weak token over the challenge to a strong one, beside a session of the CRM, and what is never accepted."""
    fanny, proxy = Person(world.provider.issuer, "fanny"), world.proxy
    counts = world.provider.tell("count")
    scene.check("keys are found over the metadata", counts["metadata"] >= 1 and counts["keys"] == 1, counts)
    told = fanny.tokens()
    weak = scene.keep(told["access_token"])
    scene.check("the provider issues what RFC 9068 says", parts(weak)[0]["typ"] == "at+jwt", parts(weak)[0])
    reply = ask(proxy.tokens, f"{CONTACTS}?max_num=20", bearer(weak))
    scene.check("a weak token sees masks", reply.status == 200 and masked(reply), reply)
    hint = reply.headers.get("Paravent-Step-Up", "")
    scene.check("and is told what would show more", hint == 'acr_values="phr phrh", max_age=900', hint)
    reply = ask(proxy.tokens, NAMED, bearer(weak))
    challenge = reply.headers.get("WWW-Authenticate", "")
    scene.check("naming the field is challenged", reply.status == 401 and 'error="insufficient_user_authentication"' in challenge, f"{reply} {challenge}")

    asked = {name: challenge.split(f"{name}=")[1].split(",")[0].strip('"') for name in ("acr_values", "max_age")}
    strong = scene.keep(fanny.token(**asked))
    claims = parts(strong)[1]
    scene.check("the provider has followed the challenge", claims["acr"] == "phr" and time.time() - claims["auth_time"] < 60, claims)
    reply = ask(proxy.tokens, NAMED, bearer(strong))
    scene.check("the strong token sees it in clear", reply.status == 200 and clear(reply), reply)
    value = ibans(reply)[0]
    scene.secrets.append(value)
    beside_sessions(scene, proxy, weak, strong)
    never(scene, world, told, weak)
    explained(scene, proxy, strong, told["id_token"])


def beside_sessions(scene, proxy, weak, strong):
    fanny, sally = log_in(proxy.people, "fanny"), log_in(proxy.people, "sally")
    for session, token, wanted, what in (
        (fanny, None, masked, "fanny's bare session sees masks"),
        (fanny, weak, masked, "with a weak token it sees masks"),
        (fanny, strong, clear, "with a strong token it sees clearly"),
        (sally, None, masked, "sally's session sees masks"),
    ):
        headers = {"OAuth-Token": session} | ({"Paravent-Token": token} if token else {})
        reply = ask(proxy.people, NAMED, headers)
        scene.check(what, reply.status == 200 and wanted(reply), reply)
    reply = ask(proxy.people, NAMED, {"OAuth-Token": sally, "Paravent-Token": strong})
    scene.check("a token of somebody else strengthens nothing", reply.status == 401, reply)
    scene.secrets += [fanny, sally]


def never(scene, world, told, weak):
    proxy = world.proxy
    header, claims = parts(weak)
    signature = weak.rsplit(".", 1)[1]
    sam = scene.keep(Person(world.provider.issuer, "sam").token())
    for what, token, status in (
        ("an ID token proves nothing", told["id_token"], 401),
        ("a token signed by nobody", forged(weak), 401),
        ("`alg: none`", written({**header, "alg": "none"}, claims, "AA"), 401),
        ("claims that were changed", written(header, {**claims, "acr": "phr"}, signature), 401),
        ("a token that nobody's role comes from", sam, 403),
    ):
        reply = ask(proxy.tokens, f"{CONTACTS}?max_num=1", bearer(token))
        scene.check(f"{what}: refused", reply.status == status, reply)
    for target in ("/rest/v11_24/me", "/rest/v11_24/Cases", "/rest/v11_24/Contacts?my_items=1"):
        reply = ask(proxy.tokens, target, bearer(weak))
        scene.check(f"the service account is nobody's deputy: {target}", reply.status == 403, reply)
    reply = ask(proxy.people, f"{CONTACTS}?max_num=1", bearer(weak))
    scene.check("where sessions are accepted, a token as bearer is refused", reply.status == 401, reply)


def explained(scene, proxy, strong, id_token):
    for token, code, says in ((strong, 0, "roles       finance-by-token; one more"), (strong, 0, "strong: proved"), (id_token, 1, "no: it is for another audience")):
        file = proxy.folder / "shown.jwt"
        file.write_text(token + "\n")
        done = proxy.run("explain", "--token", file, "--config", proxy.config)
        said = done.stdout + done.stderr
        scene.check(f"explain --token says {says}", done.returncode == code and says in said, said)
        subject = parts(token)[1]["sub"]
        is_silent = not any(part in said for part in token.split(".")) and f" {subject}" not in said
        scene.check("explain --token shows neither the token nor who it is of", is_silent, said)
    scene.secrets += [id_token]


# ---- rotation -------------------------------------------------------------------------------------------------------


class Traffic:
    """Requests that go on: each new token, and forgeries of it, until told to stop."""

    def __init__(self, world):
        self.fanny, self.port = Person(world.provider.issuer, "fanny"), world.proxy.tokens
        self.stopping = threading.Event()
        self.good, self.bad, self.lost, self.let_in, self.without = {}, 0, [], [], []
        self.player = threading.Thread(target=self.play)
        self.player.start()

    def play(self):
        while not self.stopping.is_set():
            try:
                token = self.fanny.token()
            except urllib.error.HTTPError as error:
                # A code of the provider before it published other keys is nothing to the one after: there is no token to lose.
                self.without.append(repr(error))
                continue
            except Exception as error:  # noqa: BLE001  whatever it is, requests were lost
                self.lost.append(repr(error))
                continue
            try:
                kid = parts(token)[0]["kid"]
                reply = ask(self.port, f"{CONTACTS}?max_num=1", bearer(token))
                self.good[kid] = self.good.get(kid, 0) + 1
                if reply.status != 200:
                    self.lost.append(f"{kid}: {reply}")
                # Who forges comes from elsewhere: their failures slow themselves down, and nobody else.
                reply = ask(self.port, f"{CONTACTS}?max_num=1", bearer(forged(token)), origin="127.0.0.2")
                self.bad += 1
                if reply.status == 200:
                    self.let_in.append(str(reply))
            except Exception as error:  # noqa: BLE001  whatever it is, requests were lost
                self.lost.append(repr(error))
            self.stopping.wait(0.1)

    def stop(self):
        self.stopping.set()
        self.player.join()


# How often `rotation` publishes other keys.
PUBLISHED = 3


def rotation(scene, world):
    """A key that is published ahead loses no token, and one that is taken back lets none in."""
    provider, traffic = world.provider, Traffic(world)
    try:
        of_a = scene.keep(traffic.fanny.token())
        time.sleep(1)
        provider.tell("publish", ["a", "b"])
        time.sleep(REFRESH + SLACK)
        provider.tell("publish", ["b", "a"])
        time.sleep(SLACK)
        reply = ask(world.proxy.tokens, f"{CONTACTS}?max_num=1", bearer(of_a))
        scene.check("a token of the former key still counts while the key is published", reply.status == 200, reply)
        provider.tell("publish", ["b"])
        time.sleep(REFRESH + SLACK)
        reply = ask(world.proxy.tokens, f"{CONTACTS}?max_num=1", bearer(of_a))
        scene.check("a token of a key that was taken back is refused", reply.status == 401, reply)
    finally:
        traffic.stop()
    scene.check("tokens of both keys were shown", set(traffic.good) == {"a", "b"} and min(traffic.good.values()) > 20, traffic.good)
    scene.check("no valid token was lost", not traffic.lost, traffic.lost[:3])
    scene.check("the provider gave one but while it published others", len(traffic.without) <= PUBLISHED, traffic.without[:5])
    scene.check("no forged token was let in", traffic.bad > 20 and not traffic.let_in, traffic.let_in[:3])
    counts = provider.tell("count")
    scene.check("keys were asked for once a minute", 3 <= counts["keys"] <= 4, counts)
    scene.figures.append(f"accepted by key: {traffic.good}; forged: {traffic.bad}; asked for keys {counts['keys']} times")


# ---- floods, and an issuer that is gone -----------------------------------------------------------------------------


def flood(port, token):
    """Many tokens with a `kid` each that nobody knows, as fast as they go; the statuses, and how long it took."""
    tokens = [forged(token, kid=secrets.token_hex(8)) for _ in range(FLOOD)]

    def some(mine):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            return [ask(port, f"{CONTACTS}?max_num=1", bearer(one), connection=connection).status for one in mine]
        finally:
            connection.close()

    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(8) as players:
        statuses = [status for some_statuses in players.map(some, [tokens[at::8] for at in range(8)]) for status in some_statuses]
    return statuses, time.monotonic() - began


def wait_for(port, target, headers, status, seconds):
    """How long it took until a request had this status; the last reply, if it never had."""
    began = time.monotonic()
    while True:
        reply = ask(port, target, headers)
        if reply.status == status or time.monotonic() - began > seconds:
            return reply, time.monotonic() - began
        time.sleep(0.5)


def floods(scene, world):
    """Unknown keys make nobody ask more than once a minute, and a key that was not published ahead loses a minute."""
    provider, proxy = world.provider, world.proxy
    fanny = Person(provider.issuer, "fanny")
    token = scene.keep(fanny.token())
    for when, wanted in (("within the first minute", 0), ("once the issuer may be asked again", 1)):
        before = provider.tell("count")["keys"]
        statuses, seconds = flood(proxy.tokens, token)
        asked = provider.tell("count")["keys"] - before
        told = {status: statuses.count(status) for status in sorted(set(statuses))}
        scene.check(f"a flood of unknown keys, {when}, asks at most once", asked == wanted, asked)
        scene.check(f"none of it is let in, {when}", set(told) <= {401, 429, 503}, told)
        scene.figures.append(f"{FLOOD} unknown keys in {seconds:.1f} s, {when}: asked {asked} times, answered {told}")
        reply = ask(proxy.tokens, f"{CONTACTS}?max_num=1", bearer(token))
        scene.check(f"who has a good token is not held up, {when}", reply.status == 200, reply)
        if wanted == 0:
            time.sleep(PAUSE + SLACK)
    provider.tell("publish", ["c"])
    new = scene.keep(Person(provider.issuer, "fanny").token())
    reply = ask(proxy.tokens, f"{CONTACTS}?max_num=1", bearer(new))
    scene.check("a key that was not published ahead: later", reply.status == 503 and "Retry-After" in reply.headers, reply)
    reply, seconds = wait_for(proxy.tokens, f"{CONTACTS}?max_num=1", bearer(new), 200, PAUSE + SLACK)
    scene.check("within a minute it counts", reply.status == 200, reply)
    scene.figures.append(f"a key that was not published ahead counted after {seconds:.0f} s")


def stopped(scene, world):
    """Known keys serve for `stale`; then nobody is let in, and `/readyz` says so, until the issuer is back."""
    provider, proxy = world.provider, world.proxy
    token = scene.keep(Person(provider.issuer, "fanny").token())
    headers = bearer(token)
    reply = ask(proxy.tokens, f"{CONTACTS}?max_num=1", headers)
    scene.check("the issuer is there", reply.status == 200, reply)
    provider.tell("stop")
    gone = time.monotonic()
    # The keys are at most so old already: the proxy asked when it started, or a minute later.
    reply, seconds = wait_for(proxy.tokens, f"{CONTACTS}?max_num=1", headers, 503, STALE + SLACK)
    scene.check("without it, known keys serve for a while", seconds > STALE - REFRESH - SLACK, seconds)
    scene.check("and not for ever", reply.status == 503 and "Retry-After" in reply.headers, reply)
    ready = ask(proxy.admin, "/readyz")
    scene.check("/readyz says whose keys are too old", ready.status == 503 and "company" in ready.body, ready)
    session = log_in(proxy.people, "sally")
    reply = ask(proxy.people, NAMED, {"OAuth-Token": session})
    scene.check("sessions of the CRM go on", reply.status == 200, reply)
    scene.secrets.append(session)
    scene.figures.append(f"the issuer stopped; its keys served {time.monotonic() - gone:.0f} s more")
    provider.tell("start")
    reply, seconds = wait_for(proxy.tokens, f"{CONTACTS}?max_num=1", headers, 200, REFRESH + 2 * SLACK)
    scene.check("once it is back, tokens count again", reply.status == 200, reply)
    ready = ask(proxy.admin, "/readyz")
    scene.check("/readyz is content", ready.status == 200, ready)
    scene.figures.append(f"back again, tokens counted after {seconds:.0f} s")


# What is played, and after how long keys are asked for again and are too old.
SCENES = {
    "step-up": (step_up, REFRESH, STALE),
    "rotation": (rotation, REFRESH, STALE),
    "floods": (floods, 600, 3600),
    "stopped": (stopped, REFRESH, STALE),
}
