"""Which kind of dropout masks does a trial have? Trials whose seeds are compared must have the same kind."""

from enum import Enum

__all__ = ["Masks"]


class Masks(Enum):
    """The kind of dropout masks; a study keeps the kind it began with."""

    LIBRARY = "library"
    """Drawn by the library's own model from torch's generator."""
    HASHED = "hashed"
    """Hashes of seed, step and place in the model, the same for every engine that skips padding."""
