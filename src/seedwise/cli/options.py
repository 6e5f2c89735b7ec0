"""What can be requested on the command line, and which values does it become?

Each dataclass is one group of flags and one table of a study's TOML file (`seedwise.cli.config`).
"""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from seedwise.errors import RequestError
from seedwise.study.schedule import Schedule, fractions
from seedwise.values.benchmarks import EMBEDDED, GLUE, PROTOCOLS, glue_name
from seedwise.values.checks import check_choice, did_you_mean
from seedwise.values.presets import PRESETS
from seedwise.values.recipe import Recipe
from seedwise.values.seeds import Seeds
from seedwise.values.splits import Splits
from seedwise.values.stopping import StoppingRule
from seedwise.values.task import METRICS, Task

__all__ = ["RecipeOptions", "TaskOptions", "TrialOptions", "WorkerOptions", "model_place"]

_PUBLISHED = ", ".join(name for name in PRESETS if "-" not in name) + ", zhang2021-MODEL-TASK (Table 6)"


@Parameter(name="*", group="Task", negative=())
@dataclass(frozen=True, kw_only=True)
class TaskOptions:
    """The task to learn."""

    task: Annotated[
        tuple[str, ...], Parameter(help="glue/NAME, embedded/NAME, hub/ORG/DATASET or a folder of GLUE files.")
    ] = ()
    protocol: Annotated[str | None, Parameter(help=f"A paper's splits and metric: {', '.join(PROTOCOLS)}.")] = None
    train: Annotated[Path | None, Parameter(help="Training rows: CSV, TSV, JSON Lines or Parquet.")] = None
    validation: Annotated[
        Path | None, Parameter(help="Validation rows, or the hub's split; else a fifth is set aside.")
    ] = None
    test: Annotated[Path | None, Parameter(help="Test rows, or the hub's split.")] = None
    text: Annotated[str | None, Parameter(help="Column of the text, or of the first of a pair.")] = None
    text_pair: Annotated[str | None, Parameter(help="Column of the second text of a pair.")] = None
    label: Annotated[str | None, Parameter(help="Column of the label.")] = None
    kind: Annotated[str | None, Parameter(help="classification or regression; else set by metric and labels.")] = None
    metric: Annotated[str | None, Parameter(help="The metric that decides.")] = None
    train_size: Annotated[int | None, Parameter(help="Use only this many training rows.")] = None
    validation_size: Annotated[
        float | None, Parameter(help="Set this many training rows (or this share) aside for validation.")
    ] = None
    test_size: Annotated[float | None, Parameter(help="Set this many training rows (or this share) aside.")] = None
    halve_validation: Annotated[bool | None, Parameter(help="Split the validation rows: validation and test.")] = None
    split_seed: Annotated[int | None, Parameter(help="Seed of all random choices of rows; 0 by default.")] = None
    drop_empty: Annotated[bool | None, Parameter(help="Leave out rows with an empty text.")] = None

    @property
    def empty(self) -> bool:
        """Whether no task is named."""
        return not self.task and self.train is None

    def tasks(self) -> tuple[Task, ...]:
        """Return the requested tasks."""
        if bool(self.task) == (self.train is not None):
            raise RequestError("a study needs either --task or --train, not both; give one of them.")
        if self.train is not None:
            self._check_no_protocol("--train")
            return (self._own_rows(self.train),)
        return tuple(self._named(name) for name in self.task)

    def _own_rows(self, train: Path) -> Task:
        if self.text is None or self.label is None:
            missing = "--text" if self.text is None else "--label"
            raise RequestError(f"--train needs {missing}; name the column{_columns(train)}.")
        kind = self._kind()
        if kind is None:
            from seedwise.data.user_files import infer_kind

            kind = infer_kind(train, self.label)
        return Task.files(
            train,
            validation=self.validation,
            test=self.test,
            text=self.text,
            text_pair=self.text_pair,
            label=self.label,
            kind=kind,
            metric=self.metric,
            splits=self._splits(Splits()),
            drop_empty=bool(self.drop_empty),
        )

    def _kind(self) -> str | None:
        """Return the given kind, or else the only one that the metric scores."""
        scored = [kind for kind, metrics in METRICS.items() if self.metric in metrics]
        return self.kind or (scored[0] if len(scored) == 1 else None)

    def _named(self, name: str) -> Task:
        family, _, rest = name.partition("/")
        if family == "hub":
            return self._dataset(rest)
        given = [
            f for f in ("validation", "test", "text", "text_pair", "label", "kind") if getattr(self, f) is not None
        ]
        if given:
            raise RequestError(f"--{given[0].replace('_', '-')} goes with --train, not with --task {name}; drop one.")
        task = self._benchmark(name)
        return replace(task, splits=self._splits(task.splits))

    def _benchmark(self, name: str) -> Task:
        family, _, rest = name.partition("/")
        drop_empty = bool(self.drop_empty)
        if family == "embedded":  # it has its own validation and test rows, and its own metric
            if self.protocol is not None:
                check_choice("the protocol", self.protocol, PROTOCOLS)
            return Task.embedded(rest, metric=self.metric, drop_empty=drop_empty)
        if Path(name).is_dir():
            return Task.glue(Path(name), protocol=self.protocol, metric=self.metric, drop_empty=drop_empty)
        if family == "glue" or name in GLUE:
            known_name = glue_name(name.removeprefix("glue/"))
            return Task.glue(known_name, protocol=self.protocol, metric=self.metric, drop_empty=drop_empty)
        known = [*(f"glue/{n}" for n in GLUE), *(f"embedded/{n}" for n in EMBEDDED)]
        raise RequestError(
            f"--task must be a folder of GLUE files, or one of {', '.join(known)}, not {name!r}{did_you_mean(name, known)}."
        )

    def _dataset(self, name: str) -> Task:
        self._check_no_protocol(f"--task hub/{name}")
        if self.text is None:
            raise RequestError(f"--task hub/{name} needs --text; name the column of the text.")
        return Task.hub(
            name,
            text=self.text,
            label=self.label or "label",
            text_pair=self.text_pair,
            validation=None if self.validation is None else str(self.validation),
            test=None if self.test is None else str(self.test),
            kind=self._kind() or "classification",
            metric=self.metric,
            splits=self._splits(Splits()),
            drop_empty=bool(self.drop_empty),
        )

    def _check_no_protocol(self, rows: str) -> None:
        if self.protocol is not None:
            raise RequestError(
                f"--protocol is for the tasks of GLUE, whose papers it follows, not for the rows of {rows}; drop it and "
                "say the splits and the metric (--halve-validation, --train-size, --validation-size, --metric)."
            )

    def _splits(self, plain: Splits) -> Splits:
        """Return splits with the options given here in place of their own."""
        said: dict[str, Any] = {
            "seed": self.split_seed,
            "train_size": self.train_size,
            "validation_size": _size(self.validation_size),
            "test_size": _size(self.test_size),
            "halve_validation": self.halve_validation,
        }
        return replace(plain, **{name: value for name, value in said.items() if value is not None})


