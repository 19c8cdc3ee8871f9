"""A studio in the test's own process, with a policy that a test scripts: what it says, and how slowly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from engine.jobs.answering import StudioPolicy
from engine.jobs.asking import Services
from engine.jobs.collect import CollectKind
from engine.jobs.evaluate import EvaluateKind
from engine.media import MediaFolder, write_clip
from engine.opening import loop_limits
from engine.policies.base import Turn
from engine.policies.scripted import ScriptedConversation, ScriptedPolicy
from engine.protocols import studio as protocol
from engine.settings import Settings
from engine.starting import Starting
from engine.store import Store
from engine.trace import Step
from ui.answering import Answering
from ui.studio import Reasoner, Sample

__all__ = ["LiveStudio"]

_READY_WITHIN_S = 240


class Gate(threading.Semaphore):
    """Lets held turns go on, one for each release; `stopped` counts the turns that were cancelled before it opened."""

    def __init__(self) -> None:
        super().__init__(0)
        self.stopped = 0


class HeldConversation(ScriptedConversation):
    """Before the last word of each turn it waits until a test lets it go on, so that a test sees every state however
    slow the machine is."""

    gate: Gate

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str | Turn]:
        *words, last, turn = ScriptedConversation.generate(self, max_tokens, lambda: False)
        yield from words
        while not self.gate.acquire(timeout=0.02):
            if is_cancelled():
                self.gate.stopped += 1
                yield Turn("".join(map(str, words)), len(words), False)
                return
        yield last
        yield turn


@dataclass(frozen=True, slots=True)
class HeldPolicy(ScriptedPolicy):
    gate: Gate | None = None

    def converse(self, pictures: Mapping[str, Any], seed: int | None) -> HeldConversation:
        conversation = HeldConversation(self.protocol, self.turns, 0.0)
        conversation.gate = self.gate or Gate()
        return conversation


class BrokenConversation(ScriptedConversation):
    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str | Turn]:
        raise RuntimeError("a bug of ours")


class BrokenPolicy(ScriptedPolicy):
    def converse(self, pictures: Mapping[str, Any], seed: int | None) -> BrokenConversation:
        return BrokenConversation(self.protocol, self.turns, 0.0)


class LiveStudio:
    """The real store, media folder, server and screens, on a free port. `picture` and `clip` are the hashes of the two
    samples, `reasoner` what loads behind the page, where something does, `asked` what else a host has set. Close it when
    done."""

    def __init__(self, home: Path, reasoner: Starting[Reasoner] | None = None, **asked: str) -> None:
        import uvicorn

        import app
        from ui.server import build_server

        self.home = home
        scripted = {"STUDIO_HOME": str(home), "STUDIO_MODEL": "scripted", "STUDIO_PORT": "0"}
        settings = Settings.from_environment(scripted | asked)
        self.policy: Any = ScriptedPolicy()
        services = app.build_studio(settings)
        asking = Services(services.store, services.media, StudioPolicy(lambda: self.policy), loop_limits(settings))
        services.worker.add({kind.name: kind for kind in (CollectKind(asking), EvaluateKind(asking))})
        self.picture, self.clip = (services.media.take(path).media.sha256 for path in _draw(home))
        samples = (
            Sample("A picture", self.picture, "What is written on the red sign?"),
            Sample("A clip", self.clip, "What shows for a moment only?"),
        )
        self.studio = replace(
            services,
            policy=lambda: self.policy if reasoner is None else reasoner.get().policy,
            samples=lambda: samples,
            reasoner=reasoner,
        )
        server = build_server(self.studio)
        self.answering: Answering = server.state.answering
        self._server = uvicorn.Server(uvicorn.Config(server, host="127.0.0.1", port=0, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        self.until(lambda: self._server.started or not self._thread.is_alive(), _READY_WITHIN_S)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def store(self) -> Store:
        """The database, asked beside the studio. Close it when done, by `with` for one."""
        return Store(self.home / "annotations.db")

    def media(self) -> MediaFolder:
        return self.studio.media

    def say(self, *steps: Step) -> None:
        """What the policy says from now on, step by step."""
        self.policy = ScriptedPolicy(tuple(protocol.render(step, (), ()) for step in steps), 0.002)

    def hold(self, *steps: Step) -> Gate:
        """The same, but each turn waits before its last word until the gate is released."""
        gate = Gate()
        self.policy = HeldPolicy(tuple(protocol.render(step, (), ()) for step in steps), gate=gate)
        return gate

    def break_down(self) -> None:
        """The policy fails at its first word, as a bug of ours would."""
        self.policy = BrokenPolicy()

    def until(self, holds: Callable[[], object], timeout_s: float = 60) -> None:
        """Waits for something that the server does after the page was answered."""
        deadline = time.monotonic() + timeout_s
        while not holds():
            assert time.monotonic() < deadline, "it did not come to pass"
            time.sleep(0.05)

    def close(self) -> None:
        # What a client holds open, a heartbeat for one, is waited for otherwise.
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(timeout=10)
        self.studio.store.close()


def _draw(home: Path) -> tuple[Path, Path]:
    """A picture with a sign, and a clip of 32 frames in which a disc moves."""
    picture = Image.effect_noise((1024, 768), 60).convert("RGB")
    ImageDraw.Draw(picture).rectangle((420, 300, 600, 420), fill="red")
    picture.save(home / "picture.png")
    frames = []
    for k in range(32):
        frame = Image.new("RGB", (320, 240), (30, 60, 90))
        ImageDraw.Draw(frame).ellipse((8 * k, 100, 8 * k + 40, 140), fill="yellow")
        frames.append(frame)
    write_clip(frames, home / "clip.mp4", 8)
    return home / "picture.png", home / "clip.mp4"
