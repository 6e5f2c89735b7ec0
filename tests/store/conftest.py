"""An open store for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from seedwise.store.sqlite import SqliteStore
from store.toys import trials


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rte" / "study.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.create_or_open(path, write=True) as store:
        yield store


@pytest.fixture
def trial(store: SqliteStore) -> str:
    """The id of one trial in the store."""
    (trial,) = trials(1)
    store.add_trials([trial])
    return trial.id
