"""Do the exported tables hold everything that the store holds, digit for digit?"""

import math

import numpy as np
import polars as pl
import pytest

from seedwise.errors import RequestError, WorkError
from seedwise.store.export import export, trials_table
from seedwise.values.facts import Environment, TaskFacts
from seedwise.values.recipe import Recipe
from seedwise.values.rows import Predictions, Targets
from seedwise.values.seeds import Seeds
from seedwise.values.task import Task
from seedwise.values.trial import Measurement, Trial, TrialState
from store.toys import RECIPE, TASK, interval, trials

THIRD = 1 / 3


@pytest.fixture
def full(store):
    """A store with a complete, a failed and a waiting trial."""
    first, second, _ = (trial.id for trial in trials(3))
    store.add_trials(trials(3))
    store.start(first, {"init": "aa"}, Environment.from_json({"device": "cpu", "threads": 1}))
    store.append(first, [*interval(1, 4, THIRD), *interval(5, 8, 0.25)], 1.5)
    outputs = np.array([[0.1, 0.2], [math.nan, math.inf], [0.5, -0.5]], np.float32)
    store.set_best(first, 4, {"accuracy": 0.75}, Predictions(4, outputs, outputs[:1]))
    store.set_state(first, TrialState.COMPLETE)
    store.start(second, {"init": "bb"}, Environment.from_json({"device": "cuda", "capability": [9, 0]}))
    store.append(second, [Measurement(1, math.nan, {"accuracy": math.nan, "loss": math.inf})], 0.5)
    store.set_state(second, TrialState.FAILED, 'the loss is "nan", sorry')
    store.set_facts(TASK.id, RECIPE.id, TaskFacts(digest="a", rows={"train": 64}))
    return store


def read(folder, name, form):
    path = folder / f"{name}.{form}"
    return pl.read_csv(path) if form == "csv" else pl.read_parquet(path)


both = pytest.mark.parametrize("form", ["csv", "parquet"])


# Rows of plain values -------------------------------------------------------------------------------------------------


def test_trials_table_has_a_row_of_plain_values_for_each_trial(full):
    rows = trials_table(full.records())
    assert rows[0] == {
        "id": trials(1)[0].id,
        "position": 0,
        "task": "rte",
        "task_id": TASK.id,
        "recipe": RECIPE.id,
        "metric": "accuracy",
        "init": 1,
        "order": 1,
        "dropout": 1,
        "state": "complete",
        "best_step": 4,
        "best_score": THIRD,
        "last_step": 8,
        "last_score": 0.25,
        "test_accuracy": 0.75,
        "seconds": 1.5,
        "attempts": 1,
        "error": None,
        "fingerprint_init": "aa",
        "origin_device": "cpu",
        "origin_threads": 1,
        "origin_capability": None,
    }


def test_trials_table_gives_all_rows_the_same_keys(full):
    rows = trials_table(full.records())
    assert {tuple(row) for row in rows} == {tuple(rows[0])}
    assert [row["origin_capability"] for row in rows] == [None, [9, 0], None]


def test_trial_without_a_finite_score_has_no_best_but_a_last_one(full):
    row = trials_table(full.records())[1]
    assert (row["best_step"], row["best_score"], row["last_step"]) == (None, None, 1)
    assert math.isnan(row["last_score"])


def test_trials_table_of_no_trials_is_empty():
    assert trials_table([]) == []


# Files ----------------------------------------------------------------------------------------------------------------


@both
def test_export_writes_one_file_a_table_and_nothing_else(full, tmp_path, form):
    files = export(full, tmp_path / "out", form)
    expected = {
        f"{name}.{form}" for name in ("trials", "evaluations", "losses", "predictions", "recipes", "tasks", "events")
    }
    assert {path.name for path in files} == {path.name for path in (tmp_path / "out").iterdir()} == expected


@both
def test_exported_trials_equal_the_rows(full, tmp_path, form):
    export(full, tmp_path, form)
    rows = trials_table(full.records())
    got = read(tmp_path, "trials", form).to_dicts()
    for row in rows:
        row["origin_capability"] = "[9, 0]" if row["origin_capability"] else None
    assert repr(got) == repr(rows)  # nan equals nan in writing


