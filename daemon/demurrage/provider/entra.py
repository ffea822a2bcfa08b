"""Tokens from Microsoft Entra for Azure targets with `auth = "entra"`."""

from demurrage.model.error import SettingsError

# The audience of Azure's AI services, as Microsoft's guides for the v1 API give it.
SCOPE = "https://cognitiveservices.azure.com/.default"


class EntraTokens:
    """A token provider over the machine's Azure identity; azure-identity caches and refreshes.

    The library is imported here and not before: only Azure targets need the `azure` extra.

    Raises:
        SettingsError: the extra is not installed.
    """

    def __init__(self) -> None:
        try:
            from azure.core.pipeline.transport import (  # noqa: PLC0415 - an optional extra
                AsyncioRequestsTransport,
            )
            from azure.identity.aio import (  # noqa: PLC0415 - likewise
                DefaultAzureCredential,
                get_bearer_token_provider,
            )
        except ImportError as error:
            raise SettingsError(
                'auth = "entra" needs an extra; in the project\'s folder: pip install ".[azure]"'
            ) from error
        # The library's default is aiohttp: were it installed, the SDK would load all of it, too.
        self._credential = DefaultAzureCredential(transport=AsyncioRequestsTransport())
        self._token = get_bearer_token_provider(self._credential, SCOPE)

    async def __call__(self) -> str:
        """A token that is valid now.

        Raises:
            azure.core.exceptions.AzureError: no token can be had.
        """
        return await self._token()

    async def aclose(self) -> None:
        """Close the credential's connections."""
        await self._credential.close()
