"""Which layout does a study get? What it began with, what was measured here before, what is measured now, or a default."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from seedwise.data.pretrained import resolve_model
from seedwise.data.tokens import TokenizedTask
from seedwise.errors import RequestError
from seedwise.executors.base import Remaining
from seedwise.executors.environment import device_name, versions
from seedwise.executors.layout import FAST, Layout, cores, reason_against
from seedwise.executors.measuring import SECONDS, Probes, Speed
from seedwise.executors.remembered import recall, remember
from seedwise.values.recipe import Recipe

__all__ = ["Choice", "Wish", "choose", "stack_room", "usual"]

SHARE = 0.03
"""Measuring may take this share of the time that the study is expected to take."""

START_SECONDS = 10.0
"""Time until the probes have loaded their libraries."""

RATE = {"cpu": 50e9, "cuda": 50e12}
"""Operations in a second that a core, or a GPU, is expected to do before anything is measured; more than most do."""

STEP_SECONDS = 0.002
"""What a step is expected to need besides."""

AGAIN = 1.5
"""What takes less than this many times the fastest layout's time is measured twice."""

MARGIN = 1.1
"""The usual layout is kept where none is faster by more than this: that much may be noise."""

DEFAULT_WIDTH = {"cpu": 2, "cuda": 8}
"""How many trials a stack holds where nothing is measured."""

