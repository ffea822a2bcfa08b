"""Acts of people over HTTP: who may act, and under which name."""

from http import HTTPStatus

from demurrage.web.doors import Doors
from demurrage.web.problems import ProblemError

# Whoever bears the admin token; the audit of acts has no better name for them.
ACTOR = "http:admin"


def refuse_unless_open(doors: Doors, command: str) -> None:
    """Without an admin token reading is open, so nobody may act.

    Args:
        doors: the guards' settings; the token itself has been checked before.
        command: what does the same on the machine.

    Raises:
        ProblemError: 403.
    """
    if doors.admin_token is None:
        detail = (
            f"without an admin token nobody may act over HTTP; use `{command}`, "
            "or set http.admin_token_env"
        )
        raise ProblemError(HTTPStatus.FORBIDDEN, "acts-closed", detail)
