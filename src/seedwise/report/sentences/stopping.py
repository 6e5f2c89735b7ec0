"""When can trials be ranked, and what does stopping the poor ones gain?"""

import math

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.analysis.stopping import trusted_from
from seedwise.report.sentences.words import score

__all__ = ["best_rule", "ranking"]


def ranking(analysis: Analysis, cell: Cell) -> str:
    """Tell from when on the ranking can be trusted."""
    if len(cell.curves.fractions) < 3:
        return ""
    share = trusted_from(analysis.correlation(cell), cell)
    if share is None or share >= 1:
        return "Early scores do not predict the final ranking: only at the end is the correlation above 0.8 with 95 % confidence."
    return (
        f"Trials can be ranked after {100 * share:.0f} % of a run: from there on the rank correlation with the end is above "
        "0.8 with 95 % confidence."
    )


def best_rule(analysis: Analysis, cell: Cell) -> str:
    """Tell how a budget is best spent."""
    found = analysis.best_rules(cell)
    rules, budget = found.rules, min(10, max(1, found.trials // 2))
    place = [i for i, b in enumerate(rules.budget) if b == budget]
    if not place or not math.isfinite(float(found.full[place[0]])):
        return ""
    i = place[0]
    if rules.p[i] == rules.t[i]:
        return f"With a budget of {budget} full trainings, no rule that stops early would have done better on these trials."
    equal = float(found.equal_budget[i])
    saving = f"; what {budget} full trainings give costs {equal:.0f} with stopping" if equal < budget else ""
    return (
        f"On these trials a budget of {budget} full trainings is best spent by starting {rules.t[i]}, judging after "
        f"{100 * rules.f[i]:.0f} % and keeping {rules.p[i]}: expect {score(float(rules.mean[i]))} instead of "
        f"{score(float(found.full[i]))}{saving}. (The same trials chose the rule; plan --interval judges it on others.)"
    )
