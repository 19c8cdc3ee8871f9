"""The studio by program: the endpoints that `gradio_client` sees, and the same ones as MCP tools.

    endpoint     what an endpoint is: a function, the action that it is in the table of rights, its arguments as a model
    values       the types of what is answered
    asking       ask                     reviewing    review, take_back
    traces       traces, trace           exporting    export
    examples     data_sets, examples     jobs         jobs, job
    table        all of them
    gradio_endpoints    one named endpoint of Gradio each
    mcp_tools           one tool of the Model Context Protocol each, at /mcp
    upload_routes       files that gradio_client sends, checked on arrival

The idea: an endpoint is written once, as a typed function of the services, the person and its arguments; what it is called,
how it is documented and what it takes are read from its signature, so the two protocols cannot differ. Docstrings and
descriptions of arguments are what programs (and models that use tools) read.

Invariants: the right is asked before anything else is done; who asks is told from the request by `ui.guests.user_of` alone;
arguments are validated before the function is called; whatever goes wrong is one sentence; media are named by their hash, no
path and no address is ever opened.
"""
