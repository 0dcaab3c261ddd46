"""A sandbox on a port, over HTTP or TLS, for demo, training and clients that nobody here wrote."""

import ssl
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from connectors.sandbox import Dropped, Request, Response, Sandbox


class Handler(BaseHTTPRequestHandler):
    """Hands every method, known or not, to the sandbox."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a small answer in two packets would wait 40 ms for an acknowledgement
    sandbox: Sandbox

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._answer
        raise AttributeError(name)

    def _answer(self) -> None:
        body = self._body()
        try:
            response = self.sandbox.handle(
                Request(self.command, self.path, httpx.Headers(list(self.headers.items())), body)
            )
        except Dropped:
            self.close_connection = True
            return
        except Exception:  # a fault of the sandbox itself: said to the client, where the test or the person is
            response = Response(500, traceback.format_exc().encode(), [("Content-Type", "text/plain")])
        self.send_response(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        if response.status not in (204, 304):
            self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD" and response.status not in (204, 304):
            self.wfile.write(response.body)

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: whoever runs a sandbox reads its state, not its log."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def server(
    sandbox: Sandbox, port: int = 0, host: str = "127.0.0.1", certificate: tuple[Path, Path] | None = None
) -> Server:
    """Binds the port (0: any free one) and sets the sandbox's address; call `serve_forever`. `certificate` is the
    certificate chain and the key for TLS. Raises OSError where the port is taken."""
    bound = Server((host, port), type("SandboxHandler", (Handler,), {"sandbox": sandbox}))
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        # The handshake is left to each connection's own thread: here it would let one silent client stop all others.
        bound.socket = context.wrap_socket(bound.socket, server_side=True, do_handshake_on_connect=False)
    sandbox.address = (
        f"{'https' if certificate else 'http'}://{'localhost' if certificate else host}:{bound.server_address[1]}"
    )
    return bound


@contextmanager
def serving(sandbox: Sandbox, port: int = 0, certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """Serves in a thread of this process and yields the address."""
    bound = server(sandbox, port, certificate=certificate)
    threading.Thread(target=bound.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield sandbox.address
    finally:
        bound.shutdown()
        bound.server_close()
