"""What stands on a page until its components do: the bar, the heading, and on Ask the samples, a picture or an answer.

The idea: Gradio is 300 KB of code, which a phone on a slow line waits many seconds for; this is a few KB in the page itself,
drawn by the style sheet alone. It is useful by itself: one reads what an address shows, and picks a sample or a room. The bar's
module takes it away when the page's own parts stand.

Pure: every text is a person's or a model's, and is escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import urlencode

__all__ = ["FirstPage", "first_html"]


@dataclass(frozen=True, slots=True)
class FirstPage:
    """`bar` is the navigation's own HTML, `heading` the page's, `note` the line below it. `samples` are (picture's address,
    media hash, question); `picture` is the address of what stands on the stage, `question` and `answer` are those of the
    attempt that the address names, `note_on_answer` how sure that is."""

    bar: str
    heading: str
    note: str = ""
    samples: Sequence[tuple[str, str, str]] = ()
    picture: str | None = None
    question: str | None = None
    answer: str | None = None
    note_on_answer: str = ""


def first_html(page: FirstPage) -> str:
    parts = [f'<h1 class="page-title">{escape(page.heading)}</h1>']
    if page.note:
        parts.append(f'<p class="page-note">{escape(page.note)}</p>')
    if page.question:
        parts.append(f'<p class="first-question">{escape(page.question)}</p>')
    if page.answer is not None:
        parts.append(f'<p class="first-answer">{escape(page.answer)}</p>')
    if page.note_on_answer:
        parts.append(f'<p class="page-note">{escape(page.note_on_answer)}</p>')
    if page.picture:
        parts.append(f'<img class="first-picture" alt="The picture" src="{escape(page.picture)}">')
    if page.samples:
        rows = "".join(_sample(*sample) for sample in page.samples)
        parts.append(f'<h2 class="eyebrow">Samples</h2><ul class="first-samples">{rows}</ul>')
    parts.append('<p class="first-waiting" role="status">The page is on its way …</p>')
    parts.append("<noscript><p>This studio needs JavaScript.</p></noscript>")
    return f'<div id="first">{page.bar}<main class="first" aria-busy="true">{"".join(parts)}</main></div>'


def _sample(url: str, sha256: str, question: str) -> str:
    there = "?" + urlencode({"media": sha256, "question": question})
    picture = f'<img alt="" src="{escape(url)}" width="76" height="57" loading="lazy">'
    return f'<li><a href="{escape(there)}">{picture}<span>{escape(question)}</span></a></li>'
