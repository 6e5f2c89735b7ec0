"""Is the gap what enumeration says, and do its intervals hold as often as they promise?"""

from itertools import combinations

import numpy as np
import pytest

from seedwise.stats.best.gap import selection_gap

V = [0.5, 0.7, 0.7, 0.2, 0.9, 0.4]  # two trials are equal
T = [0.6, 0.5, 0.8, 0.3, 0.4, 0.4]


def test_gap_is_that_of_all_draws_without_replacement():
    gaps = []
    for draw in combinations(range(6), 3):
        top = max(V[i] for i in draw)
        gaps.append(np.mean([V[i] - T[i] for i in draw if V[i] == top]))
    assert selection_gap(V, T).gap.estimate == pytest.approx(np.mean(gaps))


def test_gap_is_the_sum_of_its_parts_and_the_difference_of_its_scores():
    found = selection_gap(V, T, 2, failed=[False, False, False, True, False, False])
    assert found.gap.estimate == pytest.approx(found.among_trials.estimate + found.among_evaluations.estimate)
    assert found.gap.estimate == pytest.approx(found.validation - found.test)


def test_a_trial_that_failed_does_not_count_for_the_part_of_the_evaluations():
    found = selection_gap([0.7, 0.7, 0.7, 0.7, 0.53], [0.6, 0.6, 0.6, 0.6, 0.53], failed=[False] * 4 + [True])
    assert found.among_evaluations.estimate == pytest.approx(0.1)


def test_of_a_loss_the_gap_has_the_same_sign():
    loss, gain = selection_gap(np.negative(V), np.negative(T), greater_is_better=False), selection_gap(V, T)
    assert loss.gap == pytest.approx(gain.gap)
    assert loss.validation == pytest.approx(-gain.validation)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n": 4}, "n must be at most 3 .half of the trials., not 4"),
        ({"failed": [True] * 3 + [False] * 3}, "failed must leave at least 4 of 6 trials that did not fail, not 3"),
        ({"failed": [False] * 5}, "failed must be one boolean for each of the 6 trials, not 5"),
        ({"n": [2, 3]}, r"n must be a whole number of at least 1, not .2, 3."),
        ({"confidence": 1}, "confidence"),
    ],
)
def test_what_breaks_a_rule_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        selection_gap(V, T, **given)


def study(generator, trials, *, failing, evaluations):
    """Equally good trials, of which some fail; validation and test score of each one's best evaluation."""
    failed = generator.random(trials) < failing
    validation = generator.normal(0.7, 0.02, (trials, evaluations)).max(axis=1)
    test = generator.normal(0.7, 0.02, trials)
    return np.where(failed, 0.53, validation), np.where(failed, 0.5, test), failed


@pytest.mark.slow
@pytest.mark.parametrize(("trials", "failing"), [(10, 0), (20, 0), (50, 0), (20, 0.3), (50, 0.3)])
def test_intervals_hold_the_truth(trials, failing):
    """The truth is that of fresh studies of half as many trials: about 0.056 of 25 equally good ones (10 evaluations)."""
    generator, gaps, held = np.random.default_rng(0), [], []
    for _ in range(8000):
        v, t, _ = study(generator, trials // 2, failing=failing, evaluations=10)
        chosen = v.argmax()
        gaps.append(v[chosen] - t[chosen])
    whole, of_evaluations = np.mean(gaps), 0.02 * 1.5388  # the mean of the largest of 10 normal numbers
    while len(held) < 400:
        v, t, failed = study(generator, trials, failing=failing, evaluations=10)
        if (~failed).sum() < 4:
            continue
        found = selection_gap(v, t, failed=failed)
        truths = (whole, whole - of_evaluations, of_evaluations)
        held.append([part.lower <= truth <= part.upper for part, truth in zip(found[3:], truths, strict=True)])
    assert np.mean(held, axis=0).min() > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 400)


def test_fifty_equal_trials_with_ten_evaluations_are_told_the_whole_gap_and_not_the_part_of_the_trials_alone():
    """An audit found 0.027 told where the truth was 0.061 (of 50; 0.056 of 25)."""
    generator = np.random.default_rng(0)
    found = [selection_gap(*study(generator, 50, failing=0, evaluations=10)[:2]) for _ in range(200)]
    assert np.mean([one.gap.estimate for one in found]) == pytest.approx(0.0564, abs=0.003)
    assert np.mean([one.among_trials.estimate for one in found]) == pytest.approx(0.0256, abs=0.003)
