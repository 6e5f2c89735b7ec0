"""An open store for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from seedwise.store.store import Store
from store.toys import trials


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rte" / "study.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store.create_or_open(path, write=True) as store:
        yield store


@pytest.fixture
def trial(store: Store) -> str:
    """The id of one trial in the store."""
    (trial,) = trials(1)
    store.add_trials([trial])
    return trial.id
