"""What a generated token costs, against transformers' `generate` with the same weights, the same prompts and the same tokens.

    a token     (time of a turn - time of its first token) / (tokens - 1): what comes before the first token is left out
    outside     what of it is not spent in the network's own forward: choosing, decoding to text, streaming, stopping

Both sides are measured in turn, prompt by prompt, and both keep a cache. Ours streams text, tells the log-probability of each
token and never says a placeholder; `generate` is asked for nothing but tokens. Two sizes: the model of the studio, and
160 million made-up weights with a vocabulary of 151,936.

Not covered: sampling; batches (`engine.lab.bench.serving`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from engine.backbone.loading import Backbone
from engine.backbone.session import IMAGE_PAD, TURN_END, Session
from engine.evaluation.benchmarks import draw
from engine.evaluation.drawn import required_benchmark
from engine.evaluation.examples import Posed, pose
from engine.lab.bench.figures import Spread, ratio, spread
from engine.lab.bench.made_up import made_up_backbone
from engine.policies.base import never
from engine.policies.local import LocalPolicy
from engine.protocols import protocol_named
from engine.reasoning import Request, reason

__all__ = ["TARGET_OUTSIDE", "measure", "report"]

TARGET_OUTSIDE = 0.05
"""Issue 13: the share of a token's time that may pass outside the network, at 160 million parameters."""

_MOST_TOKENS = 48
_PROMPTS = ("What is written on the red disc?", "Say what you see, word for word.", "How many signs are there?")


def measure(backbone: Backbone, repeats: int, progress: Callable[[str], None] = print) -> dict[str, Any]:
    """`repeats` turns at least of each size. `ratio` is the worse of the two: how many times as long `generate` takes."""
    found: dict[str, Any] = {"bench": "decode", "threads": torch.get_num_threads(), "outside_target": TARGET_OUTSIDE}
    made_up = made_up_backbone()
    examples = [pose(drawn) for drawn in draw(required_benchmark("mini-signs"), repeats)]
    found["studio"] = _compared(backbone, lambda number: _asked(backbone, examples[number]), repeats)
    progress(f"  studio: {_line(found['studio'])}")
    found["made_up"] = _compared(made_up, lambda number: _told(made_up, _PROMPTS[number % len(_PROMPTS)]), repeats)
    progress(f"  made_up: {_line(found['made_up'])}")
    found["ratio"] = min(found["studio"]["ratio"], found["made_up"]["ratio"])
    return found


def report(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    return [
        f"decode: a generated token, against transformers' generate ({found['threads']} threads)",
        *(f"  {name:8} {_line(found[name])}" for name in ("studio", "made_up")),
    ]


def _asked(backbone: Backbone, posed: Posed) -> Session:
    """Before its first turn at the question, pictures encoded."""
    policy = LocalPolicy(backbone)
    conversation = policy.converse(posed.pictures, None)
    request = next(news for news in reason(policy, posed.example, posed.pictures) if isinstance(news, Request))
    conversation.add(request.said)
    return conversation.session


def _told(backbone: Backbone, question: str) -> Session:
    session = Session(backbone)
    session.append_user([question])
    return session


def _compared(backbone: Backbone, sessions: Callable[[int], Session], repeats: int) -> dict[str, Any]:
    ours_ms, theirs_ms, outside, same, tokens = [], [], [], 0, 0
    for number in range(-1, repeats):  # the first turn also pays for what is made once
        ours, seconds, seconds_outside = _ours(sessions, max(number, 0))
        theirs, seconds_of_generate = _generated(sessions(max(number, 0)))
        if number < 0:
            continue
        same += ours == theirs
        tokens += len(ours)
        ours_ms.append(seconds * 1000)
        theirs_ms.append(seconds_of_generate * 1000)
        outside.append(seconds_outside / seconds)
    mine, baseline = spread(ours_ms), spread(theirs_ms)
    return {
        "model": backbone.name,
        "quantization": backbone.quantization,
        "parameters": sum(weight.numel() for weight in backbone.model.parameters()),
        "vocabulary": backbone.model.config.text_config.vocab_size,
        "tokens": tokens,
        "same_share": round(same / repeats, 3),
        "outside_share": round(sorted(outside)[len(outside) // 2], 4),
        "ours": mine.to_json(),
        "baseline": baseline.to_json(),
        "ratio": ratio(baseline, mine),
    }


def _ours(sessions: Callable[[int], Session], number: int) -> tuple[list[int], float, float]:
    """The tokens of a turn; seconds a token after the first, and seconds of these outside the network."""
    costs = []
    for most in (1, _MOST_TOKENS):
        session = sessions(number)
        before = session.ids.shape[1]
        with _timed(session.backbone.model) as inside:
            began_s = time.perf_counter()
            for _ in session.generate(most, never):
                pass
            turn_s = time.perf_counter() - began_s
        costs.append((turn_s, turn_s - sum(inside)))
    said: list[int] = session.ids[0, before:].tolist()
    (first_s, first_outside_s), (all_s, all_outside_s) = costs
    more = max(len(said) - 1, 1)
    return said, (all_s - first_s) / more, (all_outside_s - first_outside_s) / more


def _generated(session: Session) -> tuple[list[int], float]:
    """The tokens that `generate` says there, and its seconds a token after the first."""
    backbone = session.backbone
    network: Any = backbone.model
    network.model.rope_deltas = None
    ids = session.ids.to(backbone.device)
    image_pad = backbone.tokenizer.convert_tokens_to_ids(IMAGE_PAD)
    inputs: dict[str, Any] = {}
    if session.pixels:
        inputs = {
            "mm_token_type_ids": (ids == image_pad).int(),
            "pixel_values": torch.cat(session.pixels).to(backbone.device, network.dtype),
            "image_grid_thw": torch.cat(session.grids).to(backbone.device),
        }
    call_end = backbone.tokenizer(protocol_named(backbone.protocol_name).CALL_END, add_special_tokens=False)
    ends = [backbone.tokenizer.convert_tokens_to_ids(TURN_END), *call_end["input_ids"][-1:]]
    seconds = []
    for most in (1, _MOST_TOKENS):
        with torch.inference_mode():
            began_s = time.perf_counter()
            all_ids = network.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=most,
                do_sample=False,
                eos_token_id=ends,
                **inputs,
            )
            seconds.append(time.perf_counter() - began_s)
    network.model.rope_deltas = None
    said: list[int] = all_ids[0, ids.shape[1] :].tolist()
    return said, (seconds[1] - seconds[0]) / max(len(said) - 1, 1)


@contextmanager
def _timed(network: torch.nn.Module) -> Iterator[Sequence[float]]:
    """While this holds, the seconds of each forward of `network` are added to what it gives."""
    taken: list[float] = []
    forward, replaced = network.forward, vars(network).get("forward")

    def timed(*args: Any, **options: Any) -> Any:
        began_s = time.perf_counter()
        try:
            return forward(*args, **options)
        finally:
            taken.append(time.perf_counter() - began_s)

    network.forward = timed  # type: ignore[method-assign]
    try:
        yield taken
    finally:
        del network.forward
        if replaced is not None:
            network.forward = replaced


def _line(part: dict[str, Any]) -> str:
    ours, theirs = Spread(**part["ours"]), Spread(**part["baseline"])
    return (
        f"{part['model']} ({part['quantization']}): {ours.median_ms:.2f} ms a token, {part['outside_share']:.1%} of it "
        f"outside the network; generate {theirs.median_ms:.2f} ms: {part['ratio']:.2f} times "
        f"(n = {ours.n}, {part['same_share']:.0%} the same tokens)"
    )
