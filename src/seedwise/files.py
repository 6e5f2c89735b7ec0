"""How is a file replaced as a whole or not at all?"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["replacing"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path beside a file to write to; at the end it takes the file's place, or is removed where something failed.

    Readers see the old content or the new one, also after a kill or a power cut. A killed process leaves at most the
    file beside it, ``.NAME.PID``.
    """
    beside = path.absolute().with_name(f".{path.name}.{os.getpid()}")
    try:
        yield beside
        with beside.open("rb+") as file:
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        if error.filename != str(beside):
            raise
        raise type(error)(error.errno, error.strerror, str(path)) from error  # names the file that was wanted
    finally:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
