"""What the components have in common: a static shell of HTML, and a module of JavaScript that owns the DOM inside it.

`NAME.html` is inserted once, as it stands: it must hold neither `${` nor `{{`, which Gradio would evaluate as code.
`NAME.js` is an ES module, which reaches the page in one with all others of its screen (`ui.sending.bundles`). Its
`mount({ element, props, trigger, watch })`, with what Gradio hands to a script, runs once; it draws `props.value` by setting
textContent and attributes, never innerHTML with data. What modules share lies in `ui/client/`. `NAME.css` is part of the one
style sheet (`ui.theme.stylesheet`), so it may use dark mode and media queries; its classes begin with the component's name.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

__all__ = ["StudioComponent"]


class StudioComponent(gr.HTML):
    """A component drawn by its own module. Subclasses say in FILES what their .html, .js and .css are called (in MODULE
    where the .js lies elsewhere below ui/), in TRIGGERS what the module triggers, and in their docstring what their value looks
    like. The value is plain JSON both ways, and what comes from a browser is not trusted."""

    FILES = ""
    MODULE = ""
    TRIGGERS: tuple[str, ...] = ()
    FOLDER = Path(__file__).parent
    # Gradio runs this text, and takes a quoted word in it for the name of an event that the component has; everything else
    # is a module, so that it can be linted, shared and tested. It stands in the class because Gradio copies the class
    # alone into the stub that it writes beside it.
    LOADER = """
// Events: TRIGGERS.
import(document.getElementById('studio-code').href)
  .then((code) => code.default['MODULE'].mount({ element, props, trigger, watch }))
  .catch((error) => {
    console.error(error);
    const sentence = document.createElement('p');
    sentence.className = 'component-broken';
    sentence.setAttribute('role', 'alert');
    sentence.textContent = 'This part of the page could not be loaded. Reload the page.';
    element.prepend(sentence);
  });
"""

    def __init__(self, value: Any = None, *, template: str | None = None, **options: Any):
        template = self.template() if template is None else template
        if "${" in template or "{{" in template:
            raise ValueError(f"{self.FILES}.html must hold neither ${{ nor {{{{: Gradio would run it as code")
        events = ", ".join(f"'{event}'" for event in self.TRIGGERS)
        loader = self.LOADER.replace("TRIGGERS", events).replace("MODULE", self.module())
        super().__init__(
            value=value,
            html_template=template,
            js_on_load=loader,
            apply_default_css=False,
            **options,
        )

    @classmethod
    def module(cls) -> str:
        """The path of its module below ui/."""
        return cls.MODULE or f"components/{cls.FILES}.js"

    @classmethod
    def template(cls) -> str:
        return (cls.FOLDER / f"{cls.FILES}.html").read_text(encoding="utf-8")

    def api_info(self) -> dict[str, Any]:
        return {"type": "object"}
