"""What does a source of rows hand over, before anything is checked?"""

from dataclasses import dataclass
from typing import TypeAlias

__all__ = ["RawLabel", "RawText", "SourceRows", "row_name"]

RawText: TypeAlias = str | None
RawLabel: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class SourceRows:
    """Columns as they were read, in the source's order; a missing text or label is None.

    Args:
        place: The file's name or the hub's, for messages.
        texts: The texts, or the first of each pair.
        pairs: The second texts; None where the task has single texts.
        labels: The labels as written; empty where the rows were read without labels.
        index: Row number of each row in the source, from 0, a header not counted.
        skipped: Lines of the source that are no rows.
    """

    place: str
    texts: list[RawText]
    pairs: list[RawText] | None
    labels: list[RawLabel]
    index: list[int]
    skipped: int = 0

    def __len__(self) -> int:
        return len(self.texts)


def row_name(index: int) -> str:
    """Name a row in a message, so that it is found in the file."""
    return f"row {index} (the first row is 0, a header not counted)"
