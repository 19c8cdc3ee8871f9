"""A data set on the Hugging Face Hub: traces as a parquet file with their pictures inside, and a card.

    README.md       the card (engine.exchange.card)
    train.parquet   id, question, options, gold, answer, score, confidence, status, is_edited, trajectory, tags, source, policy,
                    protocol; messages, images, tools as in `engine.exchange.trl`; trace, in JSON version 1

No name of a person is in it. The data set is private unless it is asked to be public, and nothing is pushed into one that is
there and public unless that was asked for. It appears whole, in one commit.

The token is read from the environment when it is needed (HF_TOKEN), and stands in no value, message or log; HF_ENDPOINT
names another Hub.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from engine.errors import Conflict, InvalidInput, InvalidSetting, NotAllowed, Unavailable
from engine.exchange.format import Format, Row
from engine.exchange.sheet import Sheet
from engine.exchange.trl import TRL, dumped
from engine.faithfulness import trajectory
from engine.store import Dossier
from engine.trace_json import trace_to_json

if TYPE_CHECKING:
    import pyarrow
    from huggingface_hub import HfApi

__all__ = ["CARD", "HUB_DATA", "hub_api", "on_the_hub", "require_repo", "require_token", "upload"]

_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
RepoKind = Literal["dataset", "model"]
CARD = "README.md"
TOKEN, ENDPOINT = "HF_TOKEN", "HF_ENDPOINT"


def _rows(dossier: Dossier, sheet: Sheet) -> Iterator[Row]:
    example, trace = dossier.example, dossier.trace
    assert TRL.rows is not None
    for row in TRL.rows(dossier, sheet):
        yield {
            "id": dossier.id,
            "question": example.question,
            "options": list(example.options),
            "gold": example.answer,
            "answer": trace.answer,
            "score": dossier.score,
            "confidence": dossier.confidence,
            "status": dossier.status,
            "is_edited": dossier.revision_number > 1,
            "trajectory": trajectory(trace),
            "tags": [one.tag for one in dossier.tags],
            "source": example.source,
            "policy": trace.policy,
            **row,
            "trace": dumped([trace_to_json(trace, dossier.id)])[0],
        }


def _schema() -> pyarrow.Schema:
    from datasets import Features, Image, Json, List, Value

    text, texts, number, turns = Value("string"), List(Value("string")), Value("float64"), List(Json())
    columns = {"id": text, "question": text, "options": texts, "gold": text, "answer": text, "score": number}
    columns |= {"confidence": number, "status": text, "is_edited": Value("bool"), "trajectory": text, "tags": texts}
    columns |= {"source": text, "policy": text, "protocol": text, "messages": turns, "images": List(Image())}
    return Features(columns | {"tools": turns, "trace": Json()}).arrow_schema


HUB_DATA = Format(
    name="hub",
    title="Data set of the Hub",
    description="Traces with their pictures and what is known of them, as a data set.",
    file="train.parquet",
    losses=TRL.losses,
    rows=_rows,
    schema=_schema,
    embedded=("images",),
)
"""Not in the table of formats: it is made for pushing (`engine.jobs.push`)."""


# --- pushing --------------------------------------------------------------------------------------------------------


def require_repo(name: str) -> str:
    """OWNER/NAME. Raises InvalidInput for anything else."""
    if not _REPO.fullmatch(name):
        raise InvalidInput(f"what lies on the Hub is named OWNER/NAME, not {name!r}")
    return name


def require_token(environment: Mapping[str, str] = os.environ) -> str:
    """The token that may write to the Hub. Raises InvalidSetting where there is none."""
    token = environment.get(TOKEN, "").strip()
    if not token:
        raise InvalidSetting(
            f"{TOKEN} is not set; make a token that may write on the Hub, and set it where the studio starts"
        )
    return token


@dataclass(frozen=True, slots=True)
class _Hub:
    api: HfApi
    repo: str
    kind: RepoKind

    def create(self, is_public: bool) -> None:
        """Raises Conflict where it is there and public, which was not asked for."""
        from huggingface_hub.errors import HfHubHTTPError

        try:
            self.api.create_repo(self.repo, repo_type=self.kind, private=not is_public)
        except HfHubHTTPError as error:
            if error.response is None or error.response.status_code != 409:
                raise
            if not is_public and not self.api.repo_info(self.repo, repo_type=self.kind).private:
                raise Conflict(
                    f"{self.repo} is there already and everybody can read it; choose another name, make it private on "
                    "the Hub, or ask for a public one"
                ) from None


def hub_api() -> HfApi:
    """The Hub, with the token of the environment. Raises InvalidSetting where there is none."""
    from huggingface_hub import HfApi

    endpoint = os.environ.get(ENDPOINT) or None
    return HfApi(endpoint=endpoint, token=require_token(), library_name="pixel-reasoner-studio")


@contextmanager
def on_the_hub(repo: str) -> Iterator[None]:
    """What the Hub and its library raise becomes one sentence: NotAllowed where it refuses the token, else Unavailable."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled  # type: ignore[attr-defined]

    try:
        yield
    except HfHubHTTPError as error:
        status = 0 if error.response is None else error.response.status_code
        said = f"the Hub answered {status} for {repo}"
        if status in (401, 403):
            raise NotAllowed(f"{said}: the token in {TOKEN} may not write there") from None
        if status == 402:
            raise NotAllowed(f"{said}: {repo.partition('/')[0]} has no credit there for what was asked") from None
        raise Unavailable(f"{said}; try again later") from None
    except (HTTPError, OfflineModeIsEnabled, RuntimeError) as error:  # RuntimeError: a file that could not be sent
        where = os.environ.get(ENDPOINT) or "huggingface.co"
        raise Unavailable(
            f"the Hub at {where} cannot be reached ({type(error).__name__}); nothing was changed there"
        ) from None


def upload(
    folder: Path,
    files: Sequence[str],
    repo: str,
    *,
    is_public: bool = False,
    message: str = "Pixel Reasoner Studio: traces",
    kind: RepoKind = "dataset",
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> str | None:
    """Puts `files` of the folder into the data set, or the model, `repo`, in one commit; its address, or None where it was
    stopped before.

    `on_progress(done, of how many files)` is called for each file that has been sent. Raises InvalidSetting without a
    token, NotAllowed where the Hub refuses it, Conflict for one that others can read, Unavailable where it cannot be
    reached.
    """
    from huggingface_hub import CommitOperationAdd

    hub = _Hub(hub_api(), repo, kind)
    additions: list[Any] = [CommitOperationAdd(name, str(folder / name)) for name in files]
    with on_the_hub(repo):
        hub.create(is_public)
        for done, one in enumerate(additions, 1):
            if should_stop():
                return None
            hub.api.preupload_lfs_files(repo, [one], repo_type=kind, free_memory=False)
            on_progress(done, len(additions))
        made = hub.api.create_commit(repo, additions, commit_message=message, repo_type=kind)
    return str(made.repo_url)
