"""The status page: one file each of HTML, style and script, from the package itself."""

from http import HTTPStatus
from importlib.resources import files

from fastapi import APIRouter, Request, Response

from demurrage.web.doors import Doors, bears
from demurrage.web.guards import PAGE_PATH

# Everything from this very address, nothing inline, and nobody may frame it.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page_router(doors: Doors) -> APIRouter:
    """`/` and what it loads. None of it holds any data: the script asks `/v1/status`."""
    router = APIRouter(include_in_schema=False)
    assets = files("demurrage.web") / "assets"
    html, css, js = ((assets / name).read_bytes() for name in ("page.html", "page.css", "page.js"))

    @router.get(PAGE_PATH)
    async def page(request: Request) -> Response:
        """Where an admin token is set, whoever does not send it gets 401 with a place to sign in.

        A browser cannot send the token with a navigation; the script asks for it and sends it.
        """
        token = doors.admin_token
        known = token is None or bears(request.headers.get("authorization"), token)
        return Response(
            html,
            status_code=HTTPStatus.OK if known else HTTPStatus.UNAUTHORIZED,
            media_type="text/html",
            headers={"Content-Security-Policy": _POLICY}
            | ({} if known else {"WWW-Authenticate": 'Bearer realm="demurrage"'}),
        )

    @router.get("/page.css")
    async def style() -> Response:
        """The style."""
        return Response(css, media_type="text/css")

    @router.get("/page.js")
    async def script() -> Response:
        """The script."""
        return Response(js, media_type="text/javascript")

    return router
