r"""How is a table written: as Markdown, LaTeX, CSV or HTML, with numbers of one kind formatted alike?"""

import csv
import html
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple, TypeAlias

__all__ = ["DASH", "Kind", "Table", "Value", "to_csv", "to_html", "to_latex", "to_markdown", "to_texts"]

Kind: TypeAlias = Literal[
    "text", "count", "number", "score", "sd", "spread", "printed", "interval", "share", "share_interval", "p"
]
Value: TypeAlias = str | int | float | tuple[float, ...] | None

DASH = "–"
"""What stands where there is no value."""

PARTS: dict[str, tuple[str, ...]] = {
    "spread": ("mean", "sd", "n"),
    "printed": ("mean", "sd", "n"),
    "interval": ("", "lower", "upper"),
    "share_interval": ("", "lower", "upper"),
}
"""Kinds whose values hold several numbers, and what these are called in CSV."""


class Table(NamedTuple):
    """A table of plain values."""

    name: str  # a short one for files and labels: letters, digits and hyphens
    caption: str  # what it shows, and what bold means, in sentences
    header: tuple[str, ...]  # names of the columns
    kinds: tuple[Kind, ...]  # what each column holds: text
    rows: tuple[tuple[Value, ...], ...]  # one value for each column; None or nan where there is none
    bold: frozenset[tuple[int, int]] = frozenset()  # row and column of each value that is printed in bold
    notes: tuple[str, ...] = ()  # sentences below: why values are missing, what to mind

    def __repr__(self) -> str:
        return f"<Table {self.name}: {', '.join(self.header)}; rows: {len(self.rows)}>"

    def _repr_html_(self) -> str:
        return to_html(self)


def to_texts(table: Table) -> list[list[str]]:
    """Return every value of the table as text, in rows.

    Example:
        >>> to_texts(Table("t", "", ("a", "b"), ("spread", "p"), (((0.7124, 0.021, 20), 0.0002),)))
        [['0.712 ± 0.021', '2.0 × 10⁻⁴']]
    """
    columns = []
    for place, kind in enumerate(table.kinds):
        values = [row[place] for row in table.rows]
        write = _writer(kind, [value for value in values if not _is_missing(value)])
        columns.append([DASH if _is_missing(value) else write(value) for value in values])
    return [list(row) for row in zip(*columns, strict=True)]


def to_markdown(table: Table) -> str:
    """Return the table as Markdown: its caption, the table, and its notes as a list."""
    marks = [":---" if kind == "text" else "---:" for kind in table.kinds]
    body = _emphasised(table, _markdown, "**{}**")
    lines = [_markdown_row(map(_markdown, table.header)), _markdown_row(marks), *map(_markdown_row, body)]
    notes = "\n".join(f"- {_markdown(note)}" for note in table.notes)
    return "\n\n".join(filter(None, [_markdown(table.caption), "\n".join(lines), notes])) + "\n"


def to_latex(table: Table) -> str:
    r"""Return the table as LaTeX for the package booktabs, with the label ``tab:<name>``.

    Example:
        >>> print(to_latex(Table("sizes", "Rows.", ("task", "rows"), ("text", "count"), (("RTE", 2490),))))
        \begin{table}
        \centering
        \caption{Rows.}
        \label{tab:sizes}
        \begin{tabular}{lr}
        \toprule
        task & rows \\
        \midrule
        RTE & 2,490 \\
        \bottomrule
        \end{tabular}
        \end{table}
    """
    body = _emphasised(table, _latex, r"\textbf{{{}}}")
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\caption{{{_latex(table.caption)}}}",
            rf"\label{{tab:{table.name}}}",
            rf"\begin{{tabular}}{{{''.join('l' if kind == 'text' else 'r' for kind in table.kinds)}}}",
            r"\toprule",
            _latex_row(map(_latex, table.header)),
            r"\midrule",
            *map(_latex_row, body),
            r"\bottomrule",
            r"\end{tabular}",
            *(rf"\par\smallskip{{\footnotesize {_latex(note)}}}" for note in table.notes),
            r"\end{table}",
            "",
        ]
    )


