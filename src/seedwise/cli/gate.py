"""How does ``seedwise gate`` ask whether recipe B is better than recipe A, and how does a script learn the answer?"""

import sys
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

import seedwise as sw
from seedwise.cli.arguments import Folder, Json
from seedwise.cli.console import messages_aside, print_json
from seedwise.cli.options import WorkerOptions

if TYPE_CHECKING:  # the statistics load on first use
    from seedwise.analysis.gate import GateResult

__all__ = ["EXIT_CODES", "gate"]

EXIT_CODES = {"better": 0, "worse": 3, "equal": 4, "undecided": 5}
"""What the process returns for each answer; 1 and 2 are those of every command."""


def gate(
    folder: Folder,
    a: Annotated[str, Parameter(help="Recipe A of the study, as `seedwise compare` takes it: what B is held against.")],
    b: Annotated[str, Parameter(help="Recipe B of the study.")],
    *,
    task: Annotated[str | None, Parameter(help="The task; needed where the study has several.")] = None,
    budget: Annotated[int, Parameter(help="Pairs of trials at most, those of earlier calls included.")] = 50,
    margin: Annotated[
        float | None, Parameter(help="Differences below this do not count: if the true one is, A and B are equal.")
    ] = None,
    confidence: Annotated[
        float | None, Parameter(help="Chance that the answer is right, 0.95 by default; fixed once pairs have run.")
    ] = None,
    split: Annotated[
        Literal["test", "validation"] | None,
        Parameter(help="The scores to compare; test by default, if the task has test rows. Fixed once pairs have run."),
    ] = None,
    workers: WorkerOptions = WorkerOptions(),
    json: Json = False,
) -> None:
    """Say whether recipe B is better than recipe A, from as few fresh seeds as possible.

    Trains both on seeds that the study has not used, pair by pair, and stops as soon as the answer is certain. Looking after
    every pair is allowed for: the chance of a wrong answer stays below 5 %. The same command continues after a kill.

    Exit codes: 0 B is better, 1 the work failed, 2 the request was wrong, 3 B is worse, 4 A and B are equal within the
    margin, 5 not decided within the budget.
    """
    with messages_aside(json):
        found = _answered(
            folder, a, b, workers, task=task, budget=budget, margin=margin, confidence=confidence, split=split
        )
    if json:
        from seedwise.analysis.answers import plain

        print_json({"study": folder, **plain(found)})
    if code := EXIT_CODES[found.answer]:
        sys.exit(code)


def _answered(
    folder: Path,
    a: str,
    b: str,
    workers: WorkerOptions,
    *,
    task: str | None,
    budget: int,
    margin: float | None,
    confidence: float | None,
    split: str | None,
) -> "GateResult":
    """Run the gate with a progress bar and a line after each batch of pairs, and say what it found."""
    from seedwise.cli.executors import executor_of
    from seedwise.study.bar import StudyBar

    with StudyBar() as bar:
        found = sw.run_gate(
            folder,
            a,
            b,
            executor_of(workers),
            task=task,
            budget=budget,
            margin=margin,
            confidence=confidence,
            split=split,
            on_look=lambda look: print(look_line(look), flush=True),
            on_progress=bar.update,
        )
    print(*answer_lines(found), sep="\n")
    return found


def look_line(found: "GateResult") -> str:
    """Return what one look showed, in one line."""
    return f"{found.pairs:3d} of at most {found.budget} pairs: B minus A {_gain(found)}"


def answer_lines(found: "GateResult") -> list[str]:
    """Return the question, the two recipes and the answer, in lines."""
    from seedwise.values.labels import metric_words

    lines = [
        f"{found.task}, {metric_words(found.metric, found.split)}, {found.pairs} pairs of fresh seeds",
        f"  A  {found.a}: mean {found.mean_a:.4f}",
        f"  B  {found.b}: mean {found.mean_b:.4f}",
        f"  B minus A (positive: B is better): {_gain(found)} ({found.confidence:.0%}, however often one looks)",
    ]
    if found.diverged_a or found.diverged_b:
        lines.append(
            f"  {found.diverged_a} trials of A and {found.diverged_b} of B diverged; they count with their best score before, or "
            "else with that of the best constant guess"
        )
    return [*lines, f"  {_conclusion(found)}"]


def _conclusion(found: "GateResult") -> str:
    match found.answer:
        case "better" | "worse":
            return f"B is {found.answer}."
        case "equal":
            return f"A and B are equal within {found.margin:g}."
        case _:
            told = (
                "the answer is not certain after all pairs of the budget"
                if isfinite(found.lower)
                else "no score varies"
            )
            return f"not decided: {told}; the same command with a larger --budget goes on from here."


def _gain(found: "GateResult") -> str:
    ends = f"[{found.lower:+.4f}, {found.upper:+.4f}]" if isfinite(found.lower) else "(no interval yet)"
    return f"{found.gain:+.4f} {ends}"
