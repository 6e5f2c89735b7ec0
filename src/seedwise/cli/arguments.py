"""Which arguments do several commands share?"""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import seedwise as sw
from seedwise.errors import RequestError

__all__ = ["Folder", "Json", "RecipeName", "TaskName", "open_with_trials"]

Folder = Annotated[Path, Parameter(help="The study's folder.")]
TaskName = Annotated[str | None, Parameter(help="Only this task of the study.")]
RecipeName = Annotated[str | None, Parameter(help="Only this recipe of the study.")]
Json = Annotated[bool, Parameter(negative="", help="Print JSON for other programs.")]


def open_with_trials(folder: Path) -> "sw.Study":
    """Open a study for a command that needs trials; a design has none in its report until all choices are made."""
    study = sw.Study.open(folder)
    if study.design is not None and not study.trials:
        study.close()
        raise RequestError(
            f"{folder} holds a study whose choices are not all made, so its report has no trials yet; `seedwise run {folder}` "
            f"continues it, and {folder / 'tuning'} holds what has been trained so far."
        )
    return study