@Parameter(name="*", group="Recipe", negative=())
@dataclass(frozen=True, kw_only=True)
class RecipeOptions:
    """How it is learnt."""

    model: Annotated[str | None, Parameter(help="A model's name on the hub, a folder, or 'embedded'.")] = None
    recipe: Annotated[str | None, Parameter(help=f"{_PUBLISHED}, or a TOML file of recipe fields.")] = None
    set: Annotated[tuple[str, ...], Parameter(help="A recipe field, such as learning_rate=3e-5; may be repeated.")] = ()

    @property
    def changes(self) -> dict[str, Any]:
        """The recipe fields that --set gives."""
        return dict(_field(text) for text in self.set)

    def to_recipe(self) -> Recipe:
        """Return the requested recipe."""
        named = {} if self.model is None else {"model": self.model}
        changes = named | self.changes
        recipe = self._recipe(changes)
        # A folder is relative to where it is written: the recipe's file, or else the command line.
        written = Path() if "model" in changes else Path(self.recipe or "").parent
        start = recipe.start_from and model_place(recipe.start_from, Path() if "start_from" in changes else written)
        return recipe.with_changes(model=model_place(recipe.model, written), start_from=start)

    def _recipe(self, changes: dict[str, Any]) -> Recipe:
        if self.recipe is None:
            return Recipe.from_json(changes)
        if self.recipe.endswith(".toml"):
            return Recipe.from_toml(self.recipe, **changes)
        return Recipe.preset(self.recipe, **changes)