@both
def test_exported_evaluations_keep_every_digit(full, tmp_path, form):
    export(full, tmp_path, form)
    table = read(tmp_path, "evaluations", form)
    assert table.columns == [
        *("trial", "task", "recipe", "init", "order", "dropout", "step", "epoch", "train_loss", "accuracy", "loss"),
    ]
    assert table["step"].to_list() == [4, 8, 1]
    assert table["epoch"].to_list() == [1.0, 2.0, 0.25]
    assert repr(table["accuracy"].to_list()) == repr([THIRD, 0.25, math.nan])
    assert repr(table["train_loss"].to_list()) == repr([0.5, 1.0, math.nan])
    assert table["loss"].to_list() == [1 - THIRD, 0.75, math.inf]


@both
def test_exported_losses_have_one_row_a_step(full, tmp_path, form):
    export(full, tmp_path, form)
    table = read(tmp_path, "losses", form)
    ids = [trial.id for trial in trials(2)]
    assert table["trial"].to_list() == [ids[0]] * 8 + [ids[1]]
    assert table["step"].to_list() == [*range(1, 9), 1]
    assert repr(table["loss"].to_list()) == repr([*(step / 8 for step in range(1, 9)), math.nan])


@both
def test_exported_predictions_have_one_row_for_each_row_of_a_split(full, tmp_path, form):
    export(full, tmp_path, form)
    table = read(tmp_path, "predictions", form)
    assert table.columns == ["trial", "split", "row", "label", "output_0", "output_1"]
    assert table["split"].to_list() == ["validation"] * 3 + ["test"]
    assert table["row"].to_list() == [0, 1, 2, 0]
    got = table["output_0"].to_numpy().astype(np.float32)
    np.testing.assert_array_equal(got, np.array([0.1, math.nan, 0.5, 0.1], np.float32))
    assert table["output_1"][1] == math.inf


@both
def test_exported_predictions_stand_beside_the_name_of_the_right_class(full, tmp_path, form):
    full.set_facts(TASK.id, RECIPE.id, TaskFacts(digest="a", rows={"train": 64}, label_names=("no", "yes")))
    full.set_targets(TASK.id, Targets(np.array([1, 0, 1], np.float32), np.array([0], np.float32)))
    export(full, tmp_path, form)
    assert read(tmp_path, "predictions", form)["label"].to_list() == ["yes", "no", "yes", "no"]


@both
def test_exported_predictions_stand_beside_the_right_value(full, tmp_path, form):
    full.set_targets(TASK.id, Targets(np.array([0.5, 1.25, -2], np.float32), np.array([3], np.float32)))
    export(full, tmp_path, form)
    assert read(tmp_path, "predictions", form)["label"].to_list() == [0.5, 1.25, -2.0, 3.0]


@both
def test_labels_that_are_not_kept_are_empty(full, tmp_path, form):
    export(full, tmp_path, form)
    assert read(tmp_path, "predictions", form)["label"].to_list() == [None] * 4


@both
def test_exported_recipes_and_tasks_have_one_column_a_field(full, tmp_path, form):
    full.add_trials([Trial(Task.embedded("similarity"), Recipe(model="other", dropout=0.2), Seeds(1, 1))])
    export(full, tmp_path, form)
    recipes, tasks = read(tmp_path, "recipes", form), read(tmp_path, "tasks", form)
    assert recipes["model"].to_list() == ["toy", "other"]
    assert recipes["dropout"].to_list() == [None, 0.2]
    assert recipes["id"].to_list() == [RECIPE.id, Recipe(model="other", dropout=0.2).id]
    assert tasks["name"].to_list() == ["rte", "similarity"]
    assert set(tasks["id"]) == set(read(tmp_path, "trials", form)["task_id"])
    assert tasks["splits_seed"].to_list() == [0, 0]


