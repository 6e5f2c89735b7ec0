"""Which stopping rule does ``seedwise plan`` find for each budget?"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from cyclopts import Parameter
from rich.table import Table
from rich.text import Text

import seedwise as sw
from seedwise.cli.arguments import Folder, Json, RecipeName, TaskName, open_with_trials
from seedwise.cli.console import new_table, print_json, print_table, score_words
from seedwise.errors import RequestError

if TYPE_CHECKING:  # the statistics load on first use
    from seedwise.analysis.cell import Cell
    from seedwise.analysis.stopping import Alternatives, BestRules
    from seedwise.stats.stopping.gain import GainInterval

__all__ = ["budgets_of", "plan"]

MOST_BUDGET = 200
"""The planning starts at most this many trials, so that no larger budget could be spent."""


def plan(
    folder: Folder,
    *,
    budget: Annotated[str, Parameter(help="Full trainings: 10, 1..30 or 5,10,20.")] = "1..30",
    task: TaskName = None,
    recipe: RecipeName = None,
    interval: Annotated[
        bool, Parameter(negative="", help="Also show the gain as judged by trials that did not choose the rule.")
    ] = False,
    others: Annotated[
        bool, Parameter(negative="", help="Also show successive halving, and rules that drop whole seeds.")
    ] = False,
    json: Json = False,
) -> None:
    """Find the best stopping rule (t, f, p) for each budget, exactly, from the stored curves."""
    budgets = budgets_of(budget)
    with open_with_trials(folder) as study:
        analysis = sw.Analysis(study)
        cells = [analysis.cell(task, recipe)] if task or recipe else list(analysis.cells)
        found = [_planned(analysis, cell, budgets, interval=interval, others=others) for cell in cells]
    if json:
        print_json([_as_json(each) for each in found])
        return
    for each in found:
        _print_planned(each)
    _print_legend(interval=interval)


class _Planned(NamedTuple):
    """What was found for one task and recipe."""

    task: str
    recipe: str
    label: str
    rules: "BestRules"
    gains: "GainInterval | None"
    alternatives: "list[Alternatives] | None"


def _planned(
    analysis: "sw.Analysis", cell: "Cell", budgets: Sequence[int], *, interval: bool, others: bool
) -> _Planned:
    best = analysis.best_rules(cell, budgets)
    gains = analysis.stopping_gain(cell, budgets) if interval else None
    spent = [int(budget) for budget in best.rules.budget if budget > 1]
    alternatives = [analysis.alternatives(cell, budget=budget) for budget in spent] if others else None
    return _Planned(cell.task.name, analysis.recipe_name(cell), analysis.label(cell), best, gains, alternatives)


def _as_json(found: _Planned) -> dict[str, Any]:
    from seedwise.analysis.answers import plain

    named = {"task": found.task, "recipe": found.recipe}
    return {**named, **plain(found.rules), "gains": plain(found.gains), "alternatives": plain(found.alternatives)}


def _print_planned(found: _Planned) -> None:
    best = found.rules
    print(f"{found.label}: {best.settings:,} rules compared exactly, from {best.trials} trials")
    print_table(_plan_table(best, found.gains))
    print()
    for other in found.alternatives or []:
        print("\n".join(_alternative_lines(other)), end="\n\n")


def _print_legend(*, interval: bool) -> None:
    print("budget: full trainings. Start t trials, judge them after the fraction f, keep p. expected: the best score,")
    print("beside what full runs alone yield. worth: the budget at which the rule yields what full runs yield here.")
    if interval:
        print(
            "fair gain: one half of the trials chooses the rule, the other half judges it; with a 95 % interval. No rule"
        )
        print(
            "starts more trials than a half has. The interval is meant for 40 trials and more: of 20 it held in 88 %."
        )


def budgets_of(text: str) -> tuple[int, ...]:
    """Read budgets in full trainings: ``10``, ``1..30`` or ``5,10,20``.

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


def _alternative_lines(found: "Alternatives") -> list[str]:
    halving, aware = found.halving, found.seed_aware
    rungs = zip(halving.kept, halving.rungs, strict=True)
    kept = ", ".join(f"{n} after {100 * f:.0f} %" for n, f in rungs) or "all"
    expected = f"expect {score_words(halving.mean)} (± {halving.standard_error:.4f}, simulated)"
    lines = [f"budget {found.budget}, successive halving: start {halving.t}, keep {kept}: {expected}"]
    if aware is None:
        return [*lines, f"  rules that know the seeds: {found.reason}"]
    dropped = "no seeds" if aware.drops == "none" else f"all but {aware.seeds_kept} {aware.drops} seeds"
    start = f"start {aware.inits} init x {aware.orders} order seeds, after {100 * aware.f:.0f} % drop {dropped}"
    expected = f"expect {score_words(aware.mean)} (± {aware.standard_error:.4f}, best of {aware.candidates:,} rules)"
    plainly = f"where the best plain rule expects {score_words(aware.plain_mean)} (both drawn without replacement)"
    return [*lines, f"  rule that knows the seeds: {start}, keep {aware.p}: {expected}, {plainly}"]


def _plan_table(best: "BestRules", gains: "GainInterval | None") -> Table:
    fair = {} if gains is None else {budget: i for i, budget in enumerate(gains.budget.tolist())}
    more = () if gains is None else ("fair gain", "from", "to")
    table = new_table("budget", "t", "f", "p", "expected", "sd", "full runs", "gain", "worth", *more)
    rules = best.rules
    for i, budget in enumerate(rules.budget.tolist()):
        equal = best.equal_budget[i]
        row = [f"{budget:g}", str(rules.t[i]), f"{rules.f[i]:.3g}", str(rules.p[i])]
        row += [score_words(float(value[i])) for value in (rules.mean, rules.sd, best.full)]
        row += [f"{rules.mean[i] - best.full[i]:+.4f}", "–" if math.isnan(equal) else f"{equal:g}"]
        if gains is not None and budget in fair:
            row += [f"{column[fair[budget]]:+.4f}" for column in (gains.honest_gain, gains.lower, gains.upper)]
        elif gains is not None:
            row += ["–"] * 3
        table.add_row(*map(Text, row))
    return table
