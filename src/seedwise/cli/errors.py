"""How does a command that fails say so? In one sentence, and with an exit code."""

import os
import sys

from cyclopts import CycloptsError

from seedwise.errors import RequestError, SeedwiseError, StorageError

__all__ = ["explained"]


def explained(error: Exception) -> tuple[str, int]:
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
