"""How many degrees of freedom has a standard error that sums several variances?"""

from collections.abc import Sequence

__all__ = ["satterthwaite"]


def satterthwaite(variances: Sequence[float], degrees: Sequence[float]) -> float:
    """Return the degrees of freedom of a sum of independent variance estimates: (sum v)^2 / sum(v^2 / d).

    Reference:
        Satterthwaite (1946), "An approximate distribution of estimates of variance components"; Welch (1947).

    Example:
        >>> satterthwaite([0.2, 0.2], [9, 9])
        18.0
    """
    largest = max(variances)  # shares of the largest, since the square of a small variance may be 0 in floats
    shares = [variance / largest for variance in variances]
    return float(sum(shares) ** 2 / sum(share**2 / d for share, d in zip(shares, degrees, strict=True)))
