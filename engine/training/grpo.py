r"""Curiosity-driven reinforcement learning of a LoRA adapter (paper, section 4.2): roll out, reward, replay, update.

For each step: `queries_a_step` examples are rolled out `rollouts` times each by the adapter in training
(`engine.training.rollouts`), rewarded (`rewards`), uniform groups give way to earlier informative ones (`replay`), and the
batch makes one update of GRPO's clipped loss (`engine.training.leased_grpo`).

Different from the paper: LoRA over frozen quantised weights; smaller batches, one update a batch; see
`engine.training.grpo_config` for the numbers. The same: no KL term, the reward of either variant, selective replay.

One process, one backbone, as in SFT: the lease is lent between two tokens of the rollouts and two micro-batches of the
update, so answers go on in between. Everything random comes from (seed, step), so a stopped run that goes on equals an
undisturbed one as far as the arithmetic of batches is reproducible (on a CPU: bit-identical, tests/training/test_grpo.py).

Invariants: those of `engine.training.on_backbone`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from datasets import Dataset
from peft import PeftModel
from trl import GRPOConfig

from engine.backbone.adapters import load_adapter, lora_config
from engine.backbone.loading import Backbone
from engine.errors import InvalidInput
from engine.policies.local import LocalPolicy
from engine.trace import Example, Trace
from engine.trace_json import known_to_json, media_to_json
from engine.training.arguments import shared_arguments
from engine.training.averaging import Averaging
from engine.training.candidate import candidate
from engine.training.checkpoints import Fingerprint, latest_checkpoint
from engine.training.dataset import PictureLoader
from engine.training.episodes import Episode, Episodes, RewardGroup, reward_group
from engine.training.grpo_config import GrpoConfig
from engine.training.leased import Quantum
from engine.training.leased_grpo import GRPO_NAMES, LeasedGrpoTrainer, no_reward
from engine.training.on_backbone import Trained, adapter_on
from engine.training.processes import process_count
from engine.training.rollouts import RolloutsStopped
from engine.training.snapshot import weights_hash
from engine.training.vllm_server import Connect, SentWeights, connect, connected
from engine.worth import weigh_looks

__all__ = ["OnMetric", "run_grpo"]

OnMetric = Callable[[int, int, Mapping[str, float]], None]
"""(step, of how many, numbers by name), of this step's rollouts: reward, correctness, bonus, penalty (means), rapr (share
with an operation that was executed), called_share (with any call), operation_errors (share of calls that failed),
uniform_share (groups without a signal), replayed_share (groups of the batch), answered_share, turns, said_tokens (means),
rollout_seconds; of the update: loss, learning_rate, gradient_norm, agreement (of its micro-batches' gradients) and, where any
rollout had an advantage, entropy, clipped_share and, where a server said the words, importance_weight (mean); seconds, passes."""


def run_grpo(
    backbone: Backbone,
    examples: Sequence[Example],
    config: GrpoConfig,
    *,
    load_pictures: PictureLoader,
    on_metric: OnMetric,
    should_stop: Callable[[], bool],
    checkpoint_dir: Path,
    resume: bool = False,
    start_from: Path | None = None,
    reward: RewardGroup | None = None,
    on_episode: Callable[[int, Episode], None] = lambda step, episode: None,
    connect: Connect = connect,
) -> Trained:
    """Train the adapter in training by rollouts on `examples`. `start_from` is the folder of an adapter whose weights it
    begins with (a warm start; its rank and alpha then count), `reward` another reward than the configuration's, for
    experiments; `on_episode` is given what was rolled out in a step, before the update, without the lease;
    `connect` reaches the configuration's vLLM server, where it names one.
    `should_stop` is asked before every token and after every step. `resume` goes on from the newest whole
    checkpoint.

    Raises InvalidInput where there are no examples or one has no gold answer, or the loss stopped being a number;
    Unavailable where the checkpoint belongs to another run, or the vLLM server does not answer.
    """
    if process_count() > 1:
        raise InvalidInput("RL runs in one process: start it without `accelerate launch`")
    if not examples:
        raise InvalidInput("there is nothing to roll out: RL needs questions with known answers")
    if lacking := next((one for one in examples if not one.answer), None):
        raise InvalidInput(f"the question {lacking.question!r} has no known answer, which RL cannot reward")
    settings = config.as_json()
    served = {"served": True} if settings.pop("vllm_server") else {}  # by which server makes no difference
    fingerprint = Fingerprint.of(
        backbone,
        [_rewarded_by(one) for one in examples],
        {"grpo": settings, "from": weights_hash(start_from), **served},
    )
    checkpoint = latest_checkpoint(checkpoint_dir, fingerprint) if resume else None
    passes = len(examples) / config.queries_a_step
    quantum = Quantum(backbone, config.seed, should_stop, on_metric, passes, GRPO_NAMES)
    averaging = Averaging(config.averaged_share)
    warm = None if start_from is None else load_adapter(start_from, start_from.name)
    lora = lora_config(config.rank, config.alpha) if warm is None else warm.config
    lora.inference_mode = False
    started = time.time()

    def make_trainer(network: PeftModel) -> LeasedGrpoTrainer:
        return LeasedGrpoTrainer(
            model=network,
            reward_funcs=no_reward,  # type: ignore[arg-type]
            args=_arguments(backbone, config, checkpoint_dir),
            # What is rolled out in a step, Episodes knows; TRL only has to count.
            train_dataset=Dataset.from_dict({"prompt": ["-"] * (config.queries_a_step * config.steps)}),
            processing_class=backbone.processor,
            callbacks=[averaging, quantum],  # while the lease is held
        )

    is_cut = False
    with (
        connected(config.vllm_server, backbone, examples, connect) as server,
        adapter_on(
            backbone, lora, make_trainer, seed=config.seed, quantum=quantum, fingerprint=fingerprint, warm_start=warm
        ) as trainer,
    ):
        if server is not None:
            trainer.say_elsewhere(SentWeights(server, backbone.adapters.training()))
        trainer.on_episode, trainer.averaging = on_episode, averaging
        if config.last_layers:
            layers = backbone.model.config.get_text_config().num_hidden_layers
            trainer.first_layer = max(0, layers - config.last_layers)
        policy = candidate(backbone, "in training")
        trainer.episodes = Episodes(
            policy,
            examples,
            config,
            load_pictures,
            should_stop,
            reward or reward_group(config, partial(_worth, LocalPolicy(policy), load_pictures)),
            server,
        )
        try:
            trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
        except RolloutsStopped:
            # Between two updates: the adapter and the optimiser are those of the last whole step.
            is_cut = True
            if trainer.state.global_step > quantum.first_step:
                trainer.save_checkpoint_now()
        steps = trainer.state.global_step
        if steps == config.steps:
            with backbone.lease.held():
                backbone.adapters.resume_training()
                averaging.put_into(backbone.adapters.training())
    is_stopped = is_cut or steps < config.steps
    return Trained(steps, config.steps, quantum.first_step, time.time() - started, is_stopped=is_stopped)


def _rewarded_by(example: Example) -> dict[str, Any]:
    """What rollouts and their rewards depend on: a checkpoint stands where only a category or a source was renamed."""
    known = known_to_json(example)
    media = [media_to_json(medium) for medium in example.media]
    said = {"question": example.question, "media": media, "answer": known["gold"]}
    return said | {name: known[name] for name in ("options", "other_answers", "rule")}


def _worth(policy: LocalPolicy, load_pictures: PictureLoader, trace: Trace, example: Example) -> float:
    """What the looks of a rollout were worth together to the gold answer, 0 where it did not look, did not answer, or gave an
    answer that cannot be said again in the wire format."""
    if trace.answer is None or not trace.has_operation:
        return 0.0
    looks = weigh_looks(trace, policy, load_pictures(trace.media), options=example.options, answer=example.answer)
    try:
        first, *more = looks
    except InvalidInput:
        return 0.0
    return (more[-1] if more else first).after - first.before


def _arguments(backbone: Backbone, config: GrpoConfig, checkpoint_dir: Path) -> GRPOConfig:
    return GRPOConfig(
        **shared_arguments(backbone, config, config.steps, checkpoint_dir),
        steps_per_generation=config.batch_size // config.micro_batch_size,  # one generation an update
        num_generations=config.rollouts,
        num_iterations=1,
        shuffle_dataset=False,
        temperature=config.temperature,
        beta=0.0,
        epsilon=config.clip,
        loss_type="grpo",
        lr_scheduler_type="cosine",
    )
