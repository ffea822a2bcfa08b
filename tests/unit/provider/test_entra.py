import subprocess
import sys
from types import ModuleType
from typing import Any

import pytest

from demurrage.model.error import SettingsError
from demurrage.provider.entra import SCOPE, EntraTokens


async def test_tokens_come_from_the_machines_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    """The default credential is asked for the service's audience, and closed in the end."""
    closed: list[bool] = []

    class Credential:
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
    for parent in ("azure", "azure.identity"):
        monkeypatch.setitem(sys.modules, parent, ModuleType(parent))
    tokens = EntraTokens()
    assert await tokens() == f"token for {(SCOPE,)}"
    await tokens.aclose()
    assert closed == [True]


def test_without_the_extra_the_message_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing library is a settings error with the fix in it."""
    monkeypatch.setitem(sys.modules, "azure.identity.aio", None)
    with pytest.raises(SettingsError, match=r"demurrage\[azure\]"):
        EntraTokens()


def test_the_extra_is_not_imported_by_anyone_else() -> None:
    """Targets with keys do not pay for Azure's libraries."""
    code = "import sys, demurrage.provider.api; sys.exit('azure.identity' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
