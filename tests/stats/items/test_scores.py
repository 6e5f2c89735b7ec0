"""Does a score of weighted rows equal the score of the rows repeated so often?"""

import numpy as np
import pytest

from seedwise.stats.items.scores import METRICS, row_scores
from seedwise.training.metrics import score

ROWS = 40


def sample(kind, classes=3, seed=0):
    """Outputs of four trials, ties among them, and the labels of the rows."""
    generator = np.random.default_rng(seed)
    if kind == "regression":
        targets = generator.integers(0, 6, ROWS).astype(float)
        return np.round(targets[:, None] + generator.normal(size=(4, ROWS, 1)), 1), targets
    targets = generator.integers(0, classes, ROWS)
    outputs = generator.normal(size=(4, ROWS, classes))
    outputs[:, np.arange(ROWS), targets] += 1
    return outputs, targets


CASES = [(kind, metric) for kind, metrics in METRICS.items() for metric in metrics]


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize(("kind", "metric"), CASES)
def test_rows_that_count_once_score_as_in_training(kind, metric, classes):
    outputs, targets = sample(kind, classes)
    expected = [score(kind, of, targets)[metric] for of in outputs]
    np.testing.assert_allclose(row_scores(metric, outputs, targets), expected, rtol=1e-12)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize(("kind", "metric"), CASES)
def test_rows_that_count_several_times_score_as_if_they_were_repeated(kind, metric, classes):
    outputs, targets = sample(kind, classes)
    weights = np.random.default_rng(1).multinomial(ROWS, np.full(ROWS, 1 / ROWS), size=5)
    repeated = [np.repeat(np.arange(ROWS), drawn) for drawn in weights]
    expected = [[score(kind, of[rows], targets[rows])[metric] for of in outputs] for rows in repeated]
    np.testing.assert_allclose(row_scores(metric, outputs, targets, weights), expected, rtol=1e-12)


@pytest.mark.parametrize("metric", METRICS["classification"])
def test_a_model_that_always_says_the_same_scores_as_in_training(metric):
    outputs, targets = np.tile([0.0, 1.0, -1.0], (1, ROWS, 1)), np.arange(ROWS) % 3
    expected = score("classification", outputs[0], targets)[metric]
    assert row_scores(metric, outputs, targets)[0] == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("metric", ["pearson", "spearman", "pearson_spearman"])
def test_a_correlation_with_what_does_not_vary_is_not_defined(metric):
    outputs, targets = np.full((1, ROWS, 1), 0.1), np.arange(float(ROWS))
    assert np.isnan(row_scores(metric, outputs, targets)).all()
    one_row = np.zeros((1, ROWS))
    one_row[0, 3] = 5
    assert np.isnan(row_scores(metric, targets[None, :, None], targets, one_row)).all()


def test_a_trial_whose_outputs_are_not_finite_has_no_score_and_spoils_no_other():
    outputs, targets = sample("classification")
    broken = outputs.copy()
    broken[1, 0, 0] = np.nan
    scores = row_scores("f1", broken, targets)
    assert np.isnan(scores).tolist() == [False, True, False, False]
    np.testing.assert_array_equal(scores[[0, 2, 3]], row_scores("f1", outputs, targets)[[0, 2, 3]])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"metric": "pearson"}, "metric must be one of accuracy, f1, accuracy_f1, matthews, loss"),
        ({"outputs": np.zeros((ROWS, 3))}, r"outputs must have the shape \(trials, rows, outputs\)"),
        ({"targets": np.full(ROWS, 3)}, "class numbers from 0 to 2, because there are 3 outputs"),
        ({"targets": np.full(ROWS, np.nan)}, "targets must be finite"),
        ({"weights": np.ones(ROWS)}, r"weights must have the shape \(draws, 40\), one for each row, not \(40,\)"),
        ({"weights": np.zeros((1, ROWS))}, "above 0 for at least one row of each draw"),
    ],
)
def test_what_cannot_be_scored_is_refused(change, says):
    outputs, targets = sample("classification")
    with pytest.raises(ValueError, match=says):
        row_scores(**({"metric": "f1", "outputs": outputs, "targets": targets} | change))
