"""What do the stored outputs of trials say of single rows?"""

import numpy as np
import pytest

from seedwise import Analysis, Recipe, StoppingRule, Task
from seedwise.analysis.items import rows_error, scored_rows
from seedwise.errors import UnknownError
from seedwise.stats.intervals import proportion_interval
from seedwise.stats.items import sampling
from seedwise.stats.items.disagreement import disagreement, spread_of_flips
from seedwise.stats.items.ensemble import ensemble_outputs
from seedwise.stats.items.sampling import paired_interval, row_score_interval
from seedwise.stats.items.scores import row_scores
from table_studies import table_study

ROWS = 30


def outputs(trials, seed=0, rows=ROWS):
    """Outputs of some trials for two classes of which the second is right in every other row."""
    generator = np.random.default_rng(seed)
    found = generator.normal(size=(trials, rows, 2))
    found[:, np.arange(rows), np.arange(rows) % 2] += 1
    return found


TARGETS = np.arange(ROWS) % 2
OWN = Task.glue("rte")


def study(trials=4, *, seed=0, missing=(), **more):
    """A study whose trials have outputs on test rows, but for some that are missing."""
    test = [None if i in missing else of for i, of in enumerate(outputs(trials, seed))]
    given = {"validation": outputs(trials, seed + 50), "test": test}
    if missing:
        given["validation"] = [None if i in missing else of for i, of in enumerate(given["validation"])]
    scores = np.linspace(0.5, 0.8, trials)[:, None]
    options = {"outputs": given, "targets": {"validation": TARGETS, "test": TARGETS}} | more
    return table_study(scores, **options)


def cell_of(*args, **more):
    return Analysis(study(*args, **more)).cell()


def everyone(cell):
    return np.arange(len(cell.records))


def test_rows_of_a_split_come_with_their_labels():
    found = scored_rows(cell_of(), "test", np.array([0, 2]))
    np.testing.assert_array_equal(found.outputs, outputs(4).astype(np.float32)[[0, 2]])
    assert (found.trials.tolist(), found.targets.tolist()) == ([0, 2], TARGETS.tolist())


def test_trials_without_outputs_are_left_out():
    assert scored_rows(cell_of(missing=[1]), "test", np.arange(4)).trials.tolist() == [0, 2, 3]


def test_two_recipes_have_the_error_over_rows_that_their_outputs_have():
    a, b = cell_of(recipe="a"), cell_of(6, seed=1, recipe="b")
    expected = sampling.rows_error("accuracy", outputs(4).astype(np.float32), outputs(6, 1).astype(np.float32), TARGETS)
    assert rows_error(a, b, "test", everyone(a), everyone(b)) == expected


def test_a_crashed_trial_makes_the_error_smaller_as_its_score_does_not_depend_on_rows():
    a, crashed = cell_of(recipe="a"), cell_of(missing=[3], recipe="a")
    b = cell_of(6, seed=1, recipe="b")
    found = rows_error(crashed, b, "test", everyone(crashed), everyone(b))
    assert found.trials_a == 3
    kept = (outputs(4).astype(np.float32)[:3], outputs(6, 1).astype(np.float32))
    assert found == sampling.rows_error("accuracy", *kept, TARGETS, of_a=4)
    assert found != rows_error(a, b, "test", everyone(a), everyone(b))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"targets": None, "task": OWN}, "labels of the rows are not stored, because an older version made the study"),
        ({"targets": {"validation": TARGETS}}, "toy has no test rows; give the task some"),
        ({"missing": range(4)}, "no trial's outputs on test rows are kept; run the study to its end"),
    ],
)
def test_what_is_not_kept_is_said(options, says):
    own = cell_of(**options, **({"recipe": Recipe(model="m")} if "task" in options else {}))
    with pytest.raises(UnknownError, match=says):
        scored_rows(own, "test", everyone(own))


def test_imported_runs_have_no_rows():
    cell = Analysis(table_study(np.full((3, 2), 0.5))).cell()
    with pytest.raises(UnknownError, match="imported runs come without predictions"):
        scored_rows(cell, "test", np.arange(3))


def test_recipes_on_other_rows_are_not_compared_by_row():
    a = cell_of(recipe="a")
    b = cell_of(recipe="b", targets={"validation": TARGETS, "test": 1 - TARGETS})
    with pytest.raises(UnknownError, match="A and B must be scored on the same test rows"):
        rows_error(a, b, "test", everyone(a), everyone(b))


# Items ----------------------------------------------------------------------------------------------------------------


def test_items_are_those_of_complete_trials_on_test_rows():
    found = Analysis(study(6, states=["complete"] * 5 + ["failed"])).items()
    kept = outputs(6).astype(np.float32)[:5]
    assert (found.split, found.trials, found.rows) == ("test", 5, ROWS)
    assert found.agreement.churn == disagreement(kept, TARGETS).churn
    assert found.spread == spread_of_flips(kept, TARGETS)
    assert found.accuracies.tolist() == (kept.argmax(axis=2) == TARGETS).mean(axis=1).tolist()


