"""How pages and their code reach a browser quickly: few requests, small ones, and something useful before Gradio has started.

    bundles.py        the ES modules of a screen as one module
    compressing.py    text compressed on its way, and once and for all where it never changes
    first_page.py     what stands on a page until its components do; also without a script
    pages.py          the middleware that puts these into Gradio's pages, names the studio in them, and leads home from a 404

Not covered: what the components do (`ui.components`), security headers (`ui.security`).
"""
