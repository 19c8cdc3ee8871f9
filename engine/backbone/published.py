"""What lies in a model's folder, before any weight is read: its configuration, its wire format's signs, its tensors' sizes.

The idea: everything that can be refused is refused from small files, in seconds. A model of the Hub is looked up with one
request, its small files come first, and its weights only when nothing stands against them.

    find_model      STUDIO_MODEL -> Published: a folder of this disk, of the Hub's cache, or a Hub id that is still to come
    objection       why these files cannot be loaded here, as a sentence
    protocol_of     the wire format that it speaks
    fetch_weights   a Hub id -> the folder in the cache that holds everything

Imports no torch by itself. Refused: weights that were quantised already in another way than bitsandbytes (AWQ, GPTQ, FP8:
no adapter can be trained on them here), models that see no pictures, models that need code of their own, adapters and files
without safetensors. Not covered: whether the memory suffices (`engine.backbone.memory`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import tqdm

from engine import embedded
from engine.errors import InvalidSetting, Unavailable
from engine.protocols import Choice, choose_protocol, protocol_named

__all__ = ["Published", "fetch_weights", "find_model", "objection", "protocol_of"]

_TIMEOUT_S = 5.0
_SMALL = ("*.json", "*.jinja", "*.txt", "README.md")
_WEIGHTS = "*.safetensors"
_USE = "Give a folder with weights, a model id that this machine can download, or `tiny`."


@dataclass(frozen=True, slots=True)
class Published:
    """A model's small files. `folder` holds them, `hub_id` is None where the weights lie there too; `configuration` is
    config.json, `chat_template` and `card` are texts, empty where there are none."""

    name: str
    folder: Path
    hub_id: str | None = None
    configuration: Mapping[str, Any] = field(default_factory=dict)
    chat_template: str = ""
    card: str = ""
    studio_card: Mapping[str, Any] = field(default_factory=dict)

    @property
    def weight_files(self) -> tuple[Path, ...]:
        return tuple(sorted(self.folder.glob(_WEIGHTS)))


def find_model(model: str) -> Published:
    """What STUDIO_MODEL names. Raises InvalidSetting where a path leads nowhere, and Unavailable, within ten seconds, where
    a model of the Hub is neither in the cache nor to be reached."""
    if model == embedded.NAME:
        return _read(embedded.NAME, embedded.weights_folder())
    path = Path(model).expanduser()
    if path.exists():
        if (path / "adapter_config.json").is_file() and not (path / "config.json").is_file():
            raise InvalidSetting(f"STUDIO_MODEL={model!r} is an adapter; give the model that it was trained on")
        if not (path / "config.json").is_file():
            raise InvalidSetting(f"STUDIO_MODEL={model!r} is no model folder: it holds no config.json")
        return _read(path.resolve().name, path)
    if model.startswith((".", "/", "~")):
        raise InvalidSetting(f"STUDIO_MODEL={model!r}: there is no such folder")
    return _find_on_hub(model)


def objection(published: Published) -> str | None:
    """Why this model cannot be loaded here, as a sentence; None where nothing stands against it."""
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    name, configuration = published.name, published.configuration
    model_type = str(configuration.get("model_type", ""))
    method = str((configuration.get("quantization_config") or {}).get("quant_method", ""))
    if method and method != "bitsandbytes":
        return (
            f"the weights of {name!r} are quantised already ({method}), and no adapter could be trained on them; give the "
            "model that they were made from, which is quantised while it loads"
        )
    if model_type not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        if configuration.get("auto_map"):
            return f"{name!r} needs code of its own (auto_map), which is not run here; choose a model that transformers knows"
        return (
            f"{name!r} is no vision-language model that transformers knows (model_type {model_type!r}); choose one that "
            "answers questions about pictures, such as Qwen/Qwen2.5-VL-3B-Instruct"
        )
    if published.hub_id is None and not published.weight_files:
        return f"the folder of {name!r} holds no weights ({_WEIGHTS}); convert them, or download them whole"
    return None


def protocol_of(published: Published, protocol: str) -> Choice:
    """The wire format that was asked for, or the one that the model's own files name. Raises InvalidSetting."""
    if protocol != "auto":
        return Choice(protocol_named(protocol).NAME, "it was asked for")
    if "protocol" in published.studio_card:
        return Choice(protocol_named(published.studio_card["protocol"]).NAME, "its studio.json says so")
    return choose_protocol(published.name, published.configuration, published.chat_template, published.card)


