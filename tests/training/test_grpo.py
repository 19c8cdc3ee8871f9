"""RL learns what is rewarded, masks what came back, shares the backbone, stops at once and resumes exactly."""

from __future__ import annotations

import math

import pytest
import torch
from trl import GRPOTrainer

from engine.errors import InvalidInput, Unavailable
from engine.policies.base import never
from engine.reasoning import Limits
from engine.trace import Example
from engine.training.candidate import candidate
from engine.training.checkpoints import checkpoints
from engine.training.episodes import Episodes, RlExample, reward_group
from engine.training.grpo import run_grpo
from engine.training.grpo_config import GrpoConfig
from engine.training.leased_grpo import LeasedGrpoTrainer
from engine.training.rewards import Reward
from engine.training.rollout_batch import batch_tensors
from engine.training.rollouts import Prompt, roll_out

from .test_sft import answer_logits, same, say

CONFIG = GrpoConfig(
    steps=3,
    queries_a_step=2,
    rollouts=4,
    micro_batch_size=4,
    learning_rate=5e-3,
    warmup_share=0,
    max_turns=2,
    max_tokens=160,
    max_turn_tokens=130,
    rank=4,
    alpha=8,
    replay_groups=4,
    checkpoint_every=100,
    seed=3,
)


@pytest.fixture(scope="module")
def rl_examples(pictures) -> list[RlExample]:
    return [
        RlExample(Example("What is written on the red disc?", (loaded.media,), "KX7421"))
        for loaded in pictures.values()
    ]


def operating_is_right(traces, example) -> list[Reward]:
    return [Reward(float(trace.has_operation), 0.0, 0.0) for trace in traces]


def train_only(backbone, examples, load_pictures, folder, config=CONFIG, *, resume=False, between=None, **options):
    """(result, numbers by step); the adapter is still on the backbone."""
    seen: list[dict] = []

    def on_metric(step, total, numbers):
        seen.append(dict(numbers))
        if between is not None:
            between(step)

    options = {"should_stop": never, "reward": operating_is_right} | options
    result = run_grpo(
        backbone,
        examples,
        config,
        load_pictures=load_pictures,
        on_metric=on_metric,
        checkpoint_dir=folder,
        resume=resume,
        **options,
    )
    return result, seen


def train(backbone, *arguments, **options):
    """(result, numbers by step, weights of the adapter); the adapter is dropped again."""
    result, seen = train_only(backbone, *arguments, **options)
    with backbone.lease.held():
        weights = {name: value.clone() for name, value in backbone.adapters.training_state().items()}
        backbone.adapters.drop_training()
    return result, seen, weights


def steady(seen: list[dict]) -> list[dict]:
    """Without what depends on the clock."""
    return [{k: v for k, v in numbers.items() if not k.endswith("seconds")} for numbers in seen]


@pytest.fixture(scope="module")
def alone(undecided, rl_examples, load_pictures, tmp_path_factory):
    """An undisturbed run: what every other run is held to."""
    return train(undecided("4bit"), rl_examples, load_pictures, tmp_path_factory.mktemp("alone"))


def test_a_reward_for_operating_raises_rapr(undecided, rl_examples, pictures, load_pictures, tmp_path):
    changes = {"steps": 8, "rollouts": 8, "learning_rate": 4e-3, "micro_batch_size": 8}
    config = GrpoConfig(**CONFIG.as_json() | changes)
    backbone = undecided()
    result, seen = train_only(backbone, rl_examples, load_pictures, tmp_path, config)
    assert (result.steps, result.is_stopped) == (8, False)
    rapr = [numbers["rapr"] for numbers in seen]
    assert 0.1 < rapr[0] < 0.6  # it was undecided
    assert sum(rapr[-3:]) / 3 > rapr[0] + 0.3
    assert [numbers["reward"] for numbers in seen] == rapr

    # On other seeds too, and only with the adapter that was trained.
    prompt = Prompt(rl_examples[0].example, pictures, tuple(range(8)))
    trained = roll_out(candidate(backbone, "new"), [prompt], config.limits)[0]
    plain = roll_out(backbone, [prompt], config.limits)[0]
    with backbone.lease.held():
        backbone.adapters.drop_training()
    assert {one.trace.policy for one in trained} == {backbone.name + "+new"}
    assert sum(one.trace.has_operation for one in trained) > sum(one.trace.has_operation for one in plain)


