"""The table of formats: what the commands, the Data screen and the documents know of them."""

from __future__ import annotations

from engine.errors import InvalidInput
from engine.exchange.atif import ATIF
from engine.exchange.deepeyes import DEEPEYES
from engine.exchange.format import Format
from engine.exchange.llama_factory import LLAMA_FACTORY
from engine.exchange.mini_o3 import MINI_O3
from engine.exchange.ms_swift import MS_SWIFT
from engine.exchange.openai_chat import OPENAI_CHAT
from engine.exchange.pixel_reasoner_rl import PIXEL_REASONER_RL
from engine.exchange.pixel_reasoner_sft import PIXEL_REASONER_SFT
from engine.exchange.preference import PREFERENCE
from engine.exchange.trace_json import TRACE_JSON
from engine.exchange.trl import TRL
from engine.exchange.verl import VERL

__all__ = ["FORMATS", "format_named"]

FORMATS: tuple[Format, ...] = (
    TRACE_JSON,
    PIXEL_REASONER_SFT,
    PIXEL_REASONER_RL,
    TRL,
    PREFERENCE,
    LLAMA_FACTORY,
    MS_SWIFT,
    VERL,
    OPENAI_CHAT,
    ATIF,
    DEEPEYES,
    MINI_O3,
)


def format_named(name: str) -> Format:
    """The format of that name. Raises InvalidInput naming those that exist."""
    found = next((format for format in FORMATS if format.name == name), None)
    if found is None:
        raise InvalidInput(f"there is no format {name!r}; choose one of: {', '.join(one.name for one in FORMATS)}")
    return found
