"""How are weights held near where they started: mixout, and decay towards the starting weights?"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from seedwise.training.hashed_masks import keep_mask
from seedwise.values.recipe import Recipe

__all__ = ["decay_towards", "mixout", "starting_values"]


def starting_values(model: nn.Module, recipe: Recipe) -> dict[str, torch.Tensor]:
    """Copy the trained parameters if the recipe keeps them near their start or tracks how far they move."""
    if not (recipe.mixout or recipe.pretrained_weight_decay or "distance" in recipe.track):
        return {}
    return {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}


@contextmanager
def mixout(
    parameters: Mapping[str, nn.Parameter],
    start: Mapping[str, torch.Tensor],
    p: float,
    *,
    dropout_seed: int,
    step: int,
    kept: Mapping[str, torch.Tensor] | None = None,
) -> Iterator[None]:
    """Within this context, each parameter value is its starting value with probability p; gradients refer to the unmixed weights.

    With a mask m that is 0 with probability p and 1 otherwise, w becomes u + m (w - u) / (1 - p), whose expectation is w.
    Afterwards every parameter is what it was, bit for bit, and its gradient is m / (1 - p) times that of the mixed one.
    With p = 1 the mixed weights are u and no gradient is left.

    Reference:
        Lee, Cho and Kang (2020), "Mixout", equation 4; Zhang et al. (2021), section 7.
    """
    if p == 0:
        yield
        return
    scale = 0.0 if p == 1 else 1 / (1 - p)
    weights, masks = {}, {}
    with torch.no_grad():
        for name, parameter in parameters.items():
            rows = (kept or {}).get(name)
            mask = keep_mask(dropout_seed, step, name, parameter, p, rows).mul_(scale)
            weights[name], masks[name] = parameter.detach().clone(), mask
            torch.addcmul(start[name], mask, parameter - start[name], out=parameter.detach())
    try:
        yield
    finally:
        for name, parameter in parameters.items():
            parameter.detach().copy_(weights[name])
            if parameter.grad is not None:
                parameter.grad.mul_(masks[name])


def decay_towards(parameters: list[torch.Tensor], start: list[torch.Tensor], share: float) -> None:
    """Move every parameter by this share of the way to its starting value (Lee et al. 2020; Zhang et al. 2021, section 7)."""
    if share and parameters:
        with torch.no_grad():
            torch._foreach_lerp_(parameters, start, share)  # one call for all, as in torch.optim
