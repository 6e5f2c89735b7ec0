"""Which keys may a study file hold, and of which kind is each?"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from seedwise.designs.published import PUBLISHED, SHOWS
from seedwise.errors import RequestError
from seedwise.values.checks import check_choice
from seedwise.values.identity import check_keys

__all__ = ["check_tables"]


class _Kind(NamedTuple):
    """What a value may be, and how that is called."""

    fits: Callable[[Any], bool]
    words: str


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds  # exactly: true is no number


def _list_of(kind: _Kind) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(map(kind.fits, value))


_TEXT = _Kind(_is(str), "text in quotes")
_TEXTS = _Kind(_list_of(_TEXT), "a list of texts in quotes")
_COUNT = _Kind(lambda value: type(value) is int and value >= 1, "a whole number of at least 1")
_FACTOR = _Kind(lambda value: type(value) in (int, float) and value > 0, "a number above 0")
_FIELDS = _Kind(_is(dict), "a table of recipe fields")
_SEARCH = _Kind(
    lambda value: isinstance(value, dict) and all(isinstance(found, list) for found in value.values()),
    "a table of recipe fields, each with a list of values",
)
_TABLE = _Kind(_is(dict), "a table")
_TABLES = _Kind(_list_of(_TABLE), "one or more tables, written [[...]]")

_SEEDS = {"seeds": _COUNT, "init": _COUNT, "order": _COUNT}
_TRIALS = {**_SEEDS, "tuning_seeds": _COUNT}

_WHOLE = {
    "title": _TEXT,
    "source": _TEXT,
    "question": _TEXT,
    "shows": _TEXTS,
    "published": _TEXT,
    "task": _TABLES,
    "recipe": _FIELDS,
    "trials": _TABLE,
    "arm": _TABLES,
    "intermediate": _TABLE,
    "small": _TABLE,
}
_TASK = {"names": _TEXTS, "protocol": _TEXT, "train_size": _COUNT, "set": _FIELDS, **_TRIALS}
_ARM = {
    "name": _TEXT,
    "preset": _TEXT,
    "model": _TEXT,
    "set": _FIELDS,
    "search": _SEARCH,
    "after": _TEXT,
    "small": _TABLE,
    **_TRIALS,
}
_ARM_SMALL = {"set": _FIELDS, "search": _SEARCH}
_INTERMEDIATE_SMALL = {"task": _TEXT, "train_size": _COUNT, "set": _FIELDS, "seeds": _COUNT}
_INTERMEDIATE = {**_INTERMEDIATE_SMALL, "protocol": _TEXT, "preset": _TEXT, "small": _TABLE}
_SMALL = {
    "names": _TEXTS,
    "train_size": _COUNT,
    "model": _TEXT,
    "learning_rate_factor": _FACTOR,
    "steps_factor": _FACTOR,
    "set": _FIELDS,
    **_TRIALS,
}


def check_tables(what: str, content: Mapping[str, Any]) -> None:
    """Refuse a study file with an unknown key, without a needed one, or with a value of another kind.

    Args:
        what: How errors call it.
        content: What the file says.

    Raises:
        RequestError: The file cannot be a study's.
    """
    _check(what, content, _WHOLE, ("title", "task", "recipe", "trials", "arm"))
    for name in content.get("shows", ()):
        check_choice(f"shows of {what}", name, SHOWS)
    if "published" in content:
        check_choice(f"published of {what}", content["published"], PUBLISHED)
    if not isinstance(content["recipe"].get("preset", ""), str):
        raise RequestError(
            f"preset of [recipe] in {what} must be {_TEXT.words}, not {content['recipe']['preset']!r}; mend the file."
        )
    for task in content["task"]:
        _check(f"[[task]] in {what}", task, _TASK, ("names",))
    _check(f"[trials] in {what}", content["trials"], _TRIALS)
    for arm in content["arm"]:
        _check(f"[[arm]] in {what}", arm, _ARM, ("name",))
        _check(f"small of arm {arm['name']!r} in {what}", arm.get("small", {}), _ARM_SMALL)
    if "intermediate" in content:
        _check(f"[intermediate] in {what}", content["intermediate"], _INTERMEDIATE, ("task", "seeds"))
        small = content["intermediate"].get("small", {})
        _check(f"small of [intermediate] in {what}", small, _INTERMEDIATE_SMALL)
    _check(f"[small] in {what}", content.get("small", {}), _SMALL)


def _check(what: str, table: Mapping[str, Any], kinds: Mapping[str, _Kind], needed: tuple[str, ...] = ()) -> None:
    check_keys(what, table, tuple(kinds), needed)
    for key, value in table.items():
        if not kinds[key].fits(value):
            raise RequestError(f"{key} of {what} must be {kinds[key].words}, not {value!r}; mend the file.")
