"""What do the stored outputs of trials say of single rows?"""

import numpy as np
import pytest

from seedwise import Analysis, Recipe, Task
from seedwise.analysis.items import rows_error, scored_rows
from seedwise.errors import UnknownError
from seedwise.stats.items import sampling
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
    with pytest.raises(UnknownError, match="not known of imported runs"):
        scored_rows(cell, "test", np.arange(3))


def test_recipes_on_other_rows_are_not_compared_by_row():
    a = cell_of(recipe="a")
    b = cell_of(recipe="b", targets={"validation": TARGETS, "test": 1 - TARGETS})
    with pytest.raises(UnknownError, match="A and B must be scored on the same test rows"):
        rows_error(a, b, "test", everyone(a), everyone(b))
