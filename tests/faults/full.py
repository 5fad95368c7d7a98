"""No room: on the disk, for the file, for the log. Requests are refused, nothing is answered without its event, and it goes on by
itself when there is room."""

import re
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

from stage import PATIENCE, Events, Load, Missing, Proxy, sessions, unrecorded
from world import ask


def run(crm, _):
    problems = file_size(crm) + log_size(crm)
    try:
        problems += tmpfs(crm)
    except Missing:
        for problem in problems:
            print(f"FAILED: full: {problem}")
        raise
    return problems


def fill(proxy, callers, dir, make_room, what):
    """Loads until nothing is written any more, and on; makes room; loads again."""
    problems, events = [], Events(dir)
    with Load(proxy.port, callers) as load:
        if not proxy.becomes(503):
            return [f"{what}: it never was full"]
        time.sleep(1.5)
        refused = sum(reply.status == 503 for reply in load.replies)
        make_room()
        is_ready = proxy.becomes(200)
        began = time.monotonic()
        time.sleep(0.5)
    if not refused:
        problems.append(f"{what}: no request was refused")
    if not is_ready:
        return [*problems, f"{what}: it does not go on when there is room: {proxy.said()}"]
    if not load.succeeded(since=began):
        problems.append(f"{what}: nothing is answered when there is room")
    problems += [f"{what}: {problem}" for problem in unrecorded(load.replies, events.look())]
    print(f"full: {what}: {len(load.replies)} replies received, {refused} requests refused while full, none of success without its event")
    return problems


def verified(proxy, what, dir=None):
    code, said = proxy.verify(dir=dir)
    return [] if code in (0, 3) else [f"{what}: the log does not verify: {said}"]


def file_size(crm):
    """A bound for files: what crosses it is written in part (a short write), and the next call fails."""

    def bounded():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_001, resource.RLIM_INFINITY))

    with Proxy(crm, "file-size", preexec=bounded) as proxy:
        proxy.start()
        more = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        problems = fill(proxy, sessions(proxy), proxy.audit, lambda: resource.prlimit(proxy.process.pid, resource.RLIMIT_FSIZE, more), "a bound for files")
        proxy.stop()
        return problems + verified(proxy, "a bound for files")


def log_size(crm):
    """`audit.max_bytes`."""
    with Proxy(crm, "log-size", audit={"max_bytes": "1MiB"}) as proxy:
        proxy.start()
        filler = proxy.audit / "filler"
        filler.write_bytes(bytes(700_000))
        if not measured(proxy, 700_000):
            return ["`audit.max_bytes`: what lies beside the segments is not counted"]
        problems = fill(proxy, sessions(proxy), proxy.audit, filler.unlink, "`audit.max_bytes`")
        proxy.stop()
        return problems + verified(proxy, "`audit.max_bytes`")


def measured(proxy, least):
    """Whether the log comes to count so many bytes; it looks every few seconds."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = re.search(r"^paravent_audit_bytes (\d+)", ask(proxy.admin, "/metrics").body, re.M)
        if int(found[1]) >= least:
            return True
        time.sleep(0.2)
    return False


def tmpfs(crm):
    """A small disk of its own, in a namespace that ends with the process."""
    disk = crm.folder / "disk"
    disk.mkdir()
    script = 'mount -t tmpfs -o size=1m none "$0" && exec "$@"'
    before = ["unshare", "-r", "-m", "sh", "-c", script, str(disk)]
    tried = subprocess.run([*before, "true"], check=False, capture_output=True, text=True)
    if tried.returncode != 0:
        raise Missing(f"nothing can be mounted here: {tried.stderr.strip()[-300:]}")
    what = "a disk of 1 MiB"
    with Proxy(crm, "tmpfs", before=before, dir=disk / "audit") as proxy:
        proxy.start()
        inside = Path(f"/proc/{proxy.process.pid}/root{disk}")
        (inside / "filler").write_bytes(bytes(600_000))
        problems = fill(proxy, sessions(proxy), inside / "audit", (inside / "filler").unlink, what)
        copy = proxy.home / "copy"
        shutil.copytree(inside / "audit", copy)
        proxy.stop()
        return problems + verified(proxy, what, dir=copy)
