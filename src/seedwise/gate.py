"""Is recipe B better than recipe A? Fresh seeds are run pair by pair until the answer is certain, or the budget is used up.

What was run stays in the study, and the study remembers whose seeds they are: the same question asked again goes on where
it was, and one that is answered is answered from what is stored.
"""

from collections.abc import Callable, Collection
from pathlib import Path

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.gate import LEAST_PAIRS, GateAnswer, GateResult, GateTerms, gate_result, has_ended
from seedwise.errors import RequestError, WorkError
from seedwise.executors.base import Executor
from seedwise.study.gate import GatePairs, check_can_gate
from seedwise.study.progress import StudyProgress
from seedwise.study.run import run_study
from seedwise.study.study import Study
from seedwise.values.record import TrialRecord, by_cell, own_trial
from seedwise.values.trial import TrialState

__all__ = ["run_gate"]


def run_gate(
    folder: str | Path,
    a: str,
    b: str,
    executor: Executor,
    *,
    task: str | None = None,
    budget: int = 50,
    margin: float | None = None,
    confidence: float | None = None,
    split: str | None = None,
    on_look: Callable[[GateResult], None] | None = None,
    on_progress: Callable[[StudyProgress], None] | None = None,
) -> GateResult:
    """Say whether recipe B is better than recipe A, from as few fresh seeds as possible; safe to repeat.

    Both recipes are trained on seeds larger than any that the study has used, one pair of trials a seed, and looked at after
    every pair by `seedwise.stats.sequential_difference`: the chance of a wrong answer is at most 1 - confidence, however
    often one looks. A budget may be raised and a margin changed later; the answer follows from the same pairs.

    Args:
        folder: The study's folder. It holds at least one trial of each recipe, no stopping rule, design or imported run.
        a: Recipe A: its label, as in `Analysis.recipe_names`, or its id.
        b: Recipe B.
        executor: Where trials run.
        task: The task's name; may be left out when the study has one.
        budget: Pairs of trials at most, those of earlier calls included; at least 8, since fewer never decide.
        margin: Differences below this do not count, in the metric's unit: if the true one is, the answer is equal.
        confidence: Chance that the answer is right, in (0, 1), 0.95 by default; fixed once pairs have run.
        split: test or validation; by default test, where the task has test rows. Fixed once pairs have run.
        on_look: Called with what is known after every batch of pairs.
        on_progress: Called with the study's progress, at least four times a second.

    Returns:
        The answer, with the pairs that it is from.

    Raises:
        RequestError: The study takes no fresh pairs, or a recipe, the budget or the confidence does not fit.
        WorkError: A trial crashed; what is done is kept, and calling again tries it anew.

    Example:
        ```python
        found = sw.run_gate("study", "bert, learning_rate=2e-05", "bert, learning_rate=5e-05", sw.LocalExecutor())
        print(found.answer, found.pairs, found.gain)
        ```
    """
    folder = Path(folder)

    def gate_in(study: Study) -> _Gate:
        gate = _Gate(study, (a, b), task)
        gate.agree(executor, split=split, confidence=confidence, margin=margin, budget=budget)
        return gate

    with Study.open(folder) as study:
        known = gate_in(study).look()
    if known.answer is not GateAnswer.GO_ON:
        return known
    with Study.resume(folder) as study:
        gate = gate_in(study)
        run_study(folder, study.store, executor, on_progress, more=lambda places: gate.more(places, on_look))
        return gate.conclude()


