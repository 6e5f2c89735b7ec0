"""Do the interquartile mean and the profiles agree with counting, and do their intervals hold where tasks share seeds?"""

import numpy as np
import pytest
from scipy import stats

from seedwise.stats.tasks.interquartile import interquartile_mean
from seedwise.stats.tasks.profile import performance_profile
from seedwise.stats.tasks.resampling import factors_of

RTE, MRPC = [0.2, 0.4, 0.5, 0.0], [0.6, 0.7, 0.8, 0.7]
AT = np.linspace(-0.05, 0.85, 31)


def drawn(n, failing, generator, *, tasks=3):
    """Scores of n seeds on several tasks: 70 % of the variance, and of what makes trials fail, is the seed's."""
    seeds, noise = generator.standard_normal((2, 1, n)), generator.standard_normal((2, tasks, n))
    good, bad = np.sqrt(0.7) * seeds + np.sqrt(0.3) * noise
    scores = np.linspace(0.3, 0.6, tasks)[:, None] + 0.05 * good
    return np.where(stats.norm.cdf(bad) < failing, 0.01 * noise[0], scores)


def test_it_is_the_trimmed_mean_of_all_trials_where_quarters_are_whole():
    assert interquartile_mean([RTE, MRPC]).estimate == pytest.approx(stats.trim_mean([*RTE, *MRPC], 0.25))


def test_parts_of_a_trial_are_cut_off_where_quarters_are_not_whole():
    # Of 3 trials of equal weight, a quarter of the weight is 3/4 of a trial.
    assert interquartile_mean([[0.1, 0.5, 1.1]]).estimate == pytest.approx((0.25 * 0.1 + 0.5 + 0.25 * 1.1) / 1.5)


def test_every_task_has_the_same_weight_however_many_trials_it_has():
    once, often = interquartile_mean([RTE, MRPC]).estimate, interquartile_mean([RTE, MRPC * 3]).estimate
    assert often == pytest.approx(once)


def test_a_share_above_is_counted():
    found = performance_profile([RTE, MRPC], [0.3, 0.65], repeats=100)
    assert found.share.tolist() == [0.75, 0.375]
    assert (found.lower <= found.share).all()
    assert (found.share <= found.upper).all()


def test_a_seed_that_is_good_everywhere_counts_once():
    scores = np.random.default_rng(0).normal(0.5, 0.05, 12)
    tasks, seeds = [scores] * 4, [{"init": range(12)}] * 4
    apart, together = interquartile_mean(tasks), interquartile_mean(tasks, seeds=seeds)
    assert together.upper - together.lower > 1.5 * (apart.upper - apart.lower)


@pytest.mark.parametrize(
    ("seeds", "levels"),
    [
        ({"init": [1, 2, 3, 4], "order": [5, 6, 7, 8]}, [4]),  # they change together
        ({"init": [1, 1, 1, 1], "order": [5, 6, 7, 8]}, [4]),  # one is fixed
        ({"init": [1, 1, 2, 2], "order": [5, 6, 5, 6]}, [2, 2]),  # a grid
        ({"init": [1, 1, 2, 2], "order": [5, 6, 7, 8]}, [2]),  # every order within one init
        ({"init": [1, 1, 1, 1]}, [8]),  # nothing varies: trials
    ],
)
def test_what_is_drawn_again_follows_from_the_labels(seeds, levels):
    found = factors_of([np.array(RTE), np.array(MRPC)], [seeds, seeds])
    assert [int(code.max()) + 1 for code in found] == levels


def test_a_seed_that_is_fixed_on_each_task_is_not_drawn_again():
    seeds = [{"init": [task] * 4, "order": [1, 2, 3, 4]} for task in (1, 2)]
    (code,) = factors_of([np.array(RTE), np.array(MRPC)], seeds)
    assert code.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "failing", "least"), [(10, 0.0, 0.92), (10, 0.3, 0.91), (20, 0.1, 0.91), (20, 0.3, 0.92)]
)
def test_the_interval_and_the_band_hold_where_tasks_share_seeds(n, failing, least):
    generator = np.random.default_rng(1)
    many = drawn(100_000, failing, generator)
    truth = interquartile_mean(many[:, :20_000], repeats=1).estimate
    above = (many[:, :, None] > AT).mean(axis=(0, 1))
    runs, held, kept = 250, 0, 0
    for run in range(runs):
        scores = drawn(n, failing, generator)
        seeds = [{"init": np.arange(n)}] * len(scores)
        mean = interquartile_mean(scores, seeds=seeds, repeats=400, seed=run)
        band = performance_profile(scores, AT, seeds=seeds, repeats=400, seed=run)
        held += mean.lower <= truth <= mean.upper
        kept += bool(np.all((band.lower <= above) & (above <= band.upper)))
    error = 2 * np.sqrt(least * (1 - least) / runs)
    assert held / runs > least - error
    assert kept / runs > least - error


@pytest.mark.slow
def test_where_seeds_are_crossed_the_interval_is_cautious():
    generator, held, runs = np.random.default_rng(2), 0, 200
    seeds = dict(zip(("init", "order"), (labels.ravel() for labels in np.indices((6, 6))), strict=True))
    for run in range(runs):
        init, order = generator.normal(0, 0.05, (2, 6))
        tasks = [(0.5 + init[:, None] + order + generator.normal(0, 0.03, (6, 6))).ravel() for _ in range(2)]
        mean = interquartile_mean(tasks, seeds=[seeds] * 2, repeats=300, seed=run)
        held += mean.lower <= 0.5 <= mean.upper
    assert held / runs > 0.92


@pytest.mark.parametrize(
    ("scores", "options", "sentence"),
    [
        ([], {}, "scores must hold the trials of each task"),
        ([[0.5]], {}, r"scores\[0\] must hold at least 2 trials"),
        ([RTE, MRPC], {"seeds": [{"init": [1, 2, 3, 4]}]}, "for each of the 2 tasks, not 1"),
        ([RTE, MRPC], {"seeds": [{"init": [1, 2, 3]}] * 2}, "init must hold one label for each of the 4 trials"),
        ([RTE, MRPC], {"seeds": [{"init": RTE}, {"order": RTE}]}, "the same seeds on every task"),
        ([RTE, MRPC], {"confidence": 2}, "confidence must be in"),
    ],
)
def test_misuse_is_refused(scores, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        interquartile_mean(scores, **options)
