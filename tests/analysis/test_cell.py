"""Do trials become arrays without losing or inventing anything?"""

import math
from dataclasses import replace

import numpy as np
import pytest

from seedwise.analysis.analysis import Analysis
from seedwise.analysis.summary import left_out_words
from seedwise.errors import RequestError
from seedwise.values.trial import Measurement
from table_studies import grid_seeds, table_study

NAN = math.nan


def cell_of(scores, **given):
    return Analysis(table_study(scores, **given)).cell()


def without_shared_evaluations(study):
    facts = {cell: replace(known, evaluation_steps=()) for cell, known in study.facts_of.items()}
    return replace(study, facts_of=facts)


def test_scores_are_on_the_grid_of_evaluations():
    curves = cell_of([[0.5, 0.6], [0.7, 0.4]], steps=[50, 100]).curves
    assert curves.steps.tolist() == [50, 100]
    assert curves.fractions.tolist() == [0.5, 1.0]
    assert curves.scores.tolist() == [[0.5, 0.6], [0.7, 0.4]]
    assert curves.best.tolist() == [[0.5, 0.6], [0.7, 0.7]]


def test_of_a_loss_the_lowest_so_far_is_the_best():
    assert cell_of([[0.5, 0.6], [0.7, 0.4]], metric="loss").curves.best.tolist() == [[0.5, 0.5], [0.7, 0.4]]


def test_score_of_a_trial_is_its_best_evaluation():
    assert cell_of([[0.5, 0.6], [0.7, 0.4]]).final().tolist() == [0.6, 0.7]


def test_only_the_last_evaluation_counts_under_that_schedule():
    assert cell_of([[0.5, 0.6], [0.7, 0.4]]).final("last").tolist() == [0.6, 0.4]


def test_a_complete_run_that_ended_before_the_others_has_a_last_evaluation_of_its_own():
    assert cell_of([[0.5, 0.6, 0.7], [0.7, 0.4, NAN]]).final("last").tolist() == [0.7, 0.4]


def test_a_failed_run_does_not_make_the_grid_coarse():
    study = table_study([[0.1, 0.2, 0.3, 0.4], [0.5, NAN, NAN, NAN]], states=["complete", "failed"], steps=[1, 2, 3, 4])
    odd = study.records[1]
    object.__setattr__(odd, "evaluations", (Measurement(7, 0.0, odd.evaluations[0].metrics),))
    study = without_shared_evaluations(study)
    assert len(Analysis(study).cell().curves.fractions) == 4


def test_percentages_have_no_known_bounds():
    assert cell_of([[61.0], [72.5]]).support is None
    assert cell_of([[61.0], [72.5]]).perfect is None


def test_of_a_correlation_the_guess_is_zero():
    assert cell_of([[0.5], [0.6]], metric="val_mcc", baseline=None).baseline == 0.0


def test_the_evaluation_that_ends_each_epoch_counts_under_that_schedule():
    scores = [[0.9, 0.1, 0.8, 0.2, 0.7, 0.3], [0.1, 0.5, 0.1, 0.6, 0.1, 0.4]]
    assert cell_of(scores, epochs=3).final("epoch").tolist() == [0.3, 0.6]


def test_epochs_that_are_not_known_are_refused():
    with pytest.raises(RequestError, match="where epochs end"):
        cell_of([[0.5], [0.6]]).final("epoch")


def test_a_trial_without_a_score_gets_the_guess():
    assert cell_of([[0.5, 0.6], [NAN, NAN]], baseline=0.4).final().tolist() == [0.6, 0.4]


def test_a_trial_without_a_score_gets_the_worst_where_no_guess_is_known():
    assert cell_of([[0.5, 0.6], [NAN, NAN]], baseline=None).final().tolist() == [0.6, 0.5]


def test_a_gap_is_no_better_than_the_first_score_of_a_curve_that_rises_later():
    cell = cell_of([[NAN, 0.3, 0.9], [0.7, 0.7, 0.7]], baseline=0.6)
    assert cell.best_at(cell.full()).tolist() == [[0.3, 0.3, 0.9], [0.7, 0.7, 0.7]]


@pytest.mark.parametrize(("metric", "baseline", "filled"), [("accuracy", 0.6, 0.5), ("loss", 0.4, 0.5)])
def test_a_gap_before_a_bad_first_score_is_no_better_than_it(metric, baseline, filled):
    cell = cell_of([[NAN, 0.5], [0.7, 0.7]], metric=metric, baseline=baseline)
    assert cell.best_at(cell.full()).tolist() == [[filled, 0.5], [0.7, 0.7]]


def test_a_trial_that_failed_on_its_way_keeps_its_best_score_so_far():
    cell = cell_of([[0.5, 0.6], [0.7, NAN]], states=["complete", "failed"])
    assert cell.final().tolist() == [0.6, 0.7]
    assert cell.failed.tolist() == [False, True]


def test_final_scores_of_a_study_with_stopped_trials_are_refused():
    cell = cell_of([[0.5, 0.6], [0.7, NAN]], states=["complete", "stopped"])
    with pytest.raises(RequestError, match="1 of 2 runs end before the others and count as stopped"):
        cell.final()


