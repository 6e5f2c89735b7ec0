"""How long does a step take in a layout? Processes of our own take a few steps and tell."""

import json
import math
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Self

from seedwise.executors.layout import Layout
from seedwise.executors.workers.process import pinned
from seedwise.values.trial import Trial

__all__ = ["SECONDS", "Probes", "Speed"]

SECONDS = 2.0
"""How long each layout takes steps."""

PATIENCE = 120.0
"""Seconds after which a probe that does not answer is given up."""


class Speed(NamedTuple):
    """What was found of one layout.

    Args:
        layout: The layout.
        seconds: Time per step and trial, all workers together; infinite where it failed.
        error: Why it failed.
    """

    layout: Layout
    seconds: float
    error: str | None = None


class Probes:
    """Processes that measure; a context manager that leaves nothing running.

    Args:
        count: How many, at least as many as the workers of a layout on one device.
        device: Where they compute.
        trial: What they train, with other seeds.
        data: The tokens of its task.
    """

    def __init__(self, count: int, device: str, trial: Trial, data: Path) -> None:
        self._request = {"trial": trial.to_json(), "data": str(data), "seconds": SECONDS}
        self._command = [sys.executable, "-P", "-m", "seedwise.executors.probe", device]
        self._count = count

    def __enter__(self) -> Self:
        self._processes = [
            subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                encoding="utf-8",
                env=pinned(1),
            )
            for _ in range(self._count)
        ]
        return self

    def __exit__(self, *exception: object) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()

    def measure(self, layout: Layout) -> Speed:
        """Let a layout's workers take some steps at the same time."""
        request = {**self._request, "path": layout.path, "threads": layout.threads, "width": layout.width}
        used = self._processes[: layout.workers]
        for process in used:
            _send(process, request)
        answers = [_answer(process) for process in used]
        errors = [answer["error"] for answer in answers if "error" in answer]
        if errors:
            return Speed(layout, math.inf, errors[0])
        slowest = max(float(answer["seconds"]) for answer in answers)
        return Speed(layout, slowest / (len(used) * layout.width))


def _send(process: "subprocess.Popen[str]", request: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):  # the missing answer tells
        if process.stdin is not None:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()


def _answer(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Wait for a probe's answer; one that is stuck is killed, which ends its output."""
    timer = threading.Timer(PATIENCE, process.kill)
    timer.start()
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
    finally:
        timer.cancel()
    found: dict[str, Any] = json.loads(line) if line.endswith("\n") else {"error": "the probe ended"}
    return found
