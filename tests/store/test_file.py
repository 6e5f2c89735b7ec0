"""Is the study's file safe: against kills, full disks, a second writer, foreign files, and readers at any time?"""

import itertools
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from seedwise.errors import RequestError, WorkError
from seedwise.store.database import Database
from seedwise.store.store import Store
from seedwise.values.trial import TrialState
from store.toys import interval, trials

TESTS = Path(__file__).resolve().parent.parent


def reader(path):
    return Store.create_or_open(path, write=False)


def writer(path):
    return Store.create_or_open(path, write=True)


@contextmanager
def python(program, path):
    """A process that runs the program with the path, from when it says ``ready`` until it is killed at the end."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *sys.path])}
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.send_signal(signal.SIGKILL)


def names(folder):
    return sorted(file.name for file in folder.iterdir())


# Kills ----------------------------------------------------------------------------------------------------------------

APPEND_FOREVER = """
import itertools, random, sys
import numpy as np
from seedwise.values.rows import Predictions
from seedwise.store.store import Store
from seedwise.values.facts import Environment
from store.toys import tracking, trials

store = Store.create_or_open(sys.argv[1], write=True)
store.reset_running()
store.add_trials(trials(3))
print("ready", flush=True)
for trial in itertools.cycle(trials(3)):
    last = store.record(trial.id).last_step
    store.start(trial.id, {}, Environment())
    end = last + random.randint(1, 200)
    store.append(trial.id, tracking(last + 1, end), 1.0)
    store.set_best(trial.id, end, {"accuracy": 0.5}, Predictions(end, np.full((300, 2), end, np.float32)))
