from typing import TYPE_CHECKING

from demurrage.store import SqlStore

if TYPE_CHECKING:
    from demurrage.engine.ports import Store


def test_it_is_the_engines_store(store: SqlStore) -> None:
    """The type checker holds SqlStore against the engine's port; here it must only exist."""
    port: Store = store
    assert port.restored_since is None
