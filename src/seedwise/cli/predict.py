"""How does ``seedwise predict`` label new rows, and where do the labels go?"""

import csv
import sys
from pathlib import Path
from typing import TextIO

from seedwise.cli.winners import choose_winner, winner_folders
from seedwise.errors import RequestError
from seedwise.study.study import Study
from seedwise.values.caveats import row_caveats
from seedwise.values.facts import TaskFacts

__all__ = ["predict_file"]


def predict_file(folder: Path, file: Path, output: Path | None, name: str | None) -> None:
    """Label the rows of a file with the winner, and write one CSV line for each."""
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
    rows = predict_rows(model, tokens, tokenizer, task.kind)
    if output is None:
        _write(rows, sys.stdout)
        return
    with output.open("w", encoding="utf-8", newline="") as stream:
        _write(rows, stream)
    print(output)


def _check_own(folder: Path) -> None:
    with Study.open(folder) as study:
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
