"""How is a model fine-tuned? Every choice of a run except the seeds and the rows."""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from seedwise.errors import RequestError
from seedwise.values.checks import (
    check_choice,
    check_count,
    check_fraction,
    check_keys,
    check_number,
    check_switch,
    check_text,
    read_toml,
)
from seedwise.values.evaluations import Evaluations
from seedwise.values.identity import content_hash
from seedwise.values.presets import PRESETS

__all__ = ["TRACKED", "Recipe"]

TRACKED = ("distance", "gradient_norm", "bias_ratio")
"""What a trial can track at every step besides the loss."""


_ABOVE = partial(check_number, above=True)
_SHARE = partial(check_fraction, zero=True)
_BELOW_ONE = partial(check_fraction, zero=True, one=False)
_LAYERS = partial(check_count, least=0)


def _check_tracked(name: str, value: tuple[str, ...]) -> None:
    for each in value:
        check_choice(name, each, TRACKED)


def _said(default: Any, check: Callable[[str, Any], None] | None = None, **more: Any) -> Any:
    """A field with its check, which is skipped for None if that is the default."""
    return field(default=default, metadata={"check": check, **more})


_switch = partial(_said, switch=True)
"""A field that is no part of the recipe's id while it has its default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Every choice of one fine-tuning run except the seeds; fields that mean what they do in Hugging Face have its names.

    Args:
        model: A model's name on the hub, a folder in the Hugging Face layout, or ``embedded`` for the encoder inside
            the package.
        learning_rate: The peak learning rate; above 0.
        num_train_epochs: Passes over the training rows; above 0. Ignored when num_train_steps is given.
        num_train_steps: Optimiser steps of the full run, instead of epochs.
        batch_size: Rows in one optimiser step are batch_size x gradient_accumulation_steps.
        gradient_accumulation_steps: The number of parts one step is computed in. Without dropout the gradient is that of
            the whole step, up to rounding; with dropout the masks depend on the parts.
        warmup_ratio: Share of the steps over which the learning rate rises from 0; it then falls linearly to 0.
        weight_decay: Decoupled weight decay on all parameters but biases and normalisation weights.
        adam_beta1: Decay of the first moment.
        adam_beta2: Decay of the second moment.
        adam_epsilon: Added to the root of the second moment.
        bias_correction: Whether Adam's moments are corrected for starting at 0; BERTAdam (Devlin et al. 2019) does not.
        max_grad_norm: Gradients are clipped to this norm; 0 turns clipping off.
        dropout: Dropout rate of the encoder and the head; None keeps the model's own.
        max_length: Longest input in tokens; longer ones are truncated and counted.
        dtype: float32, or bfloat16 for mixed precision (weights and moments stay float32).
        evaluations: When the trial is scored; may be written as ``10 per epoch``, ``10 per run``, ``every 100 steps``.
        reinit_layers: L of Zhang et al. (2021, sec. 5): re-initialise this many top blocks with the init seed.
        reinit_pooler: Whether the pooler is drawn anew too, as Zhang et al. do with any L; a model without one, whose
            head is new altogether, has nothing to draw.
        layerwise_lr_decay: Factor on the learning rate for each block further down, so the embeddings learn slowest
            and the head at the full rate (Howard and Ruder 2018); 1 is one rate for all.
        pretrained_weight_decay: Decoupled decay towards the starting weights instead of 0 (Lee et al. 2020), on the
            parameters that weight_decay acts on; new parameters have no such weights and are spared.
        mixout: Probability p with which, at every step, each pretrained parameter is replaced by its starting value;
            the others are scaled so that the expectation stays (Lee et al. 2020); in [0, 1].
        freeze_layers: Freeze the embeddings and this many bottom blocks; 0 trains everything.
        start_from: A folder whose encoder replaces the model's own as the starting point: a study (its best model is
            taken) or a Hugging Face folder. Its head is not used.
        lora_rank: Train low-rank matrices of this rank beside frozen weights (Hu et al. 2022); 0 trains the weights.
        lora_alpha: Their product is scaled by alpha / rank.
        lora_targets: Names of the linear layers that get them; by default those that peft lists for the architecture.
        track: What to record at every step besides the loss: distance (L2 distance of each block from its starting
            values), gradient_norm (before clipping), bias_ratio (of Adam's update to the corrected one).

    Raises:
        RequestError: A field breaks its rule.

    Example:
        >>> Recipe.preset("dodge2020", model="google-bert/bert-large-uncased").batch_size
        16
    """

    model: str = field(metadata={"check": check_text})
    learning_rate: float = _said(2e-5, _ABOVE)
    num_train_epochs: float = _said(3.0, _ABOVE)
    num_train_steps: int | None = _said(None, check_count)
    batch_size: int = _said(16, check_count)
    gradient_accumulation_steps: int = _said(1, check_count)
    warmup_ratio: float = _said(0.1, _SHARE)
    weight_decay: float = _said(0.01, check_number)
    adam_beta1: float = _said(0.9, _BELOW_ONE)
    adam_beta2: float = _said(0.999, _BELOW_ONE)
    adam_epsilon: float = _said(1e-8, _ABOVE)
    bias_correction: bool = _said(default=True, check=check_switch)
    max_grad_norm: float = _said(1.0, check_number)
    dropout: float | None = _said(None, _BELOW_ONE)
    max_length: int = _said(128, partial(check_count, least=4))
    dtype: str = _said("float32", partial(check_choice, choices=("float32", "bfloat16")))
    evaluations: Evaluations = field(default=Evaluations(10, "epoch"))
    reinit_layers: int = _switch(0, _LAYERS)
    reinit_pooler: bool = _switch(default=False, check=check_switch)
    layerwise_lr_decay: float = _switch(1.0, partial(check_fraction, remedy="1 is one learning rate for all layers"))
    pretrained_weight_decay: float = _switch(0.0, check_number)
    mixout: float = _switch(0.0, partial(_SHARE, remedy="it is a probability, and 0 is no mixout"))
    freeze_layers: int = _switch(0, _LAYERS)
    start_from: str | None = _switch(None, check_text)
    lora_rank: int = _switch(0, _LAYERS)
    lora_alpha: float = _switch(16.0, _ABOVE)
    lora_targets: tuple[str, ...] = _switch(())
    track: tuple[str, ...] = _switch((), _check_tracked)

    def __post_init__(self) -> None:
        if not isinstance(self.evaluations, Evaluations):
            object.__setattr__(self, "evaluations", Evaluations.parse(self.evaluations))
        for name in _NAMES:
            object.__setattr__(self, name, _names(name, getattr(self, name)))
        for said in fields(self):
            value, check = getattr(self, said.name), said.metadata.get("check")
            if check is not None and not (value is None and said.default is None):
                check(said.name, value)
        self._check_together()
        for name in _FLOATS:  # a whole number from TOML or the command line is the same recipe, and so is minus zero
            if getattr(self, name) is not None:
                object.__setattr__(self, name, float(getattr(self, name)) + 0.0)

    def _check_together(self) -> None:
        """Refuse switches that contradict each other."""
        if not self.lora_rank:
            for name in ("lora_targets", "lora_alpha"):
                if getattr(self, name) != Recipe.__dataclass_fields__[name].default:
                    raise RequestError(f"{name} needs lora_rank, which is 0; set the rank, or leave {name} out.")
            return
        reasons = {
            "reinit_layers": "the blocks drawn anew would stay random",
            "reinit_pooler": "the pooler drawn anew would stay random",
            "freeze_layers": "it freezes the whole encoder already",
            "mixout": "no pretrained weight is trained that could be mixed with its starting value",
            "pretrained_weight_decay": "no pretrained weight is trained that could move away from its starting value",
        }
        for name, reason in reasons.items():
            if value := getattr(self, name):
                raise RequestError(
                    f"{name} = {value} and lora_rank = {self.lora_rank} contradict each other: LoRA trains small matrices "
                    f"beside frozen weights, and {reason}; turn one of the two off."
                )

    @classmethod
    def preset(cls, name: str, /, **changes: Any) -> "Recipe":
        """Return a published recipe for a model, with any changes.

        Args:
            name: devlin2019, dodge2020, zhang2021 or mosbach2021, or for a model of Zhang et al.'s Table 6 (xlnet,
                roberta, electra, bart) and a task (rte, mrpc, stsb, cola) as in zhang2021-xlnet-rte.
            **changes: Fields to set; ``model`` is needed.

        Raises:
            RequestError: The preset or a field is unknown, or a value breaks its rule.
        """
        check_choice("the preset", name, PRESETS)
        return cls.from_json({**PRESETS[name], **changes})

    @classmethod
    def from_toml(cls, path: str | Path, /, **changes: Any) -> "Recipe":
        """Read a recipe from a TOML file of fields; a key ``preset`` names a published one to start from.

        Args:
            path: The file.
            **changes: Fields that override the file's.

        Raises:
            RequestError: The file is missing or no TOML, or a field is unknown or breaks its rule.
        """
        content = read_toml("the recipe file", Path(path))
        preset = content.pop("preset", None)
        content |= changes
        return cls.from_json(content) if preset is None else cls.preset(preset, **content)

    @property
    def id(self) -> str:
        """The hash of the recipe's content, without switches that are off, so that new switches change no id."""
        content = self.switched_on()
        content["max_steps"] = content.pop("num_train_steps")  # what it was called in the first studies, whose ids stay
        return content_hash(content)

    @property
    def model_name(self) -> str:
        """The model's name without its folder or its organisation on the hub, for tables and titles."""
        return self.model.rstrip("/").rsplit("/", 1)[-1]

    @property
    def needs_layers(self) -> bool:
        """Whether a switch depends on the model's layers or weights and must be checked against the model."""
        named = (
            self.reinit_layers or self.freeze_layers or self.lora_rank or self.start_from or "distance" in self.track
        )
        return bool(named) or self.layerwise_lr_decay != 1

    @property
    def step_rows(self) -> int:
        """Rows in one optimiser step."""
        return self.batch_size * self.gradient_accumulation_steps

    def steps_per_epoch(self, train_rows: int) -> int:
        """Return the optimiser steps of one epoch; the last one may hold fewer rows."""
        return math.ceil(train_rows / self.step_rows)

    def steps(self, train_rows: int) -> int:
        """Return the optimiser steps of the full run."""
        return self.num_train_steps or max(1, math.ceil(self.steps_per_epoch(train_rows) * self.num_train_epochs))

    def evaluation_steps(self, train_rows: int) -> tuple[int, ...]:
        """Return the steps after which a trial is scored; the last is the end of the run."""
        return self.evaluations.at(self.steps_per_epoch(train_rows), self.steps(train_rows))

    def with_changes(self, /, **changes: Any) -> "Recipe":
        """Return a copy with some fields changed."""
        check_keys("the recipe", changes, tuple(f.name for f in fields(self)))
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as plain JSON."""
        names = {name: list(getattr(self, name)) for name in _NAMES}
        return {**asdict(self), "evaluations": str(self.evaluations), **names}

    def switched_on(self) -> dict[str, Any]:
        """Return the recipe as plain JSON, without the switches that are off."""
        return {key: value for key, value in self.to_json().items() if value != _OFF.get(key, _NEVER)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Recipe":
        """Build a recipe from what ``to_json`` returned."""
        if "max_steps" in content:  # written before it was renamed
            content = {**content, "num_train_steps": content["max_steps"]}
            del content["max_steps"]
        check_keys("the recipe", content, tuple(f.name for f in fields(cls)))
        if "model" not in content:
            raise RequestError("the recipe needs a model; name one on the hub, a folder, or 'embedded'.")
        return cls(**content)


_FLOATS = tuple(said.name for said in fields(Recipe) if said.type in (float, float | None))
_NAMES = tuple(said.name for said in fields(Recipe) if said.type == tuple[str, ...])


def _names(what: str, given: object) -> tuple[str, ...]:
    """Return names as a tuple without repeats; one text may hold several, separated by commas."""
    found = given.split(",") if isinstance(given, str) else given
    if not isinstance(found, list | tuple) or not all(isinstance(name, str) for name in found):
        raise RequestError(f"{what} must be names, not {given!r}; write them as a list, or with commas between.")
    return tuple(dict.fromkeys(name.strip() for name in found if name.strip()))


_SWITCHES = {said.name for said in fields(Recipe) if "switch" in said.metadata}
_OFF = {name: value for name, value in Recipe(model="any").to_json().items() if name in _SWITCHES}
_NEVER = object()
