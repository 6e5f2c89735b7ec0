"""What every test may rely on: one thread, no network, a cache of its own, and the data folder where it is there."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# Set before torch or transformers is first imported, here and in every process a test starts.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",  # results are bit-equal for a fixed number of threads only
    "MKL_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_DATASETS_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
os.environ.update(ENVIRONMENT)

# A deadline measures the machine, not the code; a blob lets a failure be replayed from the log.
settings.register_profile("seedwise", deadline=None, print_blob=True)
settings.load_profile("seedwise")

TRAINED = {"alone", "finished", "from_file", "staged", "stacked", "two_tasks", "undisturbed"}
"""Fixtures that run a whole study in worker processes: what one takes is shared by its tests, and all of them are slow."""

SESSION_CACHE = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    """Sends the cache of the whole session, doctests included, to a folder that goes away with it."""
    config.stash[SESSION_CACHE] = tempfile.mkdtemp(prefix="seedwise-test-cache-")
    os.environ["SEEDWISE_CACHE"] = config.stash[SESSION_CACHE]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if TRAINED.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(config.stash[SESSION_CACHE], ignore_errors=True)


@pytest.fixture(scope="session")
def cache_directory(pytestconfig: pytest.Config) -> Path:
    """The session's cache: empty when the session starts, shared by its tests, so that data are tokenised once."""
    return Path(pytestconfig.stash[SESSION_CACHE])


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for one test alone."""
    directory = tmp_path / "cache"
    directory.mkdir()
    monkeypatch.setenv("SEEDWISE_CACHE", str(directory))
    return directory


@pytest.fixture(scope="session")
def shared() -> Path:
    """The read-only folder of real data beside the project; it is no part of the project."""
    directory = ROOT.parent / "shared"
    if not directory.is_dir():
        pytest.skip("needs the folder of real data sets and runs, ../shared, which is not part of the project")
    return directory
