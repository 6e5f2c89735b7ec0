"""What do the single rows tell of each task and recipe: flips, disagreement, the ensemble?"""

from seedwise.analysis.analysis import Analysis
from seedwise.stats.intervals import Interval
from seedwise.tables.reasons import Reasons, cell_columns
from seedwise.tables.table import Table, Value

__all__ = ["ensemble_table", "items_table"]


def items_table(analysis: Analysis) -> Table:
    """Return what of the trials' spread is rows that flip, and on how many rows they disagree (Jordan 2023)."""
    reasons, own = Reasons(), cell_columns(analysis)
    rows: list[tuple[Value, ...]] = []
    for cell in own.cells:
        found = reasons.known(analysis.label(cell), analysis.items, cell)
        values: list[Value] = [None] * 10
        if found is not None:
            of, spread = found.agreement, found.spread
            sds: list[Value] = [None] * 4
            if spread is not None:
                sds = [spread.sd, spread.flips, (spread.excess, spread.lower, spread.upper), spread.p]
            values = [found.split, found.trials, found.rows, *sds, of.churn, of.never, of.always]
        rows.append((*own.names(cell), *values))
    header = (
        "rows of",
        "trials",
        "rows",
        "sd",
        "sd, flips",
        "sd on new rows",
        "p",
        "churn",
        "never right",
        "always right",
    )
    return Table(
        "items",
        "Standard deviation of the complete trials' accuracies; what it would be if rows flipped at random; that of the same "
        "trials on new rows, with its 95% interval, and the p-value of Cochran's test that it is 0. Churn: share of the rows that "
        "two trials label differently. Share of the rows that no trial and that every trial gets right.",
        (*own.header, *header),
        (*own.kinds, "text", "count", "count", "sd", "sd", "interval", "p", "share", "share", "share"),
        tuple(rows),
        notes=reasons.notes(),
    )


def ensemble_table(analysis: Analysis) -> Table:
    """Return the score of the ensemble of the complete trials beside the winner's and that of a single trial."""
    reasons, own = Reasons(), cell_columns(analysis)
    rows: list[tuple[Value, ...]] = []
    for cell in own.cells:
        found = reasons.known(analysis.label(cell), analysis.ensemble, cell)
        values: list[Value] = [None] * 8
        if found is not None:
            ends = (_ends(found.interval, found.score), found.winner, found.single)
            less = (
                _ends(found.over_winner, found.score - found.winner),
                _ends(found.over_single, found.score - found.single),
            )
            values = [found.metric, found.split, found.members, *ends, *less]
        rows.append((*own.names(cell), *values))
    header = (
        "metric",
        "rows of",
        "members",
        "ensemble",
        "winner",
        "single trial",
        "minus the winner",
        "minus a single trial",
    )
    return Table(
        "ensemble",
        "Score of the ensemble of the complete trials (their mean probability, or mean value), of the trial that validation "
        "chooses, and of a single trial on average; and the differences, with 95% intervals over rows.",
        (*own.header, *header),
        (*own.kinds, "text", "text", "count", "interval", "score", "score", "interval", "interval"),
        tuple(rows),
        notes=reasons.notes(),
    )


def _ends(found: Interval | None, known: float) -> Value:
    return (known, float("nan"), float("nan")) if found is None else (found.estimate, found.lower, found.upper)
