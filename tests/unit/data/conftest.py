"""A set small enough to be read by eye, and a server that has one."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from kekule.data import fetch as fetch_module

TINY = {  # a path of three nodes, and a single edge
    "A": "1, 2\n2, 1\n2, 3\n3, 2\n4, 5\n5, 4\n",
    "graph_indicator": "1\n1\n1\n2\n2\n",
    "graph_labels": "1\n-1\n",
    "node_labels": "0\n7\n0\n7\n7\n",
    "edge_labels": "1\n1\n2\n2\n1\n1\n",
    "node_attributes": "0.5, 1\n1.5, 2\n2.5, 3\n3.5, 4\n-4.5e0, 5\n",
}


@pytest.fixture
def tiny(tmp_path):
    """Write the tiny set with some files replaced (text or bytes) or left out (None)."""

    def write(folder=None, name="TINY", **changes):
        folder = tmp_path / name if folder is None else folder
        folder.mkdir(parents=True, exist_ok=True)
        for role, text in {**TINY, **changes}.items():
            if text is not None:
                raw = text if isinstance(text, bytes) else text.encode()
                (folder / f"{name}_{role}.txt").write_bytes(raw)
        return folder

    write.files = TINY
    return write


class Server:
    """A mirror on this machine that answers each request as the next line of a script.

    An answer is a status, or bytes; a dict may lie about the length, stall, or drop.
    """

    def __init__(self):
        self.script, self.asked = [], []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                outer.answer(
                    self, outer.script.pop(0) if len(outer.script) > 1 else outer.script[0]
                )

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/sets"

    def answer(self, handler, reply):
        if isinstance(reply, int):
            handler.send_error(reply)
            return
        reply = reply if isinstance(reply, dict) else {"body": reply}
        handler.send_response(reply.get("status", 200))
        for name, value in reply.get("headers", {}).items():
            handler.send_header(name, value)
        if reply.get("length", True) is not None:
            handler.send_header("Content-Length", str(reply.get("length", len(reply["body"]))))
        handler.end_headers()
        handler.wfile.write(reply["body"])
        handler.wfile.flush()
        time.sleep(reply.get("stall", 0))

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(fetch_module, "PAUSES", (0.0, 0.01, 0.01))
    server = Server()
    yield server
    server.close()