def test_every_number_of_a_step_is_told(alone):
    _, seen, _ = alone
    names = {
        "loss", "learning_rate", "gradient_norm", "entropy", "clipped_share", "reward", "correctness", "bonus", "penalty",
        "rapr", "called_share", "operation_errors", "uniform_share", "replayed_share", "answered_share", "turns",
        "said_tokens", "rollout_seconds", "seconds", "passes",
    }  # fmt: skip
    assert all(numbers.keys() == names for numbers in seen)
    assert all(math.isfinite(value) for numbers in seen for value in numbers.values())
    assert [numbers["passes"] for numbers in seen] == [1, 2, 3]
    # Cosine from the full rate, without a warm-up.
    cosine = [5e-3 * (1 + math.cos(math.pi * k / 3)) / 2 for k in (0, 1, 2)]
    assert [numbers["learning_rate"] for numbers in seen] == pytest.approx(cosine)


def test_the_loss_is_grpos_on_what_was_said_and_nothing_else(undecided, rl_examples, load_pictures, tmp_path):
    backbone = undecided()
    config = GrpoConfig(**CONFIG.as_json() | {"steps": 1, "queries_a_step": 1, "replay_groups": 0})
    seen_batches = []
    original = LeasedGrpoTrainer._compute_loss

    def spy(self, model, inputs):
        loss = original(self, model, inputs)
        seen_batches.append((inputs, float(loss.detach())))
        return loss

    LeasedGrpoTrainer._compute_loss = spy
    try:
        train(backbone, rl_examples[:1], load_pictures, tmp_path, config)
    finally:
        LeasedGrpoTrainer._compute_loss = original
    ((inputs, loss),) = seen_batches
    said = (inputs["tool_mask"] * inputs["completion_mask"]).bool()
    # With a ratio of 1 everywhere a rollout's loss is minus its advantage; only the mask decides the gradient's weights.
    assert loss == pytest.approx(-float(inputs["advantages"].mean()), abs=1e-4)
    image_pad = backbone.tokenizer.convert_tokens_to_ids("<|image_pad|>")
    assert not (inputs["completion_ids"][said] == image_pad).any()
    texts = {backbone.tokenizer.decode(row[mask]) for row, mask in zip(inputs["completion_ids"], said, strict=True)}
    assert not any("Here is the cropped image" in text for text in texts)
    everything = {backbone.tokenizer.decode(row) for row in inputs["completion_ids"]}
    assert any("Here is the cropped image" in text for text in everything)


def test_the_trainers_log_probabilities_are_the_rollouts(undecided, rl_examples, load_pictures, tmp_path):
    """Padded, batched and with pictures, in fp32, before the first update changed anything."""
    backbone = undecided()
    config = GrpoConfig(**CONFIG.as_json() | {"steps": 1})
    groups, ratios = [], []
    original = LeasedGrpoTrainer._note_log_probs

    def spy(self, rows, log_probs):
        original(self, rows, log_probs)
        ratios.append((rows["old_per_token_logps"] - log_probs)[rows["tool_mask"].bool()])

    LeasedGrpoTrainer._note_log_probs = spy
    try:
        train(
            backbone,
            rl_examples,
            load_pictures,
            tmp_path,
            config,
            on_episode=lambda step, episode: groups.extend(episode.groups),
        )
    finally:
        LeasedGrpoTrainer._note_log_probs = original
    assert ratios and not any(ratio.any() for ratio in ratios)
    noted = [group for group in groups if group.weight]
    assert noted
    for group in noted:
        for rollout, old in zip(group.rollouts, group.old_log_probs, strict=True):
            mask = rollout.sampled[rollout.prompt_tokens :]
            assert (old - rollout.log_probs[rollout.prompt_tokens :])[mask].abs().max() < 1e-4


