"""A person lets a held target go on."""

from collections.abc import Iterable

from demurrage.decide import holds
from demurrage.engine.holds import hold_of, restore_subjects
from demurrage.engine.ports import Store
from demurrage.model.plan import Hold, Rail


def resume(
    store: Store, hold: Hold, targets: Iterable[str], *, now: float, until: float, by: str
) -> Hold:
    """Write a person's yes to a hold down; the next cycle goes by it.

    A yes to a restore of store or log says that no response still runs that was begun before it:
    births are beyond proof up to then. The restore of the store itself is answered for once every
    target's hold for it is ended.

    Args:
        store: where the hold is.
        hold: as it stands.
        targets: every target of the settings.
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
    since = store.restored_since
    if hold.rail is Rail.STORE_RESTORED and since is not None:
        ids = [hold_of(each, hold.rail, restore_subjects(since)) for each in targets]
        answers = [store.hold(each) for each in ids]
        if all(each is not None and each.ended for each in answers):
            store.acknowledge_restore(now, by)
    return resumed
