"""The clock's offset, from the `Date` headers of answers."""

from email.utils import formatdate

import pytest

from demurrage_recorder.clock import Offset

NOW = 1_800_000_000.0


def _date(moment: float) -> str:
    return formatdate(int(moment), usegmt=True)


def test_nothing_is_known_without_a_date() -> None:
    """What is no date tells nothing."""
    offset = Offset()
    for text in ("", "yesterday", "Tue, 99 Nov 2026 10:00:00 GMT", "\x00", "1 2 3 4 5"):
        offset.observe(text, NOW)
    assert offset.seconds is None


def test_many_dates_narrow_it_down() -> None:
    """Seven seconds ahead comes out to a tenth once the second has been seen to turn."""
    offset = Offset()
    for step in range(50):
        now = NOW + step / 10
        offset.observe(_date(now - 7.0), now)
    assert offset.seconds == pytest.approx(7.0, abs=0.1)


def test_a_stepped_clock_starts_anew() -> None:
    """Bounds that contradict each other are no average."""
    offset = Offset()
    offset.observe(_date(NOW), NOW)
    offset.observe(_date(NOW), NOW + 3600.0)
    assert offset.seconds == pytest.approx(3600.0, abs=1.0)


def test_a_date_without_a_zone_is_utc() -> None:
    """`-0000` says that the zone is unknown; HTTP knows only one."""
    offset = Offset()
    offset.observe(_date(NOW).replace("GMT", "-0000"), NOW)
    assert offset.seconds == pytest.approx(0.0, abs=1.0)
