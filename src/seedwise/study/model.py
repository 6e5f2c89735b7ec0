"""What does a study's best model predict for new rows? The code that loads it is imported on first use."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from seedwise.errors import RequestError
from seedwise.values.caveats import row_caveats
from seedwise.values.facts import TaskFacts
from seedwise.values.task import Task

if TYPE_CHECKING:
    from seedwise.data.tokenizer import Tokenizer
    from seedwise.data.tokens import TokenizedSplit

__all__ = ["BestModel", "NewRows"]

log = logging.getLogger(__name__)


class NewRows(NamedTuple):
    """Rows as a model sees them, with notes on anything unusual."""

    tokens: "TokenizedSplit"
    tokenizer: "Tokenizer"
    caveats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BestModel:
    """The winner of a study's task: a plain Hugging Face model folder."""

    folder: Path  # where the model is; ``AutoModelForSequenceClassification.from_pretrained(folder)`` loads it
    task: Task  # what it was trained for

    def predict(self, rows: "Sequence[str] | Sequence[Mapping[str, str]] | pl.DataFrame | str | Path") -> pl.DataFrame:
        """Label new rows."""
        found = self.read(rows)
        for caveat in found.caveats:
            log.warning("%s: %s", self.task.name, caveat)
        return self.label(found)

    def read(self, rows: "Sequence[str] | Sequence[Mapping[str, str]] | pl.DataFrame | str | Path") -> NewRows:
        """Turn rows into tokens, and note anything unusual about them."""
        from seedwise.data.rows import read_texts, texts_of
        from seedwise.data.tokenizer import load_tokenizer
        from seedwise.data.tokens import tokenize_rows

        if isinstance(rows, str | Path):
            texts = read_texts(rows, self.task)
        else:
            texts = texts_of(_columns(rows, self.task), Path("rows"), self.task)
        tokenizer = load_tokenizer(str(self.folder))
        tokens = tokenize_rows(texts, tokenizer)
        cut = TaskFacts(rows={"new": len(tokens)}, truncated={"new": tokens.truncated}, max_length=tokenizer.limit)
        return NewRows(tokens, tokenizer, tuple(row_caveats(cut)))

    def label(self, rows: NewRows) -> pl.DataFrame:
        """Label rows returned by `read`; see `predict`."""
        from seedwise.training.prediction import predict_rows

        return pl.DataFrame(predict_rows(self.folder, rows.tokens, rows.tokenizer, self.task.kind))


def _columns(
    rows: "Sequence[str] | Sequence[Mapping[str, str]] | pl.DataFrame", task: Task
) -> dict[str, list[str | None]]:
    if not len(rows):
        raise RequestError("rows must hold at least one row, but there is none; give one or more.")
    if isinstance(rows, pl.DataFrame):
        return rows.to_dict(as_series=False)
    if all(isinstance(row, str) for row in rows):
        if task.text_pair is not None:
            raise RequestError(
                f"rows must be mappings with {task.text!r} and {task.text_pair!r}, not texts; {task.name} labels pairs of them."
            )
        return {task.text: [row for row in rows if isinstance(row, str)]}
    names = dict.fromkeys(name for row in rows if isinstance(row, Mapping) for name in row)
    return {name: [row.get(name) for row in rows if isinstance(row, Mapping)] for name in names}
