"""How is a study run to its end? Ask the schedule, hand jobs to the executor, record what it reports, keep the best.

The store is written before anything follows from a report, and everything decided here follows from the store. So a
study that is killed anywhere is continued by running it again.
"""

import signal
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from seedwise.errors import StorageError, WorkError
from seedwise.executors.base import Executor, Job, Session
from seedwise.executors.messages import Completed, Failed, Interrupted, Measured, Message, Outcome, Paused, Started
from seedwise.store.store import Store
from seedwise.study.progress import LiveTrial, RunningCell, StudyProgress, study_progress
from seedwise.study.schedule import Goal, Schedule
from seedwise.study.winners import export_winners
from seedwise.values.facts import TaskFacts
from seedwise.values.record import Cause, by_cell, own_trial, winner
from seedwise.values.rows import Predictions
from seedwise.values.stopping import StoppingRule
from seedwise.values.trial import TrialState

__all__ = ["run_study"]

REDRAW_SECONDS = 0.25
"""How long to wait for reports before progress is shown again."""

FEW_ROWS = 16
"""Fewer training rows than these have so few orders that two seeds may well draw the same one by chance."""


def run_study(
    folder: Path,
    store: Store,
    executor: Executor,
    on_progress: Callable[[StudyProgress], None] | None = None,
    *,
    keep_winners: bool = True,
    more: Callable[[int], Collection[str]] | None = None,
) -> None:
    """Run every trial that the rule asks for and that is not stored yet; see `Study.run`.

    Args:
        folder: The study's folder.
        store: Its open store.
        executor: Where trials run.
        on_progress: Called with the study's progress.
        keep_winners: Write each task's winner to ``best/``.
        more: Says by id which trials are run next, whenever those before have ended, and ends the run with none. It is told how
            many can run at once and may add trials to the store; it is called once before the start, with 0, so that the
            executor is told of the first.
    """
    store.reset_running()
    if more is not None:
        more(0)
    cells = _cells(store, executor)
    run = _Run(store, cells, on_progress or (lambda _: None), keep_winners=keep_winners, more=more)
    with executor.open(folder / "checkpoints", [cell.remaining() for cell in cells]) as session:
        try:
            with _ctrl_c_waits() as asked:
                run.until_nothing_is_left(session, asked)
        except (KeyboardInterrupt, WorkError):
            run.record(session.stop(), session)
            raise
        if keep_winners:
            export_winners(folder, store, session)


@contextmanager
def _ctrl_c_waits() -> Iterator[Sequence[int]]:
    """Delay Ctrl-C until every report is stored, then raise it; a second Ctrl-C interrupts at once."""
    asked: list[int] = []

    def note(number: int, _: object) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    ours = threading.current_thread() is threading.main_thread()
    if ours and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, note)
        try:
            yield asked
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if asked:
            raise KeyboardInterrupt
    else:
        yield asked


