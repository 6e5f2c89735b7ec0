"""By how much do two recipes differ where only their means and standard deviations were printed?"""

import math

from scipy import stats

from seedwise.stats.checks import check_level, float_array, one_count
from seedwise.stats.degrees import satterthwaite
from seedwise.stats.intervals import Interval

__all__ = ["difference_of_summaries"]


def difference_of_summaries(
    a: tuple[float, float, int], b: tuple[float, float, int], *, confidence: float = 0.95
) -> Interval:
    """Return the difference of two printed means, A minus B, with Welch's interval.

    With v = sd^2 / n of each side the interval is mean a - mean b ± t sqrt(v_a + v_b), where t is Student's quantile with
    Satterthwaite's degrees of freedom. Where both standard deviations are printed as 0 it has no width.

    Args:
        a: Mean, standard deviation (n - 1 in the denominator) and number n of recipe A's trials; n >= 2.
        b: The same of recipe B.
        confidence: Confidence level, in (0, 1).

    Returns:
        The difference and its interval, in the unit of the means.

    Raises:
        ValueError: A number is not finite, a standard deviation is below 0, or there are fewer than two trials.

    Reference:
        Welch (1947), "The generalization of Student's problem when several different population variances are involved".

    Example:
        >>> found = difference_of_summaries((0.726, 0.016, 20), (0.695, 0.025, 20))
        >>> print(f"{found.estimate:.3f} [{found.lower:.3f}, {found.upper:.3f}]")
        0.031 [0.017, 0.045]
    """
    check_level("confidence", confidence)
    for name, summary in (("a", a), ("b", b)):
        if float_array(name, summary).shape != (3,):
            raise ValueError(f"{name} must be a mean, a standard deviation and a number of trials, not {summary!r}.")
        mean, sd, n = summary
        if not (math.isfinite(mean) and math.isfinite(sd) and sd >= 0):
            raise ValueError(
                f"{name} must be a finite mean and a standard deviation of at least 0, not {mean} and {sd}."
            )
        if one_count(f"n of {name}", n) < 2:
            raise ValueError(f"{name} must rest on at least 2 trials, not {n}; a single one has no spread.")
    variances, degrees = [sd**2 / n for _, sd, n in (a, b)], [n - 1 for _, _, n in (a, b)]
    estimate, reach = a[0] - b[0], 0.0
    if max(variances) > 0:
        t = float(stats.t.ppf((1 + confidence) / 2, satterthwaite(variances, degrees)))
        reach = t * math.sqrt(sum(variances))
    return Interval(estimate, estimate - reach, estimate + reach, confidence)
