"""Slack, PagerDuty, Teams, e-mail, webhooks and all else that Apprise reaches by a URL.

Nothing of Apprise is imported unless a sink needs it: it is the `notify` extra.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote

from demurrage.alerts.notice import Notice
from demurrage.alerts.sink import SinkFailedError
from demurrage.model.condition import Severity
from demurrage.model.error import SettingsError

if TYPE_CHECKING:
    from apprise import AppriseAsset, NotifyBase, NotifyType

_PAGERDUTY = "pagerduty://"
_ABSENT = "type apprise needs an extra; in the project's folder: pip install '.[notify]'"
_UNKNOWN = (
    "Apprise does not understand the address, or lacks what this service needs; "
    "see its page of that service for how the address is written"
)


class AppriseSink:
    """One service.

    Args:
        url: as Apprise writes it, `slack://…` or `mailtos://…` say.

    Raises:
        SettingsError: Apprise is not installed, or does not understand the URL.
    """

    remind_every: float | None = None
    fault = ""

    def __init__(self, url: str) -> None:
        try:
            import apprise  # noqa: PLC0415 - only who uses it
        except ImportError:
            raise SettingsError(_ABSENT) from None
        # No threads of its own, which would outlive a hanging service; nothing on disk.
        self._asset = apprise.AppriseAsset(
            app_id="Demurrage",
            app_desc="Incidents of the container daemon",
            async_mode=False,
            service_timeout=0,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
        )
        self._url = url
        self._service(url)

    def tell(self, notice: Notice) -> None:
        """Send one message."""
        import apprise  # noqa: PLC0415 - likewise

        post = apprise.Apprise(asset=self._asset)
        post.add(self._service(self._addressed(notice)))
        result = post.notify(
            body=notice.text, title=notice.title, notify_type=_type(notice), body_format="text"
        )
        if not result:
            raise SinkFailedError(_reason(each.message for each in result.logs()))

    def remind(self, notices: Sequence[Notice]) -> None:
        """Nothing: a message stays where it was sent."""

    def _service(self, url: str) -> "NotifyBase":
        return _service(url, self._asset)

    def _addressed(self, notice: Notice) -> str:
        """The URL; PagerDuty's with what lets an end close the incident that the start opened."""
        if not self._url.lower().startswith(_PAGERDUTY):
            return self._url
        path, _, query = self._url.partition("?")
        own = {"action": "map", "dedup": "/".join(notice.identity)}
        added = [
            f"{key}={quote(value, safe='')}"
            for key, value in own.items()
            if key not in parse_qs(query)
        ]
        return f"{path}?{'&'.join([*added, *([query] if query else [])])}"


def _service(url: str, asset: "AppriseAsset") -> "NotifyBase":
    import apprise  # noqa: PLC0415 - likewise

    made = apprise.Apprise.instantiate(url, asset=asset)
    if not isinstance(made, apprise.NotifyBase):
        raise SettingsError(_UNKNOWN)
    return made


def _type(notice: Notice) -> "NotifyType":
    from apprise import NotifyType  # noqa: PLC0415 - likewise

    if notice.ended_at is not None:
        return NotifyType.SUCCESS
    return {
        Severity.NOTICE: NotifyType.INFO,
        Severity.WARNING: NotifyType.WARNING,
        Severity.PAGE: NotifyType.FAILURE,
    }[notice.severity]


def _reason(logged: Iterator[str]) -> str:
    """What Apprise logged of its failure."""
    words = " ".join(" ".join(logged).split())
    return f"it was not delivered: {words[:300] or 'Apprise gives no reason'}"
