"""What can be typed? ``seedwise COMMAND``: each command is a file here, named as it."""

import os
import sys
import traceback

from cyclopts import App, CycloptsError

import seedwise
from seedwise.cli import (
    analyze,
    cite,
    compare,
    completion,
    demo,
    designs,
    export,
    gate,
    import_,
    info,
    plan,
    predict,
    report,
    run,
    status,
    trials,
)
from seedwise.errors import RequestError, SeedwiseError, StorageError

__all__ = ["app", "main"]

app = App(
    name="seedwise",
    version=seedwise.__version__,
    help="Start many seeds, stop the poor ones early, continue the promising ones, and say how good the winner is.",
    help_format="plaintext",
    suppress_keyboard_interrupt=False,
    help_epilogue="An error is one sentence; --debug shows where it came from.",
)
for command in (
    demo.demo,
    run.run,
    designs.designs,
    status.status,
    trials.trials,
    predict.predict,
    export.export,
    plan.plan,
    analyze.analyze,
    compare.compare,
    gate.gate,
    info.info,
    cite.cite,
    report.report,
    completion.completion,
):
    app.command(command)
app.command(import_.import_, name="import")


def main() -> None:
    """Run the command line.

    Exit codes: 0 done, 1 the work failed, 2 the request was wrong or the disk is full, 130 stopped by Ctrl-C; 3, 4 and 5 are
    answers of ``seedwise gate``.
    """
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    debug = len(arguments) < len(sys.argv) - 1
    os.environ.setdefault("HF_HUB_VERBOSITY", "error")  # a hub that does not answer is told in our sentence
    try:
        app(arguments, exit_on_error=False, print_error=False)
    except KeyboardInterrupt:
        _end("stopped; everything done so far is kept, and the same command continues.", 130)
    except Exception as error:  # noqa: BLE001 - whatever it is, one sentence says it
        if debug:
            traceback.print_exception(error)
        _end(*_explained(error))


def _end(sentence: str, code: int) -> None:
    if sentence:
        print(f"seedwise: {sentence}", file=sys.stderr)
    sys.exit(code)


def _explained(error: Exception) -> tuple[str, int]:
    """Return a sentence about an error, empty where nobody reads it, and the exit code."""
    if isinstance(error, CycloptsError):
        return " ".join(str(error).split()), 2
    if isinstance(error, SeedwiseError):
        return str(error), 2 if isinstance(error, RequestError | StorageError) else 1
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone: nothing to flush
        return "", 1
    if (
        isinstance(error, FileNotFoundError | NotADirectoryError | IsADirectoryError | PermissionError)
        and error.filename
    ):
        return f"{error.filename} must be a file that can be used, but: {error.strerror}; check the path.", 2
    if isinstance(error, OSError):
        return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}.", 2
    return f"an error of seedwise itself ({type(error).__name__}: {error}); --debug shows where.", 1
