"""Is the public interface one sorted list, and does every name on it exist?"""

import ast
import doctest
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import seedwise as sw
from seedwise import errors

INTERFACES = [sw, sw.stats]
STATISTICS = [name for name in sw.stats.__all__ if inspect.isfunction(getattr(sw.stats, name))]


@pytest.mark.parametrize("module", INTERFACES)
def test_public_names_are_sorted_and_unique(module):
    assert list(module.__all__) == sorted(set(module.__all__))


@pytest.mark.parametrize("module", INTERFACES)
def test_public_names_are_those_that_can_be_imported(module):
    missing = [name for name in module.__all__ if not hasattr(module, name)]
    assert missing == []
    assert dir(module) == list(module.__all__)


@pytest.mark.parametrize("module", INTERFACES)
def test_an_unknown_name_is_an_attribute_error(module):
    with pytest.raises(AttributeError, match=f"module '{module.__name__}' has no attribute 'nonesuch'"):
        module.nonesuch  # noqa: B018 - looking it up is the test


@pytest.mark.parametrize("module", INTERFACES)
def test_every_public_object_has_a_docstring(module):
    public = {name: getattr(module, name) for name in module.__all__ if not name.startswith("_")}
    undocumented = [name for name, value in public.items() if not (getattr(value, "__doc__", None) or "").strip()]
    assert undocumented == []


def test_every_error_is_public():
    assert set(errors.__all__) - set(sw.__all__) == set()


def imported_names(source: str) -> dict[str, str]:
    """Every name that is imported from one of our modules, with that module."""
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)]
    return {name.name: node.module for node in found for name in node.names if node.module.startswith("seedwise.")}


def test_type_checkers_see_the_names_that_are_loaded_on_first_use():
    stub = imported_names(Path(sw.stats.__file__).with_suffix(".pyi").read_text("utf-8"))
    assert stub == {name: f"seedwise.stats.{home}" for name, home in sw.stats._HOME_OF.items()}
    top = imported_names(Path(sw.__file__).read_text("utf-8"))
    assert {name: top[name] for name in sw._LAZY} == sw._LAZY


def test_a_public_name_is_its_modules_public_name():
    private = [
        name
        for name, home in sw.stats._HOME_OF.items()
        if name not in importlib.import_module(f"seedwise.stats.{home}").__all__
    ]
    assert private == []


def test_statistics_are_loaded_one_by_one():
    program = "import sys, seedwise as sw; sw.stats.update_bias(1); print('scipy.stats' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_the_documented_statistics_are_public():
    page = (Path(__file__).parent.parent / "docs" / "statistics.md").read_text("utf-8")
    cells = [line.split("|")[2] for line in page.splitlines() if line.startswith("|")]
    named = re.findall(r"`(\w+)`", " ".join(cells[2:]))
    assert named
    assert set(named) - set(sw.stats.__all__) == set()


@pytest.mark.parametrize("name", STATISTICS)
def test_every_public_statistic_has_an_example_that_runs(name):
    function = getattr(sw.stats, name)
    names = dict(vars(sys.modules[function.__module__]))
    (test,) = doctest.DocTestFinder(recurse=False).find(function, name, globs=names)
    assert test.examples
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    failed, _ = runner.run(test, out=report.append)
    assert not failed, "".join(report)
