"""The screens of the studio; the only package that imports gradio.

How the rooms fit:

    studio.py            Studio: the one frozen value of services that every screen is given
    shell.py             the pages: theme, navigation, and one `build` function for each screen in SCREENS
    navigation.py/.js    the bar on top, with nav-ask ... nav-data
    ask.py curate.py ... one screen each: `build(studio, page)` lays the components out and wires their events
    curating/            what the Curate screen asks of the server (JSON routes), and its ES modules (client/)
    asking/              what the Ask screen reads, shows and keeps, its routes, and its ES modules (client/)
    sending/             how pages and code reach a browser: what stands there first, one module a screen, compressed
    answering.py         one question being answered in a thread of its own, with Stop
    trace_values.py      traces, steps and views -> the JSON values that the components show; pure
    components/          a gr.HTML subclass each, its .html, .js and .css beside it (components/__init__.py tells how)
    client/              ES modules that the components and the Curate screen share: the DOM, words, boxes as numbers
    server.py            the FastAPI app around the pages; media_routes.py, code_routes.py, security.py and guests.py are its
                         parts
    theme.py theme.css   colours, type and layout, dark and light

To add a screen: write `ui/NAME.py` with `def build(studio: Studio, page: Page) -> None`, which is called inside the
page's own Blocks context, and add one line to `shell.SCREENS`. Inside `build`:

- `page.blocks.load(handler, inputs, outputs)` runs when the page opens; a handler that takes `request: gr.Request`
  reads the address with `query(request, "trace")` from `ui.guests`, and the person with `user_of(request)` from
  `ui.guests`;
- `page.navigation` is the bar: its value `{"note", "share"}` may be set by a handler (`note` is a short text on the
  right, `share` in [0, 1] draws a thin progress bar);
- a screen of three columns is `with gr.Row(elem_classes="columns")` holding `gr.Column(elem_classes="column-left" |
  "column-middle" | "column-right", ...)`: full-height scrolling columns from 1024 px, stacked below; a row with the
  class "action-bar" sticks to the foot of its column and, below 1024 px, to the foot of the window;
- headings: one `<h1>` a page (`ui.page.heading`), `<h2 class="eyebrow">` above a block; nothing is ever built from a
  person's or model's text but through a component (textContent), never as an HTML string;
- every event listener passes `show_progress="hidden"`, a `concurrency_limit` where it may take long, and an
  `api_name=False` unless it is meant to be called from outside; hidden or not, handlers check what they are given;
- never change `visible=` in an event that also updates other parts: Gradio rebuilds the page then and drops the other
  updates. Hide by CSS (a component hides itself when it has nothing to show; a disabled button may be `display: none`);
- addresses of pictures come from `ui.trace_values` (`picture_url`, `view_url`) and are relative, so that the studio
  works below any path.

Invariants: a screen keeps nothing in module-level variables and nothing but the page's own cursor in the page; what
must last is in the store, and an address (`?trace=`) opens it again.
"""
