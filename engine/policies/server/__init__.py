"""A model behind an OpenAI-compatible API (vLLM, SGLang, llama.cpp, `transformers serve`, a service) as the policy.

    STUDIO_MODEL=openai:http://host:8000/v1#MODEL        the key, where one is needed, in OPENAI_API_KEY

The idea: the wire format stays the protocol's. Turns are sent as they are told: pictures as data URLs, resized to the size
that the model will see within the budget of their role, the model's own text word for word, and what an operation brought
in a user turn, since results of tools carry text only in that API. A server that reads calls by itself (`tool_calls`) is
read, too: such a call is written as the protocol's text, and the loop goes on as ever.

    policy      `ServerPolicy`, awaited: many conversations on the wire at once (`engine.drivers.asynchronous`)
    blocking    `BlockingServerPolicy`, the same for who waits: the screen (`engine.drivers.streaming`)
    opening     a look whether the server is there, and what it takes
    line        requests, and what their failures are to a person
    reading     a turn, as it comes in pieces

Requests are tried again with growing pauses by the `openai` client (429, 5xx, no connection); a turn that was cut off on
its way is asked for again, three times in all. Log-probabilities, seeds and counts of tokens are asked for where the
server takes such a request, which is tried once when it is opened.

Invariants: the key comes from the environment and is in no trace, setting or message; no address with a password is taken.
Needs no torch. Not covered: training, which happens where the weights are.
"""
