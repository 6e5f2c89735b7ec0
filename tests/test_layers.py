"""Does every module import only what its layer permits? docs/decisions/0001-layers.md explains the table."""

import ast
import graphlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "seedwise"
FILE_LIMIT = 400  # lines; about 300 is already a sign that a noun is missing
FUNCTION_LIMIT = 60  # lines without the docstring; about 40 is already a sign

# Third-party packages that belong to one place each: nothing below the interface may lean on them.
INTERFACE = frozenset({"altair", "vl_convert", "cyclopts", "rich"})


@dataclass(frozen=True, kw_only=True)
class Row:
    """What one room may import beside itself."""

    ours: frozenset[str] | None  # rooms, or dotted modules of ours; None: all
    libraries: frozenset[str] | None  # third-party packages; None: all but those of the interface
    forbidden: frozenset[str]  # parts of the standard library


def row(*, ours: str | None = "", libraries: str | None = "", forbidden: str = "") -> Row:
    def words(text: str | None) -> frozenset[str] | None:
        return None if text is None else frozenset(text.split())

    return Row(ours=words(ours), libraries=words(libraries), forbidden=frozenset(forbidden.split()))


# A file's row is its folder. Indented: rooms within a room that may import less than the room around them.
TABLE = {
    "errors": row(),
    "files": row(ours="errors"),
    "stats": row(libraries="numpy scipy"),
    "values": row(ours="errors"),
    "values.rows": row(ours="errors", libraries="numpy"),
    "papers": row(ours="values errors"),
    "designs": row(ours="values errors"),
    "data": row(ours="values errors files", libraries=None),
    "training": row(ours="values errors files data.rows data.tokens data.pretrained", libraries=None),
    "engines": row(ours="values errors data training", libraries=None),
    "executors": row(ours="values errors files data training engines", libraries=None),
    "executors.base": row(ours="values errors executors.messages"),
    "executors.messages": row(ours="values errors"),
    "store": row(ours="values errors files", libraries="numpy polars filelock"),
    "importing": row(ours="values errors", libraries="polars"),
    "study": row(
        ours="values errors files store importing executors.base executors.messages", libraries="numpy polars filelock"
    ),
    "study.schedule": row(ours="values errors", forbidden="time datetime random sqlite3 threading asyncio"),
    "study.winners": row(ours="values errors files executors.base store stats study.modelcard"),
    "study.modelcard": row(ours="values errors"),
    "study.bar": row(ours="values errors study.progress", libraries="rich"),
    "study.model": row(ours="values errors data training.prediction", libraries="polars"),
    "analysis": row(ours="values errors stats", libraries="numpy"),
    "charts": row(ours="values errors files stats analysis", libraries="numpy polars altair vl_convert"),
    "tables": row(ours="values errors stats papers analysis", libraries="numpy"),
    "report": row(
        ours="values errors files stats papers analysis charts tables", libraries="numpy polars altair vl_convert"
    ),
    "gate": row(ours="values errors executors.base study analysis"),
    "embedded": row(),
    "cli": row(ours=None, libraries=None),
    "__init__": row(ours=None, libraries=None),
    "__main__": row(ours=None, libraries=None),
}
ONLY_HERE = {"datasets": "data.hub"}


@dataclass(frozen=True)
class Import:
    """One imported module, where it is written."""

    target: str  # dotted, absolute
    line: int
    at_start: bool  # run when the module is imported: not in a function, not under TYPE_CHECKING


def module_name(path: Path, package: Path = PACKAGE) -> str:
    """The dotted name inside the package: stats/anova.py is stats.anova, stats/__init__.py is stats."""
    parts = path.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if len(parts) > 1 and parts[-1] == "__init__" else parts)


def imports_of(source: str, module: str, *, is_package: bool, ours: frozenset[str]) -> Iterator[Import]:
    """Every import in a source text: in functions, under TYPE_CHECKING and by import_module("...") as well."""
    tree = ast.parse(source)
    late = {id(node) for scope in ast.walk(tree) if runs_late(scope) for node in ast.walk(scope)}
    parents = ["seedwise", *([] if module == "__init__" else module.split("."))]
    for node in ast.walk(tree):
        targets: list[str] = []
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            dots = node.level - is_package
            package = parents[: len(parents) - dots] if node.level else []
            origin = ".".join([*package, *([node.module] if node.module else [])])
            full = [f"{origin}.{alias.name}" for alias in node.names]
            # `from seedwise.stats import anova` imports a module, `from seedwise.values.task import Task` a name in one.
            targets = [name if name.removeprefix("seedwise.") in ours else origin for name in full]
        elif isinstance(node, ast.Call) and called(node) in {"import_module", "__import__"}:
            targets = [
                arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            ]
        yield from (Import(target, node.lineno, id(node) not in late) for target in targets)


