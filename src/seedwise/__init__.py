"""How good is this recipe, and how much of it is the seed? Many seeds, stopped early, studied honestly."""

import importlib
from typing import TYPE_CHECKING, Any

from seedwise.errors import (
    CheckpointError,
    DataError,
    MasksError,
    RequestError,
    SeedwiseError,
    StorageError,
    UnknownError,
    WorkError,
)
from seedwise.study.schedule import Schedule
from seedwise.values.arm import Arm
from seedwise.values.design import Design
from seedwise.values.evaluations import Evaluations
from seedwise.values.recipe import Recipe
from seedwise.values.seeds import Seeds
from seedwise.values.splits import Splits
from seedwise.values.stopping import StoppingRule
from seedwise.values.task import Task
from seedwise.values.trial import Measurement, Trial, TrialState

if TYPE_CHECKING:  # for type checkers and editors; at run time `_LAZY` says where they are
    from seedwise import designs, stats
    from seedwise.analysis.analysis import Analysis
    from seedwise.executors.base import Executor
    from seedwise.executors.local import LocalExecutor
    from seedwise.gate import run_gate
    from seedwise.importing.runs import read_runs
    from seedwise.report.report import Report
    from seedwise.study.stages import run_design
    from seedwise.study.study import Study

__all__ = [
    "Analysis",
    "Arm",
    "CheckpointError",
    "DataError",
    "Design",
    "Evaluations",
    "Executor",
    "LocalExecutor",
    "MasksError",
    "Measurement",
    "Recipe",
    "Report",
    "RequestError",
    "Schedule",
    "Seeds",
    "SeedwiseError",
    "Splits",
    "StoppingRule",
    "StorageError",
    "Study",
    "Task",
    "Trial",
    "TrialState",
    "UnknownError",
    "WorkError",
    "__version__",
    "designs",
    "read_runs",
    "run_design",
    "run_gate",
    "stats",
]

__version__ = "0.1.0"

_LAZY = {
    "Analysis": "seedwise.analysis.analysis",
    "Executor": "seedwise.executors.base",
    "LocalExecutor": "seedwise.executors.local",
    "Report": "seedwise.report.report",
    "Study": "seedwise.study.study",
    "read_runs": "seedwise.importing.runs",
    "run_design": "seedwise.study.stages",
    "run_gate": "seedwise.gate",
}
_MODULES = ("designs", "stats")


def __getattr__(name: str) -> Any:
    """Load what needs more than the standard library on first use, so that a quick question gets a quick answer."""
    if name in _MODULES:
        return importlib.import_module(f"seedwise.{name}")
    if name not in _LAZY:
        raise AttributeError(f"module 'seedwise' has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
