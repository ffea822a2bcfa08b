"""An API that passes everything on, to be changed in one place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from demurrage.engine.ports import ContainersApi, ProviderClock
from demurrage.model.listing import DeleteAnswer, Failure, Listing, Region
from demurrage.model.resolution import Resolution


@dataclass
class Passing:
    """The API as it is."""

    api: ContainersApi

    @property
    def clock(self) -> ProviderClock:
        """As it is."""
        return self.api.clock

    async def read(self, regions: Sequence[Region]) -> Listing:
        """As it is."""
        return await self.api.read(regions)

    async def delete(
        self, container_id: str, hindrance: Callable[[], Failure | None]
    ) -> DeleteAnswer:
        """As it is."""
        return await self.api.delete(container_id, hindrance)

    async def resolve(self, response_id: str, *, items: bool) -> Resolution:
        """As it is."""
        return await self.api.resolve(response_id, items=items)

    def affordable(self, seconds: float) -> int:
        """As it is."""
        return self.api.affordable(seconds)

    async def close(self) -> None:
        """As it is."""
        await self.api.close()
