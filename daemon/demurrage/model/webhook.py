"""What can become of a webhook, by name."""

from enum import StrEnum


class WebhookOutcome(StrEnum):
    """One for each delivery.

    RECORDED: the response's id is in the log. REPEATED: it was there already. IGNORED: of a type
    that tells nothing of responses. REFUSED: its signature is wrong, missing or old. MALFORMED:
    signed, and yet no event. FAILED: the log could not take it; it will be sent again.
    """

    RECORDED = "recorded"
    REPEATED = "repeated"
    IGNORED = "ignored"
    REFUSED = "refused"
    MALFORMED = "malformed"
    FAILED = "failed"
