"""How does ``seedwise export`` write a study's tables?"""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

import seedwise as sw
from seedwise.cli.arguments import Folder, Json
from seedwise.cli.console import print_json

__all__ = ["export"]


def export(
    folder: Folder,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="The folder for the tables.")],
    format: Literal["csv", "parquet"] = "csv",  # noqa: A002 - the flag's name
    json: Json = False,
) -> None:
    """Write tidy tables of trials, evaluations, losses and predictions."""
    with sw.Study.open(folder) as study:
        paths = study.export(output, format)
    if json:
        print_json({"tables": paths})
    else:
        print(*paths, sep="\n")
