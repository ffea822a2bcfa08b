"""`/v1/responses` over WebSocket: many responses on one connection."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Coroutine
from typing import Any

from starlette.responses import JSONResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from demurrage.simulator.api_responses import events
from demurrage.simulator.ask import read_ask
from demurrage.simulator.calls import Call, caller_of
from demurrage.simulator.desk import AZURE, key_of
from demurrage.simulator.fault_answers import before
from demurrage.simulator.faults import Fault, FaultKind
from demurrage.simulator.harbour import Harbour
from demurrage.simulator.refusal import Refusal

_PATH = "/v1/responses"
_METHOD = "WEBSOCKET"
_BROKEN = 1011
_OK, _CLIENT_ERROR = 200, 400

Body = dict[str, Any]


def socket_routes(harbour: Harbour) -> list[WebSocketRoute]:
    """The route in both flavours."""

    async def endpoint(socket: WebSocket) -> None:
        try:
            key = key_of(socket)
        except Refusal as refusal:
            await socket.send_denial_response(JSONResponse(refusal.body(), refusal.status))
            return
        await socket.accept(headers=[(b"x-request-id", harbour.port.ids.of("req").encode())])
        await _Line(harbour, socket, caller_of(key)).serve()

    return [WebSocketRoute(flavour + _PATH, endpoint) for flavour in ("", AZURE)]


class _Line:
    """One connection. Lanes (`stream_id`) run beside each other, each one in its order."""

    def __init__(self, harbour: Harbour, socket: WebSocket, caller: str) -> None:
        self._harbour = harbour
        self._socket = socket
        self._caller = caller
        self._lanes: defaultdict[str | None, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._under_way: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Answer until the client leaves; what it began goes on without it."""
        try:
            while True:
                self._take(await self._socket.receive_text())
        except WebSocketDisconnect:
            pass
        finally:
            for task in self._under_way:
                task.cancel()

    def _take(self, text: str) -> None:
        asked: Any
        try:
            asked = json.loads(text)
        except ValueError:
            asked = None
        if not isinstance(asked, dict):
            refusal = Refusal(400, "We could not parse the JSON body of your event.")
            self._start(self._refuse({}, refusal))
        elif asked.get("type") == "response.create":
            self._start(self._create(asked))
        elif asked.get("type") == "response.steer":
            self._start(self._refuse_steer(asked))
        else:
            refusal = Refusal(400, "Invalid value for 'type'.", param="type")
            self._start(self._refuse(asked, refusal))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _create(self, asked: Body) -> None:
        lane = asked.pop("stream_id", None)
        async with self._lanes[lane]:
            fault = self._harbour.faults.struck(_METHOD, _PATH)
            status = _OK
            try:
                await self._answer(asked, lane, fault)
            except Refusal as refusal:
                status = refusal.status
                await self._refuse({"stream_id": lane}, refusal)
            except WebSocketDisconnect:
                pass
            finally:
                self._record(status, fault)

    async def _answer(self, asked: Body, lane: str | None, fault: Fault | None) -> None:
        if fault is not None and fault.kind == FaultKind.HANG:
            await asyncio.sleep(fault.seconds)
            raise Refusal(504, "The request timed out.", kind="server_error")
        early = before(fault, azure=False, container_id=None) if fault else None
        if early is not None and early.status_code >= _CLIENT_ERROR:
            error = json.loads(bytes(early.body))["error"]
            raise Refusal(early.status_code, error["message"], code=error["code"])
        if asked.get("background"):
            raise Refusal(400, "Background is not supported over WebSocket.", param="background")
        voyage = self._harbour.port.begin(read_ask(asked))
        if fault is not None:
            # Whatever else goes wrong looks like a broken connection from here.
            await self._socket.close(_BROKEN)
            return
        async for event in events(self._harbour, voyage):
            await self._send(event, lane)

    async def _send(self, event: Body, lane: str | None) -> None:
        await self._socket.send_text(
            json.dumps(event if lane is None else {**event, "stream_id": lane})
        )

    async def _refuse(self, asked: Body, refusal: Refusal) -> None:
        event = {"type": "error", "status": refusal.status, **refusal.body()}
        await self._send(event, asked.get("stream_id"))

    async def _refuse_steer(self, asked: Body) -> None:
        error = {
            "code": "steering_not_supported",
            "message": "This model does not support steering.",
            "type": "invalid_request_error",
        }
        steer = {name: asked.get(name) for name in ("input", "previous_response_id")}
        event = {"type": "response.steer.failed", "sequence_number": 0, "error": error}
        await self._send({**event, "steer": steer}, None)

    def _record(self, status: int, fault: Fault | None) -> None:
        self._harbour.calls.add(
            Call(
                at=self._harbour.clock.now(),
                caller=self._caller,
                method=_METHOD,
                path=_PATH,
                about=None,
                query="",
                status=status,
                fault=fault.kind if fault else None,
            )
        )
