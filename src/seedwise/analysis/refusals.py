"""How does a refusal of the statistics reach the reader as a sentence?"""

from collections.abc import Iterator
from contextlib import contextmanager

from seedwise.errors import RequestError

__all__ = ["refusals"]


@contextmanager
def refusals() -> Iterator[None]:
    """Turn a ValueError of the statistics into our own error, which ends as one sentence and not as a traceback."""
    try:
        yield
    except ValueError as error:
        raise RequestError(str(error)) from error
