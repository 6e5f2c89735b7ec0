"""Which errors seedwise raises, and what each one asks of its reader.

```
SeedwiseError                      everything of ours
├── RequestError (a ValueError)    the request was wrong: nothing was done; exit code 2
│   └── DataError                  ... because of the rows it names
└── WorkError                      the work failed: what was done is kept; exit code 1
    └── CheckpointError            a checkpoint cannot be read or written
```
"""

__all__ = ["CheckpointError", "DataError", "RequestError", "SeedwiseError", "WorkError"]


class SeedwiseError(Exception):
    """The root of every error that seedwise raises on purpose."""


class RequestError(SeedwiseError, ValueError):
    """The request was wrong; the message names the argument, the rule, the value and the way out."""


class DataError(RequestError):
    """The rows cannot be used as asked."""


class WorkError(SeedwiseError):
    """The work failed on the way; everything computed so far is kept."""


class CheckpointError(WorkError):
    """A checkpoint cannot be read or written."""
