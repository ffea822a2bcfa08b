"""Three usual detectors of a change, beside which the daemon's own is measured."""

from collections import deque
from collections.abc import Callable

from demurrage.model.rules import SpikeRules
from demurrage.model.spike import Settlement

RULES = SpikeRules()

Alarm = Callable[[Settlement], bool]


def threshold() -> Alarm:
    """More than half of the last quarter of an hour, and ten at least."""
    latest: deque[Settlement] = deque()

    def alarm(birth: Settlement) -> bool:
        latest.append(birth)
        while latest[0].born_at < birth.born_at - RULES.fast_window:
            latest.popleft()
        orphans = sum(each.orphan for each in latest)
        return len(latest) >= RULES.min_containers and orphans > len(latest) / 2

    return alarm


def page_hinkley() -> Alarm:
    """River's, upwards, as it comes."""
    from river.drift import PageHinkley  # noqa: PLC0415 - only where it is measured

    detector = PageHinkley(mode="up")

    def alarm(birth: Settlement) -> bool:
        detector.update(birth.orphan)
        return bool(detector.drift_detected)

    return alarm


def adwin() -> Alarm:
    """River's, as it comes; a fall is no alarm."""
    from river.drift import ADWIN  # noqa: PLC0415 - likewise

    detector = ADWIN()

    def alarm(birth: Settlement) -> bool:
        before = detector.estimation
        detector.update(birth.orphan)
        return bool(detector.drift_detected) and detector.estimation > before

    return alarm


RIVALS = {"threshold": threshold, "Page-Hinkley": page_hinkley, "ADWIN": adwin}
