"""Files of the log that are taken away, replaced or cut while it is written: what is answered afterwards has its event, and the log
says what is missing."""

import os
import shutil
import time

from calls import noted_gaps
from stage import Events, Load, Proxy, sessions, unrecorded


def open_segment(dir):
    return max(dir.glob("audit-*.jsonl"))


def removed(dir, _):
    open_segment(dir).unlink()


def moved(dir, elsewhere):
    open_segment(dir).rename(elsewhere / "moved")


def replaced(dir, elsewhere):
    path = open_segment(dir)
    shutil.copyfile(path, elsewhere / "copied")
    os.replace(elsewhere / "copied", path)


def emptied_in_its_place(dir, elsewhere):
    path = open_segment(dir)
    path.rename(elsewhere / "was")
    path.touch()


def truncated(dir, _):
    path = open_segment(dir)
    os.truncate(path, path.stat().st_size // 2)


def emptied(dir, _):
    os.truncate(open_segment(dir), 0)


def folder_removed(dir, _):
    shutil.rmtree(dir)


def folder_moved(dir, elsewhere):
    dir.rename(elsewhere / "log")


def folder_replaced(dir, elsewhere):
    dir.rename(elsewhere / "another")
    dir.mkdir(mode=0o700)


CASES = (removed, moved, replaced, emptied_in_its_place, truncated, emptied, folder_removed, folder_moved, folder_replaced)


def run(crm, _):
    problems, replies = [], 0
    for case in CASES:
        what = case.__name__.replace("_", " ")
        with Proxy(crm, f"files-{case.__name__}") as proxy:
            proxy.start()
            callers, elsewhere = sessions(proxy), proxy.home / "elsewhere"
            elsewhere.mkdir()
            with Load(proxy.port, callers) as load:
                time.sleep(0.4)
                case(proxy.audit, elsewhere)
                done = time.monotonic()
                # It may be about to be seen: what counts is that it goes on.
                time.sleep(2.5)
                is_ready = proxy.becomes(200)
                began = time.monotonic()
                time.sleep(0.4)
            replies += len(load.replies)
            if not is_ready:
                problems.append(f"{what}: it does not go on: {proxy.said()}")
                continue
            if not load.succeeded(since=began):
                problems.append(f"{what}: nothing is answered afterwards")
            later = [reply for reply in load.replies if reply.began > done]
            problems += [f"{what}: {problem}" for problem in unrecorded(later, Events(proxy.audit).look())]
            proxy.stop()
            problems += [f"{what}: {problem}" for problem in said(proxy)]
    print(f"files: {len(CASES)} cases, {replies} replies received, those after it each with its event")
    return problems


def said(proxy):
    """The log notes the gap, and verifies once that is known."""
    gaps = noted_gaps(proxy)
    if len(gaps) != 1:
        return [f"{len(gaps)} gaps are noted"]
    code, told = proxy.verify()
    if code != 1:
        return [f"a gap that nobody expects passes: {told}"]
    code, told = proxy.verify("--expect-gap", gaps[0])
    return [] if code in (0, 3) else [f"the log does not verify: {told}"]
