"""How long does a step take? A process that is told a path and a width, takes some steps, and answers.

It is started as ``python -m seedwise.executors.probe DEVICE`` and reads one JSON object a line. Several at once show what
workers take from each other.
"""

import gc
import json
import math
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedwise.executors.workers.main import compute_with, output_alone

if TYPE_CHECKING:  # loaded when the first request comes
    from seedwise.executors.lanes import Lane

__all__ = ["main"]

WARM_STEPS = 2
"""Steps that are not counted: memory is taken."""

FEWEST_STEPS, MOST_STEPS = 3, 100


def main(device: str) -> None:
    """Answer requests from standard input until it ends."""
    answers = output_alone()
    for line in sys.stdin:
        try:
            answer: dict[str, Any] = {"seconds": _seconds_per_step(json.loads(line), device)}
        except Exception as error:  # noqa: BLE001 - whatever a path dies of, another may do
            answer = {"error": f"{type(error).__name__}: {error}".strip().split("\n")[0]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _seconds_per_step(request: dict[str, Any], device: str) -> float:
    """Return the median time of a step of all trials of a stack.

    A stack on a GPU records what it has not seen the shapes of, which takes long and becomes rare in a long study: there the
    same steps are taken twice, and the second time counts.
    """
    from seedwise.data.tokens import TokenizedTask
    from seedwise.executors.lanes import begin, lane
    from seedwise.values.seeds import Seeds
    from seedwise.values.trial import Trial

    gc.collect()  # what the last request left
    compute_with(device, request["threads"])
    data, trial = TokenizedTask.open(Path(request["data"])), Trial.from_json(request["trial"])
    place = lane(request["path"], device)
    seeds = [Seeds(k + 1, k + 1) for k in range(request["width"])]
    members = [begin(replace(trial, seeds=each), data, device, request["path"]) for each in seeds]
    for training in members:
        place.join(training)
    most = min(WARM_STEPS + MOST_STEPS, trial.recipe.steps(len(data.train)))
    times = _times(place, most, request["seconds"])
    if request["path"] == "fused" and device.startswith("cuda"):
        for training in members:
            training.step = 0
        times = _times(place, len(times), math.inf)
    return statistics.median(times[WARM_STEPS:] or times)


def _times(place: "Lane", most: int, seconds: float) -> list[float]:
    """Take steps until this time is over, a few at least, and return how long each took."""
    times: list[float] = []
    while len(times) < most and (len(times) < WARM_STEPS + FEWEST_STEPS or sum(times) < seconds):
        began = time.monotonic()
        place.step()
        times.append(time.monotonic() - began)  # it waits for the losses, so a GPU is done
    return times


if __name__ == "__main__":
    main(*sys.argv[1:])