@both
def test_exported_tracked_values_have_one_row_a_value_and_a_block_where_they_have_one(store, tmp_path, form):
    store.add_trials(trials(2))
    tracked = {"distance": (0.5, math.nan), "gradient_norm": (THIRD,)}
    second = trials(2)[1].id
    store.append(second, [Measurement(1, 0.5, None, tracked), Measurement(2, 0.5, {}, {"distance": (1.0, 2.0)})], 1.0)
    export(store, tmp_path, form)
    table = read(tmp_path, "tracked", form)
    assert table.columns == ["trial", "step", "name", "block", "value"]
    assert set(table["trial"]) == {second}
    rows = table.with_columns(pl.col("value").cast(pl.Float32)).rows()
    assert repr([row[1:] for row in rows]) == repr(
        [
            (1, "distance", 1, 0.5),
            (1, "distance", 2, math.nan),
            (2, "distance", 1, 1.0),
            (2, "distance", 2, 2.0),
            (1, "gradient_norm", None, float(np.float32(THIRD))),
            (2, "gradient_norm", None, math.nan),
        ]
    )


def test_predictions_with_different_numbers_of_outputs_share_a_table(store, tmp_path):
    given = [*trials(1), Trial(Task.embedded("similarity"), RECIPE, Seeds(1, 1))]
    store.add_trials(given)
    for trial, outputs in zip(given, (2, 1), strict=True):
        store.set_best(trial.id, 1, None, Predictions(1, np.ones((1, outputs), np.float32)))
    export(store, tmp_path, "parquet")
    assert read(tmp_path, "predictions", "parquet")["output_1"].to_list() == [1.0, None]


@both
def test_metric_named_like_a_column_hides_neither(store, tmp_path, form):
    (trial,) = trials(1)
    store.add_trials([trial])
    store.append(trial.id, [Measurement(1, 0.5, {"step": 0.25})], 1.0)
    export(store, tmp_path, form)
    table = read(tmp_path, "evaluations", form)
    assert (table["step"].to_list(), table["metric_step"].to_list()) == ([1], [0.25])


@both
def test_seed_larger_than_64_bits_is_kept_as_text(store, tmp_path, form):
    store.add_trials([Trial(TASK, RECIPE, Seeds(2**100, 1)), *trials(1)])
    export(store, tmp_path, form)
    path = tmp_path / f"trials.{form}"
    table = pl.read_csv(path, infer_schema=False) if form == "csv" else pl.read_parquet(path)
    assert table["init"].to_list() == [str(2**100), "1"]


@both
def test_empty_study_has_tables_without_rows_but_with_columns(store, tmp_path, form):
    export(store, tmp_path, form)
    table = read(tmp_path, "trials", form)
    assert (len(table), table.columns[:4]) == (0, ["id", "position", "task", "task_id"])
    assert read(tmp_path, "losses", form).columns == ["trial", "step", "loss"]
    assert not (tmp_path / f"predictions.{form}").exists()
    assert not (tmp_path / f"tracked.{form}").exists()


def test_older_table_of_what_is_no_longer_kept_is_removed(full, store, tmp_path):
    export(full, tmp_path)
    store.set_best(trials(1)[0].id, 8, None, None)
    export(store, tmp_path)
    assert not (tmp_path / "predictions.csv").exists()


def test_interrupted_export_leaves_the_older_tables(full, tmp_path, monkeypatch):
    export(full, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    full.add_trials(trials(4))
    written = []
    write = pl.DataFrame.write_csv

    def stop_at_the_third(frame, path):
        written.append(path)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        write(frame, path)

    monkeypatch.setattr(pl.DataFrame, "write_csv", stop_at_the_third)
    with pytest.raises(WorkError, match=r"the tables cannot be written to .*No space left on device; choose another"):
        export(full, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_unknown_format_is_refused(store, tmp_path):
    with pytest.raises(RequestError, match=r"format must be one of csv, parquet, not 'xlsx'"):
        export(store, tmp_path, "xlsx")


@both
def test_exported_events_are_the_whole_diary(full, tmp_path, form):
    (trial, *_) = (record.id for record in full.records())
    full.append(trial, interval(1, 4, 0.5), 1.0)
    export(full, tmp_path, form)
    table = read(tmp_path, "events", form)
    assert table.columns == ["time", "trial", "kind", "detail"]
    assert table.rows() == [tuple(event) for event in full.events()]
    assert table.row(-1)[1:] == (trial, "replay differs", full.events("replay differs")[0].detail)
