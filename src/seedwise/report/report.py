"""What does the report say, in which order? The verdict first, then figures, tables, trials, and how to repeat it."""

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.cell import Cell
from seedwise.charts.style import FORMATS, save, to_svg
from seedwise.errors import RequestError
from seedwise.files import replacing
from seedwise.papers.citations import CITATIONS, bibtex
from seedwise.report import provenance
from seedwise.report.browser import browser, curves_json
from seedwise.report.figures import Figure, Missing, cell_figures, study_figures, task_figures, tuning_figures
from seedwise.report.page import page, paragraphs, table, text
from seedwise.report.question import PROMISED, Promise, design_sentences, promises, published_sentences
from seedwise.report.sentences.caveats import caveats
from seedwise.report.sentences.cell import cell_sentences
from seedwise.report.sentences.recipes import recipe_sentences
from seedwise.report.sentences.tasks import task_sentences
from seedwise.tables.results import study_tables
from seedwise.tables.table import Table, to_csv, to_html, to_latex, to_markdown
from seedwise.values.caveats import repeat_caveats
from seedwise.values.checks import check_choice
from seedwise.values.design import Design
from seedwise.values.stopping import StoppingRule

__all__ = ["Report"]

_ABOVE = ("published", "arms", "tuning", "candidates")  # tables of a design, which stand at the top of the page
_CITED = (
    "dodge2020finetuning",
    "zhang2021revisiting",
    "dodge2019show",
    "lourie2024show",
    "jordan2023calibrated",
    "sellam2022multiberts",
)


