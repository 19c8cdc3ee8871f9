"""The look: Gradio's Base theme in our colours, and one style sheet made of `theme.css` and every component's own.

System fonts only; nothing is fetched from elsewhere. Every colour is a custom property of `theme.css` with a light
and a dark value; Gradio's own parts get theirs through `theme()`, which points at the same values.
"""

from __future__ import annotations

from pathlib import Path

import gradio as gr

__all__ = ["stylesheet", "theme"]

_HERE = Path(__file__).parent
_SANS = ["ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
_MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace"]
_COLOURS = {
    "body_background_fill": ("#f4f6f8", "#0b0f17"),
    "body_text_color": ("#0f172a", "#e6ebf3"),
    "body_text_color_subdued": ("#4b5a70", "#9aa8bd"),
    "block_background_fill": ("#ffffff", "#121826"),
    "block_border_color": ("#e2e6ec", "#1f2937"),
    "block_label_text_color": ("#475569", "#a9b6c9"),
    "block_title_text_color": ("#334155", "#cbd5e1"),
    "border_color_primary": ("#d5dae2", "#273244"),
    "border_color_accent": ("#0284c7", "#38bdf8"),
    "color_accent_soft": ("#e0f2fe", "#10263a"),
    "input_background_fill": ("#ffffff", "#0d131f"),
    "input_border_color": ("#c3cbd7", "#2b374c"),
    "input_border_color_focus": ("#0284c7", "#38bdf8"),
    "input_placeholder_color": ("#5b6b82", "#8b9ab0"),
    "button_primary_background_fill": ("#0369a1", "#0369a1"),
    "button_primary_background_fill_hover": ("#075985", "#075985"),
    "button_primary_text_color": ("#ffffff", "#ffffff"),
    "button_primary_border_color": ("#0369a1", "#0369a1"),
    "button_secondary_background_fill": ("#ffffff", "#1a2334"),
    "button_secondary_background_fill_hover": ("#f1f5f9", "#222d42"),
    "button_secondary_text_color": ("#0f172a", "#e6ebf3"),
    "button_secondary_border_color": ("#cfd6e0", "#2b374c"),
    "block_shadow": ("none", "none"),
    "input_shadow": ("none", "none"),
    "input_shadow_focus": ("0 0 0 3px rgb(2 132 199 / .18)", "0 0 0 3px rgb(56 189 248 / .22)"),
    "button_primary_shadow": ("none", "none"),
    "button_secondary_shadow": ("none", "none"),
}


def theme() -> gr.themes.Base:
    colours: dict[str, str] = {}
    for name, (light, dark) in _COLOURS.items():
        colours |= {name: light, f"{name}_dark": dark}
    return gr.themes.Base(
        primary_hue=gr.themes.colors.sky,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_sm,
        text_size=gr.themes.sizes.text_sm,
        font=_SANS,
        font_mono=_MONO,
    ).set(block_border_width="1px", input_border_width="1px", button_border_width="1px", **colours)


def stylesheet() -> str:
    """theme.css and every component's .css, in the order of their names."""
    parts = [_HERE / "theme.css", *sorted((_HERE / "components").glob("*.css"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in parts)
