"""What does a design file say, and which design is it on given tasks, with a given model, at a given scale?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seedwise.designs.keys import check_tables
from seedwise.designs.promises import glue_of, stands_for
from seedwise.errors import RequestError
from seedwise.values.arm import Arm, Intermediate
from seedwise.values.benchmarks import GLUE, glue_name
from seedwise.values.checks import check_choice, check_count, did_you_mean, read_toml
from seedwise.values.design import SCALES, Design
from seedwise.values.presets import PRESETS
from seedwise.values.recipe import Recipe
from seedwise.values.seeds import Seeds
from seedwise.values.task import Task

__all__ = ["DESIGN_KEYS", "FIRST_TUNING_SEED", "DesignFile", "design_names"]

FOLDER = Path(__file__).parent

FIRST_TUNING_SEED = 1001
"""Seeds of the choice are numbered from here, and so are none of the report's."""

DESIGN_KEYS = frozenset(("title", "arm"))
STUDY_KEYS = frozenset(("task", "recipe", "trials", "workers"))
"""What tells a design from a study file, in which a person may take either for the other."""


def design_names() -> tuple[str, ...]:
    """Return the names of the designs in the package."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@dataclass(frozen=True, slots=True)
class DesignFile:
    """A design as its file says it, before tasks, model and scale are builder."""

    name: str  # the file's name without its ending
    content: Mapping[str, Any]  # what the file says
    path: Path  # the file; folders that it names are relative to its own

    @classmethod
    def read(cls, design: str | Path) -> "DesignFile":
        """Read a ready-made design by its name, or any design file."""
        text = str(design)
        if text in design_names():
            path = FOLDER / f"{text}.toml"
        elif text.endswith(".toml"):
            path = Path(text)
        else:
            known = design_names()
            raise RequestError(
                f"the design must be one of {', '.join(known)}, or a TOML file, not {text!r}{did_you_mean(text, known)}."
            )
        content = read_toml("the design file", path)
        if content.keys() & STUDY_KEYS and not content.keys() & DESIGN_KEYS:
            raise RequestError(f"{path} is a study file, not a design; give it to --config.")
        check_tables(f"the design file {path.name}", content)
        return cls(path.stem, content, path)

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.path.parent

    @property
    def protocol(self) -> str | None:
        """The published splits and metrics that its tasks have; None where it names none."""
        found: str | None = self.content["task"][0].get("protocol")
        return found

    def task_names(self, scale: str = "full") -> tuple[str, ...]:
        """Return the names of its own tasks at a scale, with the folders among them where they are."""
        small = self.content.get("small", {}).get("names") if scale == "small" else None
        names = small or [name for group in self.content["task"] for name in group["names"]]
        return tuple(str(self.folder / name) if (self.folder / name).is_dir() else name for name in names)

    def design(
        self,
        *,
        tasks: Sequence[str | Task] = (),
        model: str | None = None,
        scale: str = "full",
        changes: Mapping[str, Any] | None = None,
    ) -> Design:
        """Return the design at a scale; see `seedwise.designs.load`."""
        check_choice("the scale", scale, SCALES)
        small = self.content.get("small", {}) if scale == "small" else {}
        if scale == "small" and not small:
            raise RequestError(f"the design {self.name!r} has no small scale; add a table [small] to its file.")
        builder = _ArmBuilder(self, model, small, changes or {})
        builder.check()
        groups = self._groups(tasks, small)
        found = {task.id: task for _, mine in groups for task in mine}.values()
        return Design(
            name=self.name,
            title=self.content["title"],
            source=self.content.get("source", ""),
            question=self.content.get("question", ""),
            arms=tuple(
                builder.arm(arm, task, group) for group, mine in groups for task in mine for arm in self.content["arm"]
            ),
            intermediate=builder.intermediate(),
            shows=tuple(self.content.get("shows", ())),
            published=self.content.get("published"),
            stands_for={task.name: other for task in found if (other := self._stands_for(task, scale))},
            scale=scale,
        )

    def task_named(self, name: str, protocol: str | None) -> Task:
        """Return the task that a name means: a folder of GLUE files, an embedded task, or one of GLUE."""
        family, _, rest = name.partition("/")
        if family == "embedded":
            return Task.embedded(rest)
        if (self.folder / name).is_dir():
            return Task.glue(self.folder / name, protocol=protocol)
        if Path(name).is_dir():
            return Task.glue(Path(name), protocol=protocol)
        if family == "hub":
            raise RequestError(
                f"a design's task must be glue/NAME, embedded/NAME or a folder of GLUE files, not {name!r}, whose columns no "
                f"design names; say --task {name} and its columns beside --design."
            )
        return Task.glue(glue_name(name.removeprefix("glue/")), protocol=protocol)

    def _groups(
        self, given: Sequence[str | Task], small: Mapping[str, Any]
    ) -> list[tuple[Mapping[str, Any], list[Task]]]:
        """Return the file's groups of tasks, each with its tasks: those that were given where any were."""
        groups = self.content["task"]
        if not given and small:
            given, groups = small.get("names", ()), groups[:1]
        if not given:
            return [(g, [self._own_task(name, g) for name in g["names"]]) for g in groups]
        tasks = [task if isinstance(task, Task) else self.task_named(task, self.protocol) for task in given]
        if "train_size" in small:
            tasks = [_downsampled(task, small["train_size"]) for task in tasks]
        homes = {name.rpartition("/")[2].lower(): i for i, group in enumerate(groups) for name in group["names"]}
        placed = [(homes.get(glue_of(task) or "", 0), task) for task in tasks]
        return [(g, mine) for i, g in enumerate(groups) if (mine := [task for home, task in placed if home == i])]

    def _own_task(self, name: str, group: Mapping[str, Any]) -> Task:
        task = self.task_named(name, group.get("protocol"))
        return _downsampled(task, group["train_size"]) if "train_size" in group else task

    def _stands_for(self, task: Task, scale: str) -> str | None:
        """Return the published task that one is, or stands in for, as the papers write it."""
        own = [each.rpartition("/")[2].lower() for group in self.content["task"] for each in group["names"]]
        stand_ins = [each.rpartition("/")[2] for each in self.content.get("small", {}).get("names", ())]
        return stands_for(task, protocol=self.protocol, small=scale == "small", own=own, stand_ins=stand_ins)


