"""How good is this recipe, and how much of it is the seed? Many seeds, stopped early, studied honestly."""

import importlib
from typing import Any

from seedwise.errors import DataError, RequestError, SeedwiseError, WorkError
from seedwise.study.schedule import Schedule
from seedwise.values.arm import Arm
from seedwise.values.design import Design
from seedwise.values.recipe import Recipe
from seedwise.values.seeds import Seeds
from seedwise.values.splits import Splits
from seedwise.values.stopping import StoppingRule
from seedwise.values.task import Task
from seedwise.values.trial import Measurement, Trial, TrialState

__all__ = [
    "Analysis",
    "Arm",
    "DataError",
    "Design",
    "FusedExecutor",
    "LocalExecutor",
    "Measurement",
    "Recipe",
    "Report",
    "RequestError",
    "Schedule",
    "Seeds",
    "SeedwiseError",
    "Splits",
    "StoppingRule",
    "Study",
    "Task",
    "Trial",
    "TrialState",
    "WorkError",
    "__version__",
    "designs",
    "read_runs",
    "run_design",
]

__version__ = "0.1.0"

_LAZY = {
    "Analysis": "seedwise.analysis.analysis",
    "FusedExecutor": "seedwise.executors.fused",
    "LocalExecutor": "seedwise.executors.local",
    "Report": "seedwise.report.report",
    "Study": "seedwise.study.study",
    "read_runs": "seedwise.importing.runs",
    "run_design": "seedwise.study.stages",
}
_MODULES = ("designs",)


def __getattr__(name: str) -> Any:
    """Load what needs more than the standard library on first use, so that a quick question gets a quick answer."""
    if name in _MODULES:
        return importlib.import_module(f"seedwise.{name}")
    if name not in _LAZY:
        raise AttributeError(f"module 'seedwise' has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
