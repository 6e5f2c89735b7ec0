"""Does a study of an older schema version open as it is for reading, and lose nothing when writing brings it up to date?"""

import signal
import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from seedwise.errors import RequestError
from seedwise.store.store import Store
from seedwise.values.facts import Environment, TaskFacts
from seedwise.values.rows import Predictions, Targets
from seedwise.values.stopping import StoppingRule
from seedwise.values.trial import TrialState
from store.toys import RECIPE, TASK, interval, tracking, trials

VERSION_1 = """
CREATE TABLE studies (number INTEGER PRIMARY KEY CHECK (number = 1), created TEXT NOT NULL, rule TEXT);
CREATE TABLE tasks (id TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE recipes (id TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE trials (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, task TEXT NOT NULL REFERENCES tasks (id),
    recipe TEXT NOT NULL REFERENCES recipes (id), seeds TEXT NOT NULL, state TEXT NOT NULL,
    fingerprint TEXT NOT NULL DEFAULT '{}', origin TEXT NOT NULL DEFAULT '{}', seconds REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, error TEXT, best_step INTEGER, test_metrics TEXT
);
CREATE TABLE facts (
    task TEXT NOT NULL REFERENCES tasks (id), recipe TEXT NOT NULL REFERENCES recipes (id), content TEXT NOT NULL,
    PRIMARY KEY (task, recipe)
) WITHOUT ROWID;
CREATE TABLE measurements (
    trial TEXT NOT NULL REFERENCES trials (id), first_step INTEGER NOT NULL, last_step INTEGER NOT NULL,
    losses BLOB NOT NULL, PRIMARY KEY (trial, last_step)
) WITHOUT ROWID;
CREATE TABLE evaluations (
    trial TEXT NOT NULL REFERENCES trials (id), step INTEGER NOT NULL, loss TEXT NOT NULL, metrics TEXT NOT NULL,
    PRIMARY KEY (trial, step)
) WITHOUT ROWID;
CREATE TABLE predictions (
    trial TEXT PRIMARY KEY REFERENCES trials (id), step INTEGER NOT NULL, outputs INTEGER NOT NULL,
    validation BLOB NOT NULL, test BLOB
);
CREATE TABLE events (
    number INTEGER PRIMARY KEY, time TEXT NOT NULL, trial TEXT REFERENCES trials (id), kind TEXT NOT NULL,
    detail TEXT NOT NULL
);
PRAGMA application_id = 1936024932;
PRAGMA user_version = 1;
"""
VERSION_2 = """
ALTER TABLE studies ADD COLUMN design TEXT;
CREATE TABLE tracked (
    trial TEXT NOT NULL REFERENCES trials (id), name TEXT NOT NULL, first_step INTEGER NOT NULL,
    last_step INTEGER NOT NULL, width INTEGER NOT NULL, vals BLOB NOT NULL, PRIMARY KEY (trial, name, last_step)
) WITHOUT ROWID;
PRAGMA user_version = 2;
"""
TABLES = "studies tasks recipes trials facts measurements evaluations predictions events".split()


def reader(path):
    return Store.create_or_open(path, write=False)


def writer(path):
    return Store.create_or_open(path, write=True)


@pytest.fixture
def new(tmp_path):
    """A file of the version of today with a row in every table that version 1 has."""
    path = tmp_path / "new" / "study.db"
    first, second, _ = (trial.id for trial in trials(3))
    outputs = np.ones((3, 2), np.float32)
    with writer(path) as store:
        store.add_trials(trials(3))
        store.set_rule(StoppingRule(t=3, f=0.5, p=1))
        store.set_facts(TASK.id, RECIPE.id, TaskFacts(digest="a", rows={"train": 64}))
        store.start(first, {"init": "aa"}, Environment.from_json({"device": "cpu"}))
        store.append(first, [*interval(1, 4), *interval(5, 9)], 1.5)
        store.set_best(first, 4, {"accuracy": 0.75}, Predictions(4, outputs, outputs))
        store.set_state(second, TrialState.FAILED, "out of memory")
    return path


@pytest.fixture(params=[1, 2])
def old(new, path, request):
    """A file of an older version with the same rows."""
    path.parent.mkdir()
    connection = sqlite3.connect(path)
    connection.executescript(VERSION_1 + (VERSION_2 if request.param == 2 else ""))
    connection.execute("ATTACH ? AS new", (str(new),))
    for table in TABLES:
        columns = ", ".join(name for _, name, *_ in connection.execute(f"PRAGMA main.table_info({table})"))
        connection.execute(f"INSERT INTO main.{table} SELECT {columns} FROM new.{table}")
    connection.commit()
    connection.close()
    return path


