"""What the components have in common: a static shell of HTML, and a script that owns the DOM inside it.

`NAME.html` is inserted once, as it stands: it must hold neither `${` nor `{{`, which Gradio would evaluate as code.
`NAME.js` runs once with Gradio's `element`, `props`, `trigger` and `watch`; it draws `props.value` by setting
textContent and attributes, never innerHTML with data. `NAME.css` is part of the one style sheet
(`ui.theme.stylesheet`), so it may use dark mode and media queries; its classes begin with the component's name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

__all__ = ["Part"]


class Part(gr.HTML):
    """A component drawn by its own script. Subclasses say in FILES what their .html, .js and .css are called, and in
    their docstring what their value looks like. The value is plain JSON both ways, and what comes from a browser is
    not trusted."""

    FILES = ""
    FOLDER = Path(__file__).parent

    def __init__(self, value: Any = None, *, template: str | None = None, **options: Any):
        template = self.template() if template is None else template
        if "${" in template or "{{" in template:
            raise ValueError(f"{self.FILES}.html must hold neither ${{ nor {{{{: Gradio would run it as code")
        super().__init__(
            value=value,
            html_template=template,
            js_on_load=(self.FOLDER / f"{self.FILES}.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            **options,
        )

    @classmethod
    def template(cls) -> str:
        return (cls.FOLDER / f"{cls.FILES}.html").read_text(encoding="utf-8")

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}
