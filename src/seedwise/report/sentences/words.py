"""How is a number written in a sentence?"""

import math

from seedwise.stats.intervals import Interval
from seedwise.values.facts import TaskFacts
from seedwise.values.seeds import Seeds

__all__ = ["interval", "percent", "score", "seed_words", "signed"]


def score(value: float | None) -> str:
    """Return a score for a sentence: three digits after the point, or a dash.

    Example:
        >>> score(0.61), score(None)
        ('0.610', '–')
    """
    return "–" if value is None or not math.isfinite(value) else f"{round(value, 3) + 0.0:.3f}"  # no minus zero


def percent(share: float) -> str:
    """Return a share for a sentence, in percent."""
    return f"{100 * share:.1f}" if 0.0005 < share < 0.01 else f"{100 * share:.0f}"


def interval(found: Interval) -> str:
    """Return the ends of a score's interval for a sentence.

    Example:
        >>> interval(Interval(0.61, 0.5, 0.7, 0.95))
        '[0.500, 0.700]'
    """
    return f"[{score(found.lower)}, {score(found.upper)}]"


def signed(difference: float) -> str:
    """Return a difference for a sentence, with its sign.

    Example:
        >>> signed(0.05), signed(-0.0001)
        ('+0.050', '0.000')
    """
    return f"{round(difference, 3):+.3f}" if round(difference, 3) else "0.000"


def seed_words(seeds: Seeds, facts: TaskFacts) -> str:
    """Return a trial's seeds as far as they are known: an imported run may have come with one, or with none.

    Example:
        >>> seed_words(Seeds(13, 7), TaskFacts())
        'init 13, order 7'
    """
    mapping = {} if facts.imported is None else facts.imported.mapping
    known = [stream for stream in ("init", "order") if stream in mapping]
    if not mapping or len(known) == 2:
        return f"init {seeds.init}, order {seeds.order}"
    return f"seed {getattr(seeds, known[0])}" if known else f"run {seeds.init}"