def test_trials_that_still_run_are_left_out():
    states = ["complete", "running", "complete"]
    assert cell_of([[0.5, 0.6], [0.7, NAN], [0.1, 0.2]], states=states).final().tolist() == [0.6, 0.2]


def test_a_study_without_evaluations_is_refused():
    with pytest.raises(RequestError, match="at least 2 trials at their end, not 0 of 2"):
        cell_of([[NAN], [NAN]], states=["waiting", "waiting"]).final()


def test_runs_of_different_lengths_are_compared_at_equal_shares():
    study = table_study([[0.1, 0.2, 0.3, 0.4], [0.5, 0.4, 0.3, 0.6]], steps=[1, 2, 3, 4])
    longer = study.records[1]
    evaluations = tuple(Measurement(10 * e.step, e.loss, e.metrics) for e in longer.evaluations[::3])  # steps 10 and 40
    object.__setattr__(longer, "evaluations", evaluations)
    study = without_shared_evaluations(study)
    curves = Analysis(study).cell().curves
    assert curves.steps is None
    assert curves.fractions.tolist() == [0.5, 1.0]
    assert curves.best.tolist() == [[0.2, 0.4], [0.5, 0.6]]
    assert "2 to 4 evaluations" in curves.note


def test_score_of_a_longer_run_is_its_best_evaluation_wherever_it_is():
    study = table_study([[0.1, 0.9, 0.3, 0.4], [0.5, 0.4, 0.3, 0.6]], steps=[1, 2, 3, 4])
    shorter = study.records[1]
    object.__setattr__(shorter, "evaluations", (Measurement(7, 0.0, shorter.evaluations[-1].metrics),))
    study = without_shared_evaluations(study)
    cell = Analysis(study).cell()
    assert len(cell.curves.fractions) == 1
    assert cell.final().tolist() == [0.9, 0.6]


def test_test_scores_of_another_evaluation_than_the_best_are_not_taken():
    study = table_study([[0.5, 0.6], [0.7, 0.4]], test=[0.55, 0.65])
    object.__setattr__(study.records[0], "best_step", 1)
    assert np.isnan(Analysis(study).cell().test).tolist() == [True, False]


@pytest.mark.parametrize(
    ("metric", "support"),
    [("accuracy", (0, 1)), ("val_mcc", (-1, 1)), ("accuracy_f1", (0, 1)), ("loss", None), ("points", None)],
)
def test_bounds_of_known_metrics_are_known(metric, support):
    assert cell_of([[0.5], [0.6]], metric=metric).support == support


def test_cells_are_told_apart_by_task_and_recipe():
    study = table_study([[0.5], [0.6]], task="a") + table_study([[0.7], [0.8]], task="b")
    analysis = Analysis(study)
    assert analysis.cell(task="b").final().tolist() == [0.7, 0.8]
    with pytest.raises(RequestError, match="task must be one of 'a', 'b'"):
        analysis.cell()


def test_an_unknown_task_is_refused_by_name():
    with pytest.raises(RequestError, match="did you mean 'toy'"):
        Analysis(table_study([[0.5], [0.6]])).cell(task="toys")


def test_order_of_trials_does_not_matter():
    generator = np.random.default_rng(0)
    scores, seeds = generator.random((12, 3)), grid_seeds(3, 4)
    mixed = generator.permutation(12)
    one = Analysis(table_study(scores, **seeds)).variance()
    other = Analysis(table_study(scores[mixed], **{k: v[mixed] for k, v in seeds.items()})).variance()
    assert one.variance == pytest.approx(other.variance)


def failed_without_test(**given):
    scores = [[0.5, 0.6], [0.7, 0.8], [0.9, NAN], [NAN, NAN], [0.4, NAN]]
    states = ["complete", "complete", "failed", "failed", "running"]
    return cell_of(scores, states=states, test=[0.55, 0.75, NAN, NAN, NAN], **given)


def test_no_validation_score_is_among_the_test_scores():
    cell = failed_without_test()
    assert cell.scored("test").tolist() == [0, 1]
    assert cell.scores("test").tolist() == [0.55, 0.75]


def test_validation_scores_hold_every_trial_that_ended():
    cell = failed_without_test()
    assert cell.scored("validation").tolist() == [0, 1, 2, 3]
    assert cell.scores("validation").tolist() == [0.6, 0.8, 0.9, 0.5]


def test_trials_that_are_left_out_are_counted():
    cell = failed_without_test()
    assert cell.left_out("test") == (5, 1, 2)
    assert cell.left_out("validation") == (5, 1, 0)
    assert left_out_words(cell, "test") == "2 of 5 trials; 2 failed without a test score and 1 is not finished"


def test_a_complete_trial_without_a_test_score_is_not_left_out_in_silence():
    with pytest.raises(RequestError, match="1 of 3 trials have no test score"):
        cell_of([[0.5], [0.6], [0.7]], test=[0.5, NAN, 0.7]).scores("test")


def test_a_test_score_of_a_failed_trial_counts():
    cell = cell_of([[0.5, 0.6], [0.7, 0.8], [0.9, NAN]], states=["complete"] * 2 + ["failed"], test=[0.5, 0.7, 0.8])
    assert cell.scores("test").tolist() == [0.5, 0.7, 0.8]
