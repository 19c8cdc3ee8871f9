#!/usr/bin/env bash
# Guess: what an MCP tool returns is one text block, a list as JSON, so that a client that reads texts can tell what
# came.
# Seen (mcp 2.3.0): each item is a block of its own, of lists in lists too. An empty list and None are no block at all,
# a list of one is as its item, and [["a", "b"], "c"] is as ["a", "b", "c"]. Only with a return type is the list there,
# apart.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q mcp==2.3.0
cd "$folder" && venv/bin/python - <<'PY'
import asyncio
from mcp.server import MCPServer

server, given = MCPServer("marks"), [None, [], ["a"], "a", [["a", "b"], "c"], {"a": 1}]

@server.tool()
def untyped(number: int):
    return given[number]

@server.tool()
def typed() -> list[str]:
    return []

def got(name, **arguments):
    result = asyncio.run(server.call_tool(name, arguments))
    return [block.text for block in result.content], result.structured_content

for number, value in enumerate(given):
    print(value, "->", got("untyped", number=number))
print("typed", got("typed"))
blocks = [got("untyped", number=number)[0] for number in range(len(given))]
assert blocks[:5] == [[], [], ["a"], ["a"], ["a", "b", "c"]] and len(blocks[5]) == 1
assert got("untyped", number=1)[1] is None and got("typed") == ([], {"result": []})
PY
