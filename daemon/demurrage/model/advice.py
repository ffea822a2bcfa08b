"""What a person can do about each condition, in a sentence, and where more is written."""

from collections.abc import Mapping

from demurrage.model.condition import ConditionKind as Kind

# Where the runbooks are in the project: one page for each kind, by its name.
_RUNBOOKS = "docs/runbooks"


def runbook_of(kind: Kind, url: str = "") -> str:
    """The page about a kind: its meaning, its impact, where to look, what to do.

    Args:
        kind: of the condition.
        url: the folder in which people find the pages; empty for the project's own.
    """
    return f"{url.rstrip('/') or _RUNBOOKS}/{kind}.md"


# Commands stand between backticks.
NEXT_STEP: Mapping[Kind, str] = {
    # the API
    Kind.RATE_LIMITED: (
        "Lower the target's requests_per_minute, or let targets of one organisation share a "
        "budget_group; nothing is lost meanwhile, deletes only come later."
    ),
    Kind.SPEND_LIMIT: (
        "Raise the spend limit in the provider's billing settings; until then the API refuses "
        "every call, and containers that stand go on costing."
    ),
    Kind.OVERLOADED: "Wait: the provider is overloaded, and the daemon tries again by itself.",
    Kind.UNAUTHORIZED: (
        "Check that the key of this target is set and valid, then run `demurrage check`."
    ),
    Kind.MISSING_SCOPE: (
        "Give the key permission to read and write containers, then run `demurrage check`, which "
        "names the scope that is missing."
    ),
    Kind.SERVER_ERROR: (
        "Look at the provider's status page; the daemon tries again by itself and keeps all."
    ),
    Kind.UNREACHABLE: (
        "Check base_url, proxy, ca_file and the way out of this network; `demurrage check` tries "
        "the connection."
    ),
    Kind.TIMEOUT: (
        "Check the network and the provider's status page; where listing is always slow, raise "
        "the target's timeout."
    ),
    Kind.NOT_JSON: (
        "Check base_url and proxy: something answers that is not the API, often a login page or "
        "a gateway's error page."
    ),
    Kind.MALFORMED_JSON: "Look for a proxy that cuts answers short; the daemon tries again.",
    Kind.MALFORMED_PAGE: (
        "Look for a proxy that changes answers; if there is none, the provider's format has "
        "changed, and a newer version of the daemon is needed."
    ),
    Kind.ENDLESS_LISTING: (
        "Check whether a proxy drops the `after` parameter; until the list ends, nothing is "
        "deleted."
    ),
    Kind.REPEATED_CURSOR: (
        "Check whether a proxy drops the `after` parameter or answers from a cache; until the "
        "list ends, nothing is deleted."
    ),
    Kind.LISTING_SHRANK: (
        "Check that base_url and key still belong to the same project; a list that really has "
        "shrunk is believed once the next looks agree."
    ),
    Kind.UNEXPECTED_ANSWER: (
        "Read the summary for what the API answered, and run `demurrage check` with the same key."
    ),
    Kind.INVENTORY_PARTIAL: (
        "Wait for the first whole listing; if it does not come, look at the other incidents of "
        "this target for what stops it."
    ),
    Kind.INVENTORY_STALE: (
        "Look at the other incidents of this target for what keeps it from being listed."
    ),
    # deletes
    Kind.DELETE_REFUSED: (
        "If every delete is refused, try the target's beta_header setting; otherwise wait, for "
        "each is tried again."
    ),
    Kind.DELETE_FAILED: (
        "Read the summary for the API's answer; a missing scope needs another key, anything else "
        "is tried again."
    ),
    Kind.DELETED_BUT_ALIVE: (
        "Try the target's beta_header setting (containers=v1): the API said deleted, and the "
        "containers still stand and may cost."
    ),
    Kind.REFERENCED_DELETED: (
        "Find out with `demurrage explain ID` who used the container and why its reference came "
        "late, mend that logging, and only then `demurrage resume HOLD`."
    ),
    Kind.SECOND_REAPER: (
        "Find who else deletes containers behind this key (another daemon, a script, a person) "
        "and stop one of the two, then `demurrage resume HOLD`."
    ),
    # containers
    Kind.UNKNOWN_STATUS: (
        "Look the new status up in the provider's documentation; such containers are kept until "
        "a newer version of the daemon knows it."
    ),
    Kind.UNKNOWN_ID: (
        "See whether `base_url` is the API itself, and report the form of the ids; such containers "
        "are kept until a newer version of the daemon recognises references to them."
    ),
    Kind.NULL_ACTIVITY: (
        "Look with `demurrage explain ID` at the containers that show no activity; they are kept "
        "as long as nothing tells whether they are used."
    ),
    Kind.OBSERVER_EFFECT: (
        "Leave the target unlisted, for listing itself keeps its containers on the bill, and "
        "`demurrage resume HOLD` once the provider has mended that."
    ),
    Kind.FOREIGN_CONTAINERS: (
        "Find what makes containers with this key and does not log (a job, the playground, a "
        "batch): `demurrage explain ID` tells when one was born; then add the recorder there."
    ),
    Kind.UNLOGGED_MAKERS: (
        "Find the application that makes more containers than it logs: `demurrage explain ID` "
        "tells when one was born; then add the recorder there."
    ),
    Kind.LATE_BIRTHS: (
        "Raise evidence.max_birth_delay above the delays seen, then "
        "`demurrage confirm TARGET --windows`."
    ),
    # evidence
    Kind.LOG_UNREADABLE: (
        "Mend what the summary names (the log's database, or the folder of event files); nothing "
        "is deleted until the log is read to its end."
    ),
    Kind.LOG_RESTORED: (
        "Make sure that the event log is the right one and whole again; once no response that was "
        "begun before the restore still runs, `demurrage resume HOLD`. What was born until then "
        "stays unproven."
    ),
    Kind.EVIDENCE_STALE: (
        "See in `demurrage status` which writer the log waits for, and mend or retire it; "
        "nothing that was born since can be proven. If cycles are too slow, raise watch.interval."
    ),
    Kind.SEQUENCE_GAP: (
        "Wait for what is missing; if the writer cannot deliver it again, restart that "
        "application and `demurrage writers retire SOURCE`."
    ),
    Kind.EVENT_CONFLICT: (
        "Find the two processes that write under one source, give each its own, and "
        "`demurrage writers retire SOURCE`."
    ),
    Kind.LINE_SET_ASIDE: (
        "Mend the program that wrote the line: `demurrage events verify` names what is wrong; "
        "then restart it and `demurrage writers retire SOURCE`."
    ),
    Kind.SILENT_WRITER: (
        "Check whether that application still runs; if it is gone for good, "
        "`demurrage writers retire SOURCE`."
    ),
    Kind.EVENTS_DROPPED: (
        "Give that application's recorder room (disk, or a daemon that it can reach), restart "
        "it, and `demurrage writers retire SOURCE`."
    ),
    Kind.COVERAGE_BROKEN: (
        "Mend what the summary names, then give the word again with `demurrage confirm TARGET`."
    ),
    Kind.NOBODY_LOGS: (
        "Add the recorder to the applications of this target, or the line that "
        "`demurrage status` shows; without it nothing can be proven."
    ),
    Kind.UNRETRIEVABLE_RESPONSES: (
        "Find out how these responses ended, and settle each with "
        "`demurrage events append --finish ID`."
    ),
    # what orphans cost
    Kind.ORPHAN_RATE_FAST: (
        "Look at the causes for what has just changed (a deployment, a prompt, a model), and let "
        "requests that need no tool leave it out."
    ),
    Kind.ORPHAN_RATE_SLOW: (
        "Look at the causes for what has changed over the past hours, and let requests that need "
        "no tool leave it out."
    ),
    Kind.ORPHAN_COST: (
        "Look at the causes for who makes the dearest orphans; a smaller memory_limit, or no "
        "tool where none is needed, ends the cost at its source."
    ),
    Kind.STANDING_LEAK: (
        "Nothing is urgent: this target always leaks. Offering the tool only where it is likely "
        "to be used, or reusing one container for a conversation, lowers the cost."
    ),
    Kind.REAPER_NEVER_REAPS: (
        "See in `demurrage status` what the containers wait for: a hold, partial coverage, a "
        "writer, or a call without an end."
    ),
    # what the canary found
    Kind.ANSWER_CHANGED: (
        "Adapt the settings to what the summary says has changed, then "
        "`demurrage canary TARGET --acknowledge`."
    ),
    # the daemon itself
    Kind.CLOCK_JUMP: (
        "Check this machine's time synchronisation; deletes go on once the clocks agree again."
    ),
    Kind.CLOCK_UNKNOWN: (
        "Let the Date header of the API's answers through: a proxy takes it out, or answers from "
        "a cache."
    ),
    Kind.STORE_FAILED: (
        "Mend the database that database_url names; nothing is deleted until it works."
    ),
    Kind.DISK_FULL: "Make room on the disk of the store; nothing is deleted until there is some.",
    Kind.STORE_RESTORED: (
        "Make sure that the restored store is the one to go on with; once no response that was "
        "begun before the restore still runs, `demurrage resume HOLD`. What was born until then "
        "stays unproven."
    ),
    Kind.RAIL_HELD: (
        "Look with `demurrage plan` and `demurrage explain ID` at what would go; if it is right, "
        "`demurrage resume HOLD`, and if not, find out where the references are."
    ),
    Kind.CYCLE_FAILED: (
        "Read the daemon's log for the error named cycle_failed; the cycle is tried again, and "
        "nothing is deleted until one succeeds."
    ),
    Kind.CYCLE_STALE: (
        "See in the daemon's log and in its other incidents what the cycle waits for; restart "
        "the daemon if it hangs. Restarting is safe at any moment."
    ),
    Kind.SINK_FAILED: ("Check the address and the secret of the sink that the summary names."),
}
