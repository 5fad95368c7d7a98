"""The clients, and what each needs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    name: str
    version: str
    registry: str  # PyPI, npm, or empty: requests that are replayed
    crm: str
    driver: str = ""
    where: str = "tests/clients/drivers"

    @property
    def kind(self):
        return f"unmodified, {self.registry}" if self.registry else "requests of"


CLIENTS = [
    Client("zucker", "0.2.7", "PyPI", "sugar", "zucker_sync.py"),
    Client("zucker-async", "0.2.7", "PyPI", "sugar", "zucker_async.py"),
    Client("sugarcrm-cloud-python", "0.1.0", "PyPI", "sugar", "sugarcrm_cloud_python.py"),
    Client("pysugarcrm", "1.0.3", "PyPI", "sugar", "pysugarcrm_10.py"),
    Client("sugarcrm-25-api", "0.1.1", "PyPI", "sugar", "sugarcrm_25.py"),
    Client("sugarcrm", "0.1.2", "PyPI", "suite_v4", "sugarcrm_v4.py"),
    Client("sugarcrm-python", "0.1.9", "PyPI", "suite_v4", "sugarcrm_python.py"),
    Client("node-sugarcrm-client", "0.9.3", "npm", "suite_v4", "node_sugarcrm_client.py"),
    Client("pysuitecrm", "2022.8.13", "PyPI", "suite_v8", "pysuitecrm_v8.py"),
    Client("suitecrmpythonclient", "0.0.8", "PyPI", "suite_v8", "suitecrm_python_client.py"),
    Client("espo", "0.1.0", "PyPI", "espo", "espo_python.py"),
    Client("espocrm-client", "0.2.1", "PyPI", "espo", "espocrm_client.py"),
    Client("espocrm-mcp-server", "0.2.0", "npm", "espo", "espocrm_mcp_server.py"),
    Client("dolibarr", "0.1.20", "PyPI", "dolibarr", "dolibarr_python.py"),
    Client("dolibarrpy", "0.12.0", "PyPI", "dolibarr", "dolibarrpy_python.py"),
    Client("dolipy", "0.1.2", "PyPI", "dolibarr", "dolipy_python.py"),
    Client("cli-dolibarr", "3.32.55", "PyPI", "dolibarr", "cli_dolibarr.py"),
]
REQUIREMENTS = {"zucker-async": "zucker"}