class _Gate:
    """One gate in an open study: its question, its pairs, and what they tell so far."""

    def __init__(self, study: Study, names: tuple[str, str], task: str | None) -> None:
        check_can_gate(study.folder, study.trials, study.rule, study.design)
        analysis = Analysis(study)
        cells = analysis.cell(task, names[0]), analysis.cell(task, names[1])
        if cells[0] is cells[1]:
            raise RequestError(
                f"a gate needs two recipes that differ, not {names[0]!r} and {names[1]!r}; name another."
            )
        self._study = study
        self._labels = analysis.recipe_name(cells[0]), analysis.recipe_name(cells[1])
        self._first = own_trial(cells[0].records[0]), own_trial(cells[1].records[0])
        self._pairs = GatePairs(study.store, self._first[0].task, (self._first[0].recipe, self._first[1].recipe))
        self._tried: set[str] = set()  # trials that this process has run

    def agree(
        self, executor: Executor, *, split: str | None, confidence: float | None, margin: float | None, budget: int
    ) -> None:
        """Settle when the answer is certain; what pairs were run under cannot change once their scores have been seen."""
        held = self._pairs.held
        if held:
            for name, asked, before in (
                ("split", split, held[0].split),
                ("confidence", confidence, held[0].confidence),
            ):
                if asked not in (None, before):
                    raise RequestError(
                        f"{name} must be {before} for {self._labels[0]!r} and {self._labels[1]!r}, as when their first pairs "
                        f"were run, not {asked}: their scores have been seen since; leave it out."
                    )
            split, confidence = held[0].split, held[0].confidence
        rows = executor.prepare(self._first[0].task, self._first[0].recipe).rows if not held else {}
        if split == "test" and not held and not rows.get("test"):
            raise RequestError("split must be validation, not test, because the task has no test rows; leave it out.")
        self._terms = GateTerms(
            split=split or ("test" if rows.get("test") else "validation"),
            confidence=0.95 if confidence is None else confidence,
            margin=margin,
            budget=budget,
        )

    def look(self) -> GateResult:
        """Return what the pairs tell so far."""
        a, b = (self._cell(trial.task.id, trial.recipe.id) for trial in self._first)
        return gate_result(a, b, self._pairs.seeds, self._terms, self._labels)

    def more(self, places: int, on_look: Callable[[GateResult], None] | None) -> Collection[str]:
        """Return the trials of the next pairs, as many as run at once; none where the answer is certain, or one has crashed."""
        now = self.look()
        if on_look is not None and now.pairs and places:
            on_look(now)
        if now.answer is not GateAnswer.GO_ON or self._crashed():
            return ()
        self._pairs.add_missing()
        at_once = max(1, places // 2)
        if not self._waiting():
            held = len(self._pairs.seeds)
            fresh = min(max(LEAST_PAIRS - held, at_once), self._terms.budget - held)
            self._pairs.set_aside(fresh, self._terms.split, self._terms.confidence)
        waiting = self._waiting()
        pairs = [mine for a, b in self._pairs.pairs if (mine := waiting & {a.id, b.id})]
        chosen = {trial_id for pair in pairs[:at_once] for trial_id in pair}
        self._tried |= chosen if places else set()
        return chosen

    def conclude(self) -> GateResult:
        """Return the answer; refuse to give one that a crashed trial keeps from being known."""
        now, crashed = self.look(), self._crashed()
        if now.answer is GateAnswer.GO_ON and crashed:
            raise WorkError(
                f"{len(crashed)} of the gate's trials crashed, first {crashed[0].id} ({crashed[0].error}), so that their pairs "
                "cannot count; the same again tries them anew."
            )
        return now

    def _cell(self, task_id: str, recipe_id: str) -> Cell:
        wanted = task_id, recipe_id
        cells = by_cell(self._study.trials)
        records = next(c for c in cells if (c[0].trial.task.id, c[0].trial.recipe.id) == wanted)
        return Cell(records, self._study.facts(records[0].trial), self._study.losses)

    def _waiting(self) -> set[str]:
        """Return the gate's trials that have not ended; one that crashed waits until it is tried here."""
        return {r.id for r in self._records() if not has_ended(r) and not (r.error and r.id in self._tried)}

    def _crashed(self) -> list[TrialRecord]:
        """Return the gate's trials that crashed here."""
        return [r for r in self._records() if r.id in self._tried and r.state is TrialState.FAILED and not has_ended(r)]

    def _records(self) -> list[TrialRecord]:
        own = {trial.id for pair in self._pairs.pairs for trial in pair}
        return [record for record in self._study.trials if record.id in own]
