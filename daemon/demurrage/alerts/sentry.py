"""The daemon's own errors, sent to Sentry: scrubbed, and only when a DSN is set.

Nothing of Sentry is imported until then. What is sent has stack traces without local
variables, no request data, no arguments, and every string passes the redactor.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from demurrage.model.error import SettingsError
from demurrage.observe.redact import Redactor

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

# What a report says of a request or a person is no business of whoever reads the daemon's
# errors; server_name stays, for it tells which daemon it was.
_DROPPED = ("request", "user", "extra", "breadcrumbs")


def start_sentry(
    dsn: str | None, environment: str, release: str, *, redactor: Redactor | None = None
) -> Callable[[BaseException], None] | None:
    """Send the daemon's unhandled errors, and those handed to the result, to Sentry.

    Args:
        dsn: where to; None or empty: nothing is started or imported.
        environment: empty for Sentry's own default.
        release: what runs, like `demurrage@1.2.3`.
        redactor: knows the secrets that the daemon holds.

    Returns:
        What reports a handled error, or None when there is no DSN.

    Raises:
        SettingsError: the DSN is none.
    """
    if not dsn:
        return None
    import sentry_sdk  # noqa: PLC0415 - its cost and its hooks only for those who use it
    from sentry_sdk.integrations.atexit import AtexitIntegration  # noqa: PLC0415 - likewise
    from sentry_sdk.integrations.dedupe import DedupeIntegration  # noqa: PLC0415 - likewise
    from sentry_sdk.integrations.excepthook import ExcepthookIntegration  # noqa: PLC0415 - likewise
    from sentry_sdk.integrations.threading import ThreadingIntegration  # noqa: PLC0415 - likewise
    from sentry_sdk.utils import BadDsn  # noqa: PLC0415 - likewise

    scrubber = Scrubber(redactor or Redactor())
    try:
        sentry_sdk.init(
            dsn=dsn,
            environment=environment or None,
            release=release,
            # Only what catches errors. The rest would send arguments and module lists, or put
            # trace headers on calls to the API.
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[
                AtexitIntegration(callback=lambda _pending, _timeout: None),
                DedupeIntegration(),
                ExcepthookIntegration(),
                ThreadingIntegration(propagate_scope=False),
            ],
            before_send=scrubber,
            # Personal data is off unless asked for; the option to say so is deprecated.
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            traces_sample_rate=None,
            auto_session_tracking=False,
            send_client_reports=False,
            spotlight=False,
        )
    except BadDsn:
        raise SettingsError(
            "sentry.dsn_env: the variable that it names holds no Sentry DSN; "
            "copy the DSN from the Sentry project's client keys"
        ) from None

    def report(error: BaseException) -> None:
        sentry_sdk.capture_exception(error)

    return report


class Scrubber:
    """Sentry's `before_send`: the last thing that sees a report before it leaves."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor

    def __call__(self, event: "Event", hint: "Hint") -> "Event":
        """The event without what does not belong in it."""
        del hint
        report: Any = {key: value for key, value in event.items() if key not in _DROPPED}
        _drop_variables(report)
        scrubbed: Event = self._redactor.value(report)
        return scrubbed


def _drop_variables(node: Any) -> None:
    """Take local variables out of every frame, should a future SDK put them in after all."""
    if isinstance(node, dict):
        node.pop("vars", None)
        for item in node.values():
            _drop_variables(item)
    elif isinstance(node, list):
        for item in node:
            _drop_variables(item)
