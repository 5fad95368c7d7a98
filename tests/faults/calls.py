"""System calls of the log that fail while it is written: nothing is answered without its event, and it goes on by itself."""

import json
import re
import subprocess
import time
from collections import Counter

from stage import Events, Load, Missing, Proxy, needs, sessions, unrecorded

# Which call, how it fails, and which of them. Some are made only while the log mends itself, a second later: they fail beside
# another one. (Files are renamed and removed by the thread that keeps house only, for which a library test does the same.)
FAILS_ALWAYS = "when=1+"
CASES = [
    *[[f"{call}:error={error}:{FAILS_ALWAYS}"] for call in ("write", "fdatasync", "statx", "pwrite64") for error in ("EIO", "ENOSPC", "EINTR")],
    *[[f"{call}:error={error}:when=3+7"] for call in ("write", "fdatasync", "statx", "pwrite64") for error in ("EIO", "ENOSPC", "EINTR")],
    # A call that says that it did what it did not: of a write, of a part of it, of making it durable.
    ["write:retval=1:when=5+9"],
    ["write:retval=0:when=5+9"],
    ["fdatasync:delay_enter=300000:when=2+5"],
    *[
        ["fdatasync:error=EIO:when=3+5", f"{call}:error={error}:when=1+2"]
        for call in ("openat", "ftruncate", "fsync", "lseek", "read")
        for error in ("EIO", "ENOSPC", "EINTR")
    ],
]
SECONDS, MENDING_SECONDS = 0.9, 2.6


def run(crm, _):
    needs("strace")
    problems, replies, failed = [], 0, Counter()
    with Proxy(crm, "calls") as proxy:
        proxy.start()
        callers, events = sessions(proxy), Events(proxy.audit)
        for case in CASES:
            name = ", ".join(case)
            with Load(proxy.port, callers) as load:
                injected = inject(proxy, case)
                mended = proxy.becomes(200, within=15)
                began = time.monotonic()
                time.sleep(0.3)
            replies += len(load.replies)
            failed += injected
            problems += [f"{name}: no {call} failed, so nothing was tried" for call in called(case) if not injected[call]]
            if not mended:
                problems.append(f"{name}: it does not go on by itself: {proxy.said()}")
                return problems
            if not load.succeeded(since=began):
                problems.append(f"{name}: nothing is answered afterwards")
            problems += [f"{name}: {problem}" for problem in unrecorded(load.replies, events.look())]
        if proxy.stop() != 0:
            problems.append(f"it did not stop in order: {proxy.said()}")
        gaps = [argument for seq in noted_gaps(proxy) for argument in ("--expect-gap", seq)]
        code, said = proxy.verify(*gaps)
        if code not in (0, 3):
            problems.append(f"the log does not verify: {said}")
    each = ", ".join(f"{call} {count}" for call, count in sorted(failed.items()))
    print(f"calls: {len(CASES)} cases, {failed.total()} failed calls ({each}), {replies} replies received, none of success without its event")
    return problems


def called(case):
    return sorted({injected.split(":")[0] for injected in case})


def inject(proxy, case):
    """Lets calls on files of the log fail for a while; returns how many of each did."""
    segment = max(proxy.audit.glob("audit-*.jsonl"))
    paths = (proxy.audit, segment, proxy.home / "state", proxy.home / "state" / "head")
    calls = ",".join(called(case))
    trace = proxy.home / "trace.txt"
    command = ["strace", "-f", "-qq", "-o", str(trace), "-e", f"trace={calls}"]
    for path in paths:
        command += ["-P", str(path)]
    for injected in case:
        command += ["-e", f"inject={injected}"]
    traced = subprocess.Popen([*command, "-p", str(proxy.process.pid)], stderr=subprocess.PIPE, text=True)
    time.sleep(SECONDS if len(case) == 1 else MENDING_SECONDS)
    if traced.poll() is not None:
        raise Missing(f"strace may not trace here: {traced.stderr.read().strip()[-300:]}")
    traced.terminate()
    traced.wait()
    lines = trace.read_text(errors="replace").splitlines()
    # `1234 write(5, …) = -1 EIO (…) (INJECTED)`, or `1234 <... write resumed>…`
    calls = (re.search(r"^\d+ +(?:<\.\.\. )?(\w+)", line) for line in lines if "(INJECTED)" in line or "(DELAYED)" in line)
    return Counter(call[1] for call in calls if call)


def noted_gaps(proxy):
    """The events up to gaps that the log notes, as `--expect-gap` has them."""
    seqs = []
    for path in sorted(proxy.audit.glob("audit-*.jsonl")):
        for line in path.read_bytes().split(b"\n"):
            if b'"event":"audit.gap"' in line:
                seqs.append("1-%d" % json.loads(line)["last_seq"])
    return seqs
