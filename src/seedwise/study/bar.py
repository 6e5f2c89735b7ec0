"""How is a running study shown: trials by state, best so far, evaluations per second, time left?"""

import time
from importlib.util import find_spec
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from seedwise.study.progress import StudyProgress
from seedwise.values.trial import TrialState

__all__ = ["StudyBar", "duration"]


class StudyBar:
    """A progress bar on standard error; silent where that is neither a terminal nor a notebook that can show one."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        seen = console.is_terminal or (console.is_jupyter and find_spec("ipywidgets") is not None)
        columns = (BarColumn(bar_width=16), TextColumn("{task.description}", table_column=Column()))
        self._progress = Progress(*columns, console=console, disable=not seen, transient=True)
        self._task = self._progress.add_task("starting workers", total=None)
        self._began: tuple[float, int] | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def update(self, study: StudyProgress) -> None:
        """Show where the study stands."""
        done, total = study.evaluations_done, study.evaluations_done + study.evaluations_left
        self._progress.update(self._task, completed=done, total=total, description=self._words(study))

    def _words(self, study: StudyProgress) -> str:
        """Return one line on time, one on trials, and one on scores where there are any."""
        now, done, left = time.monotonic(), study.evaluations_done, study.evaluations_left
        if self._began is None:
            self._began = (now, done)
        since, before = self._began
        speed = ""
        if done > before:
            rate = (done - before) / (now - since)
            speed = f" · {rate:.1f} per second · {duration(left / rate)} left"
        lines = [f"{done} of {done + left} evaluations{speed}"]
        lines.append(" · ".join(f"{study.states[state]} {state}" for state in TrialState if study.states[state]))
        if study.best:
            best = (f"{task} {metric} {score:.3f}" for task, (metric, score) in study.best.items())
            lines.append(f"best: {' · '.join(best)}")
        return "\n".join(lines)


def duration(seconds: float) -> str:
    """Return a time that a person reads at a glance.

    Example:
        >>> duration(43.2), duration(7164), duration(90061)
        ('0:43', '1:59:24', '25:01:01')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
