"""What a first draft would have done, served to the same browser in the same run: the baseline of the benches with a page.

- A crop: the original is decoded from disk, cut, written as a PNG as Pillow writes it by itself, and sent within JSON in
  base64.
- A page of the queue: `engine.lab.bench.generated.naive_page` (LIKE over the JSON, a count over everything, OFFSET), sent as
  JSON with each row's whole trace.

The baseline is flattered: it has no Gradio queue between page and server, shows no pictures in the list, keeps no draft,
derives no stale marks and checks nothing. Its server runs in the bench's own process, which idles meanwhile.
"""

from __future__ import annotations

import base64
import io
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from PIL import Image

from engine.trace import Box

__all__ = ["crop_in_base64", "first_draft"]

_PAGE = b"""<!doctype html><title>First draft</title><style>#stage{position:fixed;inset:0;width:1000px;height:750px}
#list{position:fixed;left:1000px;top:0;width:440px;height:750px;overflow:auto}</style>
<div id="stage"></div><ul id="list"></ul><img id="crop" style="position:fixed;bottom:0;left:0;width:300px">"""


def crop_in_base64(path: Path, box: Box) -> str:
    """The picture's pixels in `box` as a PNG."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    buffer = io.BytesIO()
    picture.crop(box.to_pixels(picture.size)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


@contextmanager
def first_draft(routes: Mapping[str, Callable[[dict[str, str]], Any]]) -> Iterator[str]:
    """The address of a server on this machine that answers "/" with an empty page (#stage, #crop, #list) and each path of
    `routes` with what its function makes of the query, as JSON."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            route = routes.get(address.path)
            if route is not None:
                self._send(json.dumps(route(dict(parse_qsl(address.query)))).encode(), "application/json", 200)
            else:
                self._send(_PAGE, "text/html", 200 if address.path == "/" else 404)

        def _send(self, body: bytes, kind: str, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
