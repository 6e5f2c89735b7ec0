"""What can a study's TOML file say, and how do flags override it?"""

import json
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from seedwise.cli.options import RecipeOptions, TaskOptions, TrialOptions, WorkerOptions, model_place
from seedwise.errors import RequestError
from seedwise.values.identity import check_keys, read_toml

__all__ = ["StudyOptions"]


@dataclass(frozen=True)
class StudyOptions:
    """All that a study file can say; one table for each field."""

    task: TaskOptions
    recipe: RecipeOptions
    trials: TrialOptions
    workers: WorkerOptions

    @property
    def empty(self) -> bool:
        """Whether nothing was asked, so that the folder's own study is meant."""
        groups = (self.task, self.recipe, self.trials)
        return all(getattr(group, f.name) in (None, ()) for group in groups for f in fields(group))

    def over_file(self, path: Path) -> "StudyOptions":
        """Return these options on top of those of a study file.

        Raises:
            RequestError: The file is missing or no TOML, or a table or key is unknown.
        """
        content = read_toml("the study file", path)
        check_keys(f"the study file {path}", content, tuple(f.name for f in fields(self)))
        return StudyOptions(
            task=_merge(self.task, _table(content, "task", path), "task", path),
            recipe=_merge(self.recipe, _recipe_table(_table(content, "recipe", path), path.parent), "recipe", path),
            trials=self._trials_over(_table(content, "trials", path), path),
            workers=_merge(self.workers, _table(content, "workers", path), "workers", path),
        )

    def _trials_over(self, table: dict[str, Any], path: Path) -> TrialOptions:
        """Let flags that count trials in another way replace the file's whole plan, and others what they name."""
        written = _merge(TrialOptions(), table, "trials", path)
        anew = self.trials.ways and self.trials.ways != written.ways
        return self.trials if anew else _merge(self.trials, table, "trials", path)


_Options = TypeVar("_Options", TaskOptions, RecipeOptions, TrialOptions, WorkerOptions)


def _merge(flags: _Options, table: dict[str, Any], name: str, path: Path) -> _Options:
    """Fill in from the file what no flag says."""
    check_keys(f"[{name}] in {path}", table, tuple(f.name for f in fields(flags)))
    types = get_type_hints(type(flags))
    found = {}
    for key, value in table.items():
        fits, words = _WRITTEN_AS[types[key]]
        if not fits(value):
            raise RequestError(f"{key} of [{name}] in {path} must be {words}, not {value!r}; mend the file.")
        if getattr(flags, key) in (None, ()):
            found[key] = _from_file(key, value, table, path.parent)
    if isinstance(flags, RecipeOptions):
        found["set"] = (*table.get("set", ()), *flags.set)  # of equal fields the last counts: the flag's
    return replace(flags, **found)


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds  # exactly: true is no number


# What a study file may say for an option of each type.
_WRITTEN_AS: dict[Any, tuple[Callable[[Any], bool], str]] = {
    str | None: (_is(str), "text in quotes"),
    Path | None: (_is(str), "a path in quotes"),
    int | None: (_is(int), "a whole number"),
    float | None: (_is(int, float), "a number"),
    bool | None: (_is(bool), "true or false"),
    tuple[str, ...]: (
        lambda value: all(map(_is(str), value if isinstance(value, list | tuple) else [value])),
        "text in quotes, or a list of such",
    ),
}


def _table(content: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise RequestError(f"{name} in {path} must be a table, not {table!r}; write [{name}] and its keys below.")
    return table


def _from_file(key: str, value: Any, table: dict[str, Any], folder: Path) -> Any:
    """Return a value of a table; what it says of files is relative to the study file."""
    if key in ("train", "validation", "test"):
        return folder / value if "train" in table else Path(value)  # without train they name splits on the hub
    if key == "model":
        return model_place(value, folder)
    if key == "recipe" and (folder / value).is_file():
        return str(folder / value)
    if key == "task":
        names = (value,) if isinstance(value, str) else tuple(value)
        return tuple(str(folder / name) if (folder / name).is_dir() else name for name in names)
    return value


def _recipe_table(table: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A study file writes recipe fields plainly; ``preset`` names the recipe to start from."""
    own = {"model": table.get("model"), "recipe": table.get("preset")}
    rest = {name: value for name, value in table.items() if name not in ("model", "preset")}
    if isinstance(rest.get("start_from"), str):
        rest["start_from"] = model_place(rest["start_from"], folder)
    settings = tuple(f"{name}={json.dumps(value, default=str)}" for name, value in rest.items())
    return {**{key: value for key, value in own.items() if value is not None}, "set": settings}
