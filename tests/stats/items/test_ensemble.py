"""Is the ensemble's score that of averaged probabilities, whichever trials are its members?"""

from itertools import combinations

import numpy as np
import pytest
from sklearn.ensemble import VotingClassifier

from seedwise.stats.items.ensemble import ensemble_growth, ensemble_outputs
from seedwise.stats.items.scores import row_scores

ROWS = 60


def trials(n=6, classes=3, seed=0):
    generator = np.random.default_rng(seed)
    targets = generator.integers(0, classes, ROWS)
    outputs = 2 * generator.normal(size=(n, ROWS, classes))
    outputs[:, np.arange(ROWS), targets] += 1
    return outputs, targets


class Said:
    """A classifier of scikit-learn's kind that says what a trial said."""

    def __init__(self, outputs):
        self.outputs = outputs

    def predict_proba(self, _):
        powers = np.exp(self.outputs)
        return powers / powers.sum(axis=1, keepdims=True)


def test_it_says_what_scikit_learns_vote_says():
    outputs, _ = trials()
    vote = VotingClassifier([(str(i), None) for i in range(6)], voting="soft")
    vote.estimators_ = [Said(of) for of in outputs]
    vote.le_, vote.classes_ = None, np.arange(3)
    np.testing.assert_allclose(np.exp(ensemble_outputs(outputs)), vote.predict_proba(None))


def test_values_are_averaged():
    outputs = np.random.default_rng(1).normal(size=(4, ROWS, 1))
    np.testing.assert_allclose(ensemble_outputs(outputs), outputs.mean(axis=0))


def test_one_trial_is_its_own_ensemble():
    outputs, targets = trials()
    for metric in ("accuracy", "f1", "loss"):
        alone = row_scores(metric, ensemble_outputs(outputs[:1])[None], targets)
        assert alone[0] == pytest.approx(row_scores(metric, outputs[:1], targets)[0])


@pytest.mark.parametrize("metric", ["accuracy", "matthews", "loss"])
def test_growth_is_the_mean_over_all_ensembles(metric):
    outputs, targets = trials()
    found = ensemble_growth(metric, outputs, targets)
    assert found.members.tolist() == [1, 2, 3, 4, 5, 6]
    assert found.exact.all()
    for i, m in enumerate(found.members):
        scores = [
            row_scores(metric, ensemble_outputs(outputs[list(chosen)])[None], targets)[0]
            for chosen in combinations(range(6), m)
        ]
        assert found.mean[i] == pytest.approx(np.mean(scores))
        assert found.sd[i] == pytest.approx(np.std(scores, ddof=1) if len(scores) > 1 else 0, abs=1e-12)


def test_drawn_ensembles_come_close_and_say_that_they_are_drawn():
    outputs, targets = trials(12)
    drawn, whole = (ensemble_growth("accuracy", outputs, targets, [1, 6, 12], draws=draws) for draws in (200, 1000))
    assert (drawn.exact.tolist(), whole.exact.tolist()) == ([True, False, True], [True, True, True])
    assert drawn.mean == pytest.approx(whole.mean, abs=4 * whole.sd[1] / np.sqrt(200))
    assert drawn.mean[[0, 2]].tolist() == whole.mean[[0, 2]].tolist()


def test_numbers_of_members_reach_from_one_to_all():
    outputs = np.random.default_rng(2).normal(size=(100, 5, 2))
    found = ensemble_growth("accuracy", outputs, np.zeros(5), draws=5).members
    assert found[:10].tolist() == list(range(1, 11))
    assert (found[-1], len(found)) == (100, 20)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"members": [7]}, r"members must be at most 6 \(the trials\), not 7"),
        ({"outputs": np.zeros((2, 3))}, r"outputs must have the shape \(trials, rows, outputs\)"),
        ({"outputs": np.full((2, ROWS, 3), np.inf)}, "outputs must be finite; leave out trials that diverged"),
        ({"metric": "spearman"}, "metric must be one of accuracy"),
    ],
)
def test_what_has_no_ensemble_is_refused(change, says):
    outputs, targets = trials()
    with pytest.raises(ValueError, match=says):
        ensemble_growth(**({"metric": "accuracy", "outputs": outputs, "targets": targets} | change))