"""


@pytest.mark.slow
def test_nothing_is_torn_by_a_dozen_kills(path, request):
    seed = random.randrange(1000)
    request.node.user_properties.append(("seed", seed))
    draw = random.Random(seed)
    steps = []
    for _ in range(12):
        with python(APPEND_FOREVER, path):
            time.sleep(draw.uniform(0.01, 0.3))
        with reader(path) as store:
            steps.append([check_whole(store, record) for record in store.records()])
    for before, after in itertools.pairwise(steps):
        assert all(a <= b for a, b in zip(before, after, strict=True))
    assert sum(steps[-1]) > 0
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    with writer(path) as store:
        assert store.reset_running() >= 1
        assert [event for event in store.events() if event.kind == "replay differs"] == []


def check_whole(store, record):
    """All that a trial measured ends exactly at its last evaluation and is what was written; returns that step."""
    steps = range(1, record.last_step + 1)
    assert store.losses(record.id).tolist() == [step / 8 for step in steps]
    tracked = {name: table.tolist() for name, table in store.tracked(record.id).items()}
    written = {"distance": [[s / 8, s / 4, s / 2] for s in steps], "gradient_norm": [[float(s)] for s in steps]}
    assert tracked == (written if steps else {})
    predictions = store.predictions(record.id)
    if record.best_step is not None:
        assert predictions.step == record.best_step <= record.last_step
        assert predictions.validation.min() == predictions.validation.max() == record.best_step
    return record.last_step


# Writers --------------------------------------------------------------------------------------------------------------

HOLD = """
import sys
from seedwise.store.store import Store
store = Store.create_or_open(sys.argv[1], write=True)
print("ready", flush=True)
sys.stdin.read()
"""


def test_second_writer_is_refused_until_the_first_one_closes(path):
    with writer(path), pytest.raises(RequestError) as refusal:
        writer(path)
    assert str(refusal.value) == (
        f"the study in {path.parent} is open in another process; wait until it ends, or choose another directory."
    )
    writer(path).close()


@pytest.mark.slow
def test_writer_of_another_process_is_refused_until_the_first_one_is_killed(path):
    with python(HOLD, path):
        with pytest.raises(RequestError, match="is open in another process"):
            writer(path)
        with reader(path) as store:
            assert store.records() == ()
    writer(path).close()


def test_failed_transaction_leaves_nothing(path):
    database = Database(path, write=True)
    with suppress(ZeroDivisionError), database.writing() as connection:
        connection.execute("INSERT INTO tasks VALUES ('a', '{}')")
        raise ZeroDivisionError
    assert database.read(lambda connection: connection.execute("SELECT * FROM tasks").fetchall()) == []
    database.close()


def test_closed_study_is_one_file_beside_its_lock(path):
    with writer(path) as store:
        store.add_trials(trials(2))
    assert names(path.parent) == ["study.db", "study.lock"]


def test_directory_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RequestError, match=r"must be writable, but: .*; choose another directory"):
        writer(tmp_path / "file" / "study.db")


# Readers --------------------------------------------------------------------------------------------------------------


def test_reader_is_not_blocked_by_an_open_transaction(store, path, trial):
    with store._database.writing() as connection:
        connection.execute("UPDATE trials SET state = 'running'")
        with reader(path) as other:
            assert other.record(trial).state is TrialState.WAITING
    with reader(path) as other:
        assert other.record(trial).state is TrialState.RUNNING


def test_writer_is_not_blocked_by_a_reader_in_the_middle(store, path):
    other = Database(path, write=False)
    count = "SELECT count(*) FROM events"

    def look_twice(connection):
        first = connection.execute(count).fetchone()
        store.add_event("note", "meanwhile")
        return first, connection.execute(count).fetchone()

    first, second = other.read(look_twice)
    assert first == second
    assert other.read(lambda connection: connection.execute(count).fetchone()) == (first[0] + 1,)
    other.close()


def test_reader_follows_a_writer_that_comes_and_goes(path):
    writer(path).close()
    with reader(path) as store:
        assert store.records() == ()
        with writer(path) as other:
            other.add_trials(trials(1))
            assert len(store.records()) == 1
            other.add_trials(trials(2))
            assert len(store.records()) == 2
        assert len(store.records()) == 2
        with writer(path) as other:
            other.add_trials(trials(3))
        assert len(store.records()) == 3


def test_reading_is_repeated_when_the_file_has_changed_meanwhile(path):
    writer(path).close()
    database = Database(path, write=False)
    asked = []

    def question(connection):
        asked.append(connection)
        if len(asked) == 1:
            with writer(path) as store:
                store.add_trials(trials(2))
        return connection.execute("SELECT count(*) FROM trials").fetchone()

    assert database.read(question) == (2,)
    assert len(asked) == 2
    database.close()


def test_reading_makes_no_files(path):
    with writer(path) as store:
        store.add_trials(trials(1))
    (path.parent / "study.lock").unlink()
    with reader(path) as store:
        assert len(store.records()) == 1
        assert names(path.parent) == ["study.db"]
    assert names(path.parent) == ["study.db"]


def test_study_copied_while_it_is_written_can_be_read(path, tmp_path, trial):
    copy = tmp_path / "copy"
    shutil.copytree(path.parent, copy)
    with reader(copy / "study.db") as other:
        assert other.record(trial).id == trial


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("running", [False, True])
def test_study_in_a_read_only_folder_can_be_read(path, tmp_path, running):
    folder = tmp_path / "copy"
    with writer(path) as store:
        store.add_trials(trials(1))
        if running:
            shutil.copytree(path.parent, folder)
    if not running:
        shutil.copytree(path.parent, folder)
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)
    with reader(folder / "study.db") as store:
        assert len(store.records()) == 1
    with pytest.raises(RequestError, match="must be writable"):
        writer(folder / "study.db")
    folder.chmod(0o755)


def test_reader_cannot_write(path):
    writer(path).close()
    with reader(path) as store, pytest.raises(RequestError, match="is open for reading only; open it with write=True"):
        store.add_event("note", "detail")


@pytest.mark.parametrize("empty", [False, True])
def test_missing_study_is_refused_with_a_way_to_start_one(path, empty):
    if empty:
        path.parent.mkdir()
        path.touch()
    with pytest.raises(RequestError) as refusal:
        reader(path)
    assert str(refusal.value) == (
        f"there is no study in {path.parent}; start one with `seedwise run {path.parent} --task ...`, "
        "or check the path."
    )
    assert path.exists() == empty


# Other files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [False, True])
def test_study_of_a_newer_schema_is_refused(path, write):
    writer(path).close()
    change(path, "PRAGMA user_version = 4")
    with pytest.raises(RequestError, match="must have schema 3 or older, not 4; it was written by a newer seedwise"):
        Store.create_or_open(path, write=write)


@pytest.mark.parametrize("write", [False, True])
def test_database_of_another_program_is_refused_and_left_alone(tmp_path, write):
    path = tmp_path / "study.db"
    change(path, "CREATE TABLE songs (title TEXT)")
    before = path.read_bytes()
    with pytest.raises(RequestError, match="must be a study of seedwise, not another SQLite file"):
        Store.create_or_open(path, write=write)
    assert path.read_bytes() == before


@pytest.mark.parametrize("write", [False, True])
def test_file_of_another_kind_is_refused_and_left_alone(tmp_path, write):
    path = tmp_path / "study.db"
    path.write_text("a letter to the editor " * 100)
    with pytest.raises(RequestError, match="must be a study of seedwise, not another kind of file"):
        Store.create_or_open(path, write=write)
    assert path.read_text().startswith("a letter")


def change(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


# A failing disk -------------------------------------------------------------------------------------------------------


def test_full_disk_is_a_sentence_and_what_was_stored_stays(store, path, trial):
    connection = store._database._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 3}")
    kept = 0
    with pytest.raises(WorkError) as failure:  # noqa: PT012 - which append meets the limit is SQLite's affair
        while True:
            store.append(trial, interval(kept + 1, kept + 500), 1.0)
            kept += 500
    assert str(failure.value) == (
        f"the disk of {path.parent} is full; what was stored before is kept: make room, then run the same again."
    )
    assert kept > 0
    for open_store in (store, reader(path)):
        record = open_store.record(trial)
        assert (record.last_step, record.seconds) == (kept, kept / 500)
        assert open_store.losses(trial).tolist() == [step / 8 for step in range(1, kept + 1)]
    open_store.close()
    connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
    store.append(trial, interval(kept + 1, kept + 500), 1.0)
    assert store.record(trial).last_step == kept + 500


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("SQLITE_IOERR_WRITE", r"cannot be read or written \(boom\).*check the disk"),
        ("SQLITE_READONLY_DBMOVED", r"cannot be written \(boom\).*give write permission"),
        ("SQLITE_BUSY", "is locked by another program; close it"),
        ("SQLITE_CORRUPT", r"is damaged \(boom\); restore it"),
        ("SQLITE_NOLFS", "cannot be used: boom; what was stored before is kept"),
    ],
)
def test_failure_of_the_disk_is_a_sentence(store, name, sentence):
    error = sqlite3.OperationalError("boom")
    error.sqlite_errorname = name
    with pytest.raises(WorkError, match=sentence), store._database.writing():
        raise error


def test_mistake_of_ours_is_not_blamed_on_the_disk(store):
    with pytest.raises(sqlite3.IntegrityError), store._database.writing() as connection:
        connection.execute("INSERT INTO predictions VALUES ('no trial', 1, 1, x'', NULL)")
