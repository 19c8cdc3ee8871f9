#!/usr/bin/env bash
# Guess: an MCP tool whose argument is `str | None` gets the text it is sent.
# Seen (mcp 2.3.0): the text "null" arrives as None, where a `str` argument gets it as text; for `str | list[str]` a
# text that reads as a list, '["a"]', arrives as a list. "12" and "true" stay text.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q mcp==2.3.0
cd "$folder" && venv/bin/python - <<'PY'
import asyncio
from mcp.server import MCPServer

server, got = MCPServer("notes"), []

@server.tool()
def note(plain: str = "", optional: str | None = None, several: str | list[str] = "") -> str:
    got.append((plain, optional, several))
    return "noted"

for sent in ({"plain": "null"}, {"optional": "null"}, {"optional": "12"}, {"optional": "true"}, {"several": '["a"]'}):
    asyncio.run(server.call_tool("note", sent))
    print(sent, "->", got[-1])
assert got == [("null", None, ""), ("", None, ""), ("", "12", ""), ("", "true", ""), ("", None, ["a"])]
PY