def fetch_weights(
    published: Published, on_progress: Callable[[int, int], None] = lambda done, total: None
) -> Published:
    """The same model with its weights on this disk. `on_progress` hears (bytes so far, bytes in all). Raises Unavailable."""
    if published.hub_id is None:
        return published

    class Told(tqdm):
        """The Hub's bar of the bytes in all, drawn nowhere."""

        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options | {"disable": True})
            self._is_bytes = options.get("unit") == "B"

        def update(self, n: float | None = 1) -> bool | None:
            self.n += n or 0
            if self._is_bytes:
                on_progress(int(self.n), int(self.total or 0))
            return None

    try:
        folder = snapshot_download(
            published.hub_id, allow_patterns=[*_SMALL, _WEIGHTS], etag_timeout=_TIMEOUT_S, tqdm_class=Told
        )
    except (OSError, HTTPError) as error:
        raise Unavailable(
            f"the weights of {published.hub_id!r} could not be downloaded: {_first_line(error)}"
        ) from error
    return _read(published.name, Path(folder))


def _find_on_hub(model: str) -> Published:
    try:
        HfApi().model_info(model, timeout=_TIMEOUT_S)
    except HFValidationError as error:
        raise InvalidSetting(
            f"STUDIO_MODEL={model!r} is neither a folder nor a model id of the Hub (OWNER/NAME)"
        ) from error
    except GatedRepoError as error:
        raise Unavailable(f"the model {model!r} asks for consent on its page, and HF_TOKEN for who gave it") from error
    except RepositoryNotFoundError as error:
        raise Unavailable(
            f"the Hub knows no model {model!r}, or it is private and HF_TOKEN is not set. {_USE}"
        ) from error
    except (OSError, HTTPError) as error:
        return _in_cache(model, error)
    try:
        folder = snapshot_download(model, allow_patterns=list(_SMALL), etag_timeout=_TIMEOUT_S)
    except (OSError, HTTPError) as error:
        raise Unavailable(f"the model {model!r} cannot be downloaded: {_first_line(error)} {_USE}") from error
    return _read(model, Path(folder), hub_id=model)


def _in_cache(model: str, error: Exception) -> Published:
    try:
        folder = snapshot_download(model, local_files_only=True)
    except (LocalEntryNotFoundError, OSError, HTTPError):
        raise Unavailable(
            f"the model {model!r} cannot be loaded: it is not in this machine's cache, and the Hub cannot be reached "
            f"({_first_line(error)}). {_USE}"
        ) from error
    return _read(model, Path(folder))


def _read(name: str, folder: Path, hub_id: str | None = None) -> Published:
    return Published(
        name=name,
        folder=folder,
        hub_id=hub_id,
        configuration=_json(folder / "config.json"),
        chat_template=_chat_template(folder),
        card=_text(folder / "README.md"),
        studio_card=_json(folder / "studio.json"),
    )


def _chat_template(folder: Path) -> str:
    """In the order of age: a file of its own, or a key of one of three JSON files."""
    if text := _text(folder / "chat_template.jinja"):
        return text
    for file in ("chat_template.json", "processor_config.json", "tokenizer_config.json"):
        if isinstance(template := _json(folder / file).get("chat_template"), str):
            return template
    return ""


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""


def _json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(_text(path) or "{}")
    except ValueError as error:
        raise InvalidSetting(f"{path.name} of the model {path.parent.name!r} is no JSON: {error}") from error
    return value if isinstance(value, dict) else {}


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0]
