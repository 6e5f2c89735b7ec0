"""How are arguments, keys, TOML and JSON checked, so that every error is one sentence that says what to do?"""

import difflib
import json
import math
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, NamedTuple

from seedwise.errors import DataError, RequestError

__all__ = [
    "TABLE",
    "TEXT",
    "TomlKind",
    "check_choice",
    "check_count",
    "check_fields",
    "check_fraction",
    "check_keys",
    "check_kind",
    "check_number",
    "check_switch",
    "check_table",
    "check_text",
    "did_you_mean",
    "parse_json",
    "read_toml",
    "toml_list",
    "toml_type",
]


def check_choice(name: str, value: object, choices: Collection[str]) -> None:
    """Refuse a value that is not one of the choices, and suggest the nearest."""
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


def check_fields(what: str, given: Mapping[str, Any], kind: type) -> None:
    """Refuse content that does not fit the fields of a data class; those with a default may be missing."""
    found = fields(kind)
    required = (f.name for f in found if f.default is MISSING and f.default_factory is MISSING)
    check_keys(what, given, tuple(f.name for f in found), required)


def check_keys(what: str, given: Mapping[str, Any], known: tuple[str, ...], required: Iterable[str] = ()) -> None:
    """Refuse an unknown key, suggesting the nearest known one, and content without a required key."""
    if not isinstance(given, Mapping):
        raise RequestError(f"{what} must be keys and values, not {given!r}; its keys are {', '.join(known)}.")
    for key in given:
        if key not in known:
            raise RequestError(f"{what} has no key {key!r}{did_you_mean(key, known)}; it has {', '.join(known)}.")
    if missing := [key for key in required if key not in given]:
        raise RequestError(f"{what} must have the key {missing[0]!r}, but does not; add it.")


def read_toml(what: str, path: Path) -> dict[str, Any]:
    """Return the content of a TOML file."""
    if not path.exists():
        raise RequestError(f"{what} {path} does not exist; check the path.")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RequestError(f"{what} {path} must be readable TOML, but: {error}; mend the file.") from error


def parse_json(text: str, place: str, remedy: str) -> Any:
    """Return the content of a JSON text that a user wrote; NaN is a number."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"{error.msg} at character {error.pos}"
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError:  # Python reads no whole number of more than some thousand digits
        reason = "a number in it is too long"
    raise DataError(f"{place} must be JSON, but: {reason}; {remedy}.")


class TomlKind(NamedTuple):
    """What a TOML file may say under a key, and how errors call it."""

    fits: Callable[[Any], bool]
    words: str


def toml_type(words: str, *kinds: type) -> TomlKind:
    """Return the kind of values of exactly these types: true is not a number."""
    return TomlKind(lambda value: type(value) in kinds, words)


def toml_list(words: str, kind: TomlKind) -> TomlKind:
    """Return the kind of lists with at least one value, each of one kind."""
    return TomlKind(lambda value: isinstance(value, list) and bool(value) and all(map(kind.fits, value)), words)


TEXT = toml_type("text in quotes", str)
TABLE = toml_type("a table", dict)


def check_table(what: str, table: Mapping[str, Any], kinds: Mapping[str, TomlKind], needed: Iterable[str] = ()) -> None:
    """Refuse a TOML table with an unknown key, a missing required key, or a value of the wrong kind."""
    check_keys(what, table, tuple(kinds), needed)
    for key, value in table.items():
        if not kinds[key].fits(value):
            raise RequestError(f"{key} of {what} must be {kinds[key].words}, not {value!r}; mend the file.")


def _is_number(value: object) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number larger than every float
        return False


def _way_out(remedy: str) -> str:
    return f"; {remedy}" if remedy else ""
