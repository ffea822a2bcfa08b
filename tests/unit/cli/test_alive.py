"""`check --alive`, as a container's health check asks it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.unit.cli.conftest import Desk, Refused

TURNING = {"status": "ok"}
STANDING = {"type": "urn:demurrage:problem:not-turning", "detail": "default: ended \x1b[31m9 s ago"}


@contextmanager
def daemon(status: int, body: bytes) -> Iterator[str]:
    """Something that answers /healthz, and nothing else; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_daemon_whose_loop_turns_is_alive(desk: Desk) -> None:
    """Exit 0; neither key nor store nor token is looked at."""
    with daemon(200, json.dumps(TURNING).encode()) as address:
        desk.write(f'[http]\nbind = "{address}"\nadmin_token_env = "NOT_SET"')
        said = desk.say("check", "--alive", OPENAI_API_KEY="")
        data = desk.say("check", "--alive", "--json", OPENAI_API_KEY="").json
    assert said.code == 0, said.err
    assert address in said.out
    assert data["alive"] is True


def test_a_daemon_that_is_bound_to_every_address_is_found(desk: Desk) -> None:
    """Nobody can connect to 0.0.0.0 everywhere, so loopback is asked."""
    with daemon(200, b"{}") as address:
        desk.write(f'[http]\nbind = "0.0.0.0:{address.partition(":")[2]}"')
        assert desk.say("check", "--alive").code == 0


@pytest.mark.parametrize(
    ("body", "told"),
    [(json.dumps(STANDING).encode(), "9 s ago"), (b"<html>", "503"), (b"[]", "503"), (b"", "503")],
)
def test_one_that_stands_still_is_not_and_says_why(
    desk: Desk, refused: Refused, body: bytes, told: str
) -> None:
    """Exit 1 and one printable line, whatever it is that answers."""
    with daemon(503, body) as address:
        desk.write(f'[http]\nbind = "{address}"')
        line = refused(desk.say("check", "--alive"), 1)
        said = desk.say("check", "--alive", "--json")
    assert told in line
    assert line.isprintable()
    assert (said.code, said.json["alive"]) == (1, False)


def test_nobody_there_is_not_alive(desk: Desk, refused: Refused) -> None:
    """Exit 1, with the address that was asked."""
    with daemon(200, b"{}") as address:
        pass
    desk.write(f'[http]\nbind = "{address}"')
    assert address in refused(desk.say("check", "--alive"), 1)
