"""RL learns what is rewarded, masks what came back, shares the backbone, stops at once and resumes exactly."""

from __future__ import annotations

import math
import threading
from dataclasses import replace

import pytest

from engine.drivers.together import Prompt
from engine.errors import InvalidInput, Unavailable
from engine.policies.base import never
from engine.reasoning import Limits
from engine.trace import Example
from engine.training.grpo_config import GrpoConfig
from engine.training.rewards import Reward

from .grpo_runs import CONFIG, operating_is_right, steady, train, train_only
from .test_sft import answer_logits, same, say


@pytest.fixture(scope="module")
def alone(undecided, rl_examples, load_pictures, tmp_path_factory):
    """An undisturbed run: what every other run is held to."""
    return train(undecided("4bit"), rl_examples, load_pictures, tmp_path_factory.mktemp("alone"))


def test_a_reward_for_operating_raises_rapr(undecided, rl_examples, pictures, load_pictures, tmp_path):
    from engine.training.candidate import candidate
    from engine.training.rollouts import roll_out

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
    prompt = Prompt(rl_examples[0], pictures, tuple(range(8)))
    trained = roll_out(candidate(backbone, "new"), [prompt], config.limits)[0]
    plain = roll_out(backbone, [prompt], config.limits)[0]
    with backbone.lease.held():
        backbone.adapters.drop_training()
    assert {one.trace.policy for one in trained} == {backbone.name + "+new"}
    assert sum(one.trace.has_operation for one in trained) > sum(one.trace.has_operation for one in plain)


def test_a_step_by_credit_pays_for_what_each_look_was_worth(undecided, rl_examples, pictures, load_pictures, tmp_path):
    """The first step's rollouts are of the policy as it is, which weighs the same looks afterwards."""
    from engine.policies.local import LocalPolicy
    from engine.worth import weigh_looks

    config = GrpoConfig(**CONFIG.as_json() | {"steps": 1, "variant": "credit"})
    backbone, episodes = undecided(), []
    keep = lambda step, episode: episodes.append(episode)  # noqa: E731
    train(backbone, rl_examples, load_pictures, tmp_path, config, reward=None, on_episode=keep)
    looked = 0
    for group, example in episodes[0].rolled:
        for rollout, reward in zip(group.rollouts, group.rewards, strict=True):
            worth = 0.0
            if rollout.trace.has_operation and rollout.trace.answer is not None:
                looks = list(weigh_looks(rollout.trace, LocalPolicy(backbone), pictures, answer=example.answer))
                worth, looked = looks[-1].after - looks[0].before, looked + 1
            assert reward.bonus == pytest.approx(0.5 * worth, abs=1e-4)
    assert looked and any(reward.bonus for group, _ in episodes[0].rolled for reward in group.rewards)


def test_an_answer_that_cannot_be_said_again_is_worth_nothing(undecided, rl_examples, load_pictures, examples):
    """A sampled answer may end in a brace that nobody opened; a run went down with it."""
    from engine.policies.local import LocalPolicy
    from engine.training.grpo import _worth

    trace, policy = examples[0].trace, LocalPolicy(undecided())
    broken = replace(trace, steps=(*trace.steps[:-1], replace(trace.steps[-1], answer="It says KX7421}")))
    assert _worth(policy, load_pictures, broken, rl_examples[0]) == 0.0
    assert _worth(policy, load_pictures, trace, rl_examples[0]) != 0.0


def test_every_number_of_a_step_is_told(alone):
    _, seen, _ = alone
    names = {
        "loss", "learning_rate", "gradient_norm", "entropy", "clipped_share", "reward", "correctness", "bonus", "penalty",
        "rapr", "called_share", "operation_errors", "uniform_share", "replayed_share", "answered_share", "turns",
        "said_tokens", "agreement", "rollout_seconds", "seconds", "passes",
    }  # fmt: skip
    assert all(numbers.keys() == names for numbers in seen)
    assert all(math.isfinite(value) for numbers in seen for value in numbers.values())
    assert [numbers["passes"] for numbers in seen] == [1, 2, 3]
    # Cosine from the full rate, without a warm-up.
    cosine = [5e-3 * (1 + math.cos(math.pi * k / 3)) / 2 for k in (0, 1, 2)]
    assert [numbers["learning_rate"] for numbers in seen] == pytest.approx(cosine)


