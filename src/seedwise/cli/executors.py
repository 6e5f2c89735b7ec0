"""Which executor is meant, and where is what it says printed?"""

import logging
import sys

from seedwise.cli.options import WorkerOptions
from seedwise.engines.engine import ENGINES
from seedwise.errors import RequestError
from seedwise.executors.base import Executor
from seedwise.executors.local import LocalExecutor
from seedwise.values.checks import check_choice, check_count

__all__ = ["executor_of"]

_ENGINES = ("auto", *ENGINES)


def executor_of(options: WorkerOptions) -> Executor:
    """Return the executor that is meant; from now on what executors choose is printed."""
    where, engine = options.executor or "local", options.engine or "auto"
    if where in _ENGINES:
        raise RequestError(
            f"--executor says where trials run and must be local, not {where!r}; write --engine {where}."
        )
    check_choice("--executor", where, ("local",))
    check_choice("--engine", engine, _ENGINES)
    if options.width is not None:
        check_count("width", options.width)
        if engine == "auto" or not ENGINES[engine].stacks:
            raise RequestError(f"--width goes with --engine fused, not {engine}; give both, or leave --width out.")
    logger = logging.getLogger("seedwise.executors")
    logger.setLevel(logging.INFO)
    logger.handlers = [_Sentences()]
    return LocalExecutor(engine, workers=options.workers, threads=options.threads, width=options.width)


class _Sentences(logging.Handler):
    """Prints what is logged: warnings on standard error, the rest on standard output."""

    def emit(self, record: logging.LogRecord) -> None:
        print(record.getMessage(), file=sys.stderr if record.levelno >= logging.WARNING else sys.stdout, flush=True)
