#!/usr/bin/env bash
# Guess: the client's stream helper takes from each piece what is added: text and arguments; a role, a call's id and its
# name stand, however often a server says them.
# Seen (openai 3.57.0): all text is joined. A server that sends the role with every piece has the role
# "assistantassistant", and one that repeats a call's id and name calls "zoom_inzoom_in". Only a call's type and index
# are not joined.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q openai==3.57.0
cd "$folder" && venv/bin/python - <<'PY'
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

def piece(delta, reason=None):
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return ChatCompletionChunk.model_validate(
        {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    )

def call(arguments):
    function = {"name": "zoom_in", "arguments": arguments}
    return {"role": "assistant", "tool_calls": [{"index": 0, "id": "c1", "type": "function", "function": function}]}

state = ChatCompletionStreamState()
for one in (piece(call('{"factor"')), piece(call(": 2}")), piece({}, "tool_calls")):
    state.handle_chunk(one)
message = state.get_final_completion().choices[0].message
made = message.tool_calls[0]
print(message.role, made.id, made.type, made.function.name, made.function.arguments)
assert (message.role, made.id, made.type) == ("assistantassistant", "c1c1", "function")
assert (made.function.name, made.function.arguments) == ("zoom_inzoom_in", '{"factor": 2}')
PY
