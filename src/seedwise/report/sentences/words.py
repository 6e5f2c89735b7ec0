"""How is a number written in a sentence?"""

import math

__all__ = ["percent", "score"]


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