def runs_late(node: ast.AST) -> bool:
    """Whether what is inside is left out when the module is imported."""
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.dump(node.test)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)


def called(node: ast.Call) -> str:
    return getattr(node.func, "attr", getattr(node.func, "id", ""))


def rooms_of(module: str) -> list[str]:
    """The module and the packages around it, the innermost first: a.b.c, a.b, a."""
    return [module.rsplit(".", count)[0] for count in range(module.count(".") + 1)]


def row_of(module: str) -> str | None:
    """The name of the row that a module of ours is in: that of the innermost room."""
    return next((room for room in rooms_of(module) if room in TABLE), None)


def objection(module: str, target: str) -> str | None:
    """Why the module may not import the target, or None where it may."""
    name = row_of(module)
    if name is None:
        return None  # a test of its own says so
    rule = TABLE[name]
    is_interface = rule.ours is None
    first = target.split(".", maxsplit=1)[0]
    if first == "seedwise":
        return objection_to_ours(name, rule, target.removeprefix("seedwise").removeprefix(".") or "__init__")
    if first in sys.stdlib_module_names:
        return f"{name} must not touch {first}" if first in rule.forbidden else None
    if first in ONLY_HERE and not is_interface:
        return None if module == ONLY_HERE[first] else f"{first} belongs to {ONLY_HERE[first]} alone"
    if rule.libraries is None:
        return f"{first} belongs to the interface" if first in INTERFACE and not is_interface else None
    return None if first in rule.libraries else f"{name} may import {listing(rule.libraries)} of other packages"


def objection_to_ours(name: str, rule: Row, target: str) -> str | None:
    if rule.ours is None or name in rooms_of(target):
        return None
    if target == "__init__":
        return "seedwise itself is above all rows: importlib.metadata knows its version, and names have modules"
    permitted = rule.ours.intersection(rooms_of(target))
    return None if permitted else f"{name} may import {listing(rule.ours)} of ours"


def listing(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


FILES = sorted(PACKAGE.rglob("*.py"))
MODULES = {module_name(path): path for path in FILES}
NAMES = frozenset(MODULES)


def imports(module: str) -> list[Import]:
    path = MODULES[module]
    is_package = path.name == "__init__.py"
    return list(imports_of(path.read_text("utf-8"), module, is_package=is_package, ours=NAMES))


# The table, held against the source -----------------------------------------------------------------------------------


@pytest.mark.parametrize("module", sorted(NAMES))
def test_module_imports_only_what_its_row_permits(module):
    found = [(use, objection(module, use.target)) for use in imports(module)]
    complaints = [f"line {use.line} imports {use.target}, but {reason}." for use, reason in found if reason]
    assert complaints == []


def test_every_top_level_module_is_in_a_row():
    for top in sorted({name.split(".")[0] for name in NAMES}):
        assert row_of(top), (
            f"The module seedwise.{top} is in no row of the import table; "
            "give it one, in TABLE here and in docs/decisions/0001-layers.md."
        )


def test_modules_do_not_import_each_other_in_a_circle():
    graph = {name: sorted(starting_imports(name)) for name in NAMES}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        pytest.fail("These modules import each other in a circle: " + " <- ".join(error.args[1]))


def starting_imports(module: str) -> set[str]:
    """The modules of ours that are imported whenever the module is."""
    targets = {use.target.removeprefix("seedwise.") for use in imports(module) if use.at_start}
    return {target for target in targets if target in NAMES and target != module}


@pytest.mark.parametrize("module", sorted(NAMES))
def test_file_is_short(module):
    lines = len(MODULES[module].read_text("utf-8").splitlines())
    assert lines <= FILE_LIMIT, f"{MODULES[module].name} has {lines} lines; a noun is missing."


@pytest.mark.parametrize("module", sorted(NAMES))
def test_functions_are_short(module):
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [f"{node.name}: {length(node)} lines" for node in functions if length(node) > FUNCTION_LIMIT]
    assert long == []


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = function.end_lineno - function.lineno + 1
    if ast.get_docstring(function) is not None:
        lines -= function.body[0].end_lineno - function.body[0].lineno + 1
    return lines


# What is loaded, seen from a process of its own -----------------------------------------------------------------------

HEAVY = ["torch", "transformers", "tokenizers", "ray", "datasets", "polars", "pandas", "scipy", "numpy", "altair"]
DEVICE_SIDE = ["torch", "transformers", "tokenizers", "ray", "datasets"]
REPORT_LOADED = (
    "import sys; print('loaded:', *sorted(name for name in {names} if name in sys.modules), file=sys.stderr)"
)
CLI_HELP = """
import sys
sys.argv = ["seedwise", "--help"]
from seedwise.cli import main
try:
    code = main()
except SystemExit as end:
    code = end.code
assert not code, f"seedwise --help ended with {{code}}"
"""


def loaded_by(program: str, names: list[str]) -> list[str]:
    """Which of the packages a new Python has loaded after it ran the program."""
    program = "\n".join([program, REPORT_LOADED.format(names=names)])
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, "TERM": "dumb"}, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.rpartition("loaded:")[2].split()


