"""Does the sequential test hold its level and its interval the truth, however often one looks?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from seedwise.stats.compare.sequential import EFFECT_VARIANCE, LEAST_PAIRS, sequential_difference, sequential_looks

STEP = 1 / 277
NULLS = {
    "normal": lambda draw, shape: draw.normal(0.7, 0.02, shape),
    "10 % fail": lambda draw, shape: np.where(draw.random(shape) < 0.1, 0.53, draw.normal(0.7, 0.02, shape)),
    "30 % fail": lambda draw, shape: np.where(draw.random(shape) < 0.3, 0.53, draw.normal(0.7, 0.02, shape)),
    "coarse": lambda draw, shape: np.round(draw.normal(0.7, 0.3 * STEP, shape) / STEP) * STEP,
    "mostly tied": lambda draw, shape: 0.7 + STEP * (draw.random(shape) < 0.1),
    "heavy tails": lambda draw, shape: draw.standard_t(2, shape),
}


def ever(kind, studies, pairs, seed):
    """Share of studies of two equal recipes that are told apart at any look."""
    draw = np.random.default_rng(seed)
    scores = NULLS[kind](draw, (studies, 2, pairs))
    return np.mean([(sequential_looks(a, b).p < 0.05).any() for a, b in scores])


def integrated(differences):
    """The Bayes factor, by integrating the likelihood over the effect size and, scale-free, over the sd."""
    n, sd = len(differences), differences.std()

    def likelihood(effect, log_sd):
        return np.exp(stats.norm.logpdf(differences / sd, effect * np.exp(log_sd), np.exp(log_sd)).sum())

    def mixed(log_sd):
        prior = stats.norm(0, np.sqrt(EFFECT_VARIANCE)).pdf
        return integrate.quad(lambda effect: likelihood(effect, log_sd) * prior(effect), -8, 8, limit=200)[0]

    assert n >= LEAST_PAIRS
    return integrate.quad(mixed, -3, 4, limit=200)[0] / integrate.quad(lambda s: likelihood(0, s), -3, 4, limit=200)[0]


@pytest.mark.slow
@pytest.mark.parametrize("shift", [1.2, 1.6])
def test_the_evidence_is_the_mixture_of_likelihoods(shift):
    differences = np.random.default_rng(3).normal(shift, 1, 9)
    expected = integrated(differences)
    assert expected > 1
    assert 1 / sequential_difference(differences, np.zeros(9)).p == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_interval_holds_the_means_that_the_test_does_not_reject(confidence):
    differences = np.random.default_rng(4).normal(0.5, 1, 30)
    now = sequential_difference(differences, np.zeros(30), confidence=confidence)
    at_the_ends = [sequential_difference(differences, np.full(30, end)).p for end in (now.lower, now.upper)]
    assert at_the_ends == pytest.approx([1 - confidence] * 2, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("kind", NULLS)
def test_equal_recipes_are_seldom_told_apart_however_often_one_looks(kind):
    assert ever(kind, studies=600, pairs=60, seed=5) <= 0.05


@pytest.mark.slow
def test_a_paired_t_test_looked_at_as_often_is_wrong_in_many_more_studies():
    draw = np.random.default_rng(5)
    gaps = draw.normal(size=(1000, 60))
    p = np.array([stats.ttest_1samp(gaps[:, :n], 0, axis=1).pvalue for n in range(LEAST_PAIRS, 61)])
    assert np.mean((p < 0.05).any(axis=0)) > 0.15


@pytest.mark.slow
@pytest.mark.parametrize(("share", "size"), [(0.1, STEP), (0.3, STEP), (0.5, STEP)])
def test_the_interval_of_few_steps_holds_the_true_mean_at_every_look(share, size):
    draw = np.random.default_rng(6)
    base = np.round(draw.normal(0.7, 2 * STEP, (600, 60)) / STEP) * STEP
    higher = base + size * (draw.random(base.shape) < share)
    looks = [sequential_looks(a, b) for a, b in zip(higher, base, strict=True)]
    assert np.mean([((o.lower > share * size) | (o.upper < share * size)).any() for o in looks]) <= 0.05


@pytest.mark.slow
def test_the_worst_there_is_differences_of_one_size_alone_keeps_the_level():
    signs = np.random.default_rng(7).choice([-1.0, 1.0], (1000, 60))
    wrong = np.mean([(sequential_looks(sign, np.zeros(60)).p < 0.05).any() for sign in signs])
    assert wrong <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 1000)


def test_nothing_is_said_before_the_least_number_of_pairs():
    looks = sequential_looks([0.9] * 9, np.linspace(0.1, 0.11, 9))
    assert looks.p.tolist()[: LEAST_PAIRS - 1] == [1.0] * (LEAST_PAIRS - 1)
    assert np.isinf(looks.lower[: LEAST_PAIRS - 1]).all()
    assert looks.p[LEAST_PAIRS - 1] < 0.05


def test_equal_differences_leave_an_interval():
    now = sequential_difference([0.7] * 10, [0.6] * 10)
    assert now.difference == pytest.approx(0.1)
    assert 0 < now.lower < 0.1 < now.upper < 0.2
    assert now.p < 0.05


def test_trials_that_are_equal_pair_by_pair_show_no_difference_within_a_step():
    now = sequential_difference([0.7, 0.8] * 5, [0.7, 0.8] * 5)
    assert (now.difference, now.p) == (0, 1)
    assert 0 < now.upper == -now.lower < 0.1


def test_where_nothing_varies_nothing_is_known():
    now = sequential_difference([0.5634] * 20, [0.5634] * 20)
    assert (now.lower, now.upper, now.p) == (-np.inf, np.inf, 1)


def test_rounding_is_no_step():
    a = np.full(10, 0.1) + np.full(10, 0.2)
    assert sequential_difference(a, np.full(10, 0.3)).upper == np.inf


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), min_size=8, max_size=20), st.floats(0.01, 100))
def test_a_look_depends_on_neither_the_unit_nor_later_pairs_and_turns_with_the_recipes(pairs, scale):
    a, b = np.array(pairs, float).T
    whole, turned = sequential_looks(a * scale, b * scale), sequential_looks(b, a)
    now = sequential_difference(a[:8], b[:8])
    assert whole.p[7] == pytest.approx(now.p, rel=1e-6)
    assert whole.lower[7] == pytest.approx(scale * now.lower, rel=1e-6, abs=1e-9 * scale)
    assert turned.upper[7] == pytest.approx(-now.lower, abs=1e-9)
    assert turned.p[7] == pytest.approx(now.p)


def test_p_is_below_the_level_where_the_interval_excludes_no_difference():
    draw = np.random.default_rng(8)
    looks = sequential_looks(draw.normal(0.6, 1, 60), np.zeros(60))
    assert ((looks.p < 0.05) == ((looks.lower > 0) | (looks.upper < 0))).all()
    assert (looks.p < 0.05).any()


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [([0.7], [0.6, 0.5], "equally many"), ([], [], "at least 1"), ([0.7, np.nan], [0.6, 0.5], "finite")],
)
def test_what_cannot_be_paired_is_refused(a, b, said):
    with pytest.raises(ValueError, match=said):
        sequential_difference(a, b)
