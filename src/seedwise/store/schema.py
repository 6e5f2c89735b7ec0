"""Which tables hold a study, and how is its file told from any other?

Version 3. A file says what it is by SQLite's ``application_id`` and which tables it has by ``user_version``; any change
to the tables raises `VERSION` and comes with a page in docs/decisions. A file of version 1, which knows neither tracked
values nor designs, or of version 2, which knows no labels, is read as it is and brought to version 3 when it is opened
for writing.

Rows are only ever added, but for trials that never started, which may be taken back, and the columns that say where
things stand: studies.rule and design, trials.state and what follows it, facts, and the predictions of a trial's best evaluation.
Events keep what those columns said before.
"""

import sqlite3
from pathlib import Path

from seedwise.errors import RequestError

__all__ = ["VERSION", "check_schema", "create_schema", "is_blank", "upgrade_schema", "version_of"]

VERSION = 3
APPLICATION_ID = int.from_bytes(b"seed")

# What a trial tracked beside its loss. One row an evaluation interval and name; vals: float32 (steps, width),
# little-endian, zlib; nan where a step has none. Since version 2.
TRACKED = """CREATE TABLE tracked (
        trial TEXT NOT NULL REFERENCES trials (id),
        name TEXT NOT NULL,
        first_step INTEGER NOT NULL,
        last_step INTEGER NOT NULL,
        width INTEGER NOT NULL,
        vals BLOB NOT NULL,
        PRIMARY KEY (trial, name, last_step)
    ) WITHOUT ROWID"""

# The label of each row: the number of its class, or the value to be predicted. One row a split; vals: float32 (rows,),
# little-endian, zlib. Since version 3.
TARGETS = """CREATE TABLE targets (
        task TEXT NOT NULL REFERENCES tasks (id),
        split TEXT NOT NULL,
        vals BLOB NOT NULL,
        PRIMARY KEY (task, split)
    ) WITHOUT ROWID"""

TABLES = (
    # One row. rule: t, f and p as JSON; null where every trial runs to the end. design: JSON; null where the trials
    # follow none; since version 2.
    """CREATE TABLE studies (
        number INTEGER PRIMARY KEY CHECK (number = 1),
        created TEXT NOT NULL,
        rule TEXT,
        design TEXT
    )""",
    "CREATE TABLE tasks (id TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE recipes (id TEXT PRIMARY KEY, content TEXT NOT NULL) WITHOUT ROWID",
    # seeds: JSON, because a seed may be larger than SQLite's integers. state and all columns after it: where things stand.
    """CREATE TABLE trials (
        position INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        task TEXT NOT NULL REFERENCES tasks (id),
        recipe TEXT NOT NULL REFERENCES recipes (id),
        seeds TEXT NOT NULL,
        state TEXT NOT NULL,
        fingerprint TEXT NOT NULL DEFAULT '{}',
        origin TEXT NOT NULL DEFAULT '{}',
        seconds REAL NOT NULL DEFAULT 0,
        attempts INTEGER NOT NULL DEFAULT 0,
        error TEXT,
        best_step INTEGER,
        test_metrics TEXT
    )""",
    # What preparing found. content: JSON (with Python's NaN and Infinity).
    """CREATE TABLE facts (
        task TEXT NOT NULL REFERENCES tasks (id),
        recipe TEXT NOT NULL REFERENCES recipes (id),
        content TEXT NOT NULL,
        PRIMARY KEY (task, recipe)
    ) WITHOUT ROWID""",
    TARGETS,
    # One row an evaluation interval. losses: float32, little-endian, zlib; last_step - first_step + 1 of them.
    """CREATE TABLE measurements (
        trial TEXT NOT NULL REFERENCES trials (id),
        first_step INTEGER NOT NULL,
        last_step INTEGER NOT NULL,
        losses BLOB NOT NULL,
        PRIMARY KEY (trial, last_step)
    ) WITHOUT ROWID""",
    TRACKED,
    # metrics: JSON, nan and infinity as texts. loss: the training loss of the step, as text, because SQLite's numbers
    # know neither nan nor minus zero.
    """CREATE TABLE evaluations (
        trial TEXT NOT NULL REFERENCES trials (id),
        step INTEGER NOT NULL,
        loss TEXT NOT NULL,
        metrics TEXT NOT NULL,
        PRIMARY KEY (trial, step)
    ) WITHOUT ROWID""",
    # At the trial's best evaluation. validation, test: float32 (rows, outputs), little-endian, zlib.
    """CREATE TABLE predictions (
        trial TEXT PRIMARY KEY REFERENCES trials (id),
        step INTEGER NOT NULL,
        outputs INTEGER NOT NULL,
        validation BLOB NOT NULL,
        test BLOB
    )""",
    # The diary. time: UTC, ISO 8601.
    """CREATE TABLE events (
        number INTEGER PRIMARY KEY,
        time TEXT NOT NULL,
        trial TEXT REFERENCES trials (id),
        kind TEXT NOT NULL,
        detail TEXT NOT NULL
    )""",
)


def create_schema(connection: sqlite3.Connection, created: str) -> None:
    """Make the tables of a new study, inside the caller's transaction."""
    for table in TABLES:
        connection.execute(table)
    connection.execute("INSERT INTO studies (number, created) VALUES (1, ?)", (created,))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def upgrade_schema(connection: sqlite3.Connection, time: str) -> None:
    """Bring the tables of an older study to this version, inside the caller's transaction; no row is changed."""
    version = version_of(connection)
    if version < 2:
        connection.execute("ALTER TABLE studies ADD COLUMN design TEXT")
        connection.execute(TRACKED)
    connection.execute(TARGETS)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    detail = f"version {VERSION} replaces version {version}"
    connection.execute("INSERT INTO events (time, kind, detail) VALUES (?, 'schema', ?)", (time, detail))


def version_of(connection: sqlite3.Connection) -> int:
    """Return which version's tables the file has."""
    return _pragma(connection, "user_version")


def is_blank(connection: sqlite3.Connection) -> bool:
    """Whether nobody has made a table yet: a new file, or one whose making was cut short."""
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return tables == 0 and _pragma(connection, "application_id") == 0


def check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file that is no study, or one of a newer seedwise."""
    version = version_of(connection)
    if _pragma(connection, "application_id") != APPLICATION_ID or version < 1:
        raise RequestError(f"{path} must be a study of seedwise, not another SQLite file; choose another directory.")
    if version > VERSION:
        raise RequestError(
            f"{path} must have schema {VERSION} or older, not {version}; it was written by a newer seedwise: update with "
            "`pip install --upgrade seedwise`, or choose another directory."
        )


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)
