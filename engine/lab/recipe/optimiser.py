"""Muon for the matrices, AdamW for the rest, on fp32 masters.

Idea: where the processor multiplies bf16 fast (AMX, AVX512-BF16) the products run in bf16 and the updates in fp32;
elsewhere everything is fp32. torch's own Muon orthogonalises in bf16, which some processors only emulate, so it is
written out here.

With `is_quantised` the forward and backward pass see every matrix as it will be served, rounded to 4 bit and back, and the
masters take the gradients as if nothing had been rounded (straight-through, arXiv 1308.3432), so that the model learns to
answer with the rounded weights.

Invariant: after `step` every trained weight is its master in the working type, or what 4 bit leave of it. A frozen name
gets neither gradient nor decay.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from bitsandbytes import functional
from torch import nn

__all__ = ["MasterOptimiser"]


@torch.no_grad()
def _orthogonalise(matrix: torch.Tensor, rounds: int = 5, working_type: torch.dtype = torch.float32) -> torch.Tensor:
    """The nearest half-orthogonal matrix, about, by Newton-Schulz (Keller Jordan's quintic), computed in `working_type`."""
    is_tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if is_tall else matrix
    x = (x / (x.norm() + 1e-7)).to(working_type)
    for _ in range(rounds):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return (x.T if is_tall else x).to(matrix.dtype)


class _Muon(torch.optim.Optimizer):
    """Momentum, orthogonalised, at AdamW's update size (0.2 root mean square)."""

    def __init__(
        self,
        params: list[torch.Tensor],
        *,
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.02,
        working_type: torch.dtype = torch.float32,
    ) -> None:
        self.working_type = working_type
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            for master in group["params"]:
                if master.grad is None:
                    continue
                state = self.state[master]
                if "momentum" not in state:
                    state["momentum"] = torch.zeros_like(master)
                buffer = state["momentum"].lerp_(master.grad, 1 - group["momentum"])
                update = _orthogonalise(master.grad.lerp(buffer, group["momentum"]), working_type=self.working_type)
                master.mul_(1 - group["lr"] * group["weight_decay"])
                master.add_(update, alpha=-group["lr"] * 0.2 * max(master.shape) ** 0.5)


@torch.no_grad()
def _as_served(weight: torch.Tensor) -> torch.Tensor:
    """What the studio's default loading leaves of a matrix: NF4 in blocks of 64 with double quantisation (bitsandbytes)."""
    packed, state = functional.quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
    return functional.dequantize_4bit(packed, state)


class MasterOptimiser:
    def __init__(
        self,
        modules: dict[str, nn.Module],
        matrix_rate: float,
        rest_rate: float,
        working_type: torch.dtype = torch.float32,
    ) -> None:
        self.working_type = working_type
        self.names = [f"{name}.{key}" for name, module in modules.items() for key, _ in module.named_parameters()]
        self.weights: list[torch.Tensor] = [w for module in modules.values() for w in module.parameters()]
        self.masters = [weight.detach().clone().float() for weight in self.weights]
        for module in modules.values():
            module.to(working_type)
        self.weights = [weight for module in modules.values() for weight in module.parameters()]
        self.is_quantised = False
        self.begin(matrix_rate, rest_rate)

    def begin(self, matrix_rate: float, rest_rate: float) -> None:
        """Fresh optimiser state, as at the start of a stage."""
        pairs = list(zip(self.names, self.masters, strict=True))
        matrices = [master for name, master in pairs if self._is_matrix(name, master)]
        rest = [(name, master) for name, master in pairs if not self._is_matrix(name, master)]
        groups = [
            {"params": [master for _, master in rest if master.ndim > 1], "weight_decay": 0.02},
            {"params": [master for _, master in rest if master.ndim < 2], "weight_decay": 0.0},
        ]
        self.parts = [
            torch.optim.AdamW(groups, lr=rest_rate, betas=(0.9, 0.98), eps=1e-9),
            _Muon(matrices, lr=matrix_rate, working_type=self.working_type),
        ]
        self.rates = [rest_rate, matrix_rate]

    @staticmethod
    def _is_matrix(name: str, master: torch.Tensor) -> bool:
        # Orthogonalising the merger's 768x768 would cost more than the rest of the update together.
        others = ("embed", "lm_head", "merger.linear_fc1")
        return master.ndim == 2 and not name.startswith("probes") and not any(other in name for other in others)

    def step(self, share: float, is_frozen: Callable[[str], bool] = lambda name: False) -> float:
        """One update at `share` of the full rates; returns the gradients' norm."""
        used = []
        for name, master, weight in zip(self.names, self.masters, self.weights, strict=True):
            has_gradient = weight.grad is not None and not is_frozen(name)
            master.grad = weight.grad.float() if weight.grad is not None and has_gradient else None
            weight.grad = None
            if has_gradient:
                used.append(master)
        norm = torch.nn.utils.clip_grad_norm_(used, 1.0).item()
        if norm == norm and norm != float("inf"):
            for part, rate in zip(self.parts, self.rates, strict=True):
                for group in part.param_groups:
                    group["lr"] = rate * share
                part.step()
        self.refresh()
        return norm

    @torch.no_grad()
    def refresh(self) -> None:
        """Let every weight be its master again, after the masters were changed."""
        torch._foreach_copy_(self.weights, self.masters)
        if self.is_quantised:
            for name, weight in zip(self.names, self.weights, strict=True):
                # Embeddings and the head that is tied to them are served as they are.
                if (
                    weight.ndim == 2
                    and not name.startswith("probes")
                    and not any(k in name for k in ("embed", "lm_head"))
                ):
                    weight.copy_(_as_served(weight))

    def state(self) -> dict[str, torch.Tensor]:
        return {name: master.clone() for name, master in zip(self.names, self.masters, strict=True)}

    @torch.no_grad()
    def restore(self, state: dict[str, torch.Tensor]) -> list[str]:
        """Load the masters that the state knows; returns the names it does not."""
        missing = []
        for name, master in zip(self.names, self.masters, strict=True):
            if name in state and state[name].shape == master.shape:
                master.copy_(state[name])
            else:
                missing.append(name)
        self.refresh()
        return missing