def test_answers_at_any_time_change_nothing(alone, undecided, rl_examples, pictures, load_pictures, tmp_path):
    """Between two steps, two micro-batches and two tokens of the rollouts."""
    import torch

    backbone, said, is_over = undecided("4bit"), [], threading.Event()

    def visitor():
        while not is_over.is_set():
            # torch's generator is the process's: whoever draws from it without the lease may do so while an adapter is made.
            with backbone.lease.held():
                torch.rand(7)
            said.append(say(backbone, pictures))

    def between(step):
        torch.rand(7)
        said.append(say(backbone, pictures))

    thread = threading.Thread(target=visitor)
    thread.start()
    try:
        _, seen, weights = train(backbone, rl_examples, load_pictures, tmp_path, between=between)
    finally:
        is_over.set()
        thread.join()
    assert steady(seen) == steady(alone[1])
    assert same(weights, alone[2])
    assert len(said) > 20 and len(set(said)) == 1
    assert not backbone.lease.is_held


def test_a_run_that_was_stopped_while_rolling_out_goes_on_as_if_undisturbed(
    alone, undecided, rl_examples, load_pictures, tmp_path
):
    from engine.training.checkpoints import checkpoints

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
    assert answer_logits(backbone, pictures).equal(before)

    def lose(step):
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        train(backbone, rl_examples, load_pictures, tmp_path / "killed", one, between=lose)
    assert not backbone.lease.is_held
    assert backbone.adapters.peft is None


def test_it_goes_on_from_a_warm_start(undecided, rl_examples, load_pictures, tmp_path):
    """Whose last layer alone has learned, as was asked for: elsewhere the second matrix of LoRA is 0, as it was made."""
    import torch

    from engine.training.leased_grpo import layer_of

    backbone = undecided("4bit")
    one = GrpoConfig(**CONFIG.as_json() | {"steps": 1, "rank": 2, "last_layers": 1})
    train_only(backbone, rl_examples, load_pictures, tmp_path / "first", one)
    with backbone.lease.held():
        warm = {name: value.clone() for name, value in backbone.adapters.training_state().items()}
        backbone.adapters.save_training(tmp_path / "warm")
        backbone.adapters.drop_training()
    last = backbone.model.config.get_text_config().num_hidden_layers - 1
    assert {layer_of(name) for name, value in warm.items() if "lora_B" in name and value.any()} == {last} and last
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
    unknown = Example("What?", rl_examples[0].media)
    with pytest.raises(InvalidInput, match="'What\\?' has no known answer"):
        train(backbone, [unknown], load_pictures, tmp_path)
    one = GrpoConfig(**CONFIG.as_json() | {"steps": 2, "checkpoint_every": 1})
    train(backbone, rl_examples, load_pictures, tmp_path, one)
    with pytest.raises(Unavailable, match="other traces"):
        train(backbone, rl_examples[:1], load_pictures, tmp_path, one, resume=True)


def test_every_example_is_rolled_out_equally_often_in_an_order_of_its_own(undecided, rl_examples, load_pictures):
    from engine.training.episodes import Episodes, reward_group

    many = [rl_examples[0]] * 5
    config = GrpoConfig(**CONFIG.as_json() | {"queries_a_step": 3})
    episodes = Episodes(
        undecided("4bit"), many, config, load_pictures, never, reward_group(config, lambda trace, example: 0.0)
    )
    order = [index for step in range(1, 6) for index in episodes.examples_of(step)]
    assert [sorted(order[k : k + 5]) for k in (0, 5, 10)] == [[0, 1, 2, 3, 4]] * 3
    assert order[:5] != order[5:10]


def test_the_buffer_survives_the_disk_and_replays_exactly(undecided, rl_examples, load_pictures, tmp_path):
    import torch

    from engine.training.episodes import Episodes
    from engine.training.rollout_batch import batch_tensors

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
            assert first == second if isinstance(first, list) else first.equal(second)
        assert same(dict(enumerate(one.group.old_log_probs)), dict(enumerate(again.group.old_log_probs)))
    assert {id(group) for group in episode.groups} == {id(group) for group, _ in episode.rolled}


def test_a_uniform_step_replays_what_taught_before(undecided, rl_examples, load_pictures):
    from engine.training.episodes import Episodes

    backbone = undecided()
    episodes = Episodes(backbone, rl_examples, CONFIG, load_pictures, never, operating_is_right)
    first = episodes.run(1)
    informative = [group for group in first.groups if group.weight > 0]
    assert informative
    episodes.reward = lambda traces, example: [Reward(1.0, 0.0, 0.0)] * len(traces)
    second = episodes.run(2)
    assert second.numbers["uniform_share"] == 1.0
    assert second.numbers["replayed_share"] == min(len(informative), 2) / 2
    replayed = {id(group) for group in second.groups} - {id(group) for group, _ in second.rolled}
    assert replayed <= {id(group) for group in informative}


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
