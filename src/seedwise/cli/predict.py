"""How does ``seedwise predict`` label new rows, and where do the labels go?"""

import csv
import sys
from pathlib import Path
from typing import Annotated, TextIO

from cyclopts import Parameter

import seedwise as sw
from seedwise.cli.arguments import Folder, Json
from seedwise.cli.console import print_json
from seedwise.cli.winners import choose_winner, winner_folders
from seedwise.errors import RequestError
from seedwise.values.caveats import row_caveats
from seedwise.values.facts import TaskFacts

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
        with output.open("w", encoding="utf-8", newline="") as stream:
            _write(rows, stream)
    if json:
        print_json(rows if output is None else {"labels": output, "rows": len(rows)})
    elif output is None:
        _write(rows, sys.stdout)
    else:
        print(output)


def _labelled(folder: Path, file: Path, output: Path | None, name: str | None) -> list[dict[str, object]]:
    """Label the rows of a file with the winner, once all that was asked is checked."""
    if not winner_folders(folder) and (folder / "study.db").is_file():
        _check_own(folder)
    model, task = choose_winner(folder, name)
    if output is not None:
        _check_output(output, file)
    from seedwise.data.rows import read_texts
    from seedwise.data.tokenizer import load_tokenizer
    from seedwise.data.tokens import tokenize_rows
    from seedwise.training.prediction import predict_rows

    tokenizer = load_tokenizer(str(model))
    tokens = tokenize_rows(read_texts(file, task), tokenizer)
    cut = TaskFacts(rows={"new": len(tokens)}, truncated={"new": tokens.truncated}, max_length=tokenizer.limit)
    for caveat in row_caveats(cut):
        print(f"{task.name}: {caveat}", file=sys.stderr)
    return predict_rows(model, tokens, tokenizer, task.kind)


def _check_own(folder: Path) -> None:
    with sw.Study.open(folder) as study:
        if study.is_imported:
            raise RequestError(
                f"{folder} holds imported runs and no model; predict with a study of your own trainings."
            )


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
