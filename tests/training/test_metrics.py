"""Do the metrics equal scikit-learn's and SciPy's?"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as oracle

from seedwise.training.metrics import baselines, score
from tolerances import ulps


@st.composite
def classified(draw):
    classes = draw(st.integers(2, 5))
    rows = draw(st.integers(2, 40))
    seed = draw(st.integers(0, 2**32 - 1))
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, classes, rows)
    return generator.normal(size=(rows, classes)).astype(np.float32), labels, classes


@given(classified())
def test_classification_metrics_equal_scikit_learn(drawn):
    logits, labels, classes = drawn
    found, predicted = score("classification", logits, labels), logits.argmax(1)
    average = {"average": "binary"} if classes == 2 else {"average": "macro"}
    f1 = oracle.f1_score(labels, predicted, zero_division=0, **average)
    probabilities = np.exp(logits.astype(float)) / np.exp(logits.astype(float)).sum(1, keepdims=True)
    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(labels, predicted))
    assert found["f1"] == pytest.approx(f1)
    assert found["accuracy_f1"] == pytest.approx((oracle.accuracy_score(labels, predicted) + f1) / 2)
    if len(np.unique(labels)) > 1:
        assert found["matthews"] == pytest.approx(oracle.matthews_corrcoef(labels, predicted), abs=1e-12)
    assert found["loss"] == pytest.approx(
        oracle.log_loss(labels, probabilities, labels=range(classes)), rel=ulps(100)
    )  # probabilities are float32


@given(st.integers(3, 60), st.integers(0, 2**32 - 1))
def test_correlations_equal_scipy(rows, seed):
    generator = np.random.default_rng(seed)
    predicted = generator.normal(size=(rows, 1)).astype(np.float32)
    labels = generator.integers(0, 6, rows).astype(np.float32)  # ties
    labels[0], labels[1] = 0, 5
    found = score("regression", predicted, labels)
    assert found["pearson"] == pytest.approx(stats.pearsonr(predicted[:, 0].astype(float), labels).statistic, abs=1e-9)
    assert found["spearman"] == pytest.approx(stats.spearmanr(predicted[:, 0], labels).statistic, abs=1e-9)
    assert found["loss"] == pytest.approx(oracle.mean_squared_error(labels, predicted[:, 0]), rel=ulps(16))


def test_a_constant_prediction_correlates_with_nothing():
    found = score("regression", np.ones((5, 1), dtype=np.float32), np.arange(5, dtype=np.float32))
    assert math.isnan(found["pearson"])
    assert math.isnan(found["spearman"])
    assert found["loss"] == 3.0


def test_outputs_that_are_not_finite_score_nan():
    logits = np.array([[np.nan, 0.0], [1.0, 0.0]], dtype=np.float32)
    assert all(math.isnan(value) for value in score("classification", logits, np.array([0, 1])).values())


def test_the_baseline_is_the_best_constant_guess():
    labels = np.array([1] * 68 + [0] * 32)
    found = baselines("classification", labels, 2)
    assert found["accuracy"] == 0.68
    assert found["f1"] == pytest.approx(2 * 0.68 / 1.68)
    assert found["matthews"] == 0.0
    assert found["loss"] == pytest.approx(stats.entropy([0.68, 0.32]))


@pytest.mark.parametrize(
    ("folder", "metric", "published"),
    [("RTE", "accuracy", 0.53), ("MRPC", "accuracy_f1", 0.75), ("CoLA", "matthews", 0)],
)
def test_baselines_equal_the_papers(shared, folder, metric, published):
    from seedwise import Task
    from seedwise.data.rows import load_rows

    rows = load_rows(Task.glue(shared / "data" / "glue" / folder))
    labels = np.array(rows.validation.labels)
    assert baselines("classification", labels, 2)[metric] == pytest.approx(published, abs=0.005)
