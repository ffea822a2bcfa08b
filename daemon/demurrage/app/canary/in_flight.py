"""What does a call in flight get whose container goes?

The call names a container of the canary's own, which is deleted while it runs.
"""

import asyncio
import re

from demurrage.app.canary.bench import Bench, Turn
from demurrage.app.canary.lookout import UnclearError
from demurrage.model.finding import Answer, Finding
from demurrage.provider.calls import Reply
from demurrage.provider.experiments import removed

QUESTION = "in-flight-fails"

_SLOW = "Run exactly this Python code with the tool: import time; time.sleep(60); print(42)"
# A code of the API's own; anything else could quote something.
_CODE = re.compile(r"[a-z_]{1,48}")


async def in_flight(bench: Bench) -> list[Finding]:
    """Take the container away from under a call.

    Raises:
        UnclearError: the call had ended by then, or the container could not be taken away.
    """
    container_id = await bench.container()
    tool = {"type": "code_interpreter", "container": container_id}
    left = asyncio.Event()
    call = asyncio.ensure_future(bench.respond(tool, force=True, leaving=left.set, input=_SLOW))
    leaving = asyncio.ensure_future(left.wait())
    try:
        # Its turn in the budget may come late, and a call that has not left is not in flight.
        await asyncio.wait((call, leaving), return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait((call,), timeout=bench.pace.head_start)
        if call.done():
            raise UnclearError("the call had ended before its container was taken away")
        answer = await bench.delete(container_id)
        if not removed(answer):
            raise UnclearError("the container could not be taken away")
        taken_at = bench.api.clock.now()
        if call.done():
            raise UnclearError("the call ended while its container was taken away")
        found = _read(await call)
        # One that was over anyway had perhaps no more need of its container.
        if found.answer is Answer.NO and bench.api.clock.now() - taken_at < bench.pace.head_start:
            raise UnclearError("the call completed too soon after to tell")
        return [found]
    finally:
        call.cancel()
        leaving.cancel()
        await asyncio.gather(call, leaving, return_exceptions=True)


def _read(reply: Reply[Turn]) -> Finding:
    turn, failure = reply.value, reply.failure
    if turn is not None and turn.status == "completed":
        return Finding(QUESTION, Answer.NO, "it completes")
    if turn is not None:
        code = f" ({turn.error})" if _CODE.fullmatch(turn.error) else ""
        return Finding(QUESTION, Answer.YES, f"the response is {turn.status}{code}")
    status = None if failure is None else failure.http_status
    if status is None:
        raise UnclearError("no answer to the call ever came")
    return Finding(QUESTION, Answer.YES, f"HTTP {status}", {"HTTP status": status})
