"""How do ``plan`` and ``analyze`` print what they found?"""

import json
import math
from collections.abc import Sequence

from rich.text import Text

from seedwise.analysis import early
from seedwise.analysis.analysis import Analysis
from seedwise.analysis.findings import plain
from seedwise.cli.layout import new_table, print_table, score_words
from seedwise.errors import RequestError
from seedwise.report.verdict import caveats, verdict
from seedwise.study import Study

__all__ = ["budgets_of", "print_analysis", "print_plan"]

MOST_BUDGET = 200
"""The planning starts at most this many trials, so that no larger budget could be spent."""


def budgets_of(text: str) -> tuple[int, ...]:
    """Read budgets in full trainings: ``10``, ``1..30`` or ``5,10,20``.

    Raises:
        RequestError: The text is none of these.

    Example:
        >>> budgets_of("1..4"), budgets_of("5,10")
        ((1, 2, 3, 4), (5, 10))
    """
    try:
        parts = [[int(number) for number in part.split("..")] for part in text.split(",")]
        found = sorted({budget for part in parts for budget in range(part[0], part[-1] + 1)})
        valid = all(len(part) <= 2 and part[0] <= part[-1] for part in parts)
    except ValueError:
        valid, found = False, []
    if not valid or not found or found[0] < 1 or found[-1] > MOST_BUDGET:
        raise RequestError(
            f"--budget must be full trainings between 1 and {MOST_BUDGET}, as 10, 1..30 or 5,10,20, not {text!r}."
        )
    return tuple(found)


def print_plan(
    analysis: Analysis, budgets: Sequence[int], task: str | None, recipe: str | None, *, as_json: bool
) -> None:
    """Print the best rule for each budget, for each cell that is meant."""
    cells = [analysis.cell(task, recipe)] if task or recipe else list(analysis.cells)
    found = [(cell, early.plan(cell, budgets)) for cell in cells]
    if as_json:
        content = [{"task": c.task.name, "recipe": analysis.labels[c.recipe.id], **plain(rules)} for c, rules in found]
        print(json.dumps(content, indent=2))
        return
    for cell, best in found:
        print(f"{analysis.label(cell)}: {best.settings:,} settings compared exactly, from {best.trials} trials")
        table = new_table("budget", "t", "f", "p", "expected", "sd", "full runs", "gain", "worth")
        for i, budget in enumerate(best.rules.budget):
            rules, gain = best.rules, float(best.rules.mean[i] - best.full[i])
            equal = best.equal_budget[i]
            cells_ = [
                f"{budget:g}",
                str(rules.t[i]),
                f"{rules.f[i]:.3g}",
                str(rules.p[i]),
                score_words(float(rules.mean[i])),
            ]
            cells_ += [score_words(float(rules.sd[i])), score_words(float(best.full[i])), f"{gain:+.4f}"]
            table.add_row(*map(Text, [*cells_, "–" if math.isnan(equal) else f"{equal:g}"]))
        print_table(table)
        print(
            "\nbudget: in full trainings. Start t, judge after f of the run, keep p. expected: of the best, beside as many "
            "full runs.\nworth: the budget with which stopping expects as much as full runs do with this one.\n"
        )


def print_analysis(study: Study, *, as_json: bool) -> None:
    """Print the verdict of every cell, or every statistic as JSON."""
    analysis = Analysis(study)
    if as_json:
        print(json.dumps(analysis.to_json(), indent=2, allow_nan=False))
        return
    for cell in analysis.cells:
        print(f"{analysis.label(cell)}\n")
        for sentence in verdict(analysis, cell):
            print(f"  {sentence}")
        for note in caveats(cell):
            print(f"  Note: {note}")
        print()
    print("Everything in numbers: --json. With figures: seedwise report.")
