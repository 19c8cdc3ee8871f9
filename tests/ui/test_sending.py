"""Pages and code on their way to a browser."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest


def write(folder: Path, modules: Mapping[str, str]) -> Path:
    for name, text in modules.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_bundle_does_what_its_modules_did(tmp_path: Path) -> None:
    from ui.sending.bundles import bundled

    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt-get install nodejs")
    folder = write(
        tmp_path,
        {
            "client/count.js": "let n = 0;\nexport const next = () => ++n;\n"
            "function spare() {\n  return n;\n}\nexport { spare };\n",
            "parts/one.js": "import { next as again } from '../client/count.js';\n"
            "export function mount() {\n  return again();\n}\n",
            "parts/two.js": "import {\n  next,\n  spare,\n} from '../client/count.js';\n"
            "export class Two {}\nexport async function mount() {\n  return [next(), spare()];\n}\n",
        },
    )
    (tmp_path / "all.mjs").write_text(bundled(["parts/one.js", "parts/two.js"], folder), encoding="utf-8")
    script = (
        f"const {{ default: all }} = await import('{tmp_path}/all.mjs');"
        "const one = all['parts/one.js'].mount();"
        "console.log(JSON.stringify([one, await all['parts/two.js'].mount(), Object.keys(all['parts/two.js'])]))"
    )
    done = subprocess.run([node, "--input-type=module", "-e", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == '[1,[2,2],["Two","mount"]]', done.stderr


@pytest.mark.parametrize(
    ("modules", "complaint"),
    [
        ({"a.js": "import { b } from './b.js';\n", "b.js": "import { a } from './a.js';\n"}, "a.js -> b.js -> a.js"),
        ({"a.js": "import * as all from './b.js';\n"}, "no form that is bundled"),
        ({"a.js": "export default 3;\n"}, "no form that is bundled"),
        ({"a.js": "export let n = 0;\n"}, "no form that is bundled"),
    ],
)
def test_what_cannot_be_bundled_is_said(tmp_path: Path, modules: Mapping[str, str], complaint: str) -> None:
    from ui.sending.bundles import bundled

    with pytest.raises(ValueError, match=complaint):
        bundled(["a.js"], write(tmp_path, modules))


GRADIO = (
    '<!doctype html><html><head><meta property="og:title" content="Gradio" />\n'
    '<meta name="twitter:image" content="https://elsewhere.example/a.jpg" />\n'
    "<script>window.gradio_config = {};</script></head><body style='margin: 0'><gradio-app></gradio-app></body></html>"
)


@pytest.fixture
def pages() -> Any:
    """A client of a small app behind the middleware, whose page is about what `?ask=` says."""
    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse
    from fastapi.testclient import TestClient
    from starlette.requests import Request

    from ui.sending.first_page import FirstPage
    from ui.sending.pages import About, Pages

    app = FastAPI()

    @app.get("/")
    def page() -> HTMLResponse:
        return HTMLResponse(GRADIO)

    def about(request: Request) -> About:
        asked = request.query_params["ask"]
        return About(asked, FirstPage("<nav></nav>", "Ask", question=asked, answer=asked))

    app.add_middleware(Pages, about={"/": about}, code={"/": "code/1.js"}, style="studio.css?1", ahead={"/": "<link>"})
    return TestClient(app)


def test_a_page_names_the_studio_and_fetches_nothing_elsewhere(pages: Any) -> None:
    text = pages.get("/?ask=<b>What?").text
    assert "<title>&lt;b&gt;What? · Pixel Reasoner Studio</title>" in text
    assert '<meta property="og:title" content="&lt;b&gt;What? · Pixel Reasoner Studio">' in text
    assert "elsewhere.example" not in text and 'content="Gradio"' not in text
    assert "<b>" not in text, "what people and models wrote is text"
    assert text.index('<div id="first">') < text.index("<gradio-app>")
    assert '<link rel="modulepreload" id="studio-code" href="code/1.js"><link>' in text


def test_a_page_that_cannot_be_drawn_first_comes_without(pages: Any) -> None:
    reply = pages.get("/")
    assert reply.status_code == 200 and '<div id="first">' not in reply.text


def test_an_address_that_leads_nowhere_leads_home(pages: Any) -> None:
    lost = pages.get("/nothing/here", headers={"Sec-Fetch-Dest": "document"})
    assert lost.status_code == 404
    assert '<base href="/">' in lost.text and '<a href="./">Go to Pixel Reasoner Studio</a>' in lost.text
    assert pages.get("/nothing/here").json() == {"detail": "Not Found"}, "a program gets no page"


def test_text_is_compressed_and_pictures_and_ranges_are_left_alone() -> None:
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route
    from starlette.testclient import TestClient

    from ui.sending.compressing import Compressing, Precompressed

    style = Precompressed.of("a { color: red }\n" * 200, "text/css")
    app = Starlette(
        routes=[Route("/style.css", style.response), Route("/{path:path}", lambda request: Response("word " * 500))]
    )
    app.add_middleware(Compressing)
    client = TestClient(app)
    for accepted, encoding in (("br, gzip", "br"), ("gzip", "gzip"), ("identity", None)):
        reply = client.get("/style.css", headers={"Accept-Encoding": accepted})
        assert reply.headers.get("content-encoding") == encoding
        assert reply.content == style.plain
    assert client.get("/page").headers["content-encoding"] == "gzip"
    assert "content-encoding" not in client.get("/media/abc").headers
    assert "content-encoding" not in client.get("/page", headers={"Range": "bytes=0-9"}).headers
