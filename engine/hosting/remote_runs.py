"""A bundle (`engine.commands.bundle`) as a job of the Hub: sent, run there once, and what came of it brought back.

    the private data set OWNER/NAME
        RUN/bundle.tar      the bundle
        RUN/studio.tar      the engine's own files, and the list of what they need
        RUN/...             the adapter's files and result.json, which the job lays there in one commit

The idea: RUN is a hash of the bundle's files, so whoever has the bundle finds what was sent and what came of it, and the same
bundle does not run twice unasked. The code travels with it, since the studio is in no package index, a Space of one's own need
neither be there nor be of this version, and the base's hash is compared by the code that computed it.

The job has HF_TOKEN as a secret, for the base and for the result; the token stands in no command, file or message.
Jobs: huggingface_hub 2.4.0, `HfApi.run_job` and `list_jobs`; a data set is mounted into one read-only.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import InvalidInput, NotFound, Unavailable
from engine.exchange.hub import TOKEN, hub_api, on_the_hub, require_repo, require_token, upload
from engine.hosting.backup.places import HubPlace

if TYPE_CHECKING:
    from huggingface_hub import JobInfo

__all__ = ["Machine", "Run", "bring", "give", "is_going_on", "send", "state_of"]

_PARTS = ("bundle.json", "config.json", "data", "start")
"""Of a bundle; where it was run here, its folder has more."""
_RESULT = "result.json"
_BUNDLE, _STUDIO, _MOUNTED = "bundle.tar", "studio.tar", "/sent"
_LABEL = "pixel-reasoner-studio-run"


@dataclass(frozen=True, slots=True)
class Machine:
    """`hardware` as the Hub names it; `timeout` as it reads it, such as 90m or 6h; `image` has Python 3.11 and pip."""

    hardware: str
    timeout: str
    image: str


@dataclass(frozen=True, slots=True)
class Run:
    """The bundle in `folder`, and the data set `repo` that it goes through. `name` is RUN."""

    folder: Path
    repo: str
    name: str

    @classmethod
    def of(cls, folder: Path, repo: str) -> Run:
        """Raises InvalidInput for a data set that is not OWNER/NAME, InvalidSetting without a token."""
        require_repo(repo)
        require_token()
        found = hashlib.sha256()
        for name, path in sorted(_bundled(folder).items()):
            with path.open("rb") as data:
                found.update(f"{hashlib.file_digest(data, 'sha256').hexdigest()}  {name}\n".encode())
        return cls(folder, repo, found.hexdigest()[:16])

    @property
    def owner(self) -> str:
        """Whose data set it is, and who pays for the job."""
        return self.repo.partition("/")[0]

    def command(self) -> list[str]:
        """What the job runs: unpacks, installs, trains, and lays down what came of it."""
        lines = [
            "set -eu",
            'cd "$(mktemp -d)"',
            f"tar -xf {_MOUNTED}/{_BUNDLE}",
            f"tar -xf {_MOUNTED}/{_STUDIO}",
            "python -m pip install --quiet -r requirements.txt",
            f"python -m engine bundle run bundle --out result --repo {self.repo}",
        ]
        return ["sh", "-c", "\n".join(lines)]


def state_of(run: Run) -> tuple[bool, JobInfo | None]:
    """Whether its result is there, and the newest of its jobs. Raises NotAllowed, Unavailable."""
    is_there = f"{run.name}/{_RESULT}" in HubPlace(run.repo).sizes()
    with on_the_hub(run.repo):
        jobs = list(hub_api().list_jobs(labels={_LABEL: run.name}, namespace=run.owner))
    return is_there, max(jobs, key=lambda one: str(one.created_at), default=None)


def is_going_on(job: JobInfo | None) -> bool:
    return job is not None and job.status.stage in ("SCHEDULING", "RUNNING")


def send(run: Run, told: Mapping[str, Any], machine: Machine, *, is_planning: bool = False) -> Iterator[str]:
    """Lays the bundle and the code into the data set and starts the job; yields a sentence for each, before it is done. `told` is
    the bundle's bundle.json. With `is_planning` nothing is done. Raises InvalidInput, NotAllowed, Unavailable.
    """
    model, backbone = told.get("model") or "", told["backbone"]
    if not model or Path(model).exists():
        raise InvalidInput(
            f"this bundle is for the model {model or backbone['name']!r} of this machine, which no other has: put it on the "
            "Hub, and make the bundle with STUDIO_MODEL=OWNER/NAME"
        )
    with tempfile.TemporaryDirectory() as place:
        (folder := Path(place) / run.name).mkdir()
        sizes = [_pack(_bundled(run.folder), folder / _BUNDLE), _pack(_source(Path(place)), folder / _STUDIO)]
        yield f"make the private data set {run.repo}, unless it is there"
        yield f"upload {_BUNDLE} ({sizes[0]:,} bytes) and {_STUDIO} ({sizes[1]:,} bytes) to {run.name}/ in it"
        if not is_planning:
            _upload(folder, run, (_BUNDLE, _STUDIO), "a bundle")
    yield (
        f"start a job of {run.owner} on {machine.hardware}, for at most {machine.timeout}, in {machine.image}, with {TOKEN} as "
        "its secret"
    )
    if not is_planning:
        job = _start(
            run, {"MODEL": model, "QUANTIZATION": backbone["quantization"], "PROTOCOL": backbone["protocol"]}, machine
        )
        yield f"job {job.id}: {job.url}"


def give(run: Run, result: Path) -> None:
    """From within the job: lays what the run wrote beside what was sent, in one commit."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / run.name
        shutil.copytree(result, folder)
        _upload(folder, run, [path.name for path in folder.iterdir()], "an adapter")


