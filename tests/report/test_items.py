"""Do the sentences on rows say no more than the rows tell?"""

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.report.sentences.cell import cell_sentences
from seedwise.report.sentences.items import SMALL, ensemble, flips, rows
from seedwise.values.stopping import StoppingRule
from table_studies import table_study


def study(seeds=0.0, *, trials=20, rows=400, seed=0, alike=False, **more):
    """A study of two classes whose trials differ by flips, and on all rows by `seeds`."""
    generator = np.random.default_rng(seed)
    targets = generator.integers(0, 2, rows)
    good = generator.normal(1, 1.5, rows) + seeds * generator.normal(size=(trials, 1))
    good = good + (not alike) * generator.normal(size=(trials, rows))
    latent = np.where(targets == 1, good, -good)
    outputs = np.stack([np.zeros_like(latent), latent], axis=-1)
    accuracy = (good > 0).mean(axis=1)
    both = dict.fromkeys(("validation", "test"), outputs)
    options = {"outputs": both, "targets": dict.fromkeys(both, targets), "test": accuracy} | more
    return table_study(accuracy[:, None], **options)


def told(sentence, *args, **more):
    analysis = Analysis(study(*args, **more))
    return sentence(analysis, analysis.cell())


def test_flips_are_enough_where_trials_differ_by_nothing_else():
    text = told(flips)
    assert text.startswith("On the 400 test rows the accuracies of 20 complete trials have a standard deviation of 0.0")
    assert (
        "and no more is needed to explain it. On new rows like these, the same trials would differ with a standard"
        in text
    )
    assert "gains next to nothing" not in text  # 400 rows do not tell that


def test_choosing_gains_nothing_where_many_rows_tell():
    analysis = Analysis(study(trials=40, rows=8000))
    assert analysis.items().spread.upper <= SMALL
    assert flips(analysis, analysis.cell()).endswith("(95%), so that choosing among them gains next to nothing.")


def test_trials_that_differ_on_all_rows_are_told_apart_from_flips():
    analysis = Analysis(study(0.3))
    spread = analysis.items().spread
    assert (
        f"would differ, too, with a standard deviation of {spread.excess:.3f} [{spread.lower:.3f}, {spread.upper:.3f}] (95%)."
    ) in flips(analysis, analysis.cell())


def test_trials_that_label_all_rows_alike_are_one():
    text = told(flips, alike=True)
    assert text == "All 20 complete trials label every test row alike, so there is nothing to choose among."
    assert told(rows, alike=True) == ""


def test_rows_and_ensemble_are_told():
    analysis = Analysis(study())
    cell, of, joined = analysis.cell(), analysis.items().agreement, analysis.ensemble()
    assert f"On average, two of these trials label {100 * of.churn:.0f} % of the test rows differently." in rows(
        analysis, cell
    )
    assert f"{100 * of.always:.0f} % of the rows, none on {100 * of.never:.0f} %." in rows(analysis, cell)
    text = ensemble(analysis, cell)
    assert f"The ensemble of the 20 complete trials has a test accuracy of {joined.score:.3f} [" in text
    assert f"Ensemble minus winner: {joined.over_winner.estimate:+.3f} [" in text


def test_the_winners_test_score_has_an_interval():
    analysis = Analysis(study())
    found = analysis.test_interval()
    said = cell_sentences(analysis, analysis.cell())[0]
    assert f"it scores {found.estimate:.3f} [{found.lower:.3f}, {found.upper:.3f}] (95%, over the 400 rows)." in said


def test_a_study_that_was_stopped_early_tells_of_the_trials_it_kept():
    states = ["stopped"] * 12 + ["complete"] * 8
    analysis = Analysis(study(states=states, rule=StoppingRule(t=20, f=0.5, p=8)))
    text = " ".join(cell_sentences(analysis, analysis.cell()))
    assert "the accuracies of 8 complete trials" in text
    assert "The ensemble of the 8 complete trials" in text


@pytest.mark.slow
def test_more_than_flips_is_claimed_in_five_percent_where_there_is_no_more():
    claims = [told(flips, trials=8, rows=138, seed=seed).count("would differ, too") for seed in range(200)]
    assert np.mean(claims) < 0.05
