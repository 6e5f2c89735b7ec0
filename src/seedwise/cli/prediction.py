"""How does ``seedwise predict`` label new rows, and where do the labels go?"""

import csv
import json
import sys
from pathlib import Path
from typing import TextIO

from seedwise.errors import RequestError
from seedwise.task import Task
from seedwise.validation import did_you_mean

__all__ = ["predict_file"]


def predict_file(folder: Path, file: Path, output: Path | None, task: str | None) -> None:
    """Label the rows of a file with the winner, and write one CSV line for each."""
    model, about = _winner(folder, task)
    if output is not None and not output.parent.is_dir():
        raise RequestError(f"--output must be a file in a folder that exists, not {output}; make the folder.")
    from seedwise.data.rows import read_texts
    from seedwise.training.prediction import predict_rows

    rows = predict_rows(model, read_texts(file, about), about.kind)
    if output is None:
        _write(rows, sys.stdout)
        return
    with output.open("w", encoding="utf-8", newline="") as stream:
        _write(rows, stream)
    print(output)


def _write(rows: list[dict[str, object]], stream: TextIO) -> None:
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def _winner(folder: Path, name: str | None) -> tuple[Path, Task]:
    """Find the winner's folder: ``best``, or ``best/TASK`` where there are several."""
    notes = {p.parent.name: p for p in sorted((folder / "best").glob("**/seedwise.json"))}
    if not notes:
        raise RequestError(f"{folder} holds no best model; run the study to its end first.")
    tasks = {key: Task.from_json(json.loads(p.read_text(encoding="utf-8"))["task"]) for key, p in notes.items()}
    by_name = {tasks[key].name: key for key in tasks}
    if name is None and len(by_name) > 1:
        raise RequestError(f"the study has several winners; say --task, one of {', '.join(by_name)}.")
    chosen = name or next(iter(by_name))
    if chosen not in by_name:
        raise RequestError(
            f"--task must be one of {', '.join(by_name)}, not {chosen!r}{did_you_mean(chosen, by_name)}."
        )
    key = by_name[chosen]
    return notes[key].parent, tasks[key]
