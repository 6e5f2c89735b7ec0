"""How are arguments checked, so that every refusal is one sentence with a way out?"""

import difflib
import math
from collections.abc import Collection

from seedwise.errors import RequestError

__all__ = [
    "check_choice",
    "check_count",
    "check_fraction",
    "check_kind",
    "check_number",
    "check_switch",
    "check_text",
    "did_you_mean",
]


def check_choice(name: str, value: object, choices: Collection[str]) -> None:
    """Refuse a value that is none of the choices, and suggest the nearest one."""
    if not isinstance(value, str) or value not in choices:
        listed = ", ".join(choices)
        raise RequestError(f"{name} must be one of {listed}, not {value!r}{did_you_mean(value, choices)}.")


def check_count(name: str, value: object, *, least: int = 1, remedy: str = "") -> None:
    """Refuse anything but a whole number of at least ``least``."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise RequestError(f"{name} must be a whole number of at least {least}, not {value!r}{_way_out(remedy)}.")


def check_fraction(name: str, value: object, *, zero: bool = False, one: bool = True, remedy: str = "") -> None:
    """Refuse anything but a number between 0 and 1; the ends count as ``zero`` and ``one`` say."""
    rule = f"in {'[' if zero else '('}0, 1{']' if one else ')'}"
    inside = _is_number(value) and (value >= 0 if zero else value > 0) and (value <= 1 if one else value < 1)  # type: ignore[operator]
    if not inside:
        raise RequestError(f"{name} must be {rule}, not {value!r}{_way_out(remedy)}.")


def check_kind(name: str, value: object, kind: type) -> None:
    """Refuse anything but a value of one of our classes."""
    if not isinstance(value, kind):
        raise RequestError(f"{name} must be a seedwise.{kind.__name__}, not {value!r}; make one of that class.")


def check_number(name: str, value: object, *, least: float = 0.0, above: bool = False) -> None:
    """Refuse anything but a finite number of at least (or, with ``above``, above) ``least``."""
    rule = f"{'above' if above else 'at least'} {least:g}"
    if not _is_number(value) or value < least or (above and value == least):  # type: ignore[operator]
        raise RequestError(f"{name} must be a finite number {rule}, not {value!r}.")


def check_switch(name: str, value: object) -> None:
    """Refuse anything but true or false."""
    if not isinstance(value, bool):
        raise RequestError(f"{name} must be true or false, not {value!r}.")


def check_text(name: str, value: object) -> None:
    """Refuse anything but a text with at least one visible character."""
    if not isinstance(value, str) or not value.strip():
        raise RequestError(f"{name} must be a non-empty text, not {value!r}.")


def did_you_mean(value: object, choices: Collection[str]) -> str:
    """Return ``; did you mean 'x'?`` (without the full stop) for the nearest choice, or nothing."""
    near = difflib.get_close_matches(str(value), list(choices), n=1)
    return f"; did you mean {near[0]!r}" if near else ""


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number larger than every float
        return False


def _way_out(remedy: str) -> str:
    return f"; {remedy}" if remedy else ""
