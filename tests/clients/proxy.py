"""Paravent in front of one scripted CRM: started on free ports, stopped in order, its access log verified."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 180


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Proxy:
    def __init__(self, binary, folder, scripted, crm_url, listener):
        self.binary, self.log, self.output = binary, folder / "audit", folder / "paravent.txt"
        self.port = free_port()
        key = folder / "token.key"
        key.write_bytes(secrets.token_bytes(32))
        key.chmod(0o600)
        shutil.copytree(ROOT / scripted.POLICIES, folder / "policies")
        configuration = {
            "listeners": [{"name": "crm", "bind": f"127.0.0.1:{self.port}", "upstream": "crm", **listener}],
            "admin": {"bind": f"127.0.0.1:{free_port()}"},
            "upstreams": {"crm": {"url": crm_url, "page_max": 500, "dialects": [dialect(name) for name in scripted.DIALECTS]}},
            "policies": "policies/",
            "keys": {"token": {"file": "token.key"}},
            "audit": {"dir": "audit/", "durability": "strict"},
        }
        (folder / "paravent.yaml").write_text(json.dumps(configuration))  # JSON is YAML
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen([binary, "serve", "--config", folder / "paravent.yaml"], stdout=output, stderr=output)
        try:
            self.wait()
        except BaseException:  # also an interruption: nobody else knows the process yet
            self.close()
            raise

    def wait(self):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"paravent did not start:\n{self.output.read_text(errors='replace')}")

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def verify(self, secrets):
        """The access log is whole, and neither it nor the operator's log holds a value."""
        first = self.ask_log()
        last = next((line.removeprefix("last: ") for line in first.stdout.splitlines() if line.startswith("last: ")), "")
        done = self.ask_log("--expect", last)
        problems = [] if (first.returncode, done.returncode) == (3, 0) else [f"the access log does not verify: {first.stdout}{first.stderr}{done.stdout}{done.stderr}"]
        texts = {file: file.read_text(errors="replace") for file in [self.output, *self.log.rglob("*")] if file.is_file()}
        problems += [f"{secret} stands in {file.name}" for file, text in texts.items() for secret in secrets if secret in text]
        if self.process.returncode not in (0, None):
            problems.append(f"paravent ended with {self.process.returncode}: {self.output.read_text(errors='replace')[-1500:]}")
        return problems

    def ask_log(self, *arguments):
        return subprocess.run([self.binary, "audit", "verify", self.log, *arguments], check=False, capture_output=True, text=True, timeout=60)


def dialect(name):
    return {"description": os.fspath(ROOT / name)} if name.endswith(".yaml") else name
