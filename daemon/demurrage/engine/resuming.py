"""A person lets a held target go on."""

from demurrage.decide import holds
from demurrage.engine.ports import Store
from demurrage.model.plan import RESTORE_RAILS, Hold


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
        ValueError: the hold has ended already, `until` is not in the future, or it is about a
            restore and nobody knows the provider's time, up to which births stay beyond proof.
        StoreFailedError: it could not be written.
    """
    if hold.rail in RESTORE_RAILS and not store.time_is_told(hold.target):
        raise ValueError(
            f"hold {hold.id} is about a restore, and {hold.target} has not told the time since; "
            "resume it once `demurrage status` shows a whole cycle"
        )
    resumed = holds.resume(hold, now=now, until=until, by=by)
    store.save_hold(resumed)
    return resumed
