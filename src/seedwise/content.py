"""What makes two values the same, and how is a value written down?

Every value of seedwise is equal by content, becomes plain JSON and comes back equal. The hash of that JSON names it:
tasks, recipes and trials are found again by what they are, not by when or where they were made.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from seedwise.errors import RequestError
from seedwise.validation import did_you_mean

__all__ = ["canonical_json", "check_keys", "content_hash"]


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


def check_keys(what: str, given: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Refuse a key that the value does not have, and suggest the nearest one it has."""
    for key in given:
        if key not in known:
            raise RequestError(f"{what} has no key {key!r}{did_you_mean(key, known)}; it has {', '.join(known)}.")
