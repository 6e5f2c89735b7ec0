"""Which ready-made designs does ``seedwise designs`` list?"""

import tomllib
from typing import Annotated, Any

from cyclopts import Parameter

from seedwise.cli.arguments import Json
from seedwise.cli.console import print_json
from seedwise.designs.file import DesignFile, design_names
from seedwise.values.design import Design

__all__ = ["designs"]


def designs(
    name: Annotated[str | None, Parameter(help="Print this design's file, to copy and change.")] = None,
    *,
    json: Json = False,
) -> None:
    """List the ready-made designs that `seedwise run DIR --design NAME` runs, with their cost in trainings."""
    if name is not None:
        text = DesignFile.read(name).path.read_text(encoding="utf-8")
        print_json(tomllib.loads(text)) if json else print(text, end="")
        return
    if json:
        print_json([_as_json(each) for each in design_names()])
        return
    for each in design_names():
        file = DesignFile.read(each)
        full, small = file.design(), file.design(scale="small")
        print(f"{each}\n  {full.question}")
        print(f"  {full.source}; tasks {', '.join(task.name for task in full.tasks)}")
        print(f"  {_cost(full)}; at small scale {_cost(small)}\n")
    print("`seedwise run DIR --design NAME` runs one; with --scale small, on this machine in minutes.")


def _as_json(name: str) -> dict[str, Any]:
    file = DesignFile.read(name)
    full, small = file.design(), file.design(scale="small")
    tasks = [task.name for task in full.tasks]
    trainings = {"full": dict(full.cost), "small": dict(small.cost)}
    return {"name": name, "question": full.question, "source": full.source, "tasks": tasks, "trainings": trainings}


def _cost(design: Design) -> str:
    """Return how many trainings a design takes, by stage."""
    stages = [f"{count:,} {stage}" for stage, count in design.cost.items() if count]
    total = f"{sum(design.cost.values()):,} trainings"
    return f"{total} ({', '.join(stages)})" if len(stages) > 1 else total
