"""What the fake far sides share: scripted steps, and a server in a thread of its own, of any kind or of HTTP.

A message is on record before its answer is written or its connection dropped, so that a test can kill the sender at any
moment and count afterwards.
"""

from __future__ import annotations

import socket
import socketserver
import struct
import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Step:
    """One scripted answer. `take` says whether the message counts as taken although (or because) of it.

    `drop` ends the connection without an answer, `half` after half an answer; `times` is how often the step serves.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    error: str | None = None
    reply: str | None = None
    drop: bool = False
    half: bool = False
    reset: bool = False
    delay_s: float = 0.0
    take: bool | None = None
    times: int = 1


@dataclass(slots=True)
class Script:
    """Steps by endpoint, used up in order."""

    steps: dict[str, list[Step]] = field(default_factory=lambda: defaultdict(list))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, endpoint: str, *steps: Step) -> None:
        """Let the next requests to an endpoint be answered so."""
        with self.lock:
            for step in steps:
                self.steps[endpoint] += [step] * step.times

    def forever(self, endpoint: str, step: Step) -> None:
        """Let every further request be answered so."""
        self.add(endpoint, *[step] * 10_000)

    def clear(self, endpoint: str) -> None:
        """Answer with success again."""
        with self.lock:
            self.steps[endpoint].clear()

    def take(self, endpoint: str) -> Step | None:
        """Use up the next step."""
        with self.lock:
            waiting = self.steps[endpoint]
            return waiting.pop(0) if waiting else None


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class Served:
    """A server in a thread of its own, up for as long as a `with` lasts; it answers by its script."""

    def __init__(self, server: socketserver.TCPServer) -> None:
        self.script = Script()
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class FakeHttp(Served):
    """A server on 127.0.0.1 whose subclass answers `handle`."""

    def __init__(self) -> None:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: object) -> None:
                return

            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                fake._answer(self, fake.handle(self.path, headers, body))

            do_GET = _any  # noqa: N815 the names http.server looks for
            do_POST = _any  # noqa: N815

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        super().__init__(server)

    def handle(self, path: str, headers: dict[str, str], body: bytes) -> tuple[Step, Reply]:
        """Answer one request; what is taken is recorded here."""
        raise NotImplementedError

    def _answer(self, handler: BaseHTTPRequestHandler, made: tuple[Step, Reply]) -> None:
        step, reply = made
        if step.delay_s:
            time.sleep(step.delay_s)
        if step.drop or step.half:
            if step.half:
                handler.wfile.write(b'HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"ok":')
                handler.wfile.flush()
            if step.reset:
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.close_connection = True
            handler.connection.close()
            return
        try:
            handler.send_response_only(reply.status)
            for name, value in reply.headers:
                handler.send_header(name, value)
            handler.send_header("content-length", str(len(reply.body)))
            handler.end_headers()
            handler.wfile.write(reply.body)
        except OSError:
            handler.close_connection = True
