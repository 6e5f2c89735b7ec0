"""How do tables line up, how are a score and a time written, and how is JSON kept apart from messages?"""

import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from seedwise.study.bar import duration

__all__ = ["duration", "messages_aside", "new_table", "print_json", "print_table", "score_words"]


@contextmanager
def messages_aside(aside: bool) -> Iterator[None]:
    """Where JSON is asked for, send everything else that is printed to standard error."""
    if not aside:
        yield
        return
    with redirect_stdout(sys.stderr):
        yield


def print_json(content: Any) -> None:
    """Print a value as JSON; numbers that are not finite are null."""
    print(json.dumps(_finite(content), indent=2, allow_nan=False, default=str))


def _finite(content: Any) -> Any:
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {key: _finite(value) for key, value in content.items()}
    return [_finite(value) for value in content] if isinstance(content, list | tuple) else content


def new_table(*names: str) -> Table:
    """Make a table for 80 columns: only what has no fixed width, such as names and errors, is ever folded."""
    gap = 1 if _console().width >= 100 else 0  # beside the one between columns
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, gap, 0, 0))
    for name in map(str, names):
        free = name in ("task", "model", "recipe", "error", "from")
        left = free or name in ("metric", "trial", "state", "field")
        table.add_column(name, justify="left" if left else "right", no_wrap=not free, overflow="fold")
    return table


def print_table(table: Table) -> None:
    """Print a table, as wide as the terminal is."""
    _console().print(table)


def score_words(value: float | None) -> str:
    """Return a score to three digits; a dash where there is none."""
    return "–" if value is None or not math.isfinite(value) else f"{value:.3f}"


def _console() -> Console:
    """Never cut a table to 80 columns when it goes to a file or a pipe."""
    return Console() if sys.stdout.isatty() else Console(width=200)
