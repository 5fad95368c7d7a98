"""Installs the clients into a cache, each in an environment of its own, in exactly the versions of the lock files."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path


HERE = Path(__file__).resolve().parent
TIMEOUT = 600


class Failed(Exception):
    pass


def missing(clients):
    """What the machine lacks, in words."""
    lacks = []
    if sys.version_info[:2] < (3, 11):  # noqa: UP036
        lacks.append("python3 3.11 or later")
    if any(client.registry == "PyPI" for client in clients):
        for module in ("venv", "pip"):
            if subprocess.run([sys.executable, "-m", module, "--help"], check=False, capture_output=True).returncode != 0:
                lacks.append(f"python3 with {module}")
    if any(client.registry == "npm" for client in clients):
        lacks += [program for program in ("node", "npm") if not shutil.which(program)]
    return lacks


def lock(client):
    name = client.name
    return HERE / "npm" / name / "package-lock.json" if client.registry == "npm" else HERE / "requirements" / f"{name}.txt"


def home(client, cache):
    """Named after what is in it, so that another version is another folder."""
    files = [lock(client)] + [HERE / "requirements" / f"{name}.txt" for name in ("requests", "build") if client.registry == "PyPI"]
    texts = [file.read_bytes() for file in files]
    digest = hashlib.sha256(b"".join(texts) + sys.version.encode()).hexdigest()[:12]
    return cache / f"{lock(client).parent.name if client.registry == 'npm' else lock(client).stem}-{digest}"


def call(*command, **options):
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=TIMEOUT, **options)
    except subprocess.TimeoutExpired:
        raise Failed(f"{command[0]} was not done after {TIMEOUT} s") from None
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}\n{(done.stdout + done.stderr).strip()[-2000:]}")


def pip(folder, requirements, *options):
    call(
        sys.executable,
        "-m",
        "pip",
        "--python",
        folder / "bin" / "python",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        *options,
        "-r",
        requirements,
    )


def prepare(clients, cache):
    for client in clients:
        if not client.registry or (home(client, cache) / "done").exists():
            continue
        folder = home(client, cache)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(f"installing {client.name} {client.version} from {client.registry}", file=sys.stderr)
        if client.registry == "PyPI":
            call(sys.executable, "-m", "venv", "--without-pip", folder)
            pip(folder, HERE / "requirements" / "build.txt")
            pip(folder, lock(client), "--no-build-isolation")  # sources are built with what the line before installed
        else:
            for name in ("package.json", "package-lock.json"):
                shutil.copy(lock(client).parent / name, folder)
            call("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=folder, env={**os.environ, "npm_config_update_notifier": "false"})
        (folder / "done").touch()


def command(client, cache):
    """How the driver of a client is started, and what it needs to know beside."""
    driver = HERE / ("drivers" if client.registry else "requests") / client.driver
    if client.registry == "PyPI":
        return [home(client, cache) / "bin" / "python", "-s", driver], {}
    if client.registry == "npm":
        return [sys.executable, "-s", driver], {"NODE_PATH": str(home(client, cache) / "node_modules")}
    return [sys.executable, "-s", HERE / "drivers" / "replay.py", driver], {}
