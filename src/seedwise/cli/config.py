"""What can a study file (TOML) contain, and how do flags override it?"""

import json
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from seedwise.cli.options import RecipeOptions, TaskOptions, TrialOptions, WorkerOptions, model_place
from seedwise.designs.file import DESIGN_KEYS, design_names
from seedwise.errors import RequestError
from seedwise.values.checks import TEXT, TomlKind, check_keys, check_table, read_toml, toml_type

__all__ = ["StudyOptions"]


@dataclass(frozen=True)
class StudyOptions:
    """Everything a study file can contain; one table for each field."""

    task: TaskOptions
    recipe: RecipeOptions
    trials: TrialOptions
    workers: WorkerOptions

    @property
    def empty(self) -> bool:
        """Whether nothing was requested, so that the folder's own study is meant."""
        groups = (self.task, self.recipe, self.trials)
        return all(getattr(group, f.name) in (None, ()) for group in groups for f in fields(group))

    def over_file(self, path: Path) -> "StudyOptions":
        """Return these options on top of those of a study file."""
        if str(path) in design_names() and not path.exists():
            raise RequestError(f"{path} is a design, not a study file; give it to --design.")
        content = read_toml("the study file", path)
        if content.keys() & DESIGN_KEYS:
            raise RequestError(f"{path} is a design, not a study file; give it to --design.")
        check_keys(f"the study file {path}", content, tuple(f.name for f in fields(self)))
        return StudyOptions(
            task=_merge(self.task, _table(content, "task", path), "task", path),
            recipe=_merge(self.recipe, _recipe_table(_table(content, "recipe", path), path.parent), "recipe", path),
            trials=self._trials_over(_table(content, "trials", path), path),
            workers=_merge(self.workers, _table(content, "workers", path), "workers", path),
        )

    def _trials_over(self, table: dict[str, Any], path: Path) -> TrialOptions:
        """Replace the file's whole plan if flags count trials in another way; otherwise override single options."""
        written = _merge(TrialOptions(), table, "trials", path)
        anew = self.trials.ways and self.trials.ways != written.ways
        return self.trials if anew else _merge(self.trials, table, "trials", path)


_Options = TypeVar("_Options", TaskOptions, RecipeOptions, TrialOptions, WorkerOptions)


def _merge(flags: _Options, table: dict[str, Any], name: str, path: Path) -> _Options:
    """Fill in from the file what no flag gives."""
    kinds = {option: _WRITTEN_AS[kind] for option, kind in get_type_hints(type(flags)).items()}
    check_table(f"[{name}] in {path}", table, kinds)
    found = {
        key: _from_file(key, value, table, path.parent)
        for key, value in table.items()
        if getattr(flags, key) in (None, ())
    }
    if isinstance(flags, RecipeOptions):
        found["set"] = (*table.get("set", ()), *flags.set)  # of equal fields the last counts: the flag's
    return replace(flags, **found)


_WRITTEN_AS: dict[Any, TomlKind] = {
    str | None: TEXT,
    Path | None: toml_type("a path in quotes", str),
    int | None: toml_type("a whole number", int),
    float | None: toml_type("a number", int, float),
    bool | None: toml_type("true or false", bool),
    tuple[str, ...]: TomlKind(
        lambda value: all(map(TEXT.fits, value if isinstance(value, list | tuple) else [value])),
        "text in quotes, or a list of such",
    ),
}
"""What a study file may contain for an option of each type."""


def _table(content: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    table = content.get(name, {})
    if not isinstance(table, dict):
        raise RequestError(f"{name} in {path} must be a table, not {table!r}; write [{name}] and its keys below.")
    return table


def _from_file(key: str, value: Any, table: dict[str, Any], folder: Path) -> Any:
    """Return a value of a table; paths are relative to the study file."""
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
    """Read recipe fields as keys; ``preset`` names the recipe to start from."""
    own = {"model": table.get("model"), "recipe": table.get("preset")}
    rest = {name: value for name, value in table.items() if name not in ("model", "preset")}
    if isinstance(rest.get("start_from"), str):
        rest["start_from"] = model_place(rest["start_from"], folder)
    settings = tuple(f"{name}={json.dumps(value, default=str)}" for name, value in rest.items())
    return {**{key: value for key, value in own.items() if value is not None}, "set": settings}
