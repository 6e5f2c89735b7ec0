"""How do ``plan`` and ``analyze`` print what they found?"""

import json
import math
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.answers import plain
from seedwise.analysis.cell import Cell
from seedwise.analysis.stopping import Alternatives, BestRules
from seedwise.cli.console import new_table, print_table, score_words
from seedwise.errors import RequestError
from seedwise.report.verdict import caveats, recipes_verdict, verdict
from seedwise.stats.stopping.gain import GainInterval
from seedwise.study.study import Study

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
    analysis: Analysis,
    budgets: Sequence[int],
    task: str | None,
    recipe: str | None,
    *,
    interval: bool,
    others: bool,
    as_json: bool,
) -> None:
    """Print the best rule for each budget, for each task and recipe that is meant.

    Args:
        analysis: The analysis.
        budgets: In full trainings.
        task: Only this task.
        recipe: Only this recipe.
        interval: Also what stopping gains where other trials choose the rule, with an interval.
        others: Also successive halving, and rules that drop whole init or order seeds.
        as_json: Print JSON instead of tables.
    """
    cells = [analysis.cell(task, recipe)] if task or recipe else list(analysis.cells)
    found = [
        (cell, analysis.best_rules(cell, budgets), analysis.stopping_gain(cell, budgets) if interval else None)
        for cell in cells
    ]
    if as_json:
        names = [{"task": cell.task.name, "recipe": analysis.recipe_name(cell)} for cell in cells]
        told = [
            {
                **plain(rules),
                "gains": plain(gains),
                "alternatives": plain(_alternatives(analysis, cell, rules) if others else None),
            }
            for cell, rules, gains in found
        ]
        print(json.dumps([name | content for name, content in zip(names, told, strict=True)], indent=2))
        return
    for cell, best, gains in found:
        print(f"{analysis.label(cell)}: {best.settings:,} settings compared exactly, from {best.trials} trials")
        print_table(_plan_table(best, gains))
        print()
        for other in _alternatives(analysis, cell, best) if others else []:
            print("\n".join(_alternative_lines(other)), end="\n\n")
    print(
        "budget: in full trainings. Start t trials, judge them after f of the run, keep p. expected: of the best trial,"
    )
    print(
        "beside that of full runs alone. worth: the budget with which stopping expects what full runs do with this one."
    )
    if interval:
        print(
            "fair gain: where one half of the trials chooses the rule and the other judges it, with a 95 % interval; no rule"
        )
        print("starts more trials than a half has.")


def _alternatives(analysis: Analysis, cell: Cell, best: BestRules) -> list[Alternatives]:
    return [analysis.alternatives(cell, budget=int(budget)) for budget in best.rules.budget if budget > 1]


def _alternative_lines(found: Alternatives) -> list[str]:
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


def _plan_table(best: BestRules, gains: GainInterval | None) -> Table:
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


def print_analysis(study: Study, *, as_json: bool) -> None:
    """Print the verdict of every cell, or every statistic as JSON."""
    analysis = Analysis(study)
    if as_json:
        print(json.dumps(analysis.to_json(), indent=2, allow_nan=False))
        return
    for sentence in recipes_verdict(analysis):
        print(f"{sentence}\n")
    for cell in analysis.cells:
        print(f"{analysis.label(cell)}\n")
        for sentence in verdict(analysis, cell):
            print(f"  {sentence}")
        for note in caveats(cell):
            print(f"  Note: {note}")
        print()
    print("Everything in numbers: --json. With figures: seedwise report.")
