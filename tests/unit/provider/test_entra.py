import json
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import ModuleType
from typing import Any

import pytest

from demurrage.model.error import SettingsError
from demurrage.provider.entra import SCOPE, EntraTokens


async def test_tokens_come_from_the_machines_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default credential is asked for the service's audience, and closed in the end."""
    closed: list[bool] = []

    class Credential:
        def __init__(self, *, transport: object) -> None:
            assert transport is not None

        async def close(self) -> None:
            closed.append(True)

    def provider(credential: Any, *scopes: str) -> Any:
        assert isinstance(credential, Credential)

        async def token() -> str:
            return f"token for {scopes}"

        return token

    fake = ModuleType("azure.identity.aio")
    fake.__dict__.update(DefaultAzureCredential=Credential, get_bearer_token_provider=provider)
    monkeypatch.setitem(sys.modules, "azure.identity.aio", fake)
    tokens = EntraTokens()
    assert await tokens() == f"token for {(SCOPE,)}"
    await tokens.aclose()
    assert closed == [True]


class Identity(BaseHTTPRequestHandler):
    """The identity service of a managed host, as App Service has it."""

    def do_GET(self) -> None:
        """Give a token."""
        told = {
            "access_token": "token",
            "expires_on": str(int(time.time()) + 3600),
            "resource": self.path,
            "token_type": "Bearer",
        }
        body = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - likewise
        """Say nothing."""


async def test_the_library_works_as_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A managed host's identity service is reached with what the extra brings, and no more."""
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_TOKEN_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    with HTTPServer(("127.0.0.1", 0), Identity) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        try:
            monkeypatch.setenv("IDENTITY_ENDPOINT", f"http://127.0.0.1:{server.server_port}/")
            monkeypatch.setenv("IDENTITY_HEADER", "secret")
            tokens = EntraTokens()
            assert await tokens() == "token"
            await tokens.aclose()
        finally:
            server.shutdown()
            serving.join()


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing library is a settings error with the fix in it."""
    monkeypatch.setitem(sys.modules, "azure.identity.aio", None)
    with pytest.raises(SettingsError, match=r"\.\[azure\]"):
        EntraTokens()


def test_the_extra_is_not_imported_by_anyone_else() -> None:
    """Targets with keys do not pay for Azure's libraries."""
    code = "import sys, demurrage.provider.api; sys.exit('azure.identity' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
