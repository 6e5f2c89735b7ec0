"""How does ``seedwise predict`` label new rows, and where do the labels go?"""

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

from cyclopts import Parameter

import seedwise as sw
from seedwise.cli.arguments import Folder, Json
from seedwise.cli.console import print_json
from seedwise.errors import RequestError
from seedwise.files import replacing

if TYPE_CHECKING:  # loaded on first use
    from seedwise.study.model import BestModel

__all__ = ["predict"]


def predict(
    folder: Folder,
    file: Annotated[Path, Parameter(help="Rows with the task's text columns: CSV, TSV, JSON Lines or Parquet.")],
    *,
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="A CSV file for the labels; printed by default.")
    ] = None,
    task: Annotated[
        str | None, Parameter(help="Whose winner, where best/ holds several: a folder in it, or a task.")
    ] = None,
    json: Json = False,
) -> None:
    """Label new rows with the study's best model."""
    rows = _labelled(folder, file, output, task)
    if output is not None:
        with replacing(output) as beside, beside.open("w", encoding="utf-8", newline="") as stream:
            _write(rows, stream)
    if json:
        print_json(rows if output is None else {"labels": output, "rows": len(rows)})
    elif output is None:
        _write(rows, sys.stdout)
    else:
        print(output)


def _labelled(folder: Path, file: Path, output: Path | None, name: str | None) -> list[dict[str, object]]:
    """Label the rows of a file with the winner, once all that was asked is checked."""
    model = _model(folder, name)
    if output is not None:
        _check_output(output, file)
    rows = model.read(file)
    for caveat in rows.caveats:
        print(f"{model.task.name}: {caveat}", file=sys.stderr)
    return list(model.label(rows).iter_rows(named=True))


def _model(folder: Path, name: str | None) -> "BestModel":
    """Find the winner that is meant, also where only ``best/`` was copied here."""
    from seedwise.study.model import BestModel
    from seedwise.study.winners import choose_winner

    if not (folder / "study.db").is_file():
        return BestModel(*choose_winner(folder, name))
    with sw.Study.open(folder) as study:
        return study.best_model(name)


def _check_output(output: Path, file: Path) -> None:
    """Refuse to write where a CSV file is out of place, above all over the rows themselves."""
    if output.suffix.lower() != ".csv":
        raise RequestError(f"--output must be a file that ends in .csv, not {output}; name one.")
    if not output.parent.is_dir():
        raise RequestError(f"--output must be a file in a folder that exists, not {output}; make the folder.")
    if output.exists() and file.exists() and output.samefile(file):
        raise RequestError(f"--output must be another file than the rows, not {output}; name another.")


def _write(rows: list[dict[str, object]], stream: TextIO) -> None:
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