def test_import_seedwise_loads_nothing_heavy():
    assert loaded_by("import seedwise", HEAVY) == []


def test_help_of_the_command_line_loads_nothing_heavy():
    assert loaded_by(CLI_HELP, HEAVY) == []


@pytest.mark.slow
def test_analysis_side_loads_neither_torch_nor_ray():
    rooms = {"values", "papers", "designs", "stats", "store", "importing", "analysis", "charts", "tables", "report"}
    modules = sorted(name for name in NAMES if name.split(".")[0] in rooms)
    program = "\n".join(f"import seedwise.{module}" for module in modules)
    assert loaded_by(program, DEVICE_SIDE) == []


WITHOUT_TORCH = """
import sys
from pathlib import Path

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "transformers", "tokenizers"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NotInstalled())
from seedwise.cli import app
Path({folder!r}).mkdir(exist_ok=True)
runs, study = Path({folder!r}) / "runs.csv", Path({folder!r}) / "study"
rows = [f"t,r,{{i}},{{o}},{{s}},{{0.5 + 0.005 * ((7 * i + 3 * o) % 31) + 0.01 * s}}" for i in range(4) for o in range(4) for s in range(1, 5)]
runs.write_text("\\n".join(["task,recipe,init,order,step,score:accuracy", *rows]) + "\\n")
mapping = ["--map", "score:accuracy=score:accuracy"]
for command in (
    ["import", runs, study, *mapping], ["status", study], ["trials", study], ["analyze", study], ["analyze", study, "--json"],
    ["plan", study, "--budget", "1..4"], ["report", study], ["export", study, "-o", Path({folder!r}) / "tables"], ["cite"],
):
    app([str(word) for word in command], exit_on_error=False, print_error=False, result_action="return_value")
"""


@pytest.mark.slow
def test_runs_of_others_are_analysed_where_no_torch_is_installed(tmp_path):
    assert loaded_by(WITHOUT_TORCH.format(folder=str(tmp_path)), ["ray", "datasets"]) == []
    assert (tmp_path / "study" / "report.html").exists()


# The test itself ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("values.task", "import numpy", "values may import nothing"),
        ("values.task", "def f():\n    import torch", "values may import nothing"),
        (
            "values.task",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch",
            "values may import nothing",
        ),
        ("values.task", "from .. import store", "values may import errors"),
        ("values.task", "from ..errors import SeedwiseError", None),
        ("values.task", "import seedwise", "seedwise itself is above all rows"),
        ("study.schedule", "import time", "study.schedule must not touch time"),
        ("stats.adam", "from seedwise.errors import SeedwiseError", "stats may import nothing"),
        ("stats.seeds.anova", "from ..checks import count_array", None),
        ("stats", "from .checks import count_array", None),
        ("store.export", "import polars", None),
        ("store.store", "import torch", "store may import filelock, numpy, polars"),
        ("data.user_files", "from seedwise.training import loop", "data may import errors, files, values"),
        ("data.user_files", "import datasets", "datasets belongs to data.hub alone"),
        ("training.loop", "import rich", "rich belongs to the interface"),
        ("training.loop", "from seedwise.data.tokens import TokenizedTask", None),
        ("training.loop", "from seedwise.data.glue import read", "training may import data."),
        ("training.loop", "from ..engines import stack", "training may import data."),
        ("executors.local", "from seedwise.executors import base", None),
        (
            "executors.base",
            "from seedwise.executors import local",
            "executors.base may import errors, executors.messages, values",
        ),
        ("executors.local", "import importlib\nimportlib.import_module('seedwise.store')", "executors may import"),
        ("study.study", "from seedwise.executors.base import Executor", None),
        ("study.study", "from seedwise.executors import base", None),
        ("study.study", "from seedwise.executors.local import LocalExecutor", "study may import"),
        ("analysis", "from seedwise.store.store import Store", "analysis may import"),
        ("charts.curves", "from seedwise.report import Report", "charts may import"),
        ("study.modelcard", "from seedwise.store import base", "study.modelcard may import errors, values"),
        ("cli", "import torch, rich, seedwise.store", None),
    ],
)
def test_table_judges_an_import(module, source, expected):
    found = imports_of(source, module, is_package=module == "stats", ours=NAMES)
    reasons = [reason for use in found if (reason := objection(module, use.target))]
    assert [reason.startswith(expected or "") for reason in reasons] == ([True] if expected else [])