def test_without_test_rows_items_are_those_of_validation_rows():
    found = Analysis(study(targets={"validation": TARGETS})).items()
    assert found.split == "validation"
    assert found.agreement.churn == disagreement(outputs(4, 50).astype(np.float32), TARGETS).churn


def test_kept_trials_of_a_stopped_study_have_items_and_an_ensemble():
    analysis = Analysis(study(6, states=["stopped"] * 3 + ["complete"] * 3, rule=StoppingRule(t=6, f=0.5, p=3)))
    assert analysis.items().trials == analysis.ensemble().members == 3


def test_trials_that_never_differ_have_no_spread():
    same = np.tile(outputs(1), (3, 1, 1))
    found = Analysis(study(3, outputs={"validation": same, "test": same})).items()
    assert (found.spread, found.agreement.differ) == (None, 0)


@pytest.mark.parametrize("quantity", ["items", "ensemble"])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"states": ["complete"] + ["failed"] * 3}, "at least 2 complete trials, not 1"),
        ({"missing": [0, 1, 2]}, "the outputs of at least 2 complete trials, not 1"),
        ({"task": OWN, "recipe": Recipe(model="m"), "targets": None}, "labels of the rows are not stored"),
    ],
)
def test_what_has_no_items_says_why(quantity, options, says):
    with pytest.raises(UnknownError, match=says):
        getattr(Analysis(study(**options)), quantity)()


def values(trials=4):
    generator = np.random.default_rng(3)
    targets = generator.normal(size=ROWS)
    return targets[:, None] + generator.normal(size=(trials, ROWS, 1)), targets


def test_values_do_not_flip_but_have_an_ensemble():
    given, targets = values()
    analysis = Analysis(
        study(
            metric="spearman",
            outputs={"validation": given, "test": given},
            targets={"validation": targets, "test": targets},
        )
    )
    with pytest.raises(UnknownError, match="this task's labels are values"):
        analysis.items()
    found = analysis.ensemble()
    mean = given.astype(np.float32).mean(axis=0, keepdims=True)
    assert found.score == pytest.approx(row_scores("spearman", mean, targets.astype(np.float32))[0])
    assert found.score > found.single


# Ensemble -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["accuracy", "f1", "matthews"])
def test_the_ensemble_stands_beside_the_winner_that_validation_chose(metric):
    found = Analysis(study(5, metric=metric)).ensemble()
    kept = outputs(5).astype(np.float32)
    joined = ensemble_outputs(kept)[None]
    scores = row_scores(metric, kept, TARGETS)
    assert found.score == pytest.approx(row_scores(metric, joined, TARGETS)[0])
    assert (found.winner, found.single) == pytest.approx((scores[4], scores.mean()))
    assert found.scores.tolist() == scores.tolist()
    assert found.over_winner == paired_interval(metric, joined, kept[4:], TARGETS)
    assert found.over_single == paired_interval(metric, joined, kept, TARGETS)
    assert found.interval == row_score_interval(metric, joined[0], TARGETS)
    assert (found.growth.mean[0], found.growth.mean[-1]) == pytest.approx((found.single, found.score))


def test_an_ensemble_that_labels_all_rows_as_the_winner_does_has_no_interval_beside_it():
    same = np.tile(outputs(1), (3, 1, 1))
    found = Analysis(study(3, metric="f1", outputs={"validation": same, "test": same})).ensemble()
    assert (found.over_winner, found.score - found.winner) == (None, 0)


# The winner's test score ----------------------------------------------------------------------------------------------


def test_the_winners_accuracy_has_wilsons_interval_even_where_no_outputs_are_kept():
    test = np.array([0.5, 0.6, 0.4, 0.7])
    assert Analysis(study(test=test)).test_interval() == proportion_interval(21, ROWS)
    assert Analysis(study(test=test, missing=range(4))).test_interval() == proportion_interval(21, ROWS)


def test_any_other_score_of_the_winner_has_the_interval_of_its_outputs():
    found = Analysis(study(test=np.full(4, 0.7), metric="matthews")).test_interval()
    assert found == row_score_interval("matthews", outputs(4).astype(np.float32)[3], TARGETS)


def test_without_test_scores_there_is_no_interval():
    with pytest.raises(UnknownError, match="the winner has no test score; give the task test rows"):
        Analysis(study()).test_interval()
    with pytest.raises(UnknownError, match="no trial of toy is complete yet"):
        Analysis(study(states=["failed"] * 4)).test_interval()


def test_all_of_it_is_in_the_json_of_an_analysis():
    (cell,) = Analysis(study(test=np.full(4, 0.7))).to_json()["cells"]
    assert cell["items"]["agreement"]["right"] == disagreement(outputs(4).astype(np.float32), TARGETS).right.tolist()
    assert cell["ensemble"]["members"] == 4
    assert cell["test_interval"]["estimate"] == 0.7
