"""How is a running study shown: trials by state, best so far, evaluations per second, time left?"""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from seedwise.live import StudyProgress
from seedwise.trial import TrialState

__all__ = ["StudyBar"]


class StudyBar:
    """A progress bar on standard error; silent when that is no terminal."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (BarColumn(bar_width=24), TextColumn("{task.description}"))
        self._progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
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
        states = " · ".join(f"{study.states[state]} {state}" for state in TrialState if study.states[state])
        best = " · ".join(f"{task} {metric} {score:.3f}" for task, (metric, score) in study.best.items())
        now = time.monotonic()
        if self._began is None:
            self._began = (now, study.evaluations_done)
        since, before = self._began
        new = study.evaluations_done - before
        if not new:
            return f"{states}" + (f" | best {best}" if best else "")
        rate = new / (now - since)
        return f"{states} | best {best} | {rate:.1f} evaluations/s | {_clock(study.evaluations_left / rate)} left"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
