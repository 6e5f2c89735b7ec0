"""How does ``seedwise report`` write the page, the figures and the tables?"""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import seedwise as sw
from seedwise.cli.arguments import Folder, Json, open_with_trials
from seedwise.cli.console import print_json

__all__ = ["report"]


def report(
    folder: Folder,
    *,
    output: Annotated[
        Path | None, Parameter(name=["--output", "-o"], help="The page; DIR/report.html by default.")
    ] = None,
    figures: Annotated[Path | None, Parameter(help="Also write every figure there, as SVG, PNG and PDF.")] = None,
    tables: Annotated[
        Path | None, Parameter(help="Also write every table there, as Markdown, LaTeX, CSV and HTML.")
    ] = None,
    json: Json = False,
) -> None:
    """Write one self-contained HTML page about the study."""
    with open_with_trials(folder) as study:
        page = sw.Report(sw.Analysis(study), title=folder.resolve().name)
        saved = page.save(output or folder / "report.html")
        figure_files = page.save_figures(figures) if figures else []
        table_files = page.save_tables(tables) if tables else []
    if json:
        print_json({"report": saved, "figures": figure_files, "tables": table_files})
    else:
        print(saved, *figure_files, *table_files, sep="\n")
