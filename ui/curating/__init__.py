"""The Curate screen's own rooms: what its pages ask of the server, and the code that runs in the browser.

    routes.py       the addresses below /curate/: the queue in pages, one trace, verdicts; JSON both ways
    work_routes.py  edits, undo, versions saved, reservations
    presence.py     which page looks at which traces; one that is gone lets go
    continuing.py   a policy goes on from an edited step, streamed
    versions.py     history, comparisons, side by side, preferences
    sharing_routes.py  assignments, several reviews of a trace, agreement
    filters.py      what the queue's filters are called
    lists.py        filters' values, saved views, tags, bulk verdicts
    queue_values.py, drafting.py   rows, traces and drafts -> the JSON that the browser draws; pure
    client/         ES modules, one noun each; workbench.js holds the one state that all the others draw

Why not Gradio events: a person who decides on 200 traces an hour must never wait for a round trip (the next traces are fetched
ahead), and an edit that did not reach the server must be known by the page not to have, so that it is kept and sent again; an
event of Gradio tells a page neither. The parts are still gr.HTML components (ui.components.queue, .editor, .inspector), whose
shells load their modules.
"""