def losses(backbone, examples, load_pictures, folder, config, change=None) -> tuple[list[dict], list[torch.Tensor]]:
    """(micro-batches, gradients of the adapter after the first step's backward passes, one a parameter)."""
    parts, gradients = [], []
    original = LeasedGrpoTrainer._compute_loss

    def spy(self, model, inputs):
        parts.append(inputs)
        if change is not None:
            change(self)
        return original(self, model, inputs)

    def clip(parameters, *given, **named):
        gradients.extend(value.grad.clone() for value in parameters if value.grad is not None)
        return torch.tensor(1.0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LeasedGrpoTrainer, "_compute_loss", spy)
        patch.setattr("accelerate.Accelerator.clip_grad_norm_", lambda self, *given, **named: clip(*given, **named))
        train(backbone, examples, load_pictures, folder, config)
    return parts, gradients


def test_a_step_takes_every_rollout_once_and_those_of_a_question_together(
    undecided, rl_examples, load_pictures, tmp_path
):
    config = GrpoConfig(**CONFIG.as_json() | {"steps": 2, "micro_batch_size": 2})
    parts, _ = losses(undecided(), rl_examples, load_pictures, tmp_path, config)
    assert [part["row"].tolist() for part in parts] == [[0, 1], [2, 3], [4, 5], [6, 7]] * 2
    for part in parts:
        assert len({row.numpy().tobytes() for row in part["prompt_ids"]}) == 1
        assert part["prompt_mask"].all()


@pytest.mark.parametrize("micro_batch_size", [2, 4, 8])
def test_an_opening_that_is_forwarded_once_teaches_what_whole_rows_teach(
    undecided, rl_examples, load_pictures, tmp_path, micro_batch_size
):
    """Against TRL's own forward pass, in fp32: pictures in the opening and in what came back, rows of unequal lengths."""
    config = GrpoConfig(**CONFIG.as_json() | {"steps": 1, "micro_batch_size": micro_batch_size})

    def whole(trainer):
        trainer._by_opening = lambda model, rows: GRPOTrainer._get_per_token_logps_and_entropies(
            trainer,
            model,
            torch.cat([rows["prompt_ids"], rows["completion_ids"]], dim=1),
            torch.cat([rows["prompt_mask"], rows["completion_mask"]], dim=1),
            rows["completion_ids"].shape[1],
            compute_entropy=True,
            **{k: rows[k] for k in ("pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids")},
        )[:2]

    parts, ours = losses(undecided(), rl_examples, load_pictures, tmp_path / "ours", config)
    _, stock = losses(undecided(), rl_examples, load_pictures, tmp_path / "stock", config, whole)
    assert any((part["image_grid_thw"].shape[0] > part["opening_images"].sum()) for part in parts)
    assert len(ours) == len(stock) > 10
    assert max(float(value.abs().max()) for value in stock) > 1e-3
    for one, other in zip(ours, stock, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)


def test_answers_between_the_steps_change_nothing(alone, undecided, rl_examples, pictures, load_pictures, tmp_path):
    backbone, said = undecided("4bit"), []

    def between(step):
        torch.rand(7)
        said.append(say(backbone, pictures))

    _, seen, weights = train(backbone, rl_examples, load_pictures, tmp_path, between=between)
    assert steady(seen) == steady(alone[1])
    assert same(weights, alone[2])
    assert len(set(said)) == 1
    assert not backbone.lease.is_held


def test_a_run_that_was_stopped_while_rolling_out_goes_on_as_if_undisturbed(
    alone, undecided, rl_examples, load_pictures, tmp_path
):
    backbone, is_late = undecided("4bit"), []
    result, seen, _ = train(
        backbone,
        rl_examples,
        load_pictures,
        tmp_path,
        between=is_late.append,
        # Not when it is asked after the second step, but at the fifth token of the third.
        should_stop=lambda: len(is_late) == 2 and (is_late.append(0) or False) or len(is_late) > 2,
    )
    assert (result.steps, result.is_stopped, len(seen)) == (2, True, 2)
    assert [step for step, _ in checkpoints(tmp_path)] == [2]
    result, more, weights = train(undecided("4bit"), rl_examples, load_pictures, tmp_path, resume=True)
    assert (result.first_step, result.steps, result.is_stopped) == (2, 3, False)
    assert steady(seen + more) == steady(alone[1])
    assert same(weights, alone[2])


