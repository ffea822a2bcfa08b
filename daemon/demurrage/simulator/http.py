"""The harbour's HTTP application."""

from starlette.applications import Starlette
from starlette.middleware import Middleware

from demurrage.simulator import api_containers, api_conversations, api_responses
from demurrage.simulator.api_admin import admin_routes
from demurrage.simulator.api_socket import socket_routes
from demurrage.simulator.desk import Desk, Handler, Stamp
from demurrage.simulator.harbour import Harbour

_TABLE: list[tuple[str, str, Handler]] = [
    ("POST", "responses", api_responses.create),
    ("GET", "responses/{id}", api_responses.retrieve),
    ("DELETE", "responses/{id}", api_responses.delete),
    ("POST", "responses/{id}/cancel", api_responses.cancel),
    ("GET", "responses/{id}/input_items", api_responses.input_items),
    ("POST", "conversations", api_conversations.create),
    ("GET", "conversations/{id}", api_conversations.retrieve),
    ("POST", "conversations/{id}", api_conversations.update),
    ("DELETE", "conversations/{id}", api_conversations.delete),
    ("GET", "conversations/{id}/items", api_conversations.items),
    ("POST", "conversations/{id}/items", api_conversations.add_items),
    ("GET", "containers", api_containers.listed),
    ("POST", "containers", api_containers.create),
    ("GET", "containers/{id}", api_containers.retrieve),
    ("DELETE", "containers/{id}", api_containers.delete),
    ("GET", "containers/{id}/files", api_containers.files),
    ("POST", "containers/{id}/files", api_containers.add_file),
    ("GET", "containers/{id}/files/{file}", api_containers.file),
    ("DELETE", "containers/{id}/files/{file}", api_containers.delete_file),
    ("GET", "containers/{id}/files/{file}/content", api_containers.content),
]


def application(harbour: Harbour) -> Starlette:
    """The ASGI application of a harbour."""
    desk = Desk(harbour)
    routes = [
        route
        for method, path, handler in _TABLE
        for route in desk.routes(method, f"/v1/{path}", handler)
    ]
    return Starlette(
        routes=[*admin_routes(harbour), *socket_routes(harbour), *routes],
        middleware=[Middleware(Stamp, harbour=harbour)],
    )
