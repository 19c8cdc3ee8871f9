"""Rollouts that a vLLM server says: TRL's own client on a server that speaks its JSON and answers by another copy of the small
network, which knows of the training what it is sent and nothing else. NCCL alone is left out."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import math
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from engine.errors import InvalidInput, Unavailable
from engine.policies.base import never
from engine.training.grpo_config import GrpoConfig

from .grpo_runs import CONFIG, losses, train

SERVED = {"steps": 2, "queries_a_step": 1, "vllm_server": "http://here"}


class StandIn:
    """A server of `backbone`; `events` are what was asked of it, in order."""

    def __init__(self, backbone):
        self.backbone, self.events = backbone, []

    def answer(self, path, asked):
        self.events.append(path)
        return {
            "/health": lambda: {},
            "/v1/models": lambda: {"data": [{"id": "base"}]},
            "/v1/chat/completions/render": lambda: self.render(asked),
            "/inference/v1/generate": lambda: self.generate(asked),
            "/reset_prefix_cache": lambda: {},
        }[path]()

    def render(self, asked):
        parts = [part["image_url"]["url"].partition("base64,")[2] for part in asked["messages"][0]["content"]]
        lengths = [int(grid.prod()) // 4 for _, grid in map(self.encoded, parts)]
        places = [{"offset": 0, "length": length} for length in lengths]
        return {"features": {"mm_placeholders": {"image": places}, "kwargs_data": {"image": parts}}}

    def encoded(self, part):
        """Within a budget that leaves every picture of this test as it is sent."""
        from engine.backbone.loading import PixelBudget
        from engine.backbone.seeing import Picture, encode_seen

        image = Image.open(io.BytesIO(base64.b64decode(part)))
        (found,) = encode_seen(self.backbone, [Picture(image, PixelBudget(784, 10**7))])
        return found

    def generate(self, asked):
        from engine.backbone.session import Session

        sampling = asked["sampling_params"]
        session = Session(self.backbone, sampling["seed"], sampling["temperature"])
        session._append_ids(asked["token_ids"])
        features = asked["features"]
        for part, place in zip(features["kwargs_data"]["image"], features["mm_placeholders"]["image"], strict=True):
            pixels, grid = self.encoded(part)
            session.pixels.append(pixels)
            session.grids.append(grid)
            session._picture_spans.append((place["offset"], place["offset"] + place["length"]))
        list(session.generate(sampling["max_tokens"], never))
        ids = session.ids[0, len(asked["token_ids"]) :].tolist()
        content = [
            {"token": f"token_id:{token}", "logprob": log_prob, "top_logprobs": []}
            for token, log_prob in zip(ids, session.sampled_log_probs, strict=True)
        ]
        return {"choices": [{"token_ids": ids, "logprobs": {"content": content}}]}

    def update(self, metadata, named):
        import torch

        self.events.append("weights")
        own = dict(self.backbone.model.named_parameters())
        sent = [(name, value.clone()) for name, value in named]
        assert [(name, str(value.dtype)[6:], list(value.shape)) for name, value in sent] == metadata
        assert [name for name, _ in sent] == list(own)
        self.moved = [name for name, value in sent if not torch.equal(own[name], value)]
        with torch.no_grad():
            for name, value in sent:
                own[name].copy_(value)


def client_of(stand_in, url):
    """TRL's client, but for what needs vLLM installed: NCCL."""
    from trl.generation import vllm_client

    class Client(vllm_client.VLLMClient):
        def update_named_params(self, metadata, named_params):
            stand_in.update(metadata, named_params)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vllm_client, "is_vllm_available", lambda: True)
        return Client(base_url=url)


class Said:
    """A client whose server says one given turn; `ids` and their log-probabilities."""

    def __init__(self, ids=(), log_probs=(), length=None):
        self.ids, self.log_probs, self.length = list(ids), list(log_probs), length

    def image_features(self, images):
        return [
            None if self.length is None else {"mm_placeholders": {"image": [{"length": self.length}]}} for _ in images
        ]

    def generate(self, **asked):
        self.asked = asked
        return {"completion_ids": [self.ids], "logprobs": [[[one] for one in self.log_probs]]}

    def update_named_params(self, metadata, named_params): ...
    def reset_prefix_cache(self): ...
    def close_communicator(self): ...


