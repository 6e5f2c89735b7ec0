"""The real command line in this process, a toy task and model, and one finished study."""

import io
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest

from seedwise.cli import main
from toys import toy_model, toy_task


class Said(NamedTuple):
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def seedwise() -> Callable[..., Said]:
    """Runs ``seedwise ...`` in this process."""

    def run(*arguments: object) -> Said:
        out, err = io.StringIO(), io.StringIO()
        code = 0
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", ["seedwise", *map(str, arguments)])
            try:
                main()
            except SystemExit as end:
                code = end.code or 0
        return Said(code, out.getvalue(), err.getvalue())

    return run


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_model(tmp_path_factory.mktemp("models") / "toy")


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with train.csv, validation.csv and test.csv."""
    folder = tmp_path_factory.mktemp("rows")
    toy_task(folder)
    return folder


@pytest.fixture(scope="session")
def request_of(rows: Path, model: Path) -> list[object]:
    """The flags of a small study; 24 steps, evaluated at every tenth of the run."""
    files = ["--train", rows / "train.csv", "--validation", rows / "validation.csv", "--test", rows / "test.csv"]
    columns = ["--text", "text", "--label", "label"]
    recipe = [
        "--model",
        model,
        "--set",
        "learning_rate=2e-3",
        "--set",
        "batch_size=8",
        "--set",
        "evaluations=10 per run",
    ]
    return [*files, *columns, *recipe, "--workers", 1]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, seedwise: Callable[..., Said], request_of: list[object]) -> Path:
    """A study that was run to its end by the command line: 4 seeds started, 2 kept."""
    folder = tmp_path_factory.mktemp("finished") / "study"
    said = seedwise("run", folder, *request_of, "--start", 4, "--fraction", 0.3, "--keep", 2)
    assert (said.code, said.err) == (0, "")
    return folder
