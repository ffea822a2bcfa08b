"""Ending issues by the API of Sentry, or of Bugsink, which differs from it."""

import json
from typing import Any
from urllib.parse import quote, urlencode

from demurrage.alerts.post import Poster
from demurrage.alerts.sink import SinkFailedError

# Bugsink's API is at such a path; Sentry's at /api/0/organizations/NAME.
_BUGSINK = "/api/canonical/"


class SentryIssues:
    """Finds issues by the tag `incident_key`, and resolves them.

    Args:
        url: the API's root, with the organisation at Sentry.
        token: may read and write issues.
        project: the project's number, from the DSN.
    """

    def __init__(self, url: str, token: str, project: str) -> None:
        self._root = url.rstrip("/")
        self._poster = Poster(
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        )
        self._project = project
        self._bugsink = _BUGSINK in f"{url}/"

    def resolve(self, key: str) -> None:
        """Resolve what is open of a key; nothing where a person has done so before.

        Raises:
            SinkFailedError: the API refused, or did not answer.
        """
        for issue in self._open(key):
            if self._bugsink:
                self._ask("POST", f"/issues/{issue}/resolve/")
            else:
                self._ask("PUT", f"/issues/{issue}/", {"status": "resolved"})

    def _open(self, key: str) -> list[str]:
        tag = f"incident_key:{key}"
        if self._bugsink:
            query = {"project": self._project, "q": tag, "state": "unresolved"}
        else:
            query = {"project": self._project, "query": f"{tag} is:unresolved"}
        answer = self._ask("GET", f"/issues/?{urlencode(query)}")
        try:
            listed = answer["results"] if self._bugsink else answer
            return [quote(str(each["id"]), safe="") for each in listed]
        except (KeyError, TypeError):
            raise SinkFailedError("its API lists issues in a form that is not known") from None

    def _ask(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        sent = b"" if body is None else json.dumps(body).encode()
        answer = self._poster.ask(method, f"{self._root}{path}", sent)
        try:
            return json.loads(answer)
        except ValueError:
            raise SinkFailedError("its API answered no JSON: check sentry.api_url") from None