class Report:
    """One HTML page about a study, and its figures as files.

    Args:
        analysis: What there is to say.
        title: The page's title.
    """

    def __init__(self, analysis: Analysis, title: str = "Study") -> None:
        self._analysis, self._title = analysis, title

    @cached_property
    def figures(self) -> tuple[Figure | Missing, ...]:
        """Every figure: those of each cell, then those of the study as a whole; or why there are none."""
        cells = self._of_cells if self._kinds is None else self._drawn(None)
        return (*chain.from_iterable(cells), *self._over_tasks, *self._together, *self._of_tuning)

    @cached_property
    def _of_cells(self) -> tuple[tuple[Figure | Missing, ...], ...]:
        """The figures of each cell that are on the page."""
        return self._drawn(self._kinds)

    @property
    def _kinds(self) -> frozenset[str] | None:
        """Which figures of each cell are on the page, None for all: a page cannot hold those of a design's many cells."""
        design = self._analysis.design
        return None if design is None else frozenset(("curves", "training-loss", *design.design.shows))

    def _drawn(self, kinds: frozenset[str] | None) -> tuple[tuple[Figure | Missing, ...], ...]:
        return tuple(tuple(cell_figures(self._analysis, cell, kinds)) for cell in self._analysis.cells)

    @cached_property
    def _together(self) -> tuple[Figure | Missing, ...]:
        return tuple(study_figures(self._analysis))

    @cached_property
    def _over_tasks(self) -> tuple[Figure | Missing, ...]:
        return tuple(task_figures(self._analysis))

    @cached_property
    def _of_tuning(self) -> tuple[Figure | Missing, ...]:
        return tuple(tuning_figures(self._analysis))

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
        content = self.to_html()
        with replacing(path) as beside:
            beside.write_text(content, encoding="utf-8")
        return path

    def save_figures(self, folder: str | Path, formats: Sequence[str] = FORMATS) -> list[Path]:
        """Write every figure as a file of its own, 3.3 inches wide.

        Args:
            folder: Where to; made if it is missing.
            formats: Some of svg, png (300 dots an inch) and pdf.

        Returns:
            The files, named after the cell and the figure.
        """
        for form in formats:
            check_choice("the figures' format", form, FORMATS)
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        return [
            save(figure.chart, folder / f"{figure.name}.{form}")
            for figure in self.figures
            if isinstance(figure, Figure)
            for form in formats
        ]

    def save_tables(self, folder: str | Path) -> list[Path]:
        """Write every table as Markdown, LaTeX, CSV and HTML.

        Args:
            folder: Where to; made if it is missing.

        Returns:
            The files, named after the tables.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        writers = {"md": to_markdown, "tex": to_latex, "csv": to_csv, "html": to_html}
        paths = []
        for found in self._tables[0]:
            for ending, write in writers.items():
                paths.append(folder / f"{found.name}.{ending}")
                paths[-1].write_text(write(found), encoding="utf-8")
        return paths

    @cached_property
    def _tables(self) -> tuple[list[Table], list[Table]]:
        return study_tables(self._analysis)

    def to_html(self) -> str:
        """Return the page."""
        body = "\n".join(self._parts())
        return page(self._title, body, curves_json(self._analysis))

    def _parts(self) -> Iterator[str]:
        analysis = self._analysis
        yield f"<h1>{text(self._title)}</h1>"
        yield f'<p class="quiet">{text(_what_was_run(analysis))}</p>'
        tuned = () if analysis.tuning is None else analysis.tuning.differences
        yield paragraphs(f"Note: {note}" for note in repeat_caveats([*tuned, *analysis.differences]))
        together = self._together
        if len(analysis.cells) > 1:
            links = " ".join(f'<a href="#cell-{i}">{text(analysis.label(c))}</a>' for i, c in enumerate(analysis.cells))
            first = "" if analysis.design is not None else _first_sentences(analysis)  # too many, and below anyway
            yield f'<nav>{links} <a href="#tables">tables</a> <a href="#repeat">how to repeat it</a></nav>'
            yield f'<div class="verdict">{paragraphs([*recipe_sentences(analysis), *task_sentences(analysis)])}{first}</div>'
        if analysis.design is not None:
            yield from self._study(analysis.design.design)
        if self._over_tasks:
            yield f"<h2>Over all tasks</h2>{_figures(self._over_tasks)}"
        if len(analysis.recipe_names) > 1:
            yield f"<h2>Recipes side by side</h2>{_figures(together)}"
        for number, (cell, figures) in enumerate(zip(analysis.cells, self._of_cells, strict=True)):
            yield from self._cell(number, cell, figures)
        if len(analysis.recipe_names) == 1 and together:
            yield f"<h2>The optimiser</h2>{_figures(together)}"
        yield '<h2 id="tables">Tables</h2>' + "".join(
            _table(found) for found in self._tables[0] if analysis.design is None or found.name not in _ABOVE
        )
        yield _missing_tables(self._tables[1])
        yield self._repeat()

    def _study(self, design: Design) -> Iterator[str]:
        """What is asked, in which stages, what was chosen, what was published, and what was promised."""
        analysis, made = self._analysis, {found.name: found for found in self._tables[0]}
        yield f'<h2 id="study">The study: {text(design.title)}</h2>'
        yield paragraphs(
            [*design_sentences(analysis, design), *published_sentences(analysis, design, made.get("published"))]
        )
        yield "".join(_table(made[name]) for name in ("published", "arms") if name in made)
        if "tuning" in made:
            yield f"<h3>What was chosen</h3>{_table(made['tuning'])}"
            yield f"<details><summary>Every candidate</summary>{_table(made['candidates'])}</details>"
            yield _figures(self._of_tuning)
        shown = (*chain.from_iterable(self._of_cells), *self._over_tasks, *self._together, *self._of_tuning)
        if design.shows and analysis.design is not None and analysis.design.stage == "report":
            told = "".join(f"<li>{_promise(one)}</li>" for one in promises(design, shown, self._tables))
            yield f"<h3>What this study shows</h3><ul>{told}</ul>"
        yield paragraphs(["All other figures of each arm: seedwise report STUDY --figures FOLDER writes them."])

    def _cell(self, number: int, cell: Cell, figures: Sequence[Figure | Missing]) -> Iterator[str]:
        yield f'<h2 id="cell-{number}">{text(self._analysis.label(cell))}</h2>'
        yield f'<div class="verdict own">{paragraphs(cell_sentences(self._analysis, cell))}</div>'
        yield paragraphs(f"Note: {note}" for note in caveats(cell))
        yield _figures(figures)
        yield f"<h3>All {len(cell.records)} trials</h3>{browser(cell, number)}"

    def _repeat(self) -> str:
        analysis = self._analysis
        tasks = {cell.task.id: cell.task for cell in analysis.cells}.values()
        recipes = {cell.recipe.id: cell.recipe for cell in analysis.cells}.values()
        names = provenance.recipe_names(analysis)
        lines = provenance.commands(analysis, "STUDY")
        flags = "" if analysis.design is None else ", with the --model, --task and --set that it was given, if any"
        command = f"<p>The same study again{flags}:</p><pre>{text(chr(10).join(lines))}</pre>" if lines else ""
        made = provenance.made_with(analysis)
        versions = f"<h3>Made with</h3>{table(('', 'value'), made)}" if made else ""
        works = "; ".join(f"{CITATIONS[key].short}: {CITATIONS[key].owed}" for key in _CITED)
        return (
            f'<h2 id="repeat">How to repeat it</h2><p>Seeds: {text(provenance.seeds_words(analysis))}</p>'
            f"<p>Stopping rule: {text(_rule_words(analysis.rule))}</p>{command}"
            f"<h3>Tasks</h3>{table(('', *(task.name for task in tasks)), provenance.settings(tasks))}"
            f"<h3>Recipes</h3>{table(('', *(names[r.id] for r in recipes)), provenance.settings(recipes))}"
            f"{versions}<h3>Whom to cite</h3><p>{text(works)}.</p><pre>{text(bibtex(_CITED))}</pre>"
        )


def _first_sentences(analysis: Analysis) -> str:
    """Return the most important sentence of every cell."""
    lines = ((analysis.label(cell), cell_sentences(analysis, cell)[0]) for cell in analysis.cells)
    return "".join(f"<p><b>{text(label)}.</b> {text(sentence)}</p>" for label, sentence in lines)


def _table(found: Table) -> str:
    shown = to_html(found).replace(" = ", "&nbsp;=&nbsp;")  # a candidate such as L = 3 stays on one line
    return f'<div class="wide" id="table-{text(found.name)}">{shown}</div>'


def _promise(promise: Promise) -> str:
    """Return a link to each place where something promised is, or why it is not there."""
    if not promise.places:
        return f"{text(promise.title)}: <b>not there</b>: {text(promise.reason)}"
    links = [f'<a href="#{text(place)}">{number}</a>' for number, place in enumerate(promise.places, start=1)]
    if len(links) == 1:
        return f'<a href="#{text(promise.places[0])}">{text(promise.title)}</a>'
    return f"{text(promise.title)}: {' '.join(links)}"


def _figures(figures: Sequence[Figure | Missing]) -> str:
    """Return figures and reasons; those of one kind stand beside each other, as the papers show them, task by task."""
    kinds = list(dict.fromkeys(figure.kind for figure in figures))
    there = sorted((f for f in figures if isinstance(f, Figure)), key=lambda figure: kinds.index(figure.kind))
    drawn = f'<div class="figures">{"".join(map(_figure, there))}</div>'
    missing = [figure for figure in figures if isinstance(figure, Missing)]
    if not missing:
        return drawn
    return f"{drawn}{_absent('figures', [(figure.title, figure.reason) for figure in missing])}"


def _figure(figure: Figure) -> str:
    svg = _own_ids(to_svg(figure.chart), figure.name)
    return f'<figure id="{text(figure.name)}">{svg}<figcaption>{text(figure.caption)}</figcaption></figure>'


def _missing_tables(tables: Sequence[Table]) -> str:
    if not tables:
        return ""
    return _absent("tables", [(PROMISED.get(table.name, table.name), " ".join(table.notes)) for table in tables])


def _absent(what: str, missing: Sequence[tuple[str, str]]) -> str:
    """Return what is not there and why, each reason once."""
    titles: dict[str, list[str]] = {}
    for title, reason in missing:
        titles.setdefault(reason, []).append(title)
    reasons = "".join(f"<li><b>{text(', '.join(own))}</b>: {text(reason)}</li>" for reason, own in titles.items())
    return (
        f'<details class="reason"><summary>{len(missing)} {what} that this study does not allow</summary>'
        f"<ul>{reasons}</ul></details>"
    )


def _own_ids(svg: str, name: str) -> str:
    """Make a figure's ids its own: two figures on one page would otherwise share a gradient of the same id."""
    known = set(re.findall(r'<[^>]* id="([^"]+)"', svg))
    for key in known:
        pattern = (
            rf'(?<= id="){re.escape(key)}(?=")|(?<=url\(#){re.escape(key)}(?=\))|(?<=href="#){re.escape(key)}(?=")'
        )
        svg = re.sub(pattern, lambda match: f"{name}-{match[0]}", svg)
    return svg


def _what_was_run(analysis: Analysis) -> str:
    tasks = dict.fromkeys(cell.task.name for cell in analysis.cells)
    states: dict[str, int] = {}
    for record in analysis.trials:
        states[record.state.value] = states.get(record.state.value, 0) + 1
    counts = ", ".join(f"{count} {state}" for state, count in states.items())
    seconds = sum(record.seconds for record in analysis.trials)
    hours = f"{seconds / 3600:.1f} device hours" if seconds >= 3600 else f"{seconds / 60:.1f} device minutes"
    time = f" {hours}." if seconds else ""
    recipes = "" if len(analysis.recipe_names) == 1 else f", {len(analysis.recipe_names)} recipes"
    return f"{len(analysis.trials)} trials of {', '.join(tasks)}{recipes}: {counts}.{time}"


def _rule_words(rule: StoppingRule | None) -> str:
    if rule is None:
        return "none; every trial was to run to its end."
    return (
        f"start t = {rule.t} trials, judge each after f = {rule.f:g} of the run, train the p = {rule.p} best to the end "
        "(Dodge et al. 2020, section 5)."
    )