def test_the_backbone_is_afterwards_as_it_was(undecided, rl_examples, pictures, load_pictures, tmp_path):
    backbone = undecided("4bit")
    network = backbone.model
    before = answer_logits(backbone, pictures)
    attributes, config = dict(vars(network)), network.config.to_dict()
    generation = network.generation_config.to_dict()
    one = GrpoConfig(**CONFIG.as_json() | {"steps": 1})
    for k in range(2):
        settings = GrpoConfig(**one.as_json() | {"is_checkpointing_gradients": k == 1})
        train(backbone, rl_examples, load_pictures, tmp_path / str(k), settings)
    assert backbone.adapters.peft is None
    assert vars(network).keys() == attributes.keys()
    assert network.config.to_dict() == config
    assert network.generation_config.to_dict() == generation
    assert not network.training
    assert not any(value.requires_grad for value in network.parameters())
    assert torch.equal(answer_logits(backbone, pictures), before)

    def lose(step):
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        train(backbone, rl_examples, load_pictures, tmp_path / "killed", one, between=lose)
    assert not backbone.lease.is_held
    assert backbone.adapters.peft is None


def test_it_goes_on_from_a_warm_start(undecided, rl_examples, load_pictures, tmp_path):
    backbone = undecided("4bit")
    one = GrpoConfig(**CONFIG.as_json() | {"steps": 1, "rank": 2})
    train_only(backbone, rl_examples, load_pictures, tmp_path / "first", one)
    with backbone.lease.held():
        warm = {name: value.clone() for name, value in backbone.adapters.training_state().items()}
        backbone.adapters.save_training(tmp_path / "warm")
        backbone.adapters.drop_training()
    still = GrpoConfig(**CONFIG.as_json() | {"steps": 1, "learning_rate": 1e-12})
    _, _, weights = train(
        backbone, rl_examples, load_pictures, tmp_path / "second", still, start_from=tmp_path / "warm"
    )
    assert all(torch.allclose(weights[name], warm[name], atol=1e-9) for name in warm)
    assert weights.keys() == warm.keys()  # its rank, not the configuration's


def test_what_cannot_be_trained_on_is_refused(undecided, rl_examples, load_pictures, tmp_path):
    backbone = undecided("4bit")
    with pytest.raises(InvalidInput, match="nothing to roll out"):
        train(backbone, [], load_pictures, tmp_path)
    unknown = RlExample(Example("What?", rl_examples[0].example.media))
    with pytest.raises(InvalidInput, match="'What\\?' has no known answer"):
        train(backbone, [unknown], load_pictures, tmp_path)
    one = GrpoConfig(**CONFIG.as_json() | {"steps": 2, "checkpoint_every": 1})
    train(backbone, rl_examples, load_pictures, tmp_path, one)
    with pytest.raises(Unavailable, match="other traces"):
        train(backbone, rl_examples[:1], load_pictures, tmp_path, one, resume=True)


def test_every_example_is_rolled_out_equally_often_in_an_order_of_its_own(undecided, rl_examples, load_pictures):
    many = [rl_examples[0]] * 5
    config = GrpoConfig(**CONFIG.as_json() | {"queries_a_step": 3})
    episodes = Episodes(undecided("4bit"), many, config, load_pictures, never, reward_group(config))
    order = [index for step in range(1, 6) for index in episodes.examples_of(step)]
    assert [sorted(order[k : k + 5]) for k in (0, 5, 10)] == [[0, 1, 2, 3, 4]] * 3
    assert order[:5] != order[5:10]


def test_the_buffer_survives_the_disk_and_replays_exactly(undecided, rl_examples, load_pictures, tmp_path):
    backbone = undecided()
    config = GrpoConfig(**CONFIG.as_json() | {"rollouts": 6, "micro_batch_size": 6})
    episodes = Episodes(backbone, rl_examples, config, load_pictures, never, operating_is_right)
    episode = episodes.run(1)
    assert episodes.buffer.kept
    for kept in episodes.buffer.kept:
        kept.group.old_log_probs = tuple(torch.rand(3) for _ in kept.group.rollouts)
    episodes.save(tmp_path / "replay.pt")
    other = Episodes(backbone, rl_examples, config, load_pictures, never, operating_is_right)
    other.load(tmp_path / "replay.pt")
    for one, again in zip(episodes.buffer.kept, other.buffer.kept, strict=True):
        assert (one.weight, one.step, one.group.rewards) == (again.weight, again.step, again.group.rewards)
        assert [r.trace for r in one.group.rollouts] == [r.trace for r in again.group.rollouts]
        tensors = (batch_tensors(backbone, g.rollouts, load_pictures) for g in (one.group, again.group))
        for first, second in zip(*(t.values() for t in tensors), strict=True):
            assert first == second if isinstance(first, list) else torch.equal(first, second)
        assert same(dict(enumerate(one.group.old_log_probs)), dict(enumerate(again.group.old_log_probs)))
    assert all(episode.is_fresh(group) for group in episode.groups)


