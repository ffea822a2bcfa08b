"""One request, with an end to it whatever answers, and failures in words without the address."""

import ssl

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as Late

from demurrage.alerts.sink import SinkFailedError

# Seconds. Sinks answer within one; whoever takes longer is as good as gone.
CONNECT, READ = 5.0, 10.0
_LONGEST_ANSWER = 200
_GOOD = range(200, 300)


class Poster:
    """Asks over HTTP.

    Args:
        headers: go with every request.
    """

    def __init__(self, headers: dict[str, str]) -> None:
        self._headers = headers
        # The system's authorities, or those that SSL_CERT_FILE names.
        self._pool = urllib3.PoolManager(ssl_context=ssl.create_default_context())

    def ask(self, method: str, url: str, body: bytes) -> bytes:
        """Send a request; returns the body of a good answer.

        Raises:
            SinkFailedError: there was no good answer; it may all the same have arrived.
        """
        try:
            answer = self._pool.request(
                method,
                url,
                body=body,
                headers=self._headers,
                timeout=urllib3.Timeout(connect=CONNECT, read=READ),
                retries=False,
                redirect=False,
            )
        except HTTPError as error:
            raise SinkFailedError(_reason(error)) from None
        if answer.status not in _GOOD:
            said = " ".join(answer.data.decode(errors="replace").split())[:_LONGEST_ANSWER]
            raise SinkFailedError(f"it answered {answer.status}{f': {said}' if said else ''}")
        return answer.data


def _reason(error: HTTPError) -> str:
    """Why there was no answer; the library's own words name the address."""
    if isinstance(error, NewConnectionError):
        return "it cannot be reached: no connection"
    if isinstance(error, Late):
        return "it did not answer in time"
    if isinstance(error, SSLError):
        return "its certificate is not trusted, or it speaks no TLS"
    return f"it broke off ({type(error).__name__})"
