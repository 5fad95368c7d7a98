"""kill -9 under load: nothing that was answered is missing, at most one torn end, ready again at once, and the log verifies."""

import random
import statistics
import time

from stage import Events, Load, Proxy, sessions, unrecorded

RESTART_SECONDS_MAX = 2.0


def run(crm, count):
    problems, starts, replies, torn, chance = [], [], 0, 0, random.Random(1)
    with Proxy(crm, "kills") as proxy:
        proxy.start()
        callers, events, received = sessions(proxy), Events(proxy.audit), []
        for number in range(1, count + 1):
            with Load(proxy.port, callers) as load:
                time.sleep(chance.uniform(0.05, 0.6))
                proxy.kill()
            received = load.replies
            replies += len(received)
            starts.append(proxy.start())
            problems += unrecorded(received, events.look())
            now_torn = len(list(proxy.audit.glob("torn-*.part")))
            if now_torn > torn + 1:
                problems.append(f"kill {number} left {now_torn - torn} torn ends")
            torn = now_torn
            # Verifying takes longer and longer.
            if number % 20 == 0 or number == count:
                code, said = proxy.verify()
                if code not in (0, 3):
                    problems.append(f"after kill {number} the log does not verify: {said}")
            if problems:
                return problems
        if proxy.stop() != 0:
            problems.append(f"it did not stop in order: {proxy.said()}")
    # Single ones take longer where the machine has other things to do.
    if statistics.median(starts) > RESTART_SECONDS_MAX:
        problems.append(f"a start takes {statistics.median(starts):.2f} s")
    if replies < count:
        problems.append(f"only {replies} replies came: there was no load")
    print(
        f"kills: {count} times, {replies} replies received, each with its event; {torn} torn ends set aside; "
        f"ready again in {statistics.median(starts):.2f} s (at most {max(starts):.2f} s); {len(events.ids)} events verified"
    )
    return problems
