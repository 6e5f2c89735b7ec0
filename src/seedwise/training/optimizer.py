"""How is one step taken? AdamW with or without bias correction, warm-up and decay, clipping."""

import math
from collections.abc import Mapping

import torch
from torch import nn
from transformers import PreTrainedModel

from seedwise.training.blocks import blocks, heights
from seedwise.training.regularizers import decay_towards
from seedwise.values.recipe import Recipe

__all__ = ["Optimizer", "adam_constants", "learning_rate", "parameter_groups"]


def learning_rate(recipe: Recipe, step: int, steps: int) -> float:
    """Return the learning rate of one step: linear from 0 up to the peak, then linear down to 0.

    The schedule belongs to the full run, wherever a trial is paused. As in Hugging Face's linear schedule, the first
    step has rate 0 when there is any warm-up.

    Example:
        >>> recipe = Recipe(model="m", learning_rate=1.0, warmup_ratio=0.2)
        >>> [learning_rate(recipe, step, 10) for step in (1, 2, 3, 10)]
        [0.0, 0.5, 1.0, 0.125]
    """
    done = step - 1
    warmup = math.ceil(recipe.warmup_ratio * steps)
    if done < warmup:
        return recipe.learning_rate * done / warmup
    return recipe.learning_rate * max(0.0, (steps - done) / max(1, steps - warmup))


def adam_constants(recipe: Recipe, step: int) -> tuple[float, float]:
    """Return what torch's AdamW needs in place of rate and epsilon: the rate's factor, and epsilon.

    torch's AdamW always corrects the bias: update = rate / c1 * m / (sqrt(v) / c2 + epsilon) with c1 = 1 - beta1^step and
    c2 = sqrt(1 - beta2^step). Handing it rate * c1 / c2 and epsilon / c2 cancels both exactly, so BERTAdam runs on the same
    fused kernel. Decay is handed over as rate * decay, and has to be divided by the factor.
    """
    if recipe.bias_correction:
        return 1.0, recipe.adam_epsilon
    root = math.sqrt(1 - recipe.adam_beta2**step)
    return (1 - recipe.adam_beta1**step) / root, recipe.adam_epsilon / root


def parameter_groups(model: PreTrainedModel, recipe: Recipe) -> dict[tuple[float, bool], list[str]]:
    """Return the names of the trained parameters, grouped by the factor of their rate and whether they decay."""
    decayed = _decayed(model)
    groups: dict[tuple[float, bool], list[str]] = {}
    for name, factor in _rate_factors(model, recipe).items():
        groups.setdefault((factor, name in decayed), []).append(name)
    return groups


class Optimizer:
    """AdamW over a model's trained parameters, with its learning-rate schedule.

    Without bias correction it is BERTAdam (Devlin et al. 2019; Zhang et al. 2021, Algorithm 1 without lines 9-10):
    each update is m / (sqrt(v) + epsilon) with the raw moments. Both kinds of weight decay are decoupled and spare
    biases and normalisation weights.
    """

    def __init__(
        self, model: PreTrainedModel, recipe: Recipe, steps: int, start: Mapping[str, torch.Tensor] | None = None
    ) -> None:
        self.names = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self._recipe, self._steps = recipe, steps
        start = start or {}
        self._adam = torch.optim.AdamW(
            [
                {
                    "params": [self.names[name] for name in members],
                    "factor": factor,
                    "decay": recipe.weight_decay if decays else 0.0,
                    "home": [(self.names[name], start[name]) for name in members if decays and name in start],
                }
                for (factor, decays), members in parameter_groups(model, recipe).items()
            ],
            betas=(recipe.adam_beta1, recipe.adam_beta2),
            fused=True,
        )

    def step(self, step: int) -> torch.Tensor:
        """Clip the gradients, update every parameter and clear the gradients."""
        recipe = self._recipe
        norm = nn.utils.clip_grad_norm_(list(self.names.values()), recipe.max_grad_norm or math.inf)
        rate = learning_rate(recipe, step, self._steps)
        scale, epsilon = adam_constants(recipe, step)
        for group in self._adam.param_groups:
            group["lr"], group["eps"] = rate * group["factor"] * scale, epsilon
            group["weight_decay"] = group["decay"] / scale
            home = group["home"]
            strength = rate * group["factor"] * recipe.pretrained_weight_decay
            decay_towards([p for p, _ in home], [value for _, value in home], strength)
        self._adam.step()
        self._adam.zero_grad(set_to_none=True)
        return norm

    def moments(self) -> dict[str, torch.Tensor]:
        """Return every first and second moment by name; parameters without a gradient have none."""
        found = {}
        for name, parameter in self.names.items():
            state = self._adam.state.get(parameter)
            if state:
                found[f"exp_avg.{name}"] = state["exp_avg"]
                found[f"exp_avg_sq.{name}"] = state["exp_avg_sq"]
        return found

    def restore(self, moments: dict[str, torch.Tensor], step: int) -> None:
        """Load moments that ``moments`` returned after a step."""
        for name, parameter in self.names.items():
            if f"exp_avg.{name}" in moments:
                self._adam.state[parameter] = {
                    "step": torch.tensor(float(step), device=parameter.device),
                    "exp_avg": moments[f"exp_avg.{name}"].to(parameter.device),
                    "exp_avg_sq": moments[f"exp_avg_sq.{name}"].to(parameter.device),
                }


def _decayed(model: nn.Module) -> set[str]:
    """Return the parameters that weight decay acts on: all but biases and normalisation weights."""
    spared = set()
    for prefix, module in model.named_modules():
        if "norm" in type(module).__name__.lower():
            spared |= {f"{prefix}.{name}" for name, _ in module.named_parameters(recurse=False)}
    return {name for name, _ in model.named_parameters() if not name.endswith("bias") and name not in spared}


def _rate_factors(model: PreTrainedModel, recipe: Recipe) -> dict[str, float]:
    """Return the learning-rate factor of each trained parameter.

    What stands above the blocks learns at the full rate, the top block at d of it, the next one at d^2, and the
    embeddings below n blocks at d^(n + 1) (Howard and Ruder 2018; Zhang et al. 2021, section 7).
    """
    trained = [name for name, p in model.named_parameters() if p.requires_grad]
    if recipe.layerwise_lr_decay == 1:
        return dict.fromkeys(trained, 1.0)
    names = blocks(model, "layerwise_lr_decay")
    height, top = heights(model, names), len(names) + 1
    return {name: recipe.layerwise_lr_decay ** (top - height[name]) for name in trained}