def test_a_uniform_step_replays_what_taught_before(undecided, rl_examples, load_pictures):
    backbone = undecided()
    episodes = Episodes(backbone, rl_examples, CONFIG, load_pictures, never, operating_is_right)
    first = episodes.run(1)
    informative = [group for group in first.groups if group.weight > 0]
    assert informative
    episodes.reward = lambda traces, example: [Reward(1.0, 0.0, 0.0)] * len(traces)
    second = episodes.run(2)
    assert second.numbers["uniform_share"] == 1.0
    assert second.numbers["replayed_share"] == min(len(informative), 2) / 2
    assert {id(group) for group in second.groups if not second.is_fresh(group)} <= {id(group) for group in informative}


@pytest.mark.parametrize(
    "settings",
    [{"rollouts": 1}, {"variant": "mine"}, {"advantage": "none"}, {"micro_batch_size": 5}, {"temperature": 0}],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(InvalidInput, match="RL cannot run like this"):
        GrpoConfig(**CONFIG.as_json() | settings)


def test_settings_survive_json():
    assert GrpoConfig.from_json(CONFIG.as_json()) == CONFIG
    with pytest.raises(InvalidInput, match="wrong kind"):
        GrpoConfig.from_json({"variant": 3})
    with pytest.raises(InvalidInput, match="no setting 'beta'"):
        GrpoConfig.from_json({"beta": 0.1})


def test_an_answers_limits_hold_for_rollouts_too():
    default = GrpoConfig()
    assert GrpoConfig.within(Limits(), {}) == default
    short = GrpoConfig.within(Limits(max_steps=2, max_tokens=24), {"steps": 3})
    assert (short.max_turns, short.max_tokens, short.max_turn_tokens, short.steps) == (2, 24, 24, 3)
    assert GrpoConfig.within(Limits(max_tokens=24), {"max_tokens": 700}).max_tokens == 700


def test_rows_without_an_advantage_cost_nothing_and_change_nothing(undecided, rl_examples, load_pictures, tmp_path):
    """TRL's own loss over the whole batch, and ours over the rows that teach: the same loss and the same gradient."""
    backbone = undecided()
    config = GrpoConfig(**CONFIG.as_json() | {"steps": 1, "queries_a_step": 1, "replay_groups": 0})
    found = []
    original = LeasedGrpoTrainer._compute_loss

    def compare(self, model, inputs):
        advantages = torch.zeros_like(inputs["advantages"])
        advantages[1::2] = torch.arange(1.0, len(advantages) // 2 + 1)
        for compute in (original, GRPOTrainer._compute_loss):
            model.zero_grad()
            self._taught = whole = inputs | {"advantages": advantages}
            loss = compute(self, model, whole)
            loss.backward()
            gradient = [value.grad.clone() for value in model.parameters() if value.grad is not None]
            found.append((float(loss.detach()), gradient))
        model.zero_grad()
        return original(self, model, inputs | {"advantages": torch.zeros_like(advantages)})

    LeasedGrpoTrainer._compute_loss = compare
    try:
        _, seen, _ = train(backbone, rl_examples[:1], load_pictures, tmp_path, config)
    finally:
        LeasedGrpoTrainer._compute_loss = original
    (ours, our_gradient), (theirs, their_gradient) = found
    assert ours == pytest.approx(theirs, abs=1e-5) and ours != 0
    assert len(our_gradient) == len(their_gradient) > 0
    for one, other in zip(our_gradient, their_gradient, strict=True):
        assert (one - other).abs().max() <= 1e-4 * max(1.0, float(other.abs().max()))
    # A step that teaches nothing says so by a loss and a gradient of 0.
    assert seen[0]["loss"] == 0 and seen[0]["gradient_norm"] == 0
