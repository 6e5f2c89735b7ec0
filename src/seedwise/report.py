"""What happened, on one self-contained page: no script, no request, every word of the user's escaped."""

import html
import math
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from seedwise.analysis import Analysis, CellSummary
from seedwise.caveats import row_caveats, score_caveats
from seedwise.charts.curves import curves_data, draw_curves
from seedwise.errors import RequestError
from seedwise.record import TrialRecord

__all__ = ["Report"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem; }
th, td { padding: 0.25rem 0.7rem; text-align: right; border-bottom: 1px solid #d5d5d5; }
th:first-child, td:first-child { text-align: left; } td.text, th.text { text-align: left; }
thead th { border-bottom: 2px solid #1b1b1b; } .wide { overflow-x: auto; }
figure { margin: 1rem 0; } figure svg { max-width: 100%; height: auto; } figcaption, .note { color: #555; }
@media print { body { margin: 0; max-width: none; } h2 { break-after: avoid; } figure { break-inside: avoid; } }
"""


class Report:
    """One HTML page about a study.

    Args:
        analysis: What there is to say.
        title: The page's title.
    """

    def __init__(self, analysis: Analysis, title: str = "Study") -> None:
        self._analysis, self._title = analysis, title

    def save(self, path: str | Path) -> Path:
        """Write the page, replacing an earlier one as a whole.

        Args:
            path: Where to.

        Returns:
            The path.

        Raises:
            RequestError: The path ends in something else than .html, and may be a file of another kind.
            OSError: The page cannot be written there; an earlier one is as it was.
        """
        path = Path(path)
        if path.suffix.lower() not in (".html", ".htm"):
            raise RequestError(f"the report must be a file that ends in .html, not {path}; name one.")
        page = self.to_html()
        beside = path.absolute().with_name(f".{path.name}.{os.getpid()}")
        try:
            beside.write_text(page, encoding="utf-8")
            beside.replace(path)
        except OSError as error:
            with suppress(OSError):
                beside.unlink()
            # It names the file that was wanted, not the one beside it.
            raise OSError(error.errno, error.strerror, str(path)) from error
        return path

    def to_html(self) -> str:
        """Return the page."""
        summaries = self._analysis.summary()
        cells = self._analysis.cells()
        parts = [
            f"<h1>{_text(self._title)}</h1>",
            _verdicts(summaries),
            _summary_table(summaries),
            *(self._cell(summary, trials) for summary, trials in zip(summaries, cells, strict=True)),
            _provenance(self._analysis),
        ]
        head = (
            f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{_text(self._title)}</title><style>{_STYLE}</style>"
        )
        body = "\n".join(parts)
        return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'

    def _cell(self, summary: CellSummary, trials: tuple[TrialRecord, ...]) -> str:
        import vl_convert

        name = f"{summary.task.name}, {summary.model}"
        data = curves_data(self._analysis, trials)
        if not data.points:
            return f"<h2>{_text(name)}</h2><p>No trial has been evaluated yet.</p>"
        svg = vl_convert.vegalite_to_svg(draw_curves(data).to_dict())
        stopped = "; dashed grey trials were stopped early (Dodge et al. 2020, section 5)" if summary.stopped else ""
        caption = f"Validation {_text(data.metric)} of {data.trials} trials at every evaluation{stopped}."
        return (
            f"<h2>{_text(name)}</h2>{''.join(_notes(row_caveats(self._analysis.facts(trials))))}<figure>{svg}<figcaption>{caption}</figcaption></figure>"
            f'<details><summary>All {len(trials)} trials</summary><div class="wide">{_trials_table(trials)}</div></details>'
        )


def _verdicts(summaries: list[CellSummary]) -> str:
    sentences = []
    for summary in summaries:
        name = _text(summary.task.name)
        if summary.winner is None or summary.best is None:
            sentences.append(f"<p><b>{name}</b>: no trial is complete yet.</p>")
            continue
        test = "" if summary.test is None else f" On test rows that did not choose it, it scores {summary.test:.3f}."
        sentences.append(
            f"<p><b>{name}</b>: the best of {summary.started} seeds reached a validation {_text(summary.task.metric)} "
            f"of {summary.best:.3f}.{test} It cost {summary.cost:.1f} full trainings.</p>"
        )
        sentences += _notes(score_caveats(summary.task, summary.best, summary.baseline))
    return "".join(sentences) + (
        '<p class="note">The best validation score chose the winner, so it is optimistic: expect less on new data.</p>'
    )


def _notes(caveats: list[str]) -> list[str]:
    return [f"<p>Note: {_text(caveat)}</p>" for caveat in caveats]


def _summary_table(summaries: list[CellSummary]) -> str:
    header = ("task", "model", "metric", "started", "stopped", "kept", "failed", "best", "test", "guess", "seconds")
    rows = [
        (
            summary.task.name,
            summary.model,
            summary.task.metric,
            str(summary.started),
            str(summary.stopped),
            str(summary.kept),
            str(summary.failed),
            _number(summary.best),
            _number(summary.test),
            _number(summary.baseline),
            f"{summary.seconds:.0f}",
        )
        for summary in summaries
    ]
    return f'<div class="wide">{_table(header, rows)}</div>'


def _trials_table(trials: Iterable[TrialRecord]) -> str:
    header = ("trial", "init", "order", "dropout", "state", "best step", "best", "test", "seconds", "error")
    rows = []
    for record in trials:
        seeds, metric = record.trial.seeds, record.trial.task.metric
        step, score = record.best or (None, None)
        test = (record.test_metrics or {}).get(metric) if record.best_step == step else None
        rows.append(
            (
                record.id,
                str(seeds.init),
                str(seeds.order),
                str(seeds.dropout),
                record.state.value,
                "" if step is None else str(step),
                _number(score),
                _number(test),
                f"{record.seconds:.1f}",
                record.error or "",
            )
        )
    return _table(header, rows)


def _provenance(analysis: Analysis) -> str:
    origins = {tuple(sorted((k, str(v)) for k, v in r.origin.items())) for r in analysis.trials if r.origin}
    recipes = {r.trial.recipe.id: r.trial.recipe for r in analysis.trials}
    tasks = {r.trial.task.id: r.trial.task for r in analysis.trials}
    learnt = [(name, str(value)) for task in tasks.values() for name, value in task.to_json().items()]
    rows = [(name, str(value)) for recipe in recipes.values() for name, value in recipe.to_json().items()]
    made = [entry for origin in sorted(origins) for entry in origin]
    rule = analysis.rule
    words = "none" if rule is None else f"start t = {rule.t}, judge at f = {rule.f:g}, keep p = {rule.p}"
    return (
        f"<h2>How to repeat it</h2><p>Stopping rule: {_text(words)}.</p>"
        f'<div class="wide">{_table(("task", "value"), learnt)}</div><p></p>'
        f'<div class="wide">{_table(("recipe", "value"), rows)}</div><p></p>'
        f'<div class="wide">{_table(("made with", "value"), made)}</div>'
    )


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{_text(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _number(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.4f}"


def _text(value: object) -> str:
    return html.escape(str(value))
