"""Which errors does seedwise raise, and what should their reader do?

```
SeedwiseError                      everything of ours
├── RequestError (a ValueError)    the request was wrong: nothing was done; exit code 2
│   ├── DataError                  ... because of the rows it names
│   └── UnknownError               ... because these trials do not tell it
└── WorkError                      the work failed: what was done is kept; exit code 1
    └── StorageError               ... because of the disk: make room, then run the same again; exit code 2
        └── CheckpointError        ... where a checkpoint is read or written
            └── MasksError         ... by a trial that began with different dropout masks
```
"""

__all__ = [
    "CheckpointError",
    "DataError",
    "MasksError",
    "RequestError",
    "SeedwiseError",
    "StorageError",
    "UnknownError",
    "WorkError",
]


class SeedwiseError(Exception):
    """The root of every error that seedwise raises on purpose."""


class RequestError(SeedwiseError, ValueError):
    """The request was wrong; the message names the argument, the rule, the value and the way out."""


class DataError(RequestError):
    """The rows cannot be used as asked."""


class UnknownError(RequestError):
    """The trials do not tell what is asked; the message says what is needed, what there is, and what to do."""


class WorkError(SeedwiseError):
    """The work failed on the way; everything computed so far is kept."""


class StorageError(WorkError):
    """The disk is full, or a file on it cannot be read or written."""


class CheckpointError(StorageError):
    """A checkpoint cannot be read or written."""


class MasksError(CheckpointError):
    """The trial, or the study it belongs to, began with different dropout masks."""
