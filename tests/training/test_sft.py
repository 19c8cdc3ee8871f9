"""SFT learns, shares the backbone without being changed by it, resumes exactly, stops at once and leaves nothing behind."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from engine.errors import InvalidInput, Unavailable
from engine.policies.base import never
from engine.training.sft_config import SftConfig

from .conftest import small_budgets

if TYPE_CHECKING:
    import torch

CONFIG = SftConfig(steps=3, batch_size=1, learning_rate=2e-3, rank=4, alpha=8, checkpoint_every=100, seed=3)


def train_only(backbone, examples, load_pictures, folder, config=CONFIG, *, resume=False, between=None, stop_at=None):
    """(result, losses); the adapter is still on the backbone."""
    from engine.training.sft import run_sft

    losses: list[float] = []

    def on_metric(step, total, numbers):
        losses.append(numbers["loss"])
        if between is not None:
            between(step)

    result = run_sft(
        backbone,
        examples,
        config,
        load_pictures=load_pictures,
        on_metric=on_metric,
        should_stop=lambda: stop_at is not None and len(losses) >= stop_at - 1,
        checkpoint_dir=folder,
        resume=resume,
    )
    return result, losses


def train(backbone, *arguments, **options):
    """(result, losses, weights of the adapter); the adapter is dropped again."""
    result, losses = train_only(backbone, *arguments, **options)
    with backbone.lease.held():
        weights = {name: value.clone() for name, value in backbone.adapters.training_state().items()}
        backbone.adapters.drop_training()
    return result, losses, weights


def same(one, other) -> bool:

    return one.keys() == other.keys() and all(one[name].equal(other[name]) for name in one)


def answer_logits(backbone, pictures) -> torch.Tensor:
    from engine.backbone.seeing import Picture
    from engine.backbone.session import Session

    session = Session(backbone)
    image = next(iter(pictures.values())).picture(None)
    session.append_user([Picture(image, small_budgets()["image"]), "What is written on the red disc?"])
    with backbone.lease.held(), backbone.adapters.answering():
        return session.next_logits()


def say(backbone, pictures, tokens: int = 3) -> str:
    from engine.backbone.seeing import Picture
    from engine.backbone.session import Session

    session = Session(backbone, seed=5)
    image = next(iter(pictures.values())).picture(None)
    session.append_user([Picture(image, small_budgets()["image"]), "What?"])
    return "".join(session.generate(tokens, never))


@pytest.fixture(scope="module")
def alone(fresh_backbone, examples, load_pictures, tmp_path_factory):
    """An undisturbed run: what every other run is held to."""
    return train(fresh_backbone(), examples, load_pictures, tmp_path_factory.mktemp("alone"))


def test_the_loss_of_two_overfitted_traces_falls(fresh_backbone, examples, load_pictures, tmp_path):
    config = SftConfig(steps=8, batch_size=2, learning_rate=2e-2, rank=8, alpha=16, checkpoint_every=100)
    result, losses, _ = train(fresh_backbone(), examples, load_pictures, tmp_path, config)
    assert (result.steps, result.is_stopped, len(losses)) == (8, False, 8)
    assert losses[-1] < 0.7 * losses[0]


def test_answers_between_the_steps_change_nothing(alone, fresh_backbone, examples, pictures, load_pictures, tmp_path):
    backbone = fresh_backbone()
    said: list[str] = []
    _, losses, weights = train(
        backbone, examples, load_pictures, tmp_path, between=lambda step: said.append(say(backbone, pictures))
    )
    assert not backbone.lease.is_held
    assert losses == alone[1]
    assert same(weights, alone[2])
    assert len(set(said)) == 1  # and the training changed no answer


def test_promoting_and_answering_between_the_steps_changes_nothing(
    alone, fresh_backbone, examples, pictures, load_pictures, tmp_path
):
    import torch

    backbone = fresh_backbone()

    def between(step):
        torch.rand(7)  # someone else draws from the global generator
        with backbone.lease.held():
            if step == 1:
                backbone.adapters.save_training(tmp_path / "early")
            if step == 2:
                backbone.adapters.demote()
            else:
                backbone.adapters.promote(tmp_path / "early", "early")
        say(backbone, pictures)

    _, losses, weights = train(backbone, examples, load_pictures, tmp_path / "run", between=between)
    assert losses == alone[1]
    assert same(weights, alone[2])


def test_an_answer_waits_for_one_micro_batch_and_changes_nothing(
    fresh_backbone, examples, pictures, load_pictures, tmp_path, monkeypatch
):
    """A step of four micro-batches, with dropout: the second goes on drawing where the first one ended."""
    import torch

    from engine.training.leased import LeasedSftTrainer

    config = SftConfig(**CONFIG.as_json() | {"steps": 1, "batch_size": 4, "micro_batch_size": 1, "dropout": 0.2})
    _, losses, weights = train(fresh_backbone(), examples, load_pictures, tmp_path / "alone", config)

    backbone, order, is_asked = fresh_backbone(), [], threading.Event()
    compute_loss = LeasedSftTrainer.compute_loss

    def noted(self, *given, **named):
        order.append("micro-batch")
        is_asked.set()
        while len(order) == 1 and not backbone.lease.is_wanted:
            time.sleep(0.001)
        return compute_loss(self, *given, **named)

    def visitor():
        is_asked.wait()
        with backbone.lease.held():
            order.append("answer")
            torch.rand(7)
        say(backbone, pictures)

    monkeypatch.setattr(LeasedSftTrainer, "compute_loss", noted)
    thread = threading.Thread(target=visitor)
    thread.start()
    _, asked, changed = train(backbone, examples, load_pictures, tmp_path / "asked", config)
    thread.join()
    assert order == ["micro-batch", "answer", *["micro-batch"] * 3]
    assert (asked, same(changed, weights)) == (losses, True)


def test_answers_from_another_thread_interleave(alone, fresh_backbone, examples, pictures, load_pictures, tmp_path):
    backbone, said, is_over = fresh_backbone(), [], threading.Event()

    def visitor():
        while not is_over.is_set():
            said.append(say(backbone, pictures))

    thread = threading.Thread(target=visitor)
    expected = say(backbone, pictures)
    thread.start()
    try:
        _, losses, weights = train(backbone, examples, load_pictures, tmp_path)
    finally:
        is_over.set()
        thread.join()
    assert losses == alone[1]
    assert same(weights, alone[2])
    assert not backbone.lease.is_held
    assert len(said) >= 2
    assert set(said) == {expected}


def test_a_stopped_run_that_goes_on_equals_an_undisturbed_one(alone, fresh_backbone, examples, load_pictures, tmp_path):
    result, losses, _ = train(fresh_backbone(), examples, load_pictures, tmp_path, stop_at=2)
    assert (result.steps, result.is_stopped, len(losses)) == (2, True, 2)
    result, more, weights = train(fresh_backbone(), examples, load_pictures, tmp_path, resume=True)
    assert (result.first_step, result.steps, result.is_stopped) == (2, 3, False)
    assert losses + more == alone[1]
    assert same(weights, alone[2])


def test_dropout_too_is_the_same_after_resuming(fresh_backbone, examples, load_pictures, tmp_path):
    import torch

    config = SftConfig(steps=3, batch_size=1, dropout=0.3, rank=4, checkpoint_every=2, seed=1, learning_rate=1e-3)
    _, whole, weights = train(fresh_backbone(), examples, load_pictures, tmp_path / "whole", config)
    backbone = fresh_backbone()
    with pytest.raises(RuntimeError, match="killed"):
        train(backbone, examples, load_pictures, tmp_path / "cut", config, between=kill_at(3))
    torch.rand(5)
    _, rest, resumed = train(backbone, examples, load_pictures, tmp_path / "cut", config, resume=True)
    assert rest == whole[2:]
    assert same(weights, resumed)


def kill_at(fatal: int):
    def between(step):
        if step == fatal:
            raise RuntimeError("killed")

    return between


def test_an_exception_leaves_no_lease_and_no_adapter(fresh_backbone, examples, pictures, load_pictures, tmp_path):

    backbone = fresh_backbone()
    before = answer_logits(backbone, pictures)
    with pytest.raises(RuntimeError, match="killed"):
        train(backbone, examples, load_pictures, tmp_path, between=kill_at(1))
    with pytest.raises(InvalidInput, match="limit is 9"):
        train(backbone, examples, load_pictures, tmp_path, SftConfig(steps=2, max_tokens=9))
    assert not backbone.lease.is_held
    assert backbone.adapters.peft is None
    assert answer_logits(backbone, pictures).equal(before)


def test_the_backbone_is_afterwards_as_it_was(fresh_backbone, examples, pictures, load_pictures, tmp_path):
    import torch

    backbone = fresh_backbone()
    network = backbone.model
    before = answer_logits(backbone, pictures)
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    attributes, config = dict(vars(network)), network.config.to_dict()
    generation = network.generation_config.to_dict()
    random_state = torch.get_rng_state()
    for k in range(2):  # the second run must not stack on the first
        settings = SftConfig(steps=1, batch_size=1, is_checkpointing_gradients=k == 1)
        train(backbone, examples, load_pictures, tmp_path / str(k), settings)
    assert backbone.adapters.peft is None
    assert "forward" not in vars(network)
    assert vars(network).keys() == attributes.keys()
    assert network.config.to_dict() == config
    assert network.generation_config.to_dict() == generation
    assert not network.training
    assert not any(value.requires_grad for value in network.parameters())
    after = network.state_dict()
    assert weights.keys() == after.keys()
    assert all(weights[name].equal(after[name]) for name in weights)
    assert answer_logits(backbone, pictures).equal(before)
    assert len(random_state) == len(torch.get_rng_state())


@pytest.mark.parametrize(
    ("weights", "asked", "is_kept"), [(10**6, False, True), (10**6, True, False), (3 * 10**9, False, False)]
)
def test_a_large_network_keeps_no_activations(weights, asked, is_kept, tmp_path):
    from types import SimpleNamespace

    from engine.training.arguments import shared_arguments

    network = SimpleNamespace(num_parameters=lambda: weights)
    backbone = SimpleNamespace(model=network, device=SimpleNamespace(type="cpu"))
    settings = shared_arguments(backbone, SftConfig(is_checkpointing_gradients=asked), 1, tmp_path)
    assert settings["gradient_checkpointing"] is not is_kept


@pytest.mark.parametrize(
    ("settings", "processes", "rows"),
    [({}, 1, 2), ({"batch_size": 5}, 1, 1), ({}, 2, 2), ({"micro_batch_size": 4}, 1, 4), ({"batch_size": 1}, 1, 1)],
)
def test_a_small_network_takes_several_rows_at_once(fresh_backbone, monkeypatch, settings, processes, rows):
    from engine.training import arguments

    backbone = fresh_backbone()
    monkeypatch.setattr(arguments, "process_count", lambda: processes)
    assert arguments.micro_batch_size(backbone, SftConfig(**settings)) == rows
    monkeypatch.setattr(arguments, "FEW_WEIGHTS", 1)
    assert arguments.micro_batch_size(backbone, SftConfig(**settings)) == settings.get("micro_batch_size", 1)


def test_the_head_scores_only_what_was_said(fresh_backbone, examples, load_pictures, tmp_path, monkeypatch):
    from trl.trainer import utils

    scored, found = [], utils._use_triton
    head = utils._ChunkedLogProbFunction.apply
    monkeypatch.setattr(
        utils._ChunkedLogProbFunction, "apply", lambda hidden, *rest: scored.append(len(hidden)) or head(hidden, *rest)
    )
    _, losses, _ = train(fresh_backbone(), examples, load_pictures, tmp_path, SftConfig(steps=1, batch_size=2))
    from engine.training.dataset import IGNORED, Collator

    labels = Collator(examples, fresh_backbone(), load_pictures, 4096)([{"example": 0}, {"example": 1}])["labels"]
    assert scored == [int((labels[:, 1:] != IGNORED).sum())]
    assert utils._use_triton is found


def test_the_batch_may_be_forwarded_in_parts(fresh_backbone, examples, load_pictures, tmp_path):
    """The loss is the mean over the tokens of the whole batch, however it is cut."""
    curves = []
    for k in (1, 2):
        config = SftConfig(steps=2, batch_size=2, micro_batch_size=k, learning_rate=1e-3, rank=4)
        backbone = fresh_backbone(quantization="none")
        curves.append(train(backbone, examples, load_pictures, tmp_path / str(k), config)[1])
    assert curves[0] == pytest.approx(curves[1], abs=5e-4)


def test_the_loss_is_that_of_the_stock_model(fresh_backbone, examples, load_pictures, tmp_path):
    import torch

    from engine.training.dataset import Collator

    backbone = fresh_backbone(quantization="none")
    batch = Collator(examples, backbone, load_pictures, 4096)([{"example": 0}, {"example": 1}])
    with torch.no_grad():
        expected = float(backbone.model(**batch).loss)
    config = SftConfig(steps=1, batch_size=2)
    _, losses, _ = train(backbone, examples, load_pictures, tmp_path, config)
    assert losses[0] == pytest.approx(expected, abs=1e-4)


def test_the_adapter_is_trained_in_fp32(alone):
    import torch

    assert {value.dtype for value in alone[2].values()} == {torch.float32}
    moved = [value for name, value in alone[2].items() if "lora_B" in name]
    assert all(value.abs().max() > 0 for value in moved)
    # fp32 weights use more than bf16's 8 bits of mantissa
    assert any(not value.equal(value.bfloat16().float()) for value in moved)


def test_a_checkpoint_of_another_run_is_refused(fresh_backbone, examples, load_pictures, tmp_path):
    backbone = fresh_backbone()
    train(backbone, examples, load_pictures, tmp_path, stop_at=1)
    other = SftConfig(**CONFIG.as_json() | {"learning_rate": 1e-5})
    with pytest.raises(Unavailable, match="other settings"):
        train(backbone, examples, load_pictures, tmp_path, other, resume=True)
    with pytest.raises(Unavailable, match="other traces"):
        train(backbone, examples[:1], load_pictures, tmp_path, resume=True)


def test_a_checkpoint_that_was_cut_off_is_never_used(alone, fresh_backbone, examples, load_pictures, tmp_path):
    from engine.training.checkpoints import checkpoints

    config = SftConfig(**CONFIG.as_json() | {"checkpoint_every": 1})
    backbone = fresh_backbone()
    with pytest.raises(RuntimeError, match="killed"):
        train(backbone, examples, load_pictures, tmp_path, config, between=kill_at(3))
    (_, first), (step, newest) = checkpoints(tmp_path)
    assert step == 2
    (newest / "complete.json").unlink()
    assert checkpoints(tmp_path) == [(1, first)]
    _, rest, weights = train(backbone, examples, load_pictures, tmp_path, config, resume=True)
    assert rest == alone[1][1:]
    assert same(weights, alone[2])


def test_every_example_is_seen_equally_often_in_an_order_of_its_own():
    from engine.training.sft import example_order

    config = SftConfig(passes=3, batch_size=2, seed=1)
    order = example_order(4, config.seed, config.total_steps(4) * config.batch_size)
    assert [sorted(order[k : k + 4]) for k in (0, 4, 8)] == [[0, 1, 2, 3]] * 3
    assert order[:4] != order[4:8]
    assert order == example_order(4, config.seed, 6 * config.batch_size)


@pytest.mark.parametrize(
    "settings", [{"batch_size": 0}, {"batch_size": 4, "micro_batch_size": 3}, {"learning_rate": 2.0}, {"dropout": 1.0}]
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(InvalidInput):
        SftConfig(**settings)


@pytest.mark.parametrize("data", [{"learningrate": 1}, {"seed": "x"}, {"is_checkpointing_gradients": 1}, {"rank": 2.5}])
def test_settings_from_json_are_checked(data):
    with pytest.raises(InvalidInput):
        SftConfig.from_json(data)


def test_settings_survive_json():
    assert SftConfig.from_json(CONFIG.as_json()) == CONFIG
    assert SftConfig.from_json({"learning_rate": 0.001, "steps": 3, "passes": 2}).steps == 3


def test_nothing_to_train_on_is_a_sentence(fresh_backbone, load_pictures, tmp_path):
    with pytest.raises(InvalidInput, match="accept some traces first"):
        train(fresh_backbone(), [], load_pictures, tmp_path)