def ask(path, query):
    connection = sqlite3.connect(path)
    answer = connection.execute(query).fetchall()
    connection.close()
    return answer


def version_of(path):
    return ask(path, "PRAGMA user_version")[0][0]


def rows_of(path):
    """Every row of version 1's tables, in version 1's columns."""
    found = {table: ask(path, f"SELECT * FROM {table}") for table in TABLES}
    return {**found, "studies": [row[:3] for row in found["studies"]]}


def columns_of(path):
    tables = [name for (name,) in ask(path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {table: ask(path, f"PRAGMA table_info({table})") for table in tables}


def known(store):
    """All that version 1 knows of a study."""
    records = store.records()
    kept = [store.predictions(record.id) for record in records]
    return (
        records,
        [store.losses(record.id).tolist() for record in records],
        [None if p is None else (p.step, p.validation.tolist(), p.test.tolist()) for p in kept],
        store.rule(),
        store.facts(TASK.id, RECIPE.id),
    )


# Reading --------------------------------------------------------------------------------------------------------------


def test_it_is_read_as_it_is(old, new):
    before = old.read_bytes()
    with reader(old) as store, reader(new) as other:
        assert known(store) == known(other)
        assert store.events() == other.events()
    assert old.read_bytes() == before


def test_it_knows_no_design_and_no_labels_and_tracked_nothing(old):
    with reader(old) as store:
        assert (store.design(), store.targets(TASK.id)) == (None, None)
        assert [store.tracked(record.id) for record in store.records()] == [{}, {}, {}]


def test_trial_that_it_does_not_hold_is_refused(old):
    with reader(old) as store, pytest.raises(RequestError, match="the study has no trial 'x'"):
        store.tracked("x")


# Writing --------------------------------------------------------------------------------------------------------------


def test_opened_for_writing_it_becomes_version_3_and_keeps_every_row(old, new):
    before, version = rows_of(old), version_of(old)
    with writer(old) as store, reader(new) as other:
        assert known(store) == known(other)
    after = rows_of(old)
    *events, (_, _, *added) = after.pop("events")
    assert (events, added) == (before.pop("events"), [None, "schema", f"version 3 replaces version {version}"])
    assert after == before
    assert (version_of(old), columns_of(old)) == (3, columns_of(new))
    assert ask(old, "PRAGMA integrity_check") == [("ok",)]


def test_it_is_brought_up_to_date_only_once(old):
    writer(old).close()
    with writer(old) as store:
        assert [event.kind for event in store.events()].count("schema") == 1


def test_brought_up_to_date_it_keeps_what_is_new(old):
    trial = trials(3)[2].id
    with writer(old) as store:
        store.append(trial, tracking(1, 4), 1.0)
        store.set_design({"title": "Longer training"})
        store.set_targets(TASK.id, Targets(np.array([1, 0, 1], np.float32)))
    with reader(old) as store:
        assert store.tracked(trial)["gradient_norm"].tolist() == [[1.0], [2.0], [3.0], [4.0]]
        assert store.design() == {"title": "Longer training"}
        assert store.targets(TASK.id).validation.tolist() == [1, 0, 1]


def test_reader_follows_a_writer_that_brings_it_up_to_date(old):
    trial = trials(3)[2].id
    with reader(old) as store:
        assert store.tracked(trial) == {}
        with writer(old) as other:
            assert store.tracked(trial) == {}
            other.append(trial, tracking(1, 2), 1.0)
            assert store.tracked(trial)["distance"].shape == (2, 3)


UPGRADE = """
import sys
from seedwise.store import database
from seedwise.store.store import Store

def upgrade_and_wait(connection, time):
    upgrade(connection, time)
    print("ready", flush=True)
    sys.stdin.read()

upgrade, database.upgrade_schema = database.upgrade_schema, upgrade_and_wait
Store.create_or_open(sys.argv[1], write=True)
"""


@pytest.mark.slow
def test_kill_in_the_middle_leaves_the_older_version(old):
    before, version = rows_of(old), version_of(old)
    command = [sys.executable, "-c", UPGRADE, str(old)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL)
    with reader(old) as store:
        assert (store.design(), len(store.records())) == (None, 3)
    assert (version_of(old), rows_of(old)) == (version, before)
    writer(old).close()
    assert version_of(old) == 3
