"""The embedded GitHub as an HTTP server on loopback: HTTP/1.1, kept alive, one thread a connection.

with EmulatedGitHub(world) as github:
    requests.get(f"{github.api_url}/user", headers={"Authorization": "token …"})
"""

from __future__ import annotations

import contextlib
import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar, Self, cast
from urllib.parse import parse_qsl

from emulator import exchange
from emulator.messages import Request

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from types import TracebackType

    from emulator.messages import Answer
    from emulator.world import World

_PATIENCE = 5.0
_LONGEST_LINE = 65_536


class EmulatedGitHub:
    """Serves a world until the context ends.

    Args:
        world: what is served; its `api_url` and `server_url` become this server's.
        latency: seconds that each answer takes, waited for with `world.sleep`.
        tls: serve https with this context.
        host: the loopback name that URLs carry.
    """

    watchers: ClassVar[list[Callable[[World], None]]] = []
    """Told of every world that is served, before its first request."""

    def __init__(
        self,
        world: World,
        *,
        latency: float = 0.0,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.world = world
        self._server = _Server(world, latency, tls)
        self._storage = _Server(world, latency, tls, storage=True)
        scheme = "http" if tls is None else "https"
        self.server_url = f"{scheme}://{host}:{self._server.server_port}"
        self.registry_url = self.server_url
        self.api_url = f"{self.server_url}/api/v3" if world.ghes else self.server_url
        world.api_url, world.server_url = self.api_url, self.server_url
        world.storage_url = f"{scheme}://{host}:{self._storage.server_port}"
        # Few tests read blobs: a second loop in each of them would cost more than all of these.
        world.open_storage = self._storage.start

    def __enter__(self) -> Self:
        for watch in self.watchers:
            watch(self.world)
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.end()
        self._storage.end()


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def __init__(
        self, world: World, latency: float, tls: ssl.SSLContext | None, *, storage: bool = False
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.world, self.latency, self._tls, self.storage = world, latency, tls, storage
        self._guard = threading.Lock()
        self._open: dict[socket.socket, threading.Thread | None] = {}
        self._started = False

    def start(self) -> None:
        """Serve from now on; once is enough."""
        with self._guard:
            started, self._started = self._started, True
        if not started:
            threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def end(self) -> None:
        """Serve no longer, and end what is under way."""
        if self._started:
            self.shutdown()
            self.end_connections()
        self.server_close()

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        thread = threading.Thread(target=self._serve, args=(request, client_address), daemon=True)
        with self._guard:
            self._open[request] = thread
        thread.start()

    def end_connections(self) -> None:
        """End every connection that is kept alive, and wait for its thread."""
        with self._guard:
            left = dict(self._open)
        for connection, thread in left.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            if thread is not None:
                thread.join(_PATIENCE)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no error of ours; anything else is printed by the base."""
        import sys  # noqa: PLC0415 - only for what should not happen

        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    def _serve(self, request: socket.socket, client_address: object) -> None:
        served = request
        try:
            if self._tls is not None:
                served = self._tls.wrap_socket(request, server_side=True)
            self.process_request_thread(served, client_address)
        except OSError:
            served.close()
        finally:
            with self._guard:
                self._open.pop(request, None)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    raw_requestline: bytes

    def do_GET(self) -> None:
        server = cast("_Server", self.server)
        self._send(exchange.serve(server.world, self._request(), latency=server.latency))

    # The names that the base class looks for.
    do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = do_GET  # noqa: N815

    def parse_request(self) -> bool:
        """Read the request line and the headers; the base has headers parsed as those of an e-mail, at length."""
        words = str(self.raw_requestline, "iso-8859-1").split()
        if len(words) != 3 or words[2] != "HTTP/1.1" or words[1].startswith("//"):
            parsed = super().parse_request()
            self._headers = {name.lower(): value for name, value in self.headers.items()} if parsed else {}
            return parsed
        self.command, self.path, self.request_version = words
        self.requestline = " ".join(words)
        self._headers = {}
        while (line := self.rfile.readline(_LONGEST_LINE)).strip():
            if len(line) == _LONGEST_LINE:
                self.send_error(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
                return False
            name, _, value = str(line, "iso-8859-1").partition(":")
            self._headers[name.lower()] = value.strip()
        self.close_connection = self._headers.get("connection", "").lower() == "close"
        return True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's own name
        """Say nothing: what was asked is in `world.requests`."""

    def _request(self) -> Request:
        path, _, query = self.path.partition("?")
        pairs = dict(parse_qsl(query, keep_blank_values=True))
        return Request(
            self.command,
            path,
            pairs,
            self._headers,
            self._body(self._headers),
            storage=cast("_Server", self.server).storage,
        )

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length") or 0))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline(_LONGEST_LINE).split(b";")[0] or b"0", 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline(_LONGEST_LINE)
        self.rfile.readline(_LONGEST_LINE)
        return b"".join(chunks)

    def _send(self, sent: exchange.Sent) -> None:
        if sent.answer is None:
            self._drop()
            return
        answer: Answer = sent.answer
        lines = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('',))[0]}"]
        lines += [f"{name}: {value}" for name, value in sent.headers.items()]
        body = b"" if self.command == "HEAD" else answer.body[: sent.cut]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + body)
        self.wfile.flush()
        if sent.cut is not None:
            self._drop()

    def _drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