def bring(run: Run, target: Path) -> None:
    """Copies the result into the new folder `target`. Raises NotFound where the bundle was not sent, Unavailable where it is not
    done."""
    names = [name for name in HubPlace(run.repo).sizes() if name.startswith(f"{run.name}/")]
    if f"{run.name}/{_RESULT}" not in names:
        _, job = state_of(run)
        if job is None:
            raise NotFound(f"no job of {run.owner} runs this bundle; send it to {run.repo} first")
        said = f" ({job.status.message})" if job.status.message else ""
        raise Unavailable(f"job {job.id} is {job.status.stage}{said}, and there is no result yet; its log: {job.url}")
    target.mkdir(parents=True)
    for name in names:
        plain = name.removeprefix(f"{run.name}/")
        if plain not in (_BUNDLE, _STUDIO) and "/" not in plain:
            HubPlace(run.repo).fetch(name, target / plain)
    shutil.rmtree(target / ".hub", ignore_errors=True)


def _start(run: Run, settings: Mapping[str, str], machine: Machine) -> JobInfo:
    from huggingface_hub import Volume

    with on_the_hub(run.repo):
        return hub_api().run_job(
            image=machine.image,
            command=run.command(),
            env={f"STUDIO_{name}": value for name, value in settings.items()},
            secrets={TOKEN: require_token()},
            flavor=machine.hardware,
            timeout=machine.timeout,
            labels={_LABEL: run.name},
            volumes=[Volume(type="dataset", source=run.repo, mount_path=_MOUNTED, path=run.name)],
            namespace=run.owner,
        )


def _upload(folder: Path, run: Run, names: Iterable[str], what: str) -> None:
    files = [f"{run.name}/{name}" for name in sorted(names)]
    upload(folder.parent, files, run.repo, message=f"Pixel Reasoner Studio: {what}")


def _pack(files: Mapping[str, Path], target: Path) -> int:
    """A tar of `files` by name, the same for the same names and contents; its bytes."""
    with tarfile.open(target, "w") as archive:
        for name, path in sorted(files.items()):
            told = tarfile.TarInfo(name)
            told.size = path.stat().st_size
            with path.open("rb") as data:
                archive.addfile(told, data)
    return target.stat().st_size


def _bundled(folder: Path) -> dict[str, Path]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] in _PARTS)
    return {f"bundle/{path.relative_to(folder).as_posix()}": path for path in paths}


def _source(place: Path) -> dict[str, Path]:
    """Of a clone, or of what pip installed, whose list of what it needs is written into `place`."""
    import engine

    package = Path(engine.__file__).parent
    listed = package.parent / "requirements.txt"
    if not listed.is_file():
        listed = place / "requirements.txt"
        listed.write_text("\n".join(importlib.metadata.requires("pixel-reasoner-studio") or ()))
    paths = (path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    files = {path.relative_to(package.parent).as_posix(): path for path in paths}
    return files | {"requirements.txt": listed}
