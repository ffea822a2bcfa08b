"""The API as the daemon meets it: the harbour's answers, and all that can become of them."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any

from tests.simulation.archive import Archive
from tests.simulation.faults import Dice
from tests.simulation.harbour import Harbour
from tests.simulation.loop import WHOSE, Agenda
from tests.simulation.pages import spoil
from tests.simulation.truth import EPOCH

from demurrage.provider.client import HTTP

_JSON = "application/json"
_NEVER = 3600.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; its fields are named as the HTTP library's are."""

    status_code: int
    headers: dict[str, str]
    content: bytes


class Server:
    """Answers calls after a while, or does not.

    `refused` are the containers whose last delete was answered with `deleted: false`.
    `on_send` is told of each delete that leaves a daemon, `on_delete` of each that arrives,
    whatever becomes of it. `local_clock` is that of what answers in the API's place, in epoch
    seconds.
    """

    def __init__(
        self, harbour: Harbour, archive: Archive, dice: Dice, agenda: Agenda, page: int
    ) -> None:
        self._largest = page
        self._harbour = harbour
        self._archive = archive
        self._dice = dice
        self._agenda = agenda
        self._chance = dice.of("server")
        self._storm_until = self._outage_until = -1.0
        self.refused: set[str] = set()
        self.calls = 0
        self.on_send: Callable[[str], None] = lambda _container_id: None
        self.on_delete: Callable[[str], None] = lambda _container_id: None
        self.local_clock: Callable[[], float] = lambda: EPOCH + self._harbour.now

    async def list(self, after: str | None, limit: int) -> Reply:
        """`GET /containers`."""
        return await self._call("list", lambda: self._page(after, limit))

    async def delete(self, container_id: str) -> Reply:
        """`DELETE /containers/{id}`."""

        def serve() -> Reply:
            return self._delete(container_id)

        def arrive() -> None:
            self.refused.discard(container_id)
            self.on_delete(container_id)

        self.on_send(container_id)
        return await self._call("delete", serve, arrive)

    async def response(self, response_id: str) -> Reply:
        """`GET /responses/{id}`."""
        return await self._call("response", lambda: self._response(response_id))

    async def items(self, response_id: str) -> Reply:
        """`GET /responses/{id}/input_items`, all on one page."""
        return await self._call("items", lambda: self._items(response_id))

    async def _call(
        self, name: str, serve: Callable[[], Reply], arrives: Callable[[], None] = lambda: None
    ) -> Reply:
        mortal = WHOSE.get()
        if mortal is not None:
            mortal.reach(f"api.{name}")
        self.calls += 1
        reply = await self._exchange(serve, arrives)
        if mortal is not None:
            mortal.leave(f"api.{name}")
        return reply

    async def _exchange(self, serve: Callable[[], Reply], arrives: Callable[[], None]) -> Reply:
        now, strikes = self._agenda.now, self._dice.strikes
        if strikes("outage"):
            self._outage_until = now + self._chance.uniform(5, 120)
        if now < self._outage_until:
            if self._chance.random() < 0.5:
                raise HTTP.ConnectError("no route")
            await asyncio.sleep(_NEVER)
        if strikes("lost_call"):
            await asyncio.sleep(_NEVER)
        latency = self._chance.uniform(0.02, 0.2)
        if strikes("slow"):
            latency = self._chance.uniform(1, 15)
        box: list[Reply] = []

        # Even if the caller is no more by then, the request arrives.
        def arrive() -> None:
            arrives()
            box.append(self._before(serve))

        self._agenda.at(now + latency / 2, arrive)
        await asyncio.sleep(latency)
        if strikes("lost_answer"):
            await asyncio.sleep(_NEVER)
        return box[0]

    def _before(self, serve: Callable[[], Reply]) -> Reply:
        """What stands before the API itself may answer in its place."""
        now, strikes = self._agenda.now, self._dice.strikes
        if strikes("storm"):
            self._storm_until = now + self._chance.uniform(5, 90)
        if now < self._storm_until:
            wait = self._chance.choice([{}, {"retry-after": str(self._chance.randint(1, 60))}])
            return self._in_between(self._error(429, "rate_limit_exceeded", **wait))
        if strikes("html"):
            html = {"content-type": "text/html"}
            return self._in_between(self._reply(200, b"<html>Sign in</html>", **html))
        if strikes("server_error"):
            status = self._chance.choice([500, 502, 503])
            return self._in_between(self._error(status, "server_error"))
        return serve()

    def _in_between(self, reply: Reply) -> Reply:
        """What answers is on the daemon's own machine, by the clock that is there."""
        if "date" in reply.headers:
            reply.headers["date"] = formatdate(self.local_clock(), usegmt=True)
        return reply

    def _page(self, after: str | None, limit: int) -> Reply:
        shown = self._harbour.page(after, min(limit, self._largest))
        if shown is None:
            return self._error(404, "not_found", f"Container with id '{after}' not found.")
        body = spoil(self._dice, shown, lambda: self._harbour.page(None, min(limit, self._largest)))
        return self._reply(200, body)

    def _response(self, response_id: str) -> Reply:
        shown = self._archive.response(response_id, self._harbour.now)
        if shown is None:
            return self._error(404, "not_found", f"Response with id '{response_id}' not found.")
        return self._json(200, shown)

    def _items(self, response_id: str) -> Reply:
        data = self._archive.items(response_id)
        return self._json(200, {"object": "list", "data": data, "has_more": False})

    def _delete(self, container_id: str) -> Reply:
        if self._dice.strikes("refused_delete"):
            self.refused.add(container_id)
            return self._json(200, {"id": container_id, "deleted": False})
        if not self._harbour.delete(container_id):
            return self._error(404, "not_found", f"Container with id '{container_id}' not found.")
        if self._dice.strikes("failed_delete"):
            return self._error(500, "server_error")
        return self._json(200, {"id": container_id, "object": "container.deleted", "deleted": True})

    def _error(self, status: int, code: str, message: str = "no", **headers: str) -> Reply:
        body = {"error": {"code": code, "message": message, "param": None, "type": "error"}}
        return self._json(status, body, **headers)

    def _json(self, status: int, body: dict[str, Any], **headers: str) -> Reply:
        return self._reply(status, json.dumps(body).encode(), **headers)

    def _reply(self, status: int, content: bytes, **headers: str) -> Reply:
        named = {"content-type": _JSON, **headers}
        if not self._dice.strikes("no_date"):
            date = EPOCH + self._harbour.now
            if self._dice.strikes("wrong_date"):
                date += self._chance.choice([-1, 1]) * self._chance.uniform(10, 4000)
            named["date"] = formatdate(date, usegmt=True)
        return Reply(status, named, content)
