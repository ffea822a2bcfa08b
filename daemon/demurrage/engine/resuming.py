"""A person lets a held target go on."""

from demurrage.decide import holds
from demurrage.engine.ports import Store
from demurrage.model.plan import Hold


def resume(store: Store, hold: Hold, *, now: float, until: float, by: str) -> Hold:
    """Write a person's yes to a hold down; the next cycle goes by it.

    A yes to a restore of store or log says that no response still runs that was begun before it:
    births are beyond proof up to then.

    Args:
        store: where the hold is.
        hold: as it stands.
        now: provider time.
        until: to when a wave hold permits its containers; other holds end now.
        by: the person.

    Returns:
        The hold as it is now.

    Raises:
        ValueError: the hold has ended already, or `until` is not in the future.
        StoreFailedError: it could not be written.
    """
    resumed = holds.resume(hold, now=now, until=until, by=by)
    store.save_hold(resumed)
    return resumed
