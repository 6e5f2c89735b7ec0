"""Which designs are ready-made, and how is one loaded? Each is a TOML file beside this one; `DesignFile` reads them.

Every file is a published protocol. It can be copied, changed and loaded from where the copy lies.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seedwise.designs.file import DesignFile, design_names
from seedwise.values.design import Design
from seedwise.values.task import Task

__all__ = ["load", "names"]


def names() -> tuple[str, ...]:
    """Return the names of the ready-made designs.

    Example:
        >>> "zhang2021-reinit" in names()
        True
    """
    return design_names()


def load(
    design: str | Path,
    *,
    task: str | Task | Sequence[str | Task] = (),
    model: str | None = None,
    scale: str = "full",
    changes: Mapping[str, Any] | None = None,
) -> Design:
    """Return a ready-made design, or that of a file, perhaps on other tasks or with another model.

    Example:
        >>> load("zhang2021-randomness").cost["report"]
        200
        >>> [task.name for task in load("dodge2020", scale="small").tasks]
        ['entailment', 'similarity', 'acceptability']
    """
    given = (task,) if isinstance(task, str | Task) else tuple(task)
    return DesignFile.read(design).design(tasks=given, model=model, scale=scale, changes=changes or {})
