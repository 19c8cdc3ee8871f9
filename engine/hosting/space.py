"""A Hugging Face Space made of this installation, or brought up to it, as `spaces.yaml` declares.

The idea: what is wanted and what is there are plain values; `plan` is the difference, a list of acts with a sentence each, and
`carry_out` does them. What agrees is left alone, so a second deployment does nothing.

Files are compared by their git hash (or their SHA-256, where they lie in LFS), and changed in one commit. A secret's value cannot
be read back: it is set where it is missing, or where that is asked for. Variables, secrets and volumes that are there and not
declared are told and left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput
from engine.exchange.hub import hub_api, on_the_hub, require_repo

__all__ = ["Act", "Declared", "Found", "carry_out", "look_at", "plan", "read_declared"]

_ROOT_FILES = ("app.py", "README.md", "requirements.txt", "spaces.yaml", "LICENSE", "NOTICE", "CITATION.cff")
_FOLDERS = ("engine", "ui")
_LEFT_OUT = ("__pycache__", ".pyc", ".pyi")
_OF_THE_HUB = (".gitattributes", ".gitignore")
SECRET_PREFIX = "SPACE_"


@dataclass(frozen=True, slots=True)
class Volume:
    type: str
    source: str
    mount_path: str


@dataclass(frozen=True, slots=True)
class Declared:
    """What is wanted: `files` by name, `secrets` name -> what it is for, `values` those of them that are known here."""

    repo: str
    files: Mapping[str, Path]
    hardware: str
    variables: Mapping[str, str]
    secrets: Mapping[str, str]
    volumes: tuple[Volume, ...]
    values: Mapping[str, str] = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """What is there: `hashes` of files by name (a git hash, or a SHA-256 of one in LFS); nothing where there is no Space."""

    is_there: bool = False
    hashes: Mapping[str, str] = field(default_factory=dict)
    hardware: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    volumes: tuple[Volume, ...] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """`sentence` says what is done; `do(api)` does it, None where only a person can."""

    sentence: str
    do: Callable[[Any], None] | None = None


def read_declared(root: Path, repo: str, environment: Mapping[str, str]) -> Declared:
    """What `spaces.yaml` in `root` wants of the Space OWNER/NAME. Raises InvalidInput."""
    import yaml

    owner, _, name = require_repo(repo).partition("/")
    path = root / "spaces.yaml"
    if not path.is_file():
        raise InvalidInput(f"there is no {path}; deploy from a clone of the studio's repository")

    def filled(text: Any) -> str:
        return str(text).replace("{owner}", owner).replace("{name}", name)

    said = yaml.safe_load(path.read_text(encoding="utf-8"))
    secrets = {name: filled(purpose) for name, purpose in (said["secrets"] or {}).items()}
    return Declared(
        repo,
        dict(_files(root)),
        said["hardware"],
        {name: filled(value) for name, value in (said["variables"] or {}).items()},
        secrets,
        tuple(Volume(one["type"], filled(one["source"]), one["mount_path"]) for one in said["volumes"] or ()),
        {name: environment[SECRET_PREFIX + name] for name in secrets if environment.get(SECRET_PREFIX + name)},
    )


def look_at(repo: str) -> Found:
    """The Space as the Hub has it. Raises NotAllowed, Unavailable."""
    from huggingface_hub.hf_api import RepoFile

    with on_the_hub(repo):
        api = hub_api()
        if not api.repo_exists(repo, repo_type="space"):
            return Found()
        tree = api.list_repo_tree(repo, recursive=True, repo_type="space")
        files = (one for one in tree if isinstance(one, RepoFile))
        hashes = {one.path: one.lfs.sha256 if one.lfs else one.blob_id for one in files}
        runtime = api.get_space_runtime(repo)
        return Found(
            True,
            hashes,
            runtime.requested_hardware or runtime.hardware,
            {name: one.value for name, one in api.get_space_variables(repo).items()},
            frozenset(api.get_space_secrets(repo)),
            tuple(Volume(one.type, one.source, one.mount_path) for one in runtime.volumes or ()),
        )


def plan(declared: Declared, found: Found, *, is_setting_secrets: bool = False) -> list[Act]:
    """What is to be done, in order: the Space before what is set in it, its files last, since they start it."""
    return [
        *_making(declared, found),
        *_volumes(declared, found),
        *_variables(declared, found),
        *_secrets(declared, found, is_setting_secrets),
        *_hardware(declared, found),
        *_uploading(declared, found),
    ]


def carry_out(repo: str, acts: Sequence[Act]) -> None:
    """Raises NotAllowed, Unavailable; what was done until then is done, and is left out of the next plan."""
    with on_the_hub(repo):
        api = hub_api()
        for act in acts:
            if act.do is not None:
                act.do(api)


def _making(declared: Declared, found: Found) -> Iterator[Act]:
    if not found.is_there:
        yield Act(
            f"make the private Space {declared.repo}",
            lambda api: api.create_repo(declared.repo, repo_type="space", space_sdk="gradio", private=True),
        )


def _volumes(declared: Declared, found: Found) -> Iterator[Act]:
    missing = [one for one in declared.volumes if one not in found.volumes]
    for one in missing:
        if one.type == "bucket":
            yield Act(
                f"make the private bucket {one.source}, unless it is there",
                lambda api, one=one: api.create_bucket(one.source, private=True, exist_ok=True),  # type: ignore[misc]
            )
    if missing:
        kept = [one for one in found.volumes if one.mount_path not in {new.mount_path for new in missing}]
        named = ", ".join(f"{one.source} at {one.mount_path}" for one in missing)
        yield Act(f"mount {named}", lambda api: _mount(api, declared.repo, [*kept, *missing]))


def _mount(api: Any, repo: str, volumes: Sequence[Volume]) -> None:
    from huggingface_hub import Volume as HubVolume

    made = [HubVolume(type=one.type, source=one.source, mount_path=one.mount_path) for one in volumes]
    api.set_space_volumes(repo, made)


def _variables(declared: Declared, found: Found) -> Iterator[Act]:
    for name, value in declared.variables.items():
        if found.variables.get(name) != value:
            yield Act(
                f"set the variable {name} to {value!r}",
                lambda api, name=name, value=value: api.add_space_variable(declared.repo, name, value),  # type: ignore[misc]
            )
    if strange := sorted(found.variables.keys() - declared.variables.keys()):
        yield Act(f"leave what spaces.yaml does not name: {', '.join(strange)}")


def _secrets(declared: Declared, found: Found, is_setting: bool) -> Iterator[Act]:
    for name, purpose in declared.secrets.items():
        if name in found.secrets and not is_setting:
            continue
        if name in declared.values:
            yield Act(
                f"set the secret {name} ({purpose})",
                lambda api, name=name, purpose=purpose: api.add_space_secret(  # type: ignore[misc]
                    declared.repo, name, declared.values[name], description=purpose
                ),
            )
        else:
            yield Act(f"the secret {name} ({purpose}) is not set: give it as {SECRET_PREFIX}{name} in the environment")


def _hardware(declared: Declared, found: Found) -> Iterator[Act]:
    if (found.hardware or "cpu-basic") != declared.hardware:
        yield Act(
            f"ask for the hardware {declared.hardware}",
            lambda api: api.request_space_hardware(declared.repo, declared.hardware),
        )


def _uploading(declared: Declared, found: Found) -> Iterator[Act]:
    changed = [name for name, path in declared.files.items() if found.hashes.get(name) not in _hashes(path)]
    gone = sorted(found.hashes.keys() - declared.files.keys() - set(_OF_THE_HUB))
    if changed or gone:
        size = sum(declared.files[name].stat().st_size for name in changed)
        yield Act(
            f"upload {len(changed)} files ({size:,} bytes) and delete {len(gone)}, in one commit",
            lambda api: _commit(api, declared, changed, gone),
        )


def _commit(api: Any, declared: Declared, changed: Sequence[str], gone: Sequence[str]) -> None:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    operations = [CommitOperationAdd(name, str(declared.files[name])) for name in changed]
    deleted = [CommitOperationDelete(name) for name in gone]
    api.create_commit(
        declared.repo, [*operations, *deleted], commit_message="Pixel Reasoner Studio: deployed", repo_type="space"
    )


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    below = (path for folder in _FOLDERS for path in (root / folder).rglob("*"))
    for path in (*(root / name for name in _ROOT_FILES), *below):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not any(part in name for part in _LEFT_OUT):
            yield name, path


def _hashes(path: Path) -> tuple[str, str]:
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(), hashlib.sha256(data).hexdigest()
