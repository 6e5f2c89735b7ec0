"""How is the study's file opened, locked, read and written, and what do its failures mean?

Writing takes an operating-system lock, ``study.lock``, for as long as the database is open: the lock goes with the
process, so a killed one leaves nothing to clean up. Reading takes no lock that anybody waits for:

- While a writer has the file open (or a killed one left its log), SQLite's log keeps a reader's view apart from it.
- Otherwise the file is opened as unchanging (``immutable=1``), which needs no files beside it and works in a read-only
  folder. SQLite then trusts that nobody writes, so every read checks afterwards that nobody has, and is repeated if so.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from filelock import FileLock, Timeout

from seedwise.errors import RequestError, SeedwiseError, StorageError
from seedwise.store.schema import VERSION, check_schema, create_schema, is_blank, upgrade_schema, version_of

__all__ = ["Database", "is_being_written", "now"]

PATIENCE_MS = 30_000
"""How long to wait for another program, such as a backup, that has locked the file."""

T = TypeVar("T")


class Database:
    """One study's SQLite file: opened by one writer, or by any number of readers."""

    def __init__(self, path: Path, *, write: bool) -> None:
        self.path, self._write = path, write
        self._lock: FileLock | None = None
        self._connection: sqlite3.Connection | None = None
        self._unchanged: _Stamp | None = None  # what the file looked like when it was opened as unchanging
        try:
            if write:
                self._lock = _lock(path)
            self._open()
        except BaseException:
            self.close()
            raise

    def read(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Return the answer to a question that sees the file as it is at one instant."""
        while True:
            connection = self._current()
            try:
                with _failures(self.path), _transaction(connection, "BEGIN"):
                    answer = question(connection)
            except SeedwiseError:
                if not self._outdated:
                    raise
                continue
            if not self._outdated:
                return answer

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection whose changes are kept all together at the end, or none of them."""
        connection = self._current()
        if not self._write:
            raise RequestError(f"the study in {self.path.parent} is open for reading only; open it with write=True.")
        with _failures(self.path), _transaction(connection, "BEGIN IMMEDIATE"):
            yield connection

    def close(self) -> None:
        """Close the file, then give up the lock; a second call does nothing."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _current(self) -> sqlite3.Connection:
        """Return the connection; open it anew if somebody has begun to write since."""
        if self._connection is None:
            raise RequestError(f"the study in {self.path.parent} is closed; open it again.")
        if self._outdated:
            self._connection.close()
            self._open()
        return self._connection

    @property
    def _outdated(self) -> bool:
        return self._unchanged is not None and self._unchanged != _stamp(self.path)

    def _open(self) -> None:
        with _failures(self.path):
            if self._write:
                self._connection = _connect(self.path, "mode=rwc")
                _prepare(self._connection, self.path)
                return
            self._unchanged = None if _has_log(self.path) else _stamp(self.path)
            self._connection = _connect(self.path, "mode=ro" if self._unchanged is None else "mode=ro&immutable=1")
            if is_blank(self._connection):
                raise _missing(self.path)
            check_schema(self._connection, self.path)


def now() -> str:
    """Return the time as UTC, ISO 8601, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def is_being_written(path: Path) -> bool:
    """Whether a process has the study's file open for writing at this moment."""
    lock = FileLock(path.parent / "study.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # no right to lock, so nobody can be asked
        return False
    lock.release()
    return False


def _lock(path: Path) -> FileLock:
    """Take the right to write, or say who has it."""
    lock = FileLock(path.parent / "study.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RequestError(
            f"the study in {path.parent} is open in another process; wait until it ends, or choose another directory."
        ) from error
    except OSError as error:
        raise RequestError(
            f"the directory {path.parent} must be writable, but: {error}; choose another directory."
        ) from error
    return lock


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    if not path.exists() and "rwc" not in mode:
        raise _missing(path)
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", uri=True, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {PATIENCE_MS}")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _missing(path: Path) -> RequestError:
    return RequestError(
        f"there is no study in {path.parent}; start one with `seedwise run {path.parent} --task ...`, or check the path."
    )


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables of a new file, or check those of an old one before anything is changed, and bring them up to date."""
    blank = is_blank(connection)
    if not blank:
        check_schema(connection, path)
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StorageError(
            f"the file system of {path.parent} cannot hold a study, because readers would block the writer; choose a "
            "directory on a local disk."
        )
    # NORMAL: after a kill nothing is lost; after a power cut perhaps the latest transactions, while the file stays
    # whole. What is lost then was not computed in vain: the trial is replayed exactly from its last evaluation. FULL
    # would wait for the disk at every evaluation and win nothing else.
    connection.execute("PRAGMA synchronous = NORMAL")
    if blank:
        with _transaction(connection, "BEGIN IMMEDIATE"):
            create_schema(connection, now())
    elif version_of(connection) < VERSION:
        with _transaction(connection, "BEGIN IMMEDIATE"):
            upgrade_schema(connection, now())


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite ends it by itself after some errors
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _failures(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite that are not ours into a sentence with a way out."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InternalError):
            raise  # a mistake of ours
        raise _explained(error, path) from error


def _explained(error: sqlite3.Error, path: Path) -> SeedwiseError:
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_NOTADB":
        return RequestError(f"{path} must be a study of seedwise, not another kind of file; choose another directory.")
    for prefix, sentence in _SENTENCES.items():
        if name.startswith(prefix):
            return StorageError(sentence.format(path=path, folder=path.parent, error=error))
    return StorageError(f"{path} cannot be used: {error}; what was stored before is kept.")


_KEPT = "what was stored before is kept"
_SENTENCES = {
    "SQLITE_FULL": f"the disk of {{folder}} is full; {_KEPT}: make room, then run the same again.",
    "SQLITE_IOERR": f"{{path}} cannot be read or written ({{error}}); {_KEPT}: check the disk, then run the same again.",
    "SQLITE_READONLY": f"{{path}} cannot be written ({{error}}); {_KEPT}: give write permission to it and its folder.",
    "SQLITE_CANTOPEN": "{path} cannot be opened; give permission to read it, and copy study.db-wal and study.db-shm, "
    "where they are, together with study.db.",
    "SQLITE_BUSY": "{path} is locked by another program; close it, then run the same again.",
    "SQLITE_CORRUPT": "{path} is damaged ({error}); restore it from a copy, or save the rest by `sqlite3 FILE .recover`.",
}

_Stamp = tuple[int, int, int]


def _stamp(path: Path) -> _Stamp | None:
    """Return what changes whenever somebody writes: the file's time and size, and whether there is a log."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_size, int(_has_log(path))


def _has_log(path: Path) -> bool:
    """Whether a writer has the file open, or was killed and left changes that are only in its log."""
    log = path.with_name(f"{path.name}-wal")
    try:
        return log.stat().st_size > 0 or path.with_name(f"{path.name}-shm").exists()
    except FileNotFoundError:
        return False
