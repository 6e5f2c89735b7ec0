"""Where in the package are the generated tasks and the small encoder?"""

from pathlib import Path

from seedwise.data.glue import Layout, read_layout
from seedwise.data.source import SourceRows
from seedwise.values.benchmarks import EMBEDDED
from seedwise.values.checks import check_choice
from seedwise.values.task import Task

__all__ = ["ENCODER", "read_embedded", "resolve_model"]

ENCODER = Path(__file__).parent.parent / "embedded" / "encoder"
"""The folder of the encoder inside the package."""


def read_embedded(task: Task, split: str) -> SourceRows:
    """Read one split of a task made by `Task.embedded`."""
    check_choice("the embedded task", task.name, EMBEDDED)
    known = EMBEDDED[task.name]
    layout = Layout(known.text, known.text_pair, "score" if known.labels is None else "label")
    return read_layout(Path(getattr(task, split)), layout, label_names=known.labels)


def resolve_model(model: str) -> str:
    """Return where a recipe's model is loaded from: ``embedded`` is the encoder inside the package.

    Example:
        >>> resolve_model("google-bert/bert-base-uncased")
        'google-bert/bert-base-uncased'
    """
    return str(ENCODER) if model == "embedded" else model