def to_csv(table: Table) -> str:
    """Return the table's values as CSV with all their digits; what holds several numbers becomes several columns.

    Example:
        >>> print(to_csv(Table("t", "", ("task", "score"), ("text", "spread"), (("RTE", (0.7, 0.1, 20)),))))
        task,score mean,score sd,score n
        RTE,0.7,0.1,20
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    named = zip(table.header, table.kinds, strict=True)
    writer.writerow(f"{name} {part}".strip() for name, kind in named for part in PARTS.get(kind, ("",)))
    for row in table.rows:
        writer.writerow(cell for value, kind in zip(row, table.kinds, strict=True) for cell in _csv_cells(value, kind))
    return stream.getvalue()


def to_html(table: Table) -> str:
    """Return the table as HTML, its notes in a list of the class ``notes``; numbers have the class ``number``."""
    classes = ["" if kind == "text" else ' class="number"' for kind in table.kinds]
    heads = [f'<th scope="col"{c}>{_html(name)}</th>' for c, name in zip(classes, table.header, strict=True)]
    rows = [
        "".join(f"<td{c}>{text}</td>" for c, text in zip(classes, row, strict=True))
        for row in _emphasised(table, _html, "<strong>{}</strong>")
    ]
    notes = "".join(f"<li>{_html(note)}</li>" for note in table.notes)
    lines = [
        f"<table>\n<caption>{_html(table.caption)}</caption>",
        f"<thead><tr>{''.join(heads)}</tr></thead>\n<tbody>",
        *(f"<tr>{row}</tr>" for row in rows),
        "</tbody>\n</table>",
        *([f'<ul class="notes">{notes}</ul>'] if notes else []),
    ]
    return "\n".join(lines) + "\n"


def _is_missing(value: Value) -> bool:
    first = value[0] if isinstance(value, tuple) else value
    return first is None or (isinstance(first, float) and math.isnan(first))


def _writer(kind: Kind, values: Sequence[Value]) -> Callable[[Value], str]:
    """Return how a column of a kind is written, with as many decimals as all of its values need."""
    numbers = [value if isinstance(value, tuple) else (value,) for value in values if not isinstance(value, str)]
    if kind == "text":
        return str
    if kind in ("score", "spread", "interval"):
        spreads = [(n[1] if kind == "spread" else n[2] - n[1]) for n in numbers if len(n) > 1 and not math.isnan(n[1])]
        decimals = _decimals([float(n[0]) for n in numbers], spreads)  # type: ignore[arg-type]
        decimals = min(decimals, 4) if kind == "interval" else decimals  # one narrow interval would lengthen all others
        return lambda value: _written(kind, value, decimals)
    return lambda value: _written(kind, value, 3 if kind == "printed" else 0)


def _written(kind: Kind, value: Value, decimals: int) -> str:
    first, *rest = value if isinstance(value, tuple) else (float(value),)  # type: ignore[arg-type]
    if math.isinf(first):
        return "∞" if first > 0 else "−∞"
    if kind in ("spread", "printed"):
        return (
            f"{_signed(first, decimals)} ± {rest[0]:.{decimals}f}"
            if not math.isnan(rest[0])
            else _signed(first, decimals)
        )
    if kind == "interval" and math.isnan(rest[0]):
        return _signed(first, decimals)
    if kind == "interval":
        return f"{_signed(first, decimals)} ({_signed(rest[0], decimals)} to {_signed(rest[1], decimals)})"
    if kind == "share_interval":
        return f"{_percent(first)} ({_percent(rest[0])} to {_percent(rest[1])})"
    if kind == "share":
        return _percent(first)
    if kind == "count":
        return f"{first:,.0f}"
    if kind == "sd":
        return _digits(first, 2)
    if kind == "p":
        return _p(first)
    return _signed(first, decimals) if kind == "score" else _trimmed(_digits(first, 3))


def _decimals(values: Sequence[float], spreads: Sequence[float]) -> int:
    """Return decimals that show two digits of the smallest spread; at least those that scores are always written with."""
    least = 3 if max((abs(value) for value in values if math.isfinite(value)), default=0) <= 2 else 1
    smallest = min((spread for spread in spreads if spread > 0 and math.isfinite(spread)), default=1.0)
    return min(max(least, 1 - math.floor(math.log10(smallest))), 5)


def _signed(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}"
    return f"−{text[1:]}" if text.startswith("-") and float(text) else text.removeprefix("-")


def _digits(value: float, digits: int) -> str:
    """Write a number with so many digits, as 0.10 or 24, never as 1e-05."""
    if value == 0:
        return "0"
    return _signed(value, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percent(value: float) -> str:
    between = 0 < value < 0.005 or 0.995 < value < 1
    return f"{_signed(100 * value, 1 if between else 0)}%"


def _p(value: float) -> str:
    if value >= 0.001 or value == 0:
        return f"{value:.3f}" if value else "< 10⁻³⁰⁰"
    mantissa, exponent = f"{value:.1e}".split("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_NORMAL = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "|": r"\textbar{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "[": "{[}",
    "]": "{]}",  # a row's first [ would be an argument
    "±": r"$\pm$",
    "×": r"$\times$",
    "−": "$-$",
    "–": "--",
    "∞": r"$\infty$",
}


def _latex(text: str) -> str:
    escaped = "".join(_LATEX.get(character, character) for character in " ".join(text.split()))
    return re.sub("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda found: f"$^{{{found.group().translate(_NORMAL)}}}$", escaped)


def _markdown(text: str) -> str:
    safe = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_|\[\]~$])", r"\\\1", safe)


def _html(text: str) -> str:
    return html.escape(text)


def _emphasised(table: Table, escape: Callable[[str], str], bold: str) -> list[list[str]]:
    return [
        [bold.format(escape(text)) if (i, j) in table.bold else escape(text) for j, text in enumerate(row)]
        for i, row in enumerate(to_texts(table))
    ]


def _markdown_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _latex_row(cells: Iterable[str]) -> str:
    return f"{' & '.join(cells)} \\\\"


def _csv_cells(value: Value, kind: Kind) -> list[str | int | float]:
    parts = PARTS.get(kind, ("",))
    numbers = value if isinstance(value, tuple) else (value,)
    cells = ["" if _is_missing(number) else number for number in numbers]
    return [*cells, *[""] * (len(parts) - len(cells))]  # type: ignore[list-item]
