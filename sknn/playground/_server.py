"""The web server of the playground: one page, its files, and a WebSocket for each open page."""

import asyncio
import contextlib
import hmac
import json
import socket
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sknn._optional import require
from sknn.playground._session import MAX_CSV, Session

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection, Request
    from starlette.responses import Response
    from starlette.websockets import WebSocket

#: names by which a page on this machine may ask for the server
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
#: pages that may be open at once
MAX_SESSIONS = 16
#: longest message of a page, in bytes: a CSV file in JSON, at worst three bytes a character
MAX_MESSAGE = 4 * MAX_CSV
#: what the page may load: its own files, and pictures that it draws itself
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

Scope = dict[str, Any]
App = Callable[[Scope, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Any]


class Playground:
    """The ASGI application, and what it knows of open pages.

    Parameters
    ----------
    hosts : tuple of str or None, default=LOOPBACK
        Names that requests may give as their host, without ports; None allows any, for servers
        with a token.
    token : str or None, default=None
        Token with which the address has to end, as ``?token=...``; None needs no token.
    """

    def __init__(
        self,
        hosts: tuple[str, ...] | None = LOOPBACK,
        token: str | None = None,
        *,
        max_sessions: int = MAX_SESSIONS,
    ):
        self.max_sessions = max_sessions
        self.hosts = None if hosts is None else {host.strip("[]").lower() for host in hosts}
        self.token = token
        self.sessions: set[Session] = set()
        self.app: App = self._make_app()

    def _make_app(self) -> App:
        applications = require("starlette.applications", "The playground")
        routing = require("starlette.routing", "The playground")
        return applications.Starlette(
            routes=[
                routing.Route("/", self._send_page),
                routing.Route("/static/{name}", self._send_file),
                routing.WebSocketRoute("/ws", self._connect),
            ]
        )

    def _is_allowed(self, connection: "HTTPConnection") -> bool:
        """Return whether a request names this server, comes from its page, and has the token."""
        # Without this check another page in the same browser could reach a server on this machine,
        # through a name that its owner lets point to 127.0.0.1 (DNS rebinding), or by a WebSocket,
        # which no browser keeps to its own origin.
        host = connection.headers.get("host", "")
        name = (urlsplit(f"//{host}").hostname or "").lower()
        if self.hosts is not None and name not in self.hosts:
            return False
        origin = connection.headers.get("origin")
        is_socket = connection.scope["type"] == "websocket"
        if (origin is None and is_socket) or (
            origin is not None and urlsplit(origin).netloc.lower() != host.lower()
        ):
            return False
        if self.token is None or connection.url.path.startswith("/static/"):
            return True
        return hmac.compare_digest(connection.query_params.get("token", ""), self.token)

    async def _send_page(self, request: "Request") -> "Response":
        return self._answer(request, "index.html")

    async def _send_file(self, request: "Request") -> "Response":
        return self._answer(request, request.path_params["name"])

    def _answer(self, request: "Request", name: str) -> "Response":
        responses = require("starlette.responses", "The playground")
        if not self._is_allowed(request):
            text = "This request does not come from the playground's own page."
            return responses.PlainTextResponse(text, 403, headers=_HEADERS)
        files = {
            each.name: each for each in resources.files(__package__).joinpath("static").iterdir()
        }
        media = _MEDIA.get(f".{name.rpartition('.')[2]}")
        if name not in files or media is None:
            return responses.PlainTextResponse("No such file.", 404, headers=_HEADERS)
        return responses.Response(files[name].read_bytes(), media_type=media, headers=_HEADERS)

    async def _connect(self, socket: "WebSocket") -> None:
        """Serve an open page until it closes."""
        if not self._is_allowed(socket) or len(self.sessions) >= self.max_sessions:
            await socket.close(1008)
            return
        await socket.accept()
        outbox = _Outbox(asyncio.get_running_loop())
        session = Session(outbox.put)
        self.sessions.add(session)
        sender = asyncio.create_task(outbox.send_all(socket))
        try:
            await self._receive(socket, session)
        finally:
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await sender
            await asyncio.to_thread(session.close)
            self.sessions.discard(session)

    async def _receive(self, socket: "WebSocket", session: Session) -> None:
        disconnected = require("starlette.websockets", "The playground").WebSocketDisconnect
        with contextlib.suppress(disconnected, RuntimeError):
            while True:
                text = await socket.receive_text()
                try:
                    message = json.loads(text)
                except ValueError:
                    message = None
                await asyncio.to_thread(session.handle, message)


class _Outbox:
    """Messages on their way from the threads of runs to a page.

    Parameters
    ----------
    loop : asyncio.AbstractEventLoop
        Event loop in which the page is served.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self._loop = loop
        self._queue: asyncio.Queue[bytes | dict[str, Any]] = asyncio.Queue()

    def put(self, message: bytes | dict[str, Any]) -> None:
        """Queue a message, from any thread; after the server has ended it goes nowhere."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._queue.put_nowait, message)

    async def send_all(self, socket: "WebSocket") -> None:
        """Send what is queued, until cancelled."""
        while True:
            message = await self._queue.get()
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            else:
                await socket.send_text(json.dumps(message))


def serve(playground: Playground, host: str, port: int, on_start: Callable[[int], None]) -> None:
    """Serve a playground until Ctrl-C.

    Parameters
    ----------
    playground : Playground
    host : str
        Address to listen at.
    port : int
        0 takes one that is free.
    on_start : callable
        Function that is called with the port once the server listens.
    """
    uvicorn = require("uvicorn", "The playground")
    require("websockets", "The playground")
    config = uvicorn.Config(
        playground.app,
        host=host,
        port=port,
        log_level="warning",
        ws="auto",
        ws_max_size=MAX_MESSAGE,
        timeout_graceful_shutdown=2,
        server_header=False,
    )

    class Server(uvicorn.Server):  # type: ignore[name-defined]
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.servers:
                on_start(self.servers[0].sockets[0].getsockname()[1])

    Server(config).run()
