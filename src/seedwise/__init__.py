"""How good is this recipe, and how much of it is the seed? Many seeds, stopped early, studied honestly."""

import importlib
from typing import Any

from seedwise.arm import Arm
from seedwise.design import Design
from seedwise.errors import DataError, RequestError, SeedwiseError, WorkError
from seedwise.recipe import Recipe
from seedwise.schedule import Schedule
from seedwise.seeds import Seeds
from seedwise.splits import Splits
from seedwise.stopping import StoppingRule
from seedwise.task import Task
from seedwise.trial import Measurement, Trial, TrialState

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
    "read_runs",
    "run_design",
    "studies",
]

__version__ = "0.1.0"

_LAZY = {
    "Analysis": "seedwise.analysis.analysis",
    "FusedExecutor": "seedwise.executors.fused",
    "LocalExecutor": "seedwise.executors.local",
    "Report": "seedwise.report.report",
    "Study": "seedwise.study",
    "read_runs": "seedwise.importing.runs",
    "run_design": "seedwise.staged",
}
_MODULES = ("studies",)


def __getattr__(name: str) -> Any:
    """Load what needs more than the standard library on first use, so that a quick question gets a quick answer."""
    if name in _MODULES:
        return importlib.import_module(f"seedwise.{name}")
    if name not in _LAZY:
        raise AttributeError(f"module 'seedwise' has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