@dataclass(frozen=True, slots=True)
class _ArmBuilder:
    """Builds arms from a design file, a scale, a model and changes."""

    file: DesignFile
    model: str | None
    small: Mapping[str, Any]
    changes: Mapping[str, Any]

    def check(self) -> None:
        """Refuse what would make the design's arms one."""
        arms = self.file.content["arm"]
        if self.model and any("model" in arm for arm in arms) and not self.small:
            raise RequestError(
                f"the design {self.file.name!r} compares models, and --model would make them one; leave it out."
            )
        for arm in arms:
            if clash := [name for name in self.changes if name in {**arm.get("set", {}), **arm.get("search", {})}]:
                raise RequestError(
                    f"{clash[0]} is what arm {arm['name']!r} of the design {self.file.name!r} is about, so it cannot be "
                    "set for all arms; leave it out, or change a copy of its file."
                )

    def arm(self, table: Mapping[str, Any], task: Task, group: Mapping[str, Any]) -> Arm:
        """Return one arm on one task."""
        search = self._search(table)
        tuning = _first("tuning_seeds", (self.small, table, group, self.file.content["trials"]))
        if search and tuning is None:
            raise RequestError(f"arm {table['name']!r} has a search, so the design needs tuning_seeds; add them.")
        return Arm(
            name=table["name"],
            task=task,
            recipe=self._recipe(self._whole(table), task, group.get("set", {})),
            search=search,
            after=table.get("after"),
            seeds=_seeds((self.small, table, group, self.file.content["trials"])),
            tuning_seeds=Seeds.paired(range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + tuning))
            if search and tuning
            else (),
        )

    def intermediate(self) -> Intermediate | None:
        """Return the intermediate task, where there is one."""
        table = self.file.content.get("intermediate")
        if table is None:
            return None
        own = table.get("small", {}) if self.small else {}
        said = {**table, **own}
        task = self.file.task_named(said["task"], said.get("protocol"))
        if "train_size" in said:
            task = _downsampled(task, said["train_size"])
        return Intermediate(task=task, recipe=self._recipe(table, task, {}), seeds=_seeds((said,)))

    def _whole(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return an arm's table together with what it inherits from the arm that it comes after."""
        before = {arm["name"]: arm for arm in self.file.content["arm"]}.get(table.get("after"))
        if before is None or before is table:  # the design refuses what is wrong with it
            return dict(table)
        taken = self._whole({key: value for key, value in before.items() if key != "after"})
        kept: dict[str, Any] = {key: taken[key] for key in ("preset", "model") if key in taken}
        small = {"set": _set(taken.get("small", {})) | _set(table.get("small", {}))}
        return {**kept, **table, "set": _set(taken) | _set(table), "small": small}

    def _recipe(self, table: Mapping[str, Any], task: Task, group: Mapping[str, Any]) -> Recipe:
        """Return an arm's recipe on a task: the preset, the file's fields, its own, and what was asked."""
        common = dict(self.file.content["recipe"])
        preset = common.pop("preset", None)
        preset = table.get("preset", preset)
        model = self.model or self.small.get("model") or table.get("model") or common.get("model")
        fields = {**common, **group, **_set(table), "model": model}
        recipe = Recipe.from_json(fields) if preset is None else Recipe.preset(self._preset(preset, task), **fields)
        if self.small:
            common_small = {name: value for name, value in _set(self.small).items() if name not in _set(table)}
            recipe = self._shrunk(recipe).with_changes(**common_small | _set(table.get("small", {})))
        return recipe.with_changes(**self.changes)

    def _preset(self, named: str, task: Task) -> str:
        """Return the name of a preset on a task; some have one for each of a few tasks."""
        name = named.replace("{task}", glue_of(task) or task.name)
        known = [each for each in GLUE if named.replace("{task}", each) in PRESETS]
        if name not in PRESETS and "{task}" in named and known:
            raise RequestError(
                f"the design {self.file.name!r} has recipes for the tasks {', '.join(known)}, not for {task.name}; choose "
                "among them, or change a copy of its file."
            )
        return name

    def _shrunk(self, recipe: Recipe) -> Recipe:
        return recipe.with_changes(
            learning_rate=_rate(recipe.learning_rate, self._rate_factor),
            num_train_steps=recipe.num_train_steps and self._steps(recipe.num_train_steps),
        )

    def _search(self, table: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
        """Return an arm's candidates: at the small scale those written for it, or else the published ones scaled."""
        search = {name: tuple(values) for name, values in table.get("search", {}).items()}
        if not self.small:
            return search
        if "learning_rate" in search:
            search["learning_rate"] = tuple(_rate(rate, self._rate_factor) for rate in search["learning_rate"])
        if "num_train_steps" in search:
            search["num_train_steps"] = _each_once(map(self._steps, search["num_train_steps"]))
        own = table.get("small", {}).get("search", {})
        return search | {name: tuple(values) for name, values in own.items()}

    @property
    def _rate_factor(self) -> float:
        """A larger encoder than that of the small scale keeps the published rates."""
        ours = self.model in (None, self.small.get("model"))
        return float(self.small.get("learning_rate_factor", 1)) if ours else 1.0

    def _steps(self, steps: Any) -> Any:
        """Return a number of steps at the small scale; what is no number is refused by the recipe."""
        return max(1, round(steps * float(self.small.get("steps_factor", 1)))) if type(steps) is int else steps


def _seeds(tables: Sequence[Mapping[str, Any]]) -> tuple[Seeds, ...]:
    """Return the seeds of the first table that says any: pairs, or a grid."""
    for table in tables:
        if "seeds" in table:
            return Seeds.paired(table["seeds"])
        if "init" in table or "order" in table:
            for stream in ("init", "order"):
                check_count(stream, table.get(stream), remedy="a grid needs both init and order")
            return Seeds.grid(table["init"], table["order"])
    raise RequestError("a design needs seeds, or init and order; add them to [trials].")


def _set(table: Mapping[str, Any]) -> dict[str, Any]:
    return dict(table.get("set", {}))


def _first(key: str, tables: Sequence[Mapping[str, Any]]) -> Any:
    return next((table[key] for table in tables if key in table), None)


def _each_once(values: Iterable[Any]) -> tuple[Any, ...]:
    kept: list[Any] = []
    for value in values:
        if value not in kept:
            kept.append(value)
    return tuple(kept)


def _rate(rate: Any, factor: float) -> Any:
    """Return a rate times a factor, as a person would write it; what is no number is refused by the recipe."""
    return float(f"{rate * factor:.6g}") if type(rate) in (int, float) else rate


def _downsampled(task: Task, rows: int) -> Task:
    fewest = min(rows, task.splits.train_size or rows)
    return replace(task, splits=replace(task.splits, train_size=fewest))