@Parameter(name="*", group="Trials", negative=())
@dataclass(frozen=True, kw_only=True)
class TrialOptions:
    """How many trials, and which continue."""

    budget: Annotated[float | None, Parameter(help="Spend this many full trainings; t, f and p follow.")] = None
    start: Annotated[int | None, Parameter(help="Start this many trials (t), each with its own seeds.")] = None
    fraction: Annotated[float | None, Parameter(help="Judge them after this fraction of the run (f).")] = None
    keep: Annotated[int | None, Parameter(help="Train this many of them to the end (p).")] = None
    init: Annotated[int | None, Parameter(help="Full grid: this many init seeds ...")] = None
    order: Annotated[int | None, Parameter(help="... times this many order seeds.")] = None
    seeds: Annotated[int | None, Parameter(help="This many trials, all to the end.")] = None

    @property
    def ways(self) -> tuple[str, ...]:
        """The ways in which the number of trials was given; a valid request has one."""
        said = {
            "--budget": (self.budget,),
            "--start": (self.start,),
            "--init and --order": (self.init, self.order),
            "--seeds": (self.seeds,),
        }
        return tuple(name for name, values in said.items() if any(value is not None for value in values))

    def plan(self, evaluation_steps: tuple[int, ...]) -> tuple[tuple[Seeds, ...], StoppingRule | None]:
        """Return the seeds and the rule that are meant, fitted to a run's evaluations."""
        if len(self.ways) != 1:
            raise RequestError(
                f"say how many trials in one way, not {' and '.join(self.ways) or 'none'}; give --budget B, --start T "
                "--fraction F --keep P, --init N --order M, or --seeds N."
            )
        if self.budget is not None:
            if self.fraction is not None or self.keep is not None:
                raise RequestError("--budget plans fraction and keep itself; drop them, or give --start instead.")
            rule = StoppingRule.for_budget(self.budget, fractions(evaluation_steps))
            return Seeds.paired(rule.t), rule
        seeds = self._seeds()
        if (self.fraction is None) != (self.keep is None) or (self.start is not None and self.keep is None):
            raise RequestError("--start, --fraction and --keep belong together; give all of them, or --seeds alone.")
        if self.fraction is None or self.keep is None:
            return seeds, None
        chosen = StoppingRule(t=len(seeds), f=self.fraction, p=self.keep)
        Schedule.of(chosen, evaluation_steps)  # refuses a fraction on which no evaluation falls
        return seeds, chosen

    def _seeds(self) -> tuple[Seeds, ...]:
        if self.start is not None:
            return Seeds.paired(self.start)
        if self.seeds is not None:
            return Seeds.paired(self.seeds)
        if self.init is None or self.order is None:
            raise RequestError("a grid needs both --init and --order; give the missing one.")
        return Seeds.grid(self.init, self.order)


@Parameter(name="*", group="Workers", negative=())
@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """Where trials run and how they are computed."""

    executor: Annotated[str | None, Parameter(help="Where trials run: local, in processes on this machine.")] = None
    engine: Annotated[
        str | None,
        Parameter(
            help="How trials are computed: plain (the library's own model), packed (without padding), compiled (C kernels), "
            "fused (many trials at once), or auto, which takes what is usually fastest."
        ),
    ] = None
    workers: Annotated[int | None, Parameter(help="Worker processes; one for each GPU or core by default.")] = None
    threads: Annotated[int | None, Parameter(help="Threads of each worker; 1 by default.")] = None
    width: Annotated[int | None, Parameter(help="With --engine fused: how many trials share a stack.")] = None


def model_place(model: str, folder: Path) -> str:
    """Return the absolute path of a model's folder relative to ``folder``; other names are unchanged."""
    place = (folder / model).resolve()
    return str(place) if model != "embedded" and place.is_dir() else model


def _field(text: str) -> tuple[str, Any]:
    """Read ``name=value`` as TOML does: a number, true, false, or otherwise a string."""
    name, equals, value = text.partition("=")
    if not equals:
        raise RequestError(f"--set must read name=value, not {text!r}; for example learning_rate=3e-5.")
    try:
        return name.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return name.strip(), value.strip()


def _size(given: float | None) -> int | float | None:
    """Return a whole number as a count of rows, a fraction as a share."""
    return int(given) if given is not None and given >= 1 and float(given).is_integer() else given


def _columns(train: Path) -> str:
    from seedwise.data.user_files import read_columns

    return f" (the file has {', '.join(read_columns(train))})" if train.is_file() else ""