@pytest.fixture(scope="module")
def stand_in(undecided):
    found = StandIn(undecided())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told = json.dumps(found.answer(self.path, json.loads(body or "null"))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        do_POST = do_GET

        def log_message(self, *told): ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def served(stand_in, undecided, rl_examples, load_pictures, tmp_path_factory):
    """(config, rollouts by step, groups by step, micro-batches, losses, gradients) of two steps."""
    from engine.training import episodes

    config, rolled, groups = GrpoConfig(**CONFIG.as_json() | SERVED | {"vllm_server": stand_in.url}), [], []
    original = episodes.roll_out

    def spy(*given, **named):
        rolled.append(original(*given, **named))
        return rolled[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(episodes, "roll_out", spy)
        found = losses(
            undecided(),
            rl_examples,
            load_pictures,
            tmp_path_factory.mktemp("served"),
            config,
            connect=lambda url, device: client_of(stand_in, url),
            on_episode=lambda step, episode: groups.append(episode.groups),
        )
    return (config, rolled, groups, *found)


def test_the_server_has_the_weights_of_a_step_before_it_says_its_words(served, stand_in):
    asked = [one for k, one in enumerate(stand_in.events) if k == 0 or one != stand_in.events[k - 1]]
    opening, first, second = "".join(f" {one}" for one in asked).split(" weights")
    assert opening == " /health /v1/models"
    for told in (first, second):
        assert told.startswith(" /reset_prefix_cache /v1/chat/completions/render /inference/v1/generate")
    # Of a fresh adapter nothing moves; after a step all its matrices do, and nothing else.
    assert stand_in.moved and all("language_model" in name and "_proj" in name for name in stand_in.moved)


def test_its_words_have_the_log_probabilities_of_the_network_here_at_both_steps(served):
    """In step 2 too, with an update in between: crops and openings are seen there as they are here."""
    _, rolled, groups, *_ = served
    assert any(rollout.trace.has_operation for some in rolled for group in some for rollout in group)
    assert len(groups) == 2
    for batch in groups:
        noted = [group for group in batch if group.weight and group.old_log_probs]
        assert noted
        for group in noted:
            for rollout, here in zip(group.rollouts, group.old_log_probs, strict=True):
                said = rollout.sampled[rollout.prompt_tokens :]
                assert (here - rollout.log_probs[rollout.prompt_tokens :])[said].abs().max() < 1e-4


def again(served, undecided, rl_examples, load_pictures, folder, changes, change=lambda rollout: rollout, **options):
    """`losses` of the same run with the same rollouts, each as `change` makes it."""
    from engine.training import episodes

    config, rolled, *_ = served
    coming = iter([[[change(one) for one in group] for group in some] for some in rolled])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(episodes, "roll_out", lambda *given, **named: next(coming))
        config = dataclasses.replace(config, **changes)
        return losses(undecided(), rl_examples, load_pictures, folder, config, **options)


def test_the_same_rollouts_teach_the_same_wherever_they_were_said(
    served, undecided, rl_examples, load_pictures, tmp_path
):
    import torch

    *_, parts, values, gradients = served
    ours, here, local = again(served, undecided, rl_examples, load_pictures, tmp_path, {"vllm_server": ""})
    assert len(values) == 2 and values == pytest.approx(here, abs=1e-4)
    assert len(gradients) == len(local) > 10
    for one, other in zip(gradients, local, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)
    assert all("sampling_per_token_logps" in part for part in parts)
    assert not any("sampling_per_token_logps" in part for part in ours)


def test_words_that_the_server_thought_much_less_likely_weigh_three_times(
    served, undecided, rl_examples, load_pictures, tmp_path
):
    """In the first step, whose ratio is 1: an eighth there counts three times, not eight, in TRL's own loss."""
    import torch

    def lower(rollout):
        return dataclasses.replace(rollout, log_probs=(rollout.log_probs - math.log(8)).where(rollout.sampled, 0.0))

    changes, options = {"steps": 1, "replay_groups": 0}, {"connect": lambda url, device: Said()}
    *_, gradients = again(served, undecided, rl_examples, load_pictures, tmp_path, changes, lower, **options)
    plain = served[-1][: len(gradients)]
    assert max(float(one.abs().max()) for one in plain) > 1e-3
    for one, other in zip(gradients, plain, strict=True):
        torch.testing.assert_close(one, 3 * other, atol=1e-4, rtol=1e-3)


def test_importance_weights_by_hand():
    import torch

    from engine.training.vllm_server import importance_weights

    here = torch.tensor([[-1.0, -1.0, -0.5, -3.0, -9.0]])
    there = torch.tensor([[-1.0, -1.0 - math.log(2), -4.0, -3.0 + math.log(4), 0.0]])
    is_said = torch.tensor([[True, True, True, True, False]])
    assert importance_weights(here, there, is_said)[0].tolist() == pytest.approx([1, 2, 3, 0.25, 1])


def test_a_turn_ends_by_our_rules_whatever_the_server_says(undecided, pictures):
    from engine.backbone.turn_ends import IMAGE_PAD, TURN_END
    from engine.policies.base import Told
    from engine.policies.vllm import ServedPolicy
    from engine.protocols import TextPart

    backbone = undecided()
    tokenizer = backbone.tokenizer
    words, end = tokenizer("It is red.")["input_ids"], tokenizer.convert_tokens_to_ids(TURN_END)

    def said(ids, log_probs=None, most=50, is_cancelled=never):
        client = Said(ids, log_probs or [-0.5] * len(ids))
        conversation = ServedPolicy(backbone, 0.7, server=client).converse(pictures, 5)
        conversation.add([Told((TextPart("What?"),))])
        (turn,) = ServedPolicy(backbone, 0.7, server=client).speak([conversation], [most], is_cancelled)
        return turn, client

    turn, client = said([*words, end, *words])
    assert (turn.text, turn.tokens, turn.is_complete) == ("It is red.", len(words) + 1, True)
    assert turn.log_probability == pytest.approx(-0.5 * turn.tokens)
    assert client.asked["max_tokens"] == 50 and client.asked["temperature"] == 0.7
    assert client.asked["generation_kwargs"]["seed"] == 5 and end in client.asked["generation_kwargs"]["stop_token_ids"]
    for turn, _ in (
        said([*words, tokenizer.convert_tokens_to_ids(IMAGE_PAD), *words]),
        said(words * 2, most=len(words)),
    ):
        assert (turn.text, turn.tokens, turn.is_complete) == ("It is red.", len(words), False)
    assert said(words, is_cancelled=lambda: True)[0].tokens == 0
    with pytest.raises(Unavailable, match="without its log-probability"):
        said(words, [*[-0.5] * (len(words) - 1), None])


def test_a_server_that_sees_pictures_in_another_size_is_told_of(undecided, rl_examples, pictures):
    from engine.drivers.together import Prompt
    from engine.training.rollouts import roll_out

    prompt = Prompt(rl_examples[0], pictures, (1, 2))
    with pytest.raises(Unavailable, match="as 7 tokens, the network here as"):
        roll_out(undecided(), [prompt], CONFIG.limits, server=Said(length=7))


def test_four_bit_weights_are_sent_unpacked_and_stay_as_they_are(undecided):
    from engine.backbone.adapters import lora_config
    from engine.training.vllm_server import SentWeights

    whole = dict(undecided().model.named_parameters())
    backbone = undecided("4bit")
    with backbone.lease.held():
        network = backbone.adapters.start_training(lora_config(4, 8))
    before = {name: value.clone() for name, value in network.named_parameters()}
    sent = dict(SentWeights(Said(), network).merged())
    assert {name: value.shape for name, value in sent.items()} == {name: value.shape for name, value in whole.items()}
    assert all(value.is_floating_point() for value in sent.values())
    assert all(value.equal(before[name]) for name, value in network.named_parameters())


def test_a_server_that_is_not_there_is_told_before_anything_trains(undecided, rl_examples, load_pictures, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    backbone, config = undecided(), GrpoConfig(**CONFIG.as_json() | {"vllm_server": url})
    with pytest.raises(Unavailable, match=f"the vLLM server at {url} cannot say rollouts: .*refused") as told:
        train(backbone, rl_examples, load_pictures, tmp_path, config)
    assert "\n" not in str(told.value) and backbone.adapters.peft is None and not backbone.lease.is_held


def test_an_address_is_http_and_holds_no_password():
    for wrong in ("host:8000", "ftp://host", "http://ann:secret@host:8000", "http://"):
        with pytest.raises(InvalidInput, match="vllm_server"):
            GrpoConfig(vllm_server=wrong)
    assert GrpoConfig.from_json({"vllm_server": "http://host:8000"}).vllm_server == "http://host:8000"
