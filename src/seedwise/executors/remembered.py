"""Which choices were measured here before? One file in the cache, read and written as a whole."""

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from seedwise.data.tokens import default_cache
from seedwise.executors.layout import Layout
from seedwise.values.identity import content_hash

__all__ = ["Remembered", "recall", "remember", "remembered"]


class Remembered(NamedTuple):
    """A choice that was measured.

    Args:
        about: What it was measured for: device, model, shape of the task, versions.
        layout: What was fastest.
        reason: What was measured, in words.
        date: When, as ISO 8601.
    """

    about: dict[str, Any]
    layout: Layout
    reason: str
    date: str


def recall(about: dict[str, Any]) -> Remembered | None:
    """Return what was measured for this, if anything was."""
    return _read().get(content_hash(about))


def remember(about: dict[str, Any], layout: Layout, reason: str) -> None:
    """Keep a choice; where the cache cannot be written, it is measured again another time."""
    found = _read() | {content_hash(about): Remembered(about, layout, reason, datetime.now(UTC).date().isoformat())}
    path = _path()
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {key: {**choice._asdict(), "layout": choice.layout._asdict()} for key, choice in found.items()}
        beside.write_text(json.dumps(content, indent=1), encoding="utf-8")
        beside.replace(path)


def remembered() -> list[Remembered]:
    """Return all choices, the oldest first."""
    return list(_read().values())


def _read() -> dict[str, Remembered]:
    """Return what the file holds; one that cannot be understood holds nothing."""
    try:
        content = json.loads(_path().read_text(encoding="utf-8"))
        return {key: Remembered(**{**c, "layout": Layout(**c["layout"])}) for key, c in content.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _path() -> Path:
    return default_cache() / "choices.json"
