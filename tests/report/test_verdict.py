"""Do the sentences say what the numbers say, and nothing where there are none?"""

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.report.verdict import caveats, verdict
from tables import grid_seeds, table_study


def sentences(study, task=None):
    analysis = Analysis(study)
    return verdict(analysis, analysis.cell(task))


def crossed(**given):
    generator = np.random.default_rng(0)
    scores = 0.7 + 0.05 * generator.standard_normal((6, 1)) + 0.01 * generator.standard_normal((6, 6))
    return table_study(scores.reshape(-1, 1), **grid_seeds(6, 6), **given), scores


def test_the_winner_comes_first():
    study, scores = crossed()
    best = np.argmax(scores)
    assert sentences(study)[0] == (
        f"The best of 36 trials reached a validation accuracy of {scores.max():.3f} "
        f"(init {best // 6 + 1}, order {best % 6 + 1})."
    )


def test_the_test_score_of_the_choice_and_its_optimism_are_told():
    _, scores = crossed()
    study, _ = crossed(test=scores.ravel() - 0.02)
    text = " ".join(sentences(study))
    assert "On test rows, which did not choose it, it scores" in text
    assert "promises 0.020 too much" in text


def test_the_seed_that_makes_the_variance_is_named_with_its_interval():
    study, _ = crossed()
    found = Analysis(study).variance()
    share, lower, upper = (f"{100 * column[0]:.0f}" for column in (found.share, found.share_lower, found.share_upper))
    text = " ".join(sentences(study))
    assert f"The init seed explains {share} % [{lower}, {upper}], the order seed" in text
    assert "95% intervals" in text


def test_failed_trials_are_counted_with_an_interval():
    scores = np.where(np.arange(20) < 5, 0.51, 0.8)[:, None]
    assert "5 of 20 trials failed (at or below 0.52, where guessing is): 25 % [11, 47]." in sentences(
        table_study(scores)
    )


def test_paired_seeds_say_nothing_of_variance():
    text = " ".join(sentences(table_study(crossed()[1].reshape(-1, 1))))
    assert "explains" not in text


def test_a_few_trials_say_only_who_won():
    assert len(sentences(table_study([[0.6], [0.7]]))) == 1


def test_what_stopping_saved_is_told():
    states = ["complete", "complete", "stopped", "stopped"]
    study = table_study([[0.6, 0.7], [0.6, 0.8], [0.5, np.nan], [0.4, np.nan]], states=states)
    assert "It cost 3.0 full trainings instead of 4." in sentences(study)[0]


def test_a_study_that_has_not_run_says_so():
    study = table_study([[np.nan]], states=["waiting"])
    assert sentences(study) == ["No trial of toy is complete yet."]


@pytest.mark.parametrize(
    ("given", "note"),
    [
        ({}, "there are no test rows"),
        ({"states": ["complete", "running"]}, "1 of 2 trials are not finished yet."),
        ({"baseline": 0.9}, "no better than the best constant guess"),
    ],
)
def test_what_to_know_before_believing_is_told(given, note):
    analysis = Analysis(table_study([[0.6], [0.7]], **given))
    assert any(note in sentence for sentence in caveats(analysis.cell()))