class _Run:
    """One run of a study: its cells, its store, and its progress display."""

    def __init__(
        self,
        store: Store,
        cells: list[RunningCell],
        on_progress: Callable[[StudyProgress], None],
        *,
        keep_winners: bool,
        more: Callable[[int], Collection[str]] | None = None,
    ) -> None:
        self._store, self._cells, self._on_progress, self._keep_winners = store, cells, on_progress, keep_winners
        self._more = more
        self._wanted: set[str] | None = None if more is None else set()  # the trials to run; None for all
        self._live = {live.id: live for cell in cells for live in cell.trials}
        self._broken_off: set[str] = set()  # trials whose later reports would leave a gap
        self._retry_crashed()

    def until_nothing_is_left(self, session: Session, asked: Sequence[int] = ()) -> None:
        """Start what may start and record what comes back, until every trial has ended or a stop was ``asked`` for."""
        self._sweep(session)
        while not asked:
            self._decide(session)
            self._on_progress(study_progress(self._cells))
            if not any(live.state is TrialState.RUNNING for live in self._live.values()):
                if self._ask(session):
                    continue
                return
            self.record(session.wait(REDRAW_SECONDS), session)

    def record(self, messages: list[Message], session: Session) -> None:
        """Store what the executor reports, then act on it; if one message cannot be stored, those of other trials still are."""
        problems: list[WorkError] = []
        for message in messages:
            if message.trial_id in self._broken_off:
                continue
            try:
                self._record_one(message, session)
            except WorkError as problem:
                problems.append(problem)
                self._broken_off.add(message.trial_id)
        if problems:
            raise problems[0]

    def _sweep(self, session: Session) -> None:
        """Delete what an earlier run was killed before deleting."""
        for trial_id in session.kept():
            live = self._live.get(trial_id)
            if live is None or live.state is TrialState.FAILED:
                session.drop(trial_id)
            elif live.state is TrialState.COMPLETE:
                self._keep_best_weights(live, session)

    def _decide(self, session: Session) -> None:
        for cell in self._cells:
            decision = cell.decide()
            for i in decision.drop:
                live = cell.trials[i]
                session.drop(live.id)
                if live.state is not TrialState.STOPPED:
                    self._set_state(live, TrialState.STOPPED)
            run = [(i, goal) for i, goal in decision.run if self._is_wanted(cell.trials[i])]
            for i, goal in run[: session.free]:
                self._submit(cell, cell.trials[i], goal, session)

    def _is_wanted(self, live: LiveTrial) -> bool:
        return self._wanted is None or live.id in self._wanted

    def _ask(self, session: Session) -> bool:
        """Ask which trials are to run now, take in those that have been added, and return whether there are any."""
        self._wanted = set() if self._more is None else set(self._more(session.free))
        for trial_id in self._wanted - set(self._live):
            record = self._store.record(trial_id)
            self._live[trial_id] = next(cell for cell in self._cells if cell.is_of(record)).take_in(record)
        self._retry_crashed()
        return bool(self._wanted)

    def _submit(self, cell: RunningCell, live: LiveTrial, goal: Goal, session: Session) -> None:
        stored = live.scores[-1][0] if live.scores else 0
        live.state = TrialState.RUNNING  # stored once the worker has started the trial
        session.submit(Job(live.trial, cell.until(goal), stored, cell.environment))

    def _record_one(self, message: Message, session: Session) -> None:
        live = self._live[message.trial_id]
        match message:
            case Started():
                self._check_distinct(live, message.fingerprint)
                self._store.start(live.id, message.fingerprint, message.environment)
            case Measured():
                self._store.append(live.id, message.measurements, message.seconds)
                live.add(message.measurements)
            case Paused() | Completed():
                self._keep_outcome(live, message.outcome, message.seconds)
                live.judged = True
                done = isinstance(message, Completed)
                self._set_state(live, TrialState.COMPLETE if done else TrialState.PAUSED)
                if done:
                    self._keep_best_weights(live, session)
            case Interrupted():
                self._set_state(live, TrialState.PAUSED if live.judged else TrialState.WAITING)
            case Failed(cause=Cause.STORAGE):  # not the trial's fault: it keeps its checkpoint and continues later
                self._set_state(live, TrialState.PAUSED if live.judged else TrialState.WAITING)
                raise StorageError(message.error)
            case Failed():
                live.diverged = message.cause is Cause.DIVERGED
                self._keep_outcome(live, message.outcome, seconds=0.0)
                self._set_state(live, TrialState.FAILED, message.error)
                session.drop(live.id)

    def _keep_outcome(self, live: LiveTrial, outcome: Outcome | None, seconds: float) -> None:
        if outcome is not None:
            test = None if outcome.test is None else np.asarray(outcome.test, np.float32)
            predictions = Predictions(outcome.step, np.asarray(outcome.validation, np.float32), test)
            self._store.set_best(live.id, outcome.step, outcome.test_metrics, predictions, seconds)

    def _set_state(self, live: LiveTrial, state: TrialState, error: str | None = None) -> None:
        self._store.set_state(live.id, state, error)
        live.state = state

    def _keep_best_weights(self, live: LiveTrial, session: Session) -> None:
        """Keep on disk only the weights of each task's best complete trial, if any."""
        task = live.trial.task
        best = winner(self._live.values(), task) if self._keep_winners else None
        for other in self._live.values():
            done = other.trial.task == task and other.state is TrialState.COMPLETE
            if done and (best is None or other.id != best.id):
                session.drop(other.id)

    def _check_distinct(self, live: LiveTrial, fingerprint: Mapping[str, str]) -> None:
        """Refuse two seeds of one task and recipe that drew the same numbers."""
        live.fingerprint = dict(fingerprint)
        facts = self._store.facts(live.trial.task.id, live.trial.recipe.id) or TaskFacts()
        by_chance = {"order"} if facts.rows["train"] < FEW_ROWS else set()
        for record in self._live.values():
            if (record.trial.task, record.trial.recipe) != (live.trial.task, live.trial.recipe):
                continue
            for stream, drawn in record.fingerprint.items():
                mine, other = getattr(live.trial.seeds, stream), getattr(record.trial.seeds, stream)
                if mine != other and drawn == fingerprint.get(stream) and stream not in by_chance:
                    raise WorkError(
                        f"your seeds are secretly one: {stream} seeds {mine} and {other} drew the same numbers "
                        f"(fingerprint {drawn}); report this with the model's name, {live.trial.recipe.model}."
                    )

    def _retry_crashed(self) -> None:
        """Retry trials that failed for any reason but divergence when the study is run again."""
        for live in self._live.values():
            if live.state is TrialState.FAILED and not live.diverged and self._is_wanted(live):
                self._set_state(live, TrialState.PAUSED if live.judged else TrialState.WAITING)


def _cells(store: Store, executor: Executor) -> list[RunningCell]:
    """Prepare every task for every recipe, and fit the rule to each run's evaluations."""
    cells = []
    for records in by_cell(store.records()):
        first = own_trial(records[0])
        task, recipe = first.task, first.recipe
        facts = executor.prepare(task, recipe)
        steps = recipe.evaluation_steps(facts.rows["train"])
        kept = store.rule()
        rule = StoppingRule.full(len(records)) if kept is None else kept
        schedule = Schedule.of(rule, steps)
        store.set_facts(task.id, recipe.id, replace(facts, steps=steps[-1], evaluation_steps=steps))
        store.set_targets(task.id, executor.targets(task, recipe))
        cells.append(RunningCell(list(records), schedule, steps))
    return cells
