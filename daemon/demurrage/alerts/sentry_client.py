"""A way to Sentry that says whether what was sent has arrived.

The SDK's own sends in the background and drops what it cannot deliver; incidents are owed.
"""

import gzip
from typing import TYPE_CHECKING, Any

from sentry_sdk import Client
from sentry_sdk.transport import Transport
from sentry_sdk.utils import BadDsn, Dsn

from demurrage.alerts.post import Poster
from demurrage.alerts.sentry import Scrubber
from demurrage.alerts.sink import SinkFailedError
from demurrage.model.error import SettingsError
from demurrage.observe.redact import Redactor

if TYPE_CHECKING:
    from sentry_sdk.envelope import Envelope
    from sentry_sdk.types import Event


class _Direct(Transport):
    """Posts each envelope while the caller waits."""

    def __init__(self, dsn: Dsn) -> None:
        super().__init__()
        auth = dsn.to_auth("demurrage")
        self._url = auth.get_api_url()
        self._poster = Poster(
            {
                "Content-Type": "application/x-sentry-envelope",
                "Content-Encoding": "gzip",
                "X-Sentry-Auth": auth.to_header(),
            }
        )

    def capture_envelope(self, envelope: "Envelope") -> None:
        """Post it.

        Raises:
            SinkFailedError: it did not arrive.
        """
        self._poster.ask("POST", self._url, gzip.compress(envelope.serialize()))


class SentryClient:
    """Sends single events; any thread may, one at a time.

    Args:
        dsn: where to.
        environment: empty for Sentry's own default.
        release: what runs.
        redactor: knows the secrets that the daemon holds.

    Raises:
        SettingsError: the DSN is none.
    """

    def __init__(self, dsn: str, environment: str, release: str, redactor: Redactor) -> None:
        try:
            parsed = Dsn(dsn)
        except BadDsn:
            raise SettingsError(
                "the variable that sentry.dsn_env names holds no Sentry DSN; "
                "copy the DSN from the Sentry project's client keys"
            ) from None
        self.project = parsed.project_id
        self._client = Client(
            dsn=dsn,
            transport=_Direct(parsed),
            environment=environment or None,
            release=release,
            default_integrations=False,
            auto_enabling_integrations=False,
            before_send=Scrubber(redactor),
            include_local_variables=False,
            max_breadcrumbs=0,
            auto_session_tracking=False,
            send_client_reports=False,
            enable_backpressure_handling=False,
            spotlight=False,
        )

    def send(self, event: "Event") -> None:
        """Send one.

        Raises:
            SinkFailedError: it did not arrive.
        """
        if self._client.capture_event(event) is None:
            raise SinkFailedError("the SDK discarded the event")

    @property
    def options(self) -> dict[str, Any]:
        """The SDK's options, the defaults filled in."""
        return self._client.options
