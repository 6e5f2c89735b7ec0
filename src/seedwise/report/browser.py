"""How does a reader look at single trials: the table that sorts, filters and shows a curve?"""

import html
import json
import math
from collections.abc import Sequence
from typing import Any

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.values.labels import metric_words
from seedwise.values.record import TrialRecord

__all__ = ["browser", "curves_json"]

HEADER = ("trial", "init", "order", "dropout", "state", "best", "at step", "test", "last step", "seconds", "error")
_TEXT = ("trial", "state", "error")  # the other columns hold numbers


def browser(cell: Cell, number: int) -> str:
    """Return the table of a cell's trials; without scripts it is a plain table."""
    kinds = ["" if name in _TEXT else "number" for name in HEADER]
    head = "".join(
        f'<th class="{k}"><button type="button">{name}</button></th>' for name, k in zip(HEADER, kinds, strict=True)
    )
    rows = "".join(_row(record, kinds) for record in cell.records)
    return (
        f'<div class="browser" data-cell="{number}"><p class="controls"><label>Filter: <input type="search" '
        'placeholder="complete 3 ..."></label><output></output></p>'
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        '<div class="curve"><p class="quiet">Click a trial to see its curve.</p></div></div>'
    )


def curves_json(analysis: Analysis) -> str:
    """Return every trial's scores for the page's script, safe inside a script element."""
    content = [_curves(cell) for cell in analysis.cells]
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    # Inside a script element only these could end it or begin a comment.
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _curves(cell: Cell) -> dict[str, Any]:
    scored = [record for record in cell.records if record.evaluations]
    known = [score for record in scored for _, score in record.scores if math.isfinite(score)]
    fractions: Sequence[float] = []
    shares = {}
    if scored:
        curves = cell.curves
        fractions = [round(float(f), 4) for f in curves.fractions]
        if curves.steps is None:
            shares = {r.id: [round(step / r.last_step, 4) for step, _ in r.scores] for r in scored}
    return {
        "metric": metric_words(cell.task.metric),
        "fractions": fractions,
        "shares": shares,
        "low": min(known, default=0.0),
        "high": max(known, default=1.0),
        "scores": {r.id: [_rounded(score) for _, score in r.scores] for r in scored},
    }


def _row(record: TrialRecord, kinds: Sequence[str]) -> str:
    seeds, metric = record.trial.seeds, record.trial.task.metric
    step, score = record.best or (None, None)
    test = (record.test_metrics or {}).get(metric) if record.best_step == step else None
    values = (
        *(record.id, seeds.init, seeds.order, seeds.dropout, record.state.value),
        *(_number(score), "–" if step is None else step, _number(test), record.last_step or "–"),
        *("–" if record.seconds == 0 else f"{record.seconds:.1f}", record.error or ""),
    )
    cells = "".join(f"<td{k and f' class={k}'}>{html.escape(str(v))}</td>" for v, k in zip(values, kinds, strict=True))
    return f'<tr data-trial="{record.id}">{cells}</tr>'


def _number(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.4f}"


def _rounded(value: float) -> float | None:
    return round(value, 4) if math.isfinite(value) else None
