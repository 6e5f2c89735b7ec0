"""How long does a step take? A process that is told a path and a width, takes some steps, and answers.

It is started as ``python -m seedwise.executors.probe DEVICE`` and reads one JSON object a line. Several at once show what
workers take from each other.
"""

import gc
import json
import statistics
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from seedwise.executors.serve import output_alone

__all__ = ["main"]

WARM_STEPS = 2
"""Steps that are not counted: memory is taken and shapes are seen for the first time."""

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
    """Return the median time of a step of all trials of a stack."""
    import torch

    from seedwise.data.tokens import TokenizedTask
    from seedwise.executors.lanes import begin, lane
    from seedwise.seeds import Seeds
    from seedwise.trial import Trial

    gc.collect()  # what the last request left
    torch.set_num_threads(request["threads"])
    data, trial = TokenizedTask.open(Path(request["data"])), Trial.from_json(request["trial"])
    place = lane(request["path"], device)
    for k in range(request["width"]):
        place.join(begin(replace(trial, seeds=Seeds(k + 1, k + 1)), data, device, request["path"]))
    most = min(WARM_STEPS + MOST_STEPS, trial.recipe.steps(len(data.train)))
    times: list[float] = []
    while len(times) < most and (len(times) < WARM_STEPS + FEWEST_STEPS or sum(times) < request["seconds"]):
        began = time.monotonic()
        place.step()
        times.append(time.monotonic() - began)  # it waits for the losses, so a GPU is done
    return statistics.median(times[WARM_STEPS:] or times)


if __name__ == "__main__":
    main(*sys.argv[1:])