WIDEST = {"cpu": 2, "cuda": 64}
"""How many trials a stack holds at most where it is measured."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for; None leaves it open.

    Args:
        path: packed, compiled or fused.
        workers: Processes.
        threads: Threads of each.
        width: Trials in a stack.
        devices: Where to compute; all of one kind.
    """

    path: str | None
    workers: int | None
    threads: int | None
    width: int | None
    devices: Sequence[str]

    @property
    def device(self) -> str:
        """The first device."""
        return self.devices[0]

    @property
    def kind(self) -> str:
        """Which kind of device: cpu or cuda."""
        return self.device.partition(":")[0]

    @property
    def processes(self) -> list[tuple[int, int]]:
        """Workers and threads of each, in all ways that are worth a measurement, the usual one first."""
        if self.kind == "cuda":
            return [(self.workers or len(self.devices), self.threads or 1)]
        if self.workers is not None or self.threads is not None:
            threads = self.threads or 1
            return [(self.workers or max(1, cores() // threads), threads)]
        return list(dict.fromkeys([(cores(), 1), (1, cores())]))


class Choice(NamedTuple):
    """A layout, and why, in half a sentence."""

    layout: Layout
    reason: str


def choose(work: Remaining, data: Path, wish: Wish, *, fit: int | None = None, plain: bool = True) -> Choice:
    """Choose a layout for what is left of one task and recipe, which can take a fast path.

    Args:
        work: What is left.
        data: The tokens of its task.
        wish: What was asked for.
        fit: How many trials memory holds in a stack, as ``stack_room`` tells; by default of this work.
        plain: Whether the plain path may be taken.

    Raises:
        RequestError: A stack of the width that was asked for does not fit into memory.
    """
    fit = stack_room(work, data, wish) if fit is None else fit
    most = max(1, min(wish.width or WIDEST[wish.kind], fit, work.trials // wish.processes[0][0]))
    default = usual(work.trial.recipe, wish, most)
    if wish.path in ("packed", "compiled") or (wish.path == "fused" and wish.width is not None):
        if default.width > work.trials:
            reason = f"as asked, but no wider than there are trials left ({work.trials})"
            return Choice(default._replace(width=work.trials), reason)
        return Choice(default, "as asked")
    if (begun := _begun(work, wish, default, fit)) is not None:
        return Choice(begun, "as the study began")
    layouts = [default, *(x for x in _candidates(work, wish, most, plain=plain) if x != default)]
    if len(layouts) == 1:
        return Choice(default, "there is no other here")
    length = float(TokenizedTask.open(data).train.lengths.mean())
    about = _about(work, wish, length, layouts)
    if (known := recall(about)) is not None:
        return Choice(known.layout, f"{known.reason}; measured on {known.date}")
    if START_SECONDS + 2 * AGAIN * SECONDS * len(layouts) > SHARE * _expected_seconds(work, wish, length):
        return Choice(default, "not measured, as the study is short")
    speeds = _measure(layouts, work, data, wish)
    best = min(speeds, key=lambda speed: speed.seconds)
    if best.error is not None:
        return Choice(default, f"nothing could be measured ({best.error})")
    if speeds[0].seconds < MARGIN * best.seconds:
        best = speeds[0]
    choice = Choice(best.layout, _words(best, speeds))
    remember(about, *choice)
    return choice


def usual(recipe: Recipe, wish: Wish, most: int = 64) -> Layout:
    """Return what is asked for, and of the rest what is fast as a rule.

    Args:
        recipe: What is trained.
        wish: What was asked for.
        most: How many trials can share a stack.
    """
    workers, threads = wish.processes[0]
    width = wish.width or min(most, DEFAULT_WIDTH[wish.kind])
    first = wish.path or ("fused" if wish.kind == "cuda" else "compiled")
    able = [path for path in (first, "packed", "plain") if reason_against(path, recipe, wish.device) is None]
    path = able[0]
    return Layout(path, workers, threads, width if path == "fused" else 1)


def stack_room(work: Remaining, data: Path, wish: Wish) -> int:
    """Return how many trials memory holds in the stack of each worker, 0 where not even one is sure to fit.

    Args:
        work: What is left of one task and recipe, which can take a fast path.
        data: The tokens of its task.
        wish: What was asked for.

    Raises:
        RequestError: A stack of the width that was asked for does not fit.
    """
    from seedwise.engines.memory import widest

    recipe, workers = work.trial.recipe, wish.processes[0][0]
    at_once = -(-workers // len(wish.devices))  # workers on a device
    fit = widest(recipe, TokenizedTask.open(data), wish.device) // at_once
    if wish.width is not None and min(wish.width, work.trials) > max(1, fit):
        shared = f", which {at_once} workers share" if at_once > 1 else ""
        room = "more trials do not fit" if fit else "not even one trial is sure to fit"
        raise RequestError(
            f"width must be at most {max(1, fit)} for {recipe.model_name} on {wish.device}, not {wish.width}: {room} into "
            f"its memory{shared}; ask for less."
        )
    return fit


def _begun(work: Remaining, wish: Wish, default: Layout, fit: int) -> Layout | None:
    """Return the layout that the study began with, where it began here and nothing else is asked for."""
    ran_on, path = work.origin, work.origin.get("path")
    if path not in FAST or wish.path not in (None, path) or ran_on.get("device_name") != device_name(wish.device):
        return None
    width = int(ran_on.get("width", 1))
    if wish.width not in (None, width) or reason_against(path, work.trial.recipe, wish.device) is not None:
        return None
    threads = wish.threads or int(ran_on["threads"])
    workers = default.workers if wish.kind == "cuda" else wish.workers or max(1, cores() // threads)
    return Layout(path, workers, threads, min(width, max(1, fit)))


def _candidates(work: Remaining, wish: Wish, most: int, *, plain: bool) -> list[Layout]:
    fast = [path for path in FAST if path != "fused" or wish.kind == "cuda"]  # a CPU computes a stack trial by trial
    recipe, paths = work.trial.recipe, (wish.path,) if wish.path else (*fast, *(("plain",) if plain else ()))
    least = 0 if wish.kind == "cuda" else 1  # exponent: on a GPU a stack of one gains too, as its steps are recorded
    found = []
    for path in paths:
        if reason_against(path, recipe, wish.device) is not None:
            continue
        for workers, threads in wish.processes[: 1 if path == "plain" else None]:
            widths = [2**k for k in range(least, 7) if 2**k <= most] if path == "fused" else [1]
            found += [Layout(path, workers, threads, width) for width in widths]
    return found


def _measure(layouts: Sequence[Layout], work: Remaining, data: Path, wish: Wish) -> list[Speed]:
    """Measure layouts in turn, the default first, and those near the fastest again: other programs may disturb one.

    Where the first shows that the study is shorter than expected, it stays the only one.
    """
    count = max(layout.workers for layout in layouts) if wish.kind == "cpu" else 1
    with Probes(count, wish.device, work.trial, data) as probes:
        began = time.monotonic()
        found = {layouts[0]: probes.measure(layouts[0])}
        took = time.monotonic() - began
        if found[layouts[0]].seconds * work.steps * SHARE < AGAIN * took * (len(layouts) - 1):
            return [*found.values()]
        for layout in layouts[1:]:
            found[layout] = probes.measure(layout)
        fastest = min(speed.seconds for speed in found.values())
        for layout, speed in found.items():
            if speed.seconds < AGAIN * fastest:
                found[layout] = min(speed, probes.measure(layout), key=lambda each: each.seconds)
    return [*found.values()]


def _expected_seconds(work: Remaining, wish: Wish, tokens: float) -> float:
    """Return about how long the work takes here, rather too short than too long."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(resolve_model(work.trial.recipe.model))
    width, blocks = int(getattr(config, "hidden_size", 0) or 768), int(getattr(config, "num_hidden_layers", 0) or 12)
    operations = 6 * 12 * blocks * width**2 * tokens * work.trial.recipe.step_rows
    units = cores() if wish.kind == "cpu" else len(wish.devices)
    return work.steps * (operations / RATE[wish.kind] + STEP_SECONDS) / units


def _about(work: Remaining, wish: Wish, tokens: float, layouts: Sequence[Layout]) -> dict[str, Any]:
    """Return what a measurement holds for."""
    recipe = work.trial.recipe
    return {
        "device": device_name(wish.device),
        "devices": len(wish.devices),
        "cores": cores(),
        "model": recipe.model,
        "rows": recipe.step_rows,
        "tokens": float(f"{tokens:.1g}"),  # tasks of like length share a choice
        "dtype": recipe.dtype,
        "asked": [wish.path, wish.workers, wish.threads, wish.width],
        "paths": sorted({layout.path for layout in layouts}),
        "widest": max(layout.width for layout in layouts),
        **versions(),
    }


def _words(best: Speed, speeds: Sequence[Speed]) -> str:
    """Return what was measured of the best, and beside it of every other path, the fastest first."""
    others: dict[str, Speed] = {}
    for speed in sorted(speeds, key=lambda speed: speed.seconds):
        if speed.error is None and speed.layout.path != best.layout.path:
            others.setdefault(speed.layout.path, speed)
    beside = ", ".join(f"{path} {_milliseconds(speed)}" for path, speed in others.items())
    return f"{_milliseconds(best)} ms per trial and step" + (f" ({beside})" if beside else "")


def _milliseconds(speed: Speed) -> str:
    return f"{1000 * speed.seconds:.3g}"
