"""How is a model fine-tuned: every choice of one run except the seeds and the rows."""

import math
import re
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from seedwise.content import check_keys, content_hash, read_toml
from seedwise.errors import RequestError
from seedwise.validation import check_choice, check_count, check_fraction, check_number, check_switch, check_text

__all__ = ["PRESETS", "Evaluations", "Recipe"]

_EVALUATIONS = re.compile(r"(?:(?P<count>\d+) )?per (?P<unit>epoch|run)|every (?P<steps>\d+) steps?")


@dataclass(frozen=True, slots=True)
class Evaluations:
    """When a trial is scored on the validation rows; the last step is always scored.

    Args:
        count: How many evaluations per unit, or how many steps apart when the unit is steps; at least 1.
        unit: epoch, run or steps.

    Raises:
        RequestError: The count is below 1 or the unit is unknown.

    Example:
        >>> Evaluations.parse("10 per epoch")
        Evaluations(count=10, unit='epoch')
        >>> str(Evaluations.parse("every 100 steps"))
        'every 100 steps'
        >>> Evaluations.parse("per epoch").at(steps_per_epoch=4, steps=12)
        (4, 8, 12)
    """

    count: int
    unit: str

    def __post_init__(self) -> None:
        check_count("the number of evaluations", self.count)
        check_choice("the unit of evaluations", self.unit, ("epoch", "run", "steps"))

    @classmethod
    def parse(cls, text: str) -> "Evaluations":
        """Read ``10 per epoch``, ``10 per run``, ``per epoch`` or ``every 100 steps``."""
        match = _EVALUATIONS.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            raise RequestError(
                f"evaluations must read '10 per epoch', '10 per run', 'per epoch' or 'every 100 steps', not {text!r}; "
                "write it in one of these forms."
            )
        if match["steps"]:
            return cls(int(match["steps"]), "steps")
        return cls(int(match["count"] or 1), match["unit"])

    def at(self, steps_per_epoch: int, steps: int) -> tuple[int, ...]:
        """Return the steps after which a run of this length is scored, ascending, without repeats.

        Args:
            steps_per_epoch: Optimiser steps in one epoch.
            steps: Optimiser steps in the whole run.
        """
        if self.unit == "steps":
            found = range(self.count, steps + 1, self.count)
        else:
            span = steps_per_epoch if self.unit == "epoch" else steps
            wanted = math.ceil(steps / span * self.count)
            found = (round(i * span / self.count) for i in range(1, wanted + 1))  # type: ignore[assignment]
        return tuple(sorted({step for step in found if 0 < step < steps} | {steps}))

    def __str__(self) -> str:
        return f"every {self.count} steps" if self.unit == "steps" else f"{self.count} per {self.unit}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Every choice of one fine-tuning run except the seeds; names are Hugging Face's where the meaning is.

    Args:
        model: A model's name on the hub, a folder in the Hugging Face layout, or ``embedded`` for the encoder inside
            the package.
        learning_rate: The peak learning rate; above 0.
        num_train_epochs: Passes over the training rows; above 0. Ignored when max_steps is given.
        max_steps: Optimiser steps of the full run, instead of epochs.
        batch_size: Rows in one optimiser step are batch_size x gradient_accumulation_steps.
        gradient_accumulation_steps: Parts that one step's rows are computed in. Without dropout the gradient is that of
            the whole step, but for rounding; with dropout the masks depend on the parts.
        warmup_ratio: Share of the steps over which the learning rate rises from 0; it then falls linearly to 0.
        weight_decay: Decoupled weight decay on all parameters but biases and normalisation weights.
        adam_beta1: Decay of the first moment.
        adam_beta2: Decay of the second moment.
        adam_epsilon: Added to the root of the second moment.
        bias_correction: Whether Adam's moments are corrected for starting at 0; BERTAdam (Devlin et al. 2019) does not.
        max_grad_norm: Gradients are scaled down to this norm; 0 does not clip.
        dropout: Dropout rate of the encoder and the head; the model's own where None.
        max_length: Longest input in tokens; longer ones are truncated and counted.
        dtype: float32, or bfloat16 for mixed precision (weights and moments stay float32).
        evaluations: When the trial is scored; also written ``10 per epoch``, ``10 per run``, ``every 100 steps``.

    Raises:
        RequestError: A field breaks its rule.

    Example:
        >>> Recipe.preset("dodge2020", model="google-bert/bert-large-uncased").batch_size
        16
    """

    model: str
    learning_rate: float = 2e-5
    num_train_epochs: float = 3.0
    max_steps: int | None = None
    batch_size: int = 16
    gradient_accumulation_steps: int = 1
    warmup_ratio: float = 0.1
    weight_decay: float = 0.01
    adam_beta1: float = 0.9
    adam_beta2: float = 0.999
    adam_epsilon: float = 1e-8
    bias_correction: bool = True
    max_grad_norm: float = 1.0
    dropout: float | None = None
    max_length: int = 128
    dtype: str = "float32"
    evaluations: Evaluations = Evaluations(10, "epoch")

    def __post_init__(self) -> None:
        if not isinstance(self.evaluations, Evaluations):
            object.__setattr__(self, "evaluations", Evaluations.parse(self.evaluations))
        check_text("model", self.model)
        for name in ("learning_rate", "num_train_epochs", "adam_epsilon"):
            check_number(name, getattr(self, name), above=True)
        for name in ("weight_decay", "max_grad_norm"):
            check_number(name, getattr(self, name))
        for name in ("adam_beta1", "adam_beta2"):
            check_fraction(name, getattr(self, name), zero=True, one=False)
        check_fraction("warmup_ratio", self.warmup_ratio, zero=True)
        if self.dropout is not None:
            check_fraction("dropout", self.dropout, zero=True, one=False)
        if self.max_steps is not None:
            check_count("max_steps", self.max_steps)
        check_count("batch_size", self.batch_size)
        check_count("gradient_accumulation_steps", self.gradient_accumulation_steps)
        check_count("max_length", self.max_length, least=4)
        check_switch("bias_correction", self.bias_correction)
        check_choice("dtype", self.dtype, ("float32", "bfloat16"))
        for name in _FLOATS:  # a whole number from TOML or the command line is the same recipe, and so is minus zero
            if getattr(self, name) is not None:
                object.__setattr__(self, name, float(getattr(self, name)) + 0.0)

    @classmethod
    def preset(cls, name: str, /, **changes: Any) -> "Recipe":
        """Return a published recipe, with a model and any changes put in.

        Args:
            name: devlin2019, dodge2020, zhang2021 or mosbach2021.
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
        """The hash of the recipe's content."""
        return content_hash(self.to_json())

    @property
    def model_name(self) -> str:
        """The model's name without its folder or its organisation on the hub, for tables and titles."""
        return self.model.rstrip("/").rsplit("/", 1)[-1]

    def steps_per_epoch(self, train_rows: int) -> int:
        """Return the optimiser steps of one epoch; the last one may hold fewer rows."""
        return math.ceil(train_rows / (self.batch_size * self.gradient_accumulation_steps))

    def steps(self, train_rows: int) -> int:
        """Return the optimiser steps of the full run."""
        return self.max_steps or max(1, math.ceil(self.steps_per_epoch(train_rows) * self.num_train_epochs))

    def evaluation_steps(self, train_rows: int) -> tuple[int, ...]:
        """Return the steps after which a trial is scored; the last is the end of the run."""
        return self.evaluations.at(self.steps_per_epoch(train_rows), self.steps(train_rows))

    def with_changes(self, /, **changes: Any) -> "Recipe":
        """Return a copy with some fields changed."""
        check_keys("the recipe", changes, tuple(f.name for f in fields(self)))
        return replace(self, **changes)

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as plain JSON."""
        return {**asdict(self), "evaluations": str(self.evaluations)}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Recipe":
        """Build a recipe from what ``to_json`` returned."""
        check_keys("the recipe", content, tuple(f.name for f in fields(cls)))
        if "model" not in content:
            raise RequestError("the recipe needs a model; name one on the hub, a folder, or 'embedded'.")
        return cls(**content)


_FLOATS = (
    "learning_rate",
    "num_train_epochs",
    "warmup_ratio",
    "weight_decay",
    "adam_beta1",
    "adam_beta2",
    "adam_epsilon",
    "max_grad_norm",
    "dropout",
)

_BERT_ADAM = {"bias_correction": False, "adam_epsilon": 1e-6, "weight_decay": 0.01}

PRESETS: dict[str, dict[str, Any]] = {
    # Devlin et al. (2019), appendix A.3: of the recommended ranges, those that Zhang et al. (2021) call the default.
    "devlin2019": {**_BERT_ADAM, "batch_size": 32, "evaluations": "per epoch"},
    # Dodge et al. (2020), section 2: BERTAdam as in Devlin et al., ten evaluations in each epoch.
    "dodge2020": {**_BERT_ADAM, "batch_size": 16, "evaluations": "10 per epoch"},
    # Zhang et al. (2021), section 3: debiased Adam, no weight decay, ten evaluations in the whole run.
    "zhang2021": {"batch_size": 32, "weight_decay": 0.0, "adam_epsilon": 1e-8, "evaluations": "10 per run"},
    # Mosbach et al. (2021), section 6: bias correction and long training.
    "mosbach2021": {
        "batch_size": 16,
        "weight_decay": 0.01,
        "adam_epsilon": 1e-6,
        "num_train_epochs": 20.0,
        "evaluations": "per epoch",
    },
}
"""Published recipes; learning rate 2e-5, three epochs, 10 % warm-up and clipping at 1.0 unless a preset says else."""
