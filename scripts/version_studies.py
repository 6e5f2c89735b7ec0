"""Which studies show that a version of seedwise still does what another did: one of each kind, each of seconds?

Commands are spelt as the newest version spells them; `spelt` turns them into an older version's words.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Sequence
from pathlib import Path
from signal import SIGINT, SIGKILL
from typing import NamedTuple

__all__ = ["KINDS", "QUICK", "Kind", "Stop", "spelt", "write_rows"]

OLDER = {"--engine": "--executor", "--design": "--study"}
"""A flag of ``seedwise run``, and its name in a version whose ``seedwise run --help`` does not know it."""

OLDER_VALUES = {"--executor=plain": "--executor=local"}
"""A flag with its value, and what it was where the flag has its older name."""


class Stop(NamedTuple):
    """When and how a run is ended before its end.

    Args:
        signal: What its process is sent: SIGINT alone, or SIGKILL with all its workers.
        study: Whose states tell when, below the study's folder.
        states: As soon as there are trials in all these states.
    """

    signal: int
    study: str
    states: frozenset[str]


class Kind(NamedTuple):
    """A kind of study.

    Args:
        name: What the comparison calls it.
        command: The command that makes it, without its folder; ``{rows}`` is where `write_rows` has written.
        engine: Where and how it is trained, said again when it is continued.
        stop: How its first run ends early.
        places: The studies that it holds, below its folder.
        compared: The two recipes that ``seedwise compare`` is asked for.
    """

    name: str
    command: tuple[str, ...]
    engine: tuple[str, ...] = ()
    stop: Stop | None = None
    places: tuple[str, ...] = (".",)
    compared: tuple[str, ...] = ()

    @property
    def is_trained(self) -> bool:
        """Whether its trials are trained, not imported."""
        return self.command[0] == "run"


_FILES = tuple(f"--{split}={{rows}}/{split}.csv" for split in ("train", "validation", "test"))
_OWN = ("run", *_FILES, "--text=text", "--label=label", "--model=embedded", "--set=learning_rate=5e-4")
_SHORT = (*_OWN, "--set=num_train_steps=6", "--set=evaluations=3 per run")
_RULE = (*_OWN, "--set=num_train_steps=10", "--set=evaluations=5 per run", "--start=5", "--fraction=0.4", "--keep=2")
_HALFWAY = frozenset({"paused", "running"})
_TWO_TASKS = ("run", "--task=embedded/entailment", "--task=embedded/similarity", "--train-size=32", "--model=embedded")
_SWITCHES = (
    'track=["distance", "gradient_norm", "bias_ratio"]',
    *("bias_correction=false", "reinit_layers=1", "reinit_pooler=true", "layerwise_lr_decay=0.9"),
    *("mixout=0.1", "pretrained_weight_decay=0.01", "gradient_accumulation_steps=2"),
)
_COLUMNS = ("task=:theirs", "recipe=method", "init=seed", "score=accuracy", "test_score=test_accuracy")

KINDS = (
    Kind(
        "staged",
        ("run", "--design={rows}/staged.toml", *_FILES, "--text=text", "--label=label"),
        ("--workers=1",),
        Stop(SIGKILL, "tuning", frozenset({"complete", "running"})),
        places=(".", "tuning", "intermediate"),
        compared=("Standard", "Re-init"),
    ),
    Kind("paused", _RULE, ("--engine=plain", "--workers=2"), Stop(SIGINT, ".", _HALFWAY)),
    Kind("killed", _RULE, ("--engine=compiled", "--workers=2"), Stop(SIGKILL, ".", _HALFWAY)),
    Kind(
        "own",
        (*_TWO_TASKS, "--set=num_train_steps=4", "--set=evaluations=2 per run", "--init=2", "--order=2"),
        ("--engine=plain", "--workers=2"),
    ),
    Kind("lora", (*_SHORT, "--set=lora_rank=4", "--seeds=2"), ("--workers=1",)),
    Kind(
        "tracked",
        (*_SHORT, *(f"--set={switch}" for switch in _SWITCHES), "--seeds=2"),
        ("--engine=packed", "--workers=1"),
    ),
    Kind("fused", (*_SHORT, "--seeds=2"), ("--engine=fused", "--width=2", "--workers=1")),
    Kind(
        "imported",
        ("import", "{rows}/curves.csv", *(f"--map={column}" for column in _COLUMNS), "--baseline=0.5"),
        compared=("first", "second"),
    ),
)

QUICK = (KINDS[-1],)
"""What a test can make and compare in seconds, as nothing is trained."""

_DESIGN = """title = "Staged"
question = "Does a study in stages open, continue and report as before?"
shows = ["recipes", "reinit", "tuning"]

[[task]]
names = ["embedded/entailment"]

[recipe]
model = "embedded"
learning_rate = 5e-4
num_train_steps = 6
evaluations = "3 per run"

[trials]
seeds = 3
tuning_seeds = 1

[intermediate]
task = "embedded/entailment"
train_size = 48
seeds = 1

[[arm]]
name = "Standard"

[[arm]]
name = "Intermediate"
set = { start_from = "intermediate" }

[[arm]]
name = "Re-init"
set = { reinit_pooler = true }
search = { reinit_layers = [0, 1, 2] }
"""


def spelt(command: Sequence[str], manual: str) -> list[str]:
    """Return a command in the words of the version whose ``seedwise run --help`` is given."""
    words = []
    for word in command:
        flag, equals, value = word.partition("=")
        flag = OLDER[flag] if flag in OLDER and flag not in manual else flag
        words.append(OLDER_VALUES.get(f"{flag}{equals}{value}", f"{flag}{equals}{value}"))
    return words


def write_rows(folder: Path) -> None:
    """Write the rows, the curves and the design that the kinds name."""
    folder.mkdir(parents=True)
    drawn = random.Random(0)
    for split, count in (("train", 32), ("validation", 24), ("test", 24)):
        rows = [(_text(drawn, label=i % 2), i % 2) for i in range(count)]
        _write(folder / f"{split}.csv", [("text", "label"), *rows])
    _write(folder / "curves.csv", _curves(drawn))
    (folder / "staged.toml").write_text(_DESIGN, encoding="utf-8")


def _text(drawn: random.Random, *, label: int) -> str:
    """Return a text whose words tell its label, more or less."""
    words = "the a film book was very".split() + ("bad dull sad poor".split(), "good great fine nice".split())[label]
    return " ".join(drawn.choice(words) for _ in range(8))


def _curves(drawn: random.Random) -> list[tuple[object, ...]]:
    """Return curves as another program may have written them, one of each recipe no better than a guess."""
    rows: list[tuple[object, ...]] = [("method", "seed", "step", "accuracy", "test_accuracy")]
    for recipe, level in (("first", 0.6), ("second", 0.65)):
        for seed in range(1, 7):
            top = 0.5 if seed == 1 else level + 0.1 * drawn.random()
            scores = [round(0.5 + (top - 0.5) * (1 - math.exp(-step)), 4) for step in range(1, 6)]
            rows += [(recipe, seed, 10 * i, s, round(s - 0.01, 4)) for i, s in enumerate(scores, start=1)]
    return rows


def _write(file: Path, rows: Sequence[Sequence[object]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows(rows)
