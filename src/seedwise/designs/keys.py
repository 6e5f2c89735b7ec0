"""Which keys may a design file hold, and of which kind is each?"""

from collections.abc import Mapping
from typing import Any

from seedwise.designs.promises import PUBLISHED, SHOWS
from seedwise.errors import RequestError
from seedwise.values.checks import TABLE, TEXT, TomlKind, check_choice, check_table, toml_list, toml_type

__all__ = ["check_tables"]


_TEXTS = toml_list("a list of texts in quotes", TEXT)
_COUNT = TomlKind(lambda value: type(value) is int and value >= 1, "a whole number of at least 1")
_FACTOR = TomlKind(lambda value: type(value) in (int, float) and value > 0, "a number above 0")
_FIELDS = toml_type("a table of recipe fields", dict)
_SEARCH = TomlKind(
    lambda value: isinstance(value, dict) and all(isinstance(found, list) for found in value.values()),
    "a table of recipe fields, each with a list of values",
)
_TABLES = toml_list("one or more tables, written [[...]]", TABLE)

_SEEDS = {"seeds": _COUNT, "init": _COUNT, "order": _COUNT}
_TRIALS = {**_SEEDS, "tuning_seeds": _COUNT}

_WHOLE = {
    "title": TEXT,
    "source": TEXT,
    "question": TEXT,
    "shows": _TEXTS,
    "published": TEXT,
    "task": _TABLES,
    "recipe": _FIELDS,
    "trials": TABLE,
    "arm": _TABLES,
    "intermediate": TABLE,
    "small": TABLE,
}
_TASK = {"names": _TEXTS, "protocol": TEXT, "train_size": _COUNT, "set": _FIELDS, **_TRIALS}
_ARM = {
    "name": TEXT,
    "preset": TEXT,
    "model": TEXT,
    "set": _FIELDS,
    "search": _SEARCH,
    "after": TEXT,
    "small": TABLE,
    **_TRIALS,
}
_ARM_SMALL = {"set": _FIELDS, "search": _SEARCH}
_INTERMEDIATE_SMALL = {"task": TEXT, "train_size": _COUNT, "set": _FIELDS, "seeds": _COUNT}
_INTERMEDIATE = {**_INTERMEDIATE_SMALL, "protocol": TEXT, "preset": TEXT, "small": TABLE}
_SMALL = {
    "names": _TEXTS,
    "train_size": _COUNT,
    "model": TEXT,
    "learning_rate_factor": _FACTOR,
    "steps_factor": _FACTOR,
    "set": _FIELDS,
    **_TRIALS,
}


def check_tables(what: str, content: Mapping[str, Any]) -> None:
    """Refuse a design file with an unknown key, without a needed one, or with a value of another kind."""
    check_table(what, content, _WHOLE, ("title", "task", "recipe", "trials", "arm"))
    for name in content.get("shows", ()):
        check_choice(f"shows of {what}", name, SHOWS)
    if "published" in content:
        check_choice(f"published of {what}", content["published"], PUBLISHED)
    if not isinstance(content["recipe"].get("preset", ""), str):
        raise RequestError(
            f"preset of [recipe] in {what} must be {TEXT.words}, not {content['recipe']['preset']!r}; mend the file."
        )
    for task in content["task"]:
        check_table(f"[[task]] in {what}", task, _TASK, ("names",))
    check_table(f"[trials] in {what}", content["trials"], _TRIALS)
    for arm in content["arm"]:
        check_table(f"[[arm]] in {what}", arm, _ARM, ("name",))
        check_table(f"small of arm {arm['name']!r} in {what}", arm.get("small", {}), _ARM_SMALL)
    if "intermediate" in content:
        check_table(f"[intermediate] in {what}", content["intermediate"], _INTERMEDIATE, ("task", "seeds"))
        small = content["intermediate"].get("small", {})
        check_table(f"small of [intermediate] in {what}", small, _INTERMEDIATE_SMALL)
    check_table(f"[small] in {what}", content.get("small", {}), _SMALL)
