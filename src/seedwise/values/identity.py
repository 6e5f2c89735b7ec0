"""When are two values the same, and how is a value written as JSON?

Every value of seedwise is equal by content, and converts to plain JSON and back. The hash of that JSON identifies it:
tasks, recipes and trials are found by their content, not by when or where they were made.
"""

import hashlib
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from seedwise.errors import DataError

__all__ = ["canonical_json", "content_hash", "digest_files", "json_number", "number_of_json"]


def canonical_json(content: object) -> str:
    """Write content as JSON in the one form that is hashed: sorted keys, no spaces, plain ASCII.

    Example:
        >>> canonical_json({"b": 1, "a": [0.5, None]})
        '{"a":[0.5,null],"b":1}'
    """
    return json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(content: object) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of the content's canonical JSON.

    Sixteen digits (64 bits) keep the chance that two of a million trials collide below 3e-8.

    Example:
        >>> content_hash({"a": 1}) == content_hash({"a": 1})
        True
        >>> len(content_hash({"a": 1}))
        16
    """
    return hashlib.sha256(canonical_json(content).encode()).hexdigest()[:16]


def digest_files(given: Iterable[str | None]) -> str:
    """Hash the content of the files, so that a moved file is the same task and an edited one is not."""
    total = hashlib.sha256()
    for name in given:
        if name is None:
            total.update(b"none")
            continue
        path = Path(name)
        if not path.is_file():
            raise DataError(f"the file {name} does not exist; check the path.")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]


def json_number(number: float) -> float | str:
    """Return a number that JSON can hold: nan and the infinities become strings.

    Example:
        >>> json_number(0.5), json_number(float("-inf"))
        (0.5, '-inf')
    """
    return number if math.isfinite(number) else str(number)


def number_of_json(content: Any) -> Any:
    """Return the number that ``json_number`` was given; anything else is returned unchanged, to be refused by its user."""
    return float(content) if content in ("nan", "inf", "-inf") else content
