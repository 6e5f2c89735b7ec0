"""Which executor is meant, and how is it heard?"""

import logging
import sys

from seedwise.cli.options import WorkerOptions
from seedwise.errors import RequestError
from seedwise.executors.base import Executor
from seedwise.executors.fused import FusedExecutor
from seedwise.executors.local import LocalExecutor
from seedwise.values.checks import check_choice, check_count

__all__ = ["EXECUTORS", "executor_of"]

EXECUTORS = ("auto", "local", "packed", "compiled", "fused")


def executor_of(options: WorkerOptions) -> Executor:
    """Return the executor that is meant; from now on what executors choose is printed.

    Raises:
        RequestError: There is no such executor, or it has no stacks to be wide.
    """
    name = options.executor or "auto"
    check_choice("--executor", name, EXECUTORS)
    if options.width is not None:
        check_count("width", options.width)
    if options.width is not None and name != "fused":
        raise RequestError(f"--width goes with --executor fused, not {name}; give both, or leave --width out.")
    logger = logging.getLogger("seedwise.executors")
    logger.setLevel(logging.INFO)
    logger.handlers = [_Sentences()]
    if name == "local":
        return LocalExecutor(options.workers, threads=1 if options.threads is None else options.threads)
    width = "auto" if options.width is None else options.width
    return FusedExecutor(width, path=name, workers=options.workers, threads=options.threads)


class _Sentences(logging.Handler):
    """Prints what is logged: warnings on standard error, the rest on standard output."""

    def emit(self, record: logging.LogRecord) -> None:
        print(record.getMessage(), file=sys.stderr if record.levelno >= logging.WARNING else sys.stdout, flush=True)
