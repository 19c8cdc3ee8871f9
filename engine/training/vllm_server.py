"""The vLLM server that says the words of rollouts: reaching it, the weights it is sent, and what its words count.

    weights              before the rollouts of a step: every weight of the network by the base's names, W + (alpha / r) B A
                         where the adapter in training acts, then `reset_prefix_cache`
    importance weight    of a token that was said there, with C = 3, a factor of its loss:

        min(exp(log p_here - log p_there), C)

    log p_here is of the network here with the weights that the server had when it said the token, log p_there what the server
    gave it: truncated importance sampling. The two differ by rounding, by kernels, and where the base here is of 4 bits. It
    stands beside PPO's ratio, which is of the weights of now to those of then, both here.

Source: TRL 1.16, trainer/grpo_trainer.py (`vllm_importance_sampling_correction`, mode "token_truncate", `_clip_max` 3.0) and
generation/vllm_generation.py (`sync_weights`). Different: TRL's default mode, "sequence_mask", weighs a rollout as a whole, by
the product over its tokens, and drops it above C. A token without a log-probability is refused (`engine.policies.vllm`) where
TRL lets it weigh 1. TRL merges the adapter into the frozen weights and takes it out again, which rounds them at every step, and
sends 4-bit codes as they lie; here each sum is made beside them, of unpacked weights.

Invariant: nothing of the network changes. Not covered: saying words (`engine.policies.vllm`).
"""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from bitsandbytes.functional import dequantize_4bit
from peft import PeftModel
from peft.tuners.lora import LoraLayer

from engine.backbone.adapters import TRAINING
from engine.backbone.loading import Backbone
from engine.backbone.seeing import clip_interval
from engine.errors import InvalidInput, Unavailable
from engine.policies.vllm import Generating, reason_of
from engine.trace import Example

__all__ = ["MOST_WEIGHT", "Connect", "SentWeights", "Server", "connect", "connected", "importance_weights"]

MOST_WEIGHT = 3.0
"""C."""
_PATIENCE_S = 10
_BASE_LAYER = ".base_layer"

Described = list[tuple[str, str, list[int]]]
"""(name, dtype, shape) of tensors, in the order they are sent in."""


class Server(Generating, Protocol):
    """What is asked of trl.generation.vllm_client.VLLMClient."""

    def update_named_params(self, metadata: Described, named_params: Iterator[tuple[str, torch.Tensor]]) -> None: ...

    def reset_prefix_cache(self) -> None: ...

    def close_communicator(self) -> None: ...


Connect = Callable[[str, torch.device], Server]
"""Of an address and the device that weights are sent from. Raises Unavailable."""


def connect(url: str, device: torch.device) -> Server:
    """TRL's client, ready to send weights. Raises Unavailable where the server is not there or cannot take weights."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=_PATIENCE_S):
            pass
        from trl.generation.vllm_client import VLLMClient

        client = VLLMClient(base_url=url)
        client.init_communicator(device=device)
    except Exception as error:  # TRL raises no class of its own
        raise Unavailable(
            f"the vLLM server at {url} cannot say rollouts: {reason_of(error)}; docs/several-processes.md tells how it is "
            "started, and without vllm_server they are said here"
        ) from error
    return client  # type: ignore[return-value]


@contextmanager
def connected(
    url: str, backbone: Backbone, examples: Sequence[Example], connect: Connect = connect
) -> Iterator[Server | None]:
    """The server at `url`, None where that is "". Raises InvalidInput for what it could not do, and Unavailable."""
    if not url:
        yield None
        return
    if backbone.quantization == "8bit":
        raise InvalidInput(
            "a vLLM server is not sent weights of 8 bit; use STUDIO_QUANTIZATION=4bit or none, or no vllm_server"
        )
    if clip_interval(backbone) is not None and any(one.kind == "video" for some in examples for one in some.media):
        raise InvalidInput(
            "a vLLM server is not sent clips as one video, as this wire format shows them: leave them out"
        )
    server = connect(url.rstrip("/"), backbone.device)
    try:
        yield server
    finally:
        server.close_communicator()


@dataclass(slots=True)
class SentWeights:
    """The weights of `network`, a base with the adapter in training on it, to `server`."""

    server: Server
    network: PeftModel
    _described: Described | None = None

    def send(self) -> None:
        """As in the module docstring. The lease must be held. Raises Unavailable."""
        if self._described is None:
            self._described = [
                (name, str(value.dtype).removeprefix("torch."), list(value.shape)) for name, value in self.merged()
            ]
        try:
            self.server.update_named_params(self._described, self.merged())
            self.server.reset_prefix_cache()
        except Exception as error:  # TRL raises no class of its own
            raise Unavailable(f"the vLLM server did not take the weights: {reason_of(error)}") from error

    def merged(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Each weight by the base's name, one at a time."""
        layers: dict[str, Any] = {
            f"{name}{_BASE_LAYER}.weight": module
            for name, module in self.network.named_modules()
            if isinstance(module, LoraLayer) and TRAINING in module.lora_A
        }
        for name, value in self.network.named_parameters():
            if "lora_" in name:  # of an adapter
                continue
            with torch.no_grad():
                packed = getattr(value, "quant_state", None)
                weight = value.detach() if packed is None else dequantize_4bit(value.data, packed)
                if name in layers:
                    added = layers[name].get_delta_weight(TRAINING)
                    weight = (weight.float() + added.float()).to(weight.dtype)
            yield name.removeprefix("base_model.model.").replace(_BASE_LAYER, ""), weight


def importance_weights(here: torch.Tensor, there: torch.Tensor, is_said: torch.Tensor) -> torch.Tensor:
    """[rows, tokens] as in the module docstring, of log-probabilities of that shape; 1 where nothing was said."""
    return torch.exp((here - there).masked_fill(~is_said, 0.0)).clamp(max=MOST_WEIGHT)
