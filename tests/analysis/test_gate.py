"""Is the answer of a gate that of its pairs, in the order of their seeds, and of nothing else?"""

from dataclasses import replace

import numpy as np
import pytest

from seedwise import Analysis, RequestError, Seeds, TrialState, UnknownError
from seedwise.analysis.gate import GateAnswer, GateTerms, gate_result
from seedwise.stats import sequential_difference
from table_studies import table_study

PAIRS = 30


def cells(a, b, **fields):
    """The cells of two recipes on the same seeds, with the given validation scores."""
    study = sum(
        (
            table_study(np.array(scores)[:, None], recipe=name, **{key: value[name] for key, value in fields.items()})
            for name, scores in (("a", a), ("b", b))
        ),
        start=table_study(np.zeros((0, 1))),
    )
    analysis = Analysis(study)
    return analysis.cell(recipe="a"), analysis.cell(recipe="b")


def answer(a, b, *, pairs=None, split="validation", cells_of=cells, **terms):
    first, second = cells_of(a, b) if callable(cells_of) else cells_of
    seeds = Seeds.paired(len(first.records))[:pairs]
    return gate_result(first, second, seeds, GateTerms(split=split, **terms), ("A", "B"))


def drawn(effect, seed=0, pairs=PAIRS):
    draw = np.random.default_rng(seed)
    return draw.normal(0.7, 0.02, pairs), draw.normal(0.7 + effect, 0.02, pairs)


def with_error(cell, place, error):
    record = replace(cell.records[place], state=TrialState.FAILED, error=error)
    return replace(cell, records=(*cell.records[:place], record, *cell.records[place + 1 :]))


@pytest.mark.parametrize(("effect", "expected"), [(0.05, GateAnswer.BETTER), (-0.05, GateAnswer.WORSE)])
def test_a_clear_difference_is_answered_at_the_first_look_that_is_certain(effect, expected):
    a, b = drawn(effect)
    found = answer(a, b)
    assert found.answer is expected
    before, now = (sequential_difference(b[:n], a[:n]) for n in (found.pairs - 1, found.pairs))
    assert before.p >= 0.05 > now.p
    assert (found.gain, found.lower, found.upper, found.p) == pytest.approx((*now[1:4], now.p))
    assert found.seeds == tuple(range(1, found.pairs + 1))
    assert (found.mean_a, found.mean_b) == pytest.approx((a[: found.pairs].mean(), b[: found.pairs].mean()))


def test_what_is_run_beyond_the_answer_does_not_change_it():
    a, b = drawn(0.05)
    first = answer(a, b)
    assert first.pairs < PAIRS
    b[first.pairs :] = 0.1
    assert answer(a, b) == first


def test_a_pair_counts_only_once_all_before_it_have_ended():
    a, b = drawn(0.001)
    states = {"a": ["complete"] * PAIRS, "b": ["complete"] * 11 + ["running"] + ["complete"] * (PAIRS - 12)}
    assert answer(a, b, cells_of=lambda *scores: cells(*scores, states=states)).pairs == 11


def test_a_loss_that_is_lower_is_better():
    a, b = drawn(-0.05)
    metrics = {"a": "loss", "b": "loss"}
    found = answer(a, b, cells_of=lambda *scores: cells(*scores, metric=metrics))
    assert found.answer is GateAnswer.BETTER
    assert found.mean_b < found.mean_a
    assert found.gain > 0


def test_a_difference_below_the_margin_is_none():
    a, b = drawn(0.001)
    found = answer(a, b, margin=0.03)
    assert found.answer is GateAnswer.EQUAL
    assert -0.03 < found.lower < found.upper < 0.03
    assert answer(a, b).answer is GateAnswer.GO_ON


def test_a_difference_that_is_certain_but_below_the_margin_does_not_count():
    a = np.linspace(0.6, 0.8, PAIRS)
    found = answer(a, a + 0.01, margin=0.2)
    assert found.answer is GateAnswer.EQUAL
    assert found.lower > -0.2


def test_after_the_budget_it_is_undecided():
    a, b = drawn(0.0)
    assert answer(a, b, budget=PAIRS).answer is GateAnswer.UNDECIDED
    assert answer(a, b, budget=PAIRS + 1).answer is GateAnswer.GO_ON


def test_without_a_pair_nothing_is_known():
    found = answer(*drawn(0.05), pairs=0)
    assert (found.answer, found.pairs, found.lower, found.upper, found.p) == (GateAnswer.GO_ON, 0, -np.inf, np.inf, 1)


def test_a_trial_that_diverged_counts_with_what_a_guess_scores():
    a, b = drawn(0.0, pairs=9)
    first, second = cells(a, b)
    gone = replace(second.records[3], evaluations=())
    second = with_error(replace(second, records=(*second.records[:3], gone, *second.records[4:])), 3, "diverged: nan")
    found = answer(None, None, cells_of=(first, second))
    b[3] = 0.5  # the guess of table studies
    assert (found.pairs, found.diverged_a, found.diverged_b) == (9, 0, 1)
    assert found.mean_b == pytest.approx(b.mean())


def test_a_test_score_that_a_diverged_trial_lacks_is_a_guess_too():
    a, b = drawn(0.0, pairs=9)
    test = {"a": a + 0.1, "b": b + 0.1}
    first, second = cells(a, b, test=test)
    gone = replace(second.records[3], evaluations=(), best_step=None, test_metrics=None)
    second = with_error(replace(second, records=(*second.records[:3], gone, *second.records[4:])), 3, "diverged: nan")
    found = answer(None, None, cells_of=(first, second), split="test")
    test["b"][3] = 0.5
    assert (found.mean_a, found.mean_b) == pytest.approx((test["a"].mean(), test["b"].mean()))


def test_a_trial_that_crashed_has_no_score_and_ends_what_is_known():
    first, second = cells(*drawn(0.0))
    found = answer(None, None, cells_of=(first, with_error(second, 9, "out of memory")))
    assert (found.answer, found.pairs) == (GateAnswer.GO_ON, 9)


def test_test_scores_that_are_not_there_are_refused():
    with pytest.raises(UnknownError, match="have no test score"):
        answer(*drawn(0.0), split="test")


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"budget": 7}, "the budget in pairs must be a whole number of at least 8, not 7"),
        ({"margin": 0}, "the margin must be a finite number above 0"),
        ({"confidence": 95}, "confidence must be in"),
    ],
)
def test_terms_that_make_no_sense_are_refused(terms, said):
    with pytest.raises(RequestError, match=said):
        GateTerms(split="test", **terms)


@pytest.mark.slow
@pytest.mark.parametrize("failing", [0.0, 0.1, 0.3])
def test_equal_recipes_are_seldom_called_better_or_worse(failing):
    draw = np.random.default_rng(9)
    wrong = 0
    for _ in range(100):
        scores = np.where(draw.random((2, 40)) < failing, 0.5, draw.normal(0.7, 0.02, (2, 40)))
        wrong += answer(*scores).answer in (GateAnswer.BETTER, GateAnswer.WORSE)
    assert wrong / 100 <= 0.05
