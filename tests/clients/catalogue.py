"""The clients, and what each needs."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Client:
    name: str
    version: str
    registry: str  # PyPI, npm, or empty: requests that are replayed
    crm: str
    driver: str
    listener: dict = field(default_factory=dict)  # what the proxy must be told for it

    @property
    def kind(self):
        return f"unmodified, {self.registry}" if self.registry else "requests of"


CLIENTS = [
    Client("zucker", "0.2.7", "PyPI", "sugar", "zucker_sync.py"),
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
    Client("Mautic, Sugar 7", "", "", "sugar", "mautic-sugar7.json"),
    Client("Sugar's guide", "", "", "sugar", "sugar-documented.json"),
    Client("Sugar's ventana", "", "", "sugar", "sugar-ventana.json"),
    Client("elastic.io sugarcrm", "", "", "sugar", "elasticio-sugarcrm.json"),
    Client("Mautic, Sugar 6", "", "", "suite_v4", "mautic-sugar6.json", {"v4_get": "allowed"}),
    Client("Outlook plug-in", "", "", "suite_v4", "suitecrm-outlook.json"),
    Client("Ruby gem sugarcrm", "", "", "suite_v4", "ruby-sugarcrm.json", {"v4_get": "allowed"}),
    Client("Nextcloud SuiteCRM", "", "", "suite_v8", "nextcloud-suitecrm.json"),
    Client("n8n SuiteCRM", "", "", "suite_v8", "n8n-suitecrm.json"),
    Client("EspoCRM in browsers", "", "", "espo", "espocrm-browser.json"),
    Client("n8n EspoCRM", "", "", "espo", "n8n-espocrm.json"),
    Client("dolibarr-api-ts", "", "", "dolibarr", "dolibarr-api-ts.json"),
]
