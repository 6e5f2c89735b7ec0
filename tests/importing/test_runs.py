"""Do imported runs come in as they are, from every format and shape, and does the store keep them?"""

import csv
import gzip
import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from seedwise.errors import DataError, RequestError
from seedwise.importing.mapping import parse
from seedwise.importing.runs import read_runs
from seedwise.store.store import Store
from seedwise.study.study import Study
from seedwise.values.seeds import Seeds
from seedwise.values.trial import TrialState
from store.toys import trials

NAN = float("nan")
STEPS = (10, 20, 30)
CURVES = {("plain", 1): (0.5, 0.6, 0.55), ("plain", 2): (0.5, 0.5, 0.5), ("reinit", 1): (0.4, 0.7, 0.8)}
WHO = {"task": ":RTE", "recipe": "recipe", "init": "seed"}

LONG = [
    {"recipe": r, "seed": s, "step": t, "acc": v}
    for (r, s), scores in CURVES.items()
    for t, v in zip(STEPS, scores, strict=True)
]
LISTED = [{"recipe": r, "seed": s, "acc": list(c), "steps": list(STEPS)} for (r, s), c in CURVES.items()]
PAIRS = [
    {"recipe": r, "seed": s, "curve": {"acc": [[float(t), v] for t, v in zip(STEPS, c, strict=True)]}}
    for (r, s), c in CURVES.items()
]
STARRED = [
    {"recipe": r, "seed": s, **{f"acc_{t}": v for t, v in zip(STEPS, c, strict=True)}} for (r, s), c in CURVES.items()
]
WIDE = [{"recipe": r, "seed": s, "acc": c[-1]} for (r, s), c in CURVES.items()]

SHAPES = {
    "long": (LONG, {"score": "acc"}),
    "listed": (LISTED, {"score": "acc", "step": "steps"}),
    "pairs": (PAIRS, {"score": "curve.acc"}),
    "starred": (STARRED, {"score:acc": "acc_*"}),
}
NESTED = ("listed", "pairs")
FLAT = ("csv", "tsv", "csv.gz")
FORMATS = (*FLAT, "jsonl", "ndjson", "json", "parquet")


def write(path: Path, rows: list[dict]) -> Path:
    """Write rows in the format that the ending tells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ending = path.name.partition(".")[2]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if ending == "parquet":
        pl.DataFrame([{name: row.get(name) for name in names} for row in rows]).write_parquet(path)
    elif ending == "json":
        path.write_text(json.dumps(rows), encoding="utf-8")
    elif ending in ("jsonl", "ndjson"):
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    else:
        plain = path.with_name("plain")
        with plain.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, names, delimiter="\t" if ending == "tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
        path.write_bytes(gzip.compress(plain.read_bytes()) if ending.endswith("gz") else plain.read_bytes())
    return path


def read(tmp_path: Path, rows: list[dict], *, ending: str = "jsonl", beside: list[dict] | None = None, **fields):
    """Read rows by a mapping; ``score__f1`` stands for score:f1."""
    given = {
        key: fields.pop(key) for key in ("pattern", "baseline", "lower_is_better", "all_complete") if key in fields
    }
    file = write(tmp_path / f"runs.{ending}", rows)
    second = None if beside is None else write(tmp_path / "more.jsonl", beside)
    mapping = {key.replace("__", ":"): text for key, text in fields.items()}
    return read_runs(file, {**WHO, "score": "acc", **mapping}, beside=second, **given)


def curves(runs):
    return {(r.trial.recipe.name, r.trial.seeds.init): r.scores for r in runs.records}


# Formats and shapes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "ending"), [(s, e) for s in SHAPES for e in FORMATS if s not in NESTED or e not in FLAT]
)
def test_every_format_and_shape_says_the_same(tmp_path, shape, ending):
    rows, mapping = SHAPES[shape]
    runs = read_runs(write(tmp_path / f"runs.{ending}", rows), {**WHO, **mapping})
    assert curves(runs) == {who: tuple(zip(STEPS, scores, strict=True)) for who, scores in CURVES.items()}
    assert {r.trial.task.metric for r in runs.records} == {"acc"}
    assert {r.state for r in runs.records} == {TrialState.COMPLETE}
    assert {facts.evaluation_steps for facts in runs.facts.values()} == {STEPS}
    assert {facts.steps for facts in runs.facts.values()} == {30}


@pytest.mark.parametrize("ending", FORMATS)
def test_runs_with_a_last_score_alone_have_no_curve(tmp_path, ending):
    runs = read_runs(write(tmp_path / f"runs.{ending}", WIDE), {**WHO, "score": "acc"})
    assert curves(runs) == {who: ((1, scores[-1]),) for who, scores in CURVES.items()}
    assert any("a single score and no curve" in note for note in runs.notes)


def test_a_list_without_steps_counts_evaluations_from_1(tmp_path):
    assert curves(read(tmp_path, LISTED))["plain", 1] == ((1, 0.5), (2, 0.6), (3, 0.55))


def test_starred_columns_that_count_from_0_begin_with_step_1(tmp_path):
    rows = [{"recipe": "a", "seed": 1, "acc_1": 0.6, "acc_0": 0.5, "acc_10": 0.8, "acc_2": 0.7}]
    assert curves(read(tmp_path, rows, score="acc_*"))["a", 1] == ((1, 0.6), (2, 0.7), (10, 0.8))
    rows = [{"recipe": "a", "seed": 1, "acc_1": 0.6, "acc_0": 0.5, "acc_2": 0.7}]
    assert curves(read(tmp_path, rows, score="acc_*"))["a", 1] == ((1, 0.5), (2, 0.6), (3, 0.7))


@pytest.mark.parametrize(
    "text",
    [
        "recipe,seed,acc\na,1,0.5\na,2,0.6\n",
        "\ufeffrecipe, seed,acc \r\na,1, 0.5\r\n\r\na,2,0.6",
        "\n\nrecipe;seed;acc\na;1;0.5\na;2;0.6\n",
        '"recipe","seed","acc"\n"a","1","0.5"\na,2,0.6\n',
        'recipe,note,seed,acc\na,5" pipe,1,0.5\na,"two, three",2,0.6\n',
    ],
)
def test_csv_may_be_written_in_many_ways(tmp_path, text):
    path = tmp_path / "runs.csv"
    path.write_text(text, encoding="utf-8", newline="")
    assert curves(read_runs(path, {**WHO, "score": "acc"})) == {("a", 1): ((1, 0.5),), ("a", 2): ((1, 0.6),)}


def test_rows_may_come_in_any_order(tmp_path):
    found = read(tmp_path, LONG[::-1])
    assert curves(found) == curves(read(tmp_path, LONG))


# Fields ---------------------------------------------------------------------------------------------------------------


def test_columns_named_like_fields_need_no_mapping_and_are_told(tmp_path):
    rows = [{"task": "RTE", "recipe": "a", "init": 3, "order": 4, "dropout": 5, "score": 0.5}]
    runs = read_runs(write(tmp_path / "runs.csv", rows), {})
    assert runs.records[0].trial.seeds == Seeds(3, 4, 5)
    assert runs.guessed == ("task", "recipe", "init", "order", "dropout", "score")
    assert runs.notes[0] == (
        "not mapped, but taken from columns of their names: task, recipe, init, order, dropout, score."
    )


def test_a_constant_is_the_same_for_every_row(tmp_path):
    runs = read(tmp_path, LONG, task=":My task", order=":7")
    assert {(r.trial.task.name, r.trial.seeds.order) for r in runs.records} == {("My task", 7)}


def test_order_follows_init_and_init_order(tmp_path):
    assert read(tmp_path, WIDE[:2]).records[1].trial.seeds == Seeds(2, 2, 2)
    runs = read_runs(tmp_path / "runs.jsonl", {"task": ":RTE", "recipe": "recipe", "order": "seed", "score": "acc"})
    assert runs.records[1].trial.seeds == Seeds(2, 2, 2)
    assert "init is not known and follows order." in runs.notes


def test_runs_without_seeds_are_numbered_through_so_that_none_pair_by_chance(tmp_path):
    runs = read_runs(write(tmp_path / "runs.csv", WIDE), {"task": ":RTE", "recipe": "recipe", "score": "acc"})
    assert [(r.trial.recipe.name, r.trial.seeds.init) for r in runs.records] == [
        ("plain", 1),
        ("plain", 2),
        ("reinit", 3),
    ]
    assert any("numbered 1 to 3 as they appear" in note for note in runs.notes)


@pytest.mark.parametrize(
    ("labels", "numbers", "words"),
    [
        (["0", "12"], [0, 12], None),
        ([0.0, 12.0], [0, 12], None),
        (["seed_10", "seed_2"], [10, 2], "init is the number in labels such as 'seed_10'"),
        (["b", "a"], [2, 1], "init has labels that are no whole numbers; in sorted order 1 is 'a', 2 is 'b'"),
        (["1.5", "2"], [1, 2], "in sorted order 1 is '1.5', 2 is '2'"),
    ],
)
def test_labels_become_numbers_and_it_is_said_how(tmp_path, labels, numbers, words):
    rows = [{"recipe": "a", "seed": label, "acc": 0.5} for label in labels]
    runs = read(tmp_path, rows)
    assert [r.trial.seeds.init for r in runs.records] == numbers
    assert words is None or any(words in note for note in runs.notes)


def test_each_task_takes_the_first_column_with_a_value_and_its_metric(tmp_path):
    rows = [
        {"task": "CoLA", "recipe": "a", "seed": 1, "mcc": 0.4, "acc": 0.8},
        {"task": "RTE", "recipe": "a", "seed": 1, "mcc": "", "acc": 0.7},
    ]
    runs = read(tmp_path, rows, ending="csv", task="task", score="mcc,acc")
    assert [(r.trial.task.metric, r.best[1]) for r in runs.records] == [("mcc", 0.4), ("acc", 0.7)]


def test_a_task_never_mixes_two_columns(tmp_path):
    rows = [{"recipe": "a", "seed": s, "mcc": m, "acc": 0.8} for s, m in ((1, 0.4), (2, None))]
    runs = read(tmp_path, rows, score="mcc,acc")
    assert [(r.trial.task.metric, r.state) for r in runs.records] == [
        ("mcc", TrialState.COMPLETE),
        ("mcc", TrialState.FAILED),
    ]


def test_several_metrics_are_kept_and_the_first_decides(tmp_path):
    rows = [{"recipe": "a", "seed": 1, "acc": 0.8, "f1": 0.7, "vl": 0.3, "tl": 0.2, "t": 0.75, "tf": 0.65}]
    fields = {"score__f1": "f1", "validation_loss": "vl", "train_loss": "tl", "test_score": "t", "test_score__f1": "tf"}
    (found,) = read(tmp_path, rows, **fields).records
    assert found.trial.task.metric == "acc"
    assert found.evaluations[0].metrics == {"acc": 0.8, "f1": 0.7, "loss": 0.3}
    assert found.evaluations[0].loss == 0.2
    assert (found.best_step, found.test_metrics) == (1, {"acc": 0.75, "f1": 0.65})


def test_test_score_is_that_of_the_best_evaluation(tmp_path):
    rows = [
        {"recipe": "a", "seed": 1, "step": t, "acc": v, "test": 1 - v}
        for t, v in zip(STEPS, (0.5, 0.7, 0.6), strict=True)
    ]
    (found,) = read(tmp_path, rows, test_score="test").records
    assert (found.best_step, found.test_metrics) == (20, {"acc": pytest.approx(0.3)})


def test_the_only_test_score_of_a_run_is_its_own_wherever_it_stands(tmp_path):
    rows = [{"recipe": "a", "seed": 1, "step": t, "acc": v} for t, v in zip(STEPS, (0.5, 0.7, 0.6), strict=True)]
    rows[-1]["test"] = 0.65
    assert read(tmp_path, rows, test_score="test").records[0].test_metrics == {"acc": 0.65}


@pytest.mark.parametrize(("metric", "given", "best"), [("acc", None, 0.7), ("mae", None, 0.5), ("acc", True, 0.5)])
def test_direction_is_told_by_the_metric_or_by_hand(tmp_path, metric, given, best):
    rows = [{"recipe": "a", "seed": 1, "step": t, metric: v} for t, v in ((10, 0.5), (20, 0.7))]
    assert read(tmp_path, rows, score=metric, lower_is_better=given).records[0].best[1] == best


@pytest.mark.parametrize(
    ("epochs", "steps", "words"),
    [
        ([1, 2, 3], [1, 2, 3], "steps are epochs."),
        ([0, 1, 2], [1, 2, 3], "steps are epochs, counted from 1 instead of 0."),
        ([0.5, 1.0, 1.25], [500, 1000, 1250], "steps are thousandths of an epoch."),
    ],
)
def test_epochs_stand_for_steps(tmp_path, epochs, steps, words):
    rows = [{"recipe": "a", "seed": 1, "ep": e, "acc": 0.5} for e in epochs]
    runs = read(tmp_path, rows, epoch="ep")
    assert [step for step, _ in runs.records[0].scores] == steps
    assert words in runs.notes


def test_epochs_beside_steps_say_how_long_the_run_was(tmp_path):
    rows = [{"recipe": "a", "seed": 1, "step": 10 * e, "epoch": e, "acc": 0.5} for e in (1, 2, 3)]
    assert [facts.epochs for facts in read(tmp_path, rows).facts.values()] == [3]


def test_evaluations_before_training_are_left_out_and_counted(tmp_path):
    runs = read(tmp_path, [*LONG, {"recipe": "plain", "seed": 1, "step": 0, "acc": 0.5}])
    assert curves(runs) == curves(read(tmp_path, LONG))
    assert "evaluations at step 0, before training, are left out: 1." in runs.notes


def test_baseline_is_a_fact_of_the_task(tmp_path):
    assert {f.baselines["acc"] for f in read(tmp_path, LONG, baseline=0.53).facts.values()} == {0.53}
    assert {f.baselines["acc"] for f in read(tmp_path, LONG, baseline={"RTE": 0.53}).facts.values()} == {0.53}


# What does not fit a full curve ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("missing", [NAN, None])
def test_missing_scores_are_kept_as_failed(tmp_path, ending, missing):
    scores = {1: (0.5, 0.6), 2: (missing, 0.6), 3: (0.5, missing), 4: (missing, missing)}
    rows = [
        {"recipe": "a", "seed": s, "step": t, "acc": v}
        for s, c in scores.items()
        for t, v in zip((1, 2), c, strict=True)
    ]
    runs = read(tmp_path, rows, ending=ending)
    assert [(r.state, r.error) for r in runs.records] == [
        (TrialState.COMPLETE, None),
        (TrialState.COMPLETE, None),
        (TrialState.FAILED, "its last score is not a number"),
        (TrialState.FAILED, "no score"),
    ]
    assert [[math.isnan(v) for _, v in r.scores] for r in runs.records] == [
        [False, False],
        [True, False],
        [False, True],
        [True, True],
    ]
    assert "4 of 8 evaluations have no score and are kept as nan; leave out rows that are no evaluations." in runs.notes
    assert "1 of 4 runs are kept as failed: no score." in runs.notes


@pytest.mark.parametrize(("all_complete", "state"), [(False, TrialState.STOPPED), (True, TrialState.COMPLETE)])
def test_runs_that_end_early_are_stopped_unless_said_otherwise(tmp_path, all_complete, state):
    runs = read(tmp_path, [row for row in LONG if (row["seed"], row["step"]) != (2, 30)], all_complete=all_complete)
    assert [r.state for r in runs.records] == [TrialState.COMPLETE, state, TrialState.COMPLETE]
    assert any(note.startswith("RTE, plain: runs have 2 to 3 evaluations; the 1 ") for note in runs.notes)
    assert {facts.evaluation_steps for facts in runs.facts.values()} == {STEPS}


def test_runs_with_steps_of_their_own_are_not_taken_as_stopped(tmp_path):
    rows = [*LONG, *({"recipe": "plain", "seed": 3, "step": t, "acc": 0.5} for t in (10, 25))]
    runs = read(tmp_path, [row for row in rows if (row["seed"], row["step"]) != (2, 30)])
    assert {r.state for r in runs.records} == {TrialState.COMPLETE}
    assert "RTE, plain: runs have 2 to 3 evaluations, at steps of their own, so none is taken as stopped." in runs.notes
    assert [bool(facts.evaluation_steps) for facts in runs.facts.values()] == [False, True]


def test_starred_columns_that_are_empty_at_the_end_are_no_evaluations(tmp_path):
    rows = [{**STARRED[0], "acc_30": ""}, STARRED[1]]
    runs = read(tmp_path, rows, ending="csv", score="acc_*")
    assert [len(r.scores) for r in runs.records] == [2, 3]
    assert [r.state for r in runs.records] == [TrialState.STOPPED, TrialState.COMPLETE]


# A second table -------------------------------------------------------------------------------------------------------


def test_a_second_table_is_matched_by_the_mapped_columns(tmp_path):
    beside = [{"recipe": r, "seed": f"{s}.0", "test": s / 10} for r, s in CURVES]
    runs = read(tmp_path, LONG, beside=beside[::-1], test_score="test")
    assert [r.test_metrics["acc"] for r in runs.records] == [0.1, 0.2, 0.1]
    assert "more.jsonl: 3 rows, matched by recipe, seed." in runs.notes
    assert {r.environment.imported_from for r in runs.records} == {"runs.jsonl, more.jsonl"}


def test_rows_without_a_match_are_counted_and_have_no_value(tmp_path):
    runs = read(
        tmp_path,
        WIDE,
        beside=[{"recipe": "plain", "seed": s, "test": 0.5} for s in (1, 9)],
        test_score="test",
    )
    assert [r.test_metrics for r in runs.records] == [{"acc": 0.5}, None, None]
    assert (
        "more.jsonl: 2 rows, matched by recipe, seed; rows of runs.jsonl without one: 2; rows of more.jsonl that match none: 1."
        in runs.notes
    )


# Hugging Face ---------------------------------------------------------------------------------------------------------


def log(steps, *, best=None):
    """A log as the Trainer writes it: losses between evaluations, and the best one evaluated again at the end."""
    entries = []
    for step in steps:
        entries += [{"loss": 1 / step, "step": step - 1}, {"loss": 2 / step, "step": step}]
        entries.append({"eval_loss": 0.5, "eval_accuracy": step / 100, "epoch": step / 30, "step": step})
    entries.append({"train_loss": 9.0, "step": steps[-1]})
    return entries + ([{"eval_accuracy": best, "step": steps[-1]}] if best else [])


def trainer_state(folder, steps, **fields):
    folder.mkdir(parents=True, exist_ok=True)
    content = {"global_step": steps[-1], "log_history": log(steps, **fields)}
    (folder / "trainer_state.json").write_text(json.dumps(content), encoding="utf-8")


LOGGED = {"task": ":RTE", "recipe": "folder1", "score": "eval_accuracy", "validation_loss": "eval_loss"}


class TestTrainerStates:
    @pytest.fixture
    def folder(self, tmp_path):
        for recipe in ("plain", "reinit"):
            for seed in (2, 10):
                trainer_state(tmp_path / "out" / recipe / f"seed-{seed}" / "checkpoint-10", (10,))
                trainer_state(tmp_path / "out" / recipe / f"seed-{seed}" / "checkpoint-20", (10, 20))
        trainer_state(tmp_path / "out" / "plain" / "seed-2", (10, 20, 30), best=0.99)
        return tmp_path / "out"

    def test_the_latest_state_of_a_run_is_read(self, folder):
        runs = read_runs(folder, {**LOGGED, "init": "folder2"}, all_complete=True)
        assert {who: len(scores) for who, scores in curves(runs).items()} == {
            ("plain", 2): 3,
            ("plain", 10): 2,
            ("reinit", 2): 2,
            ("reinit", 10): 2,
        }

    def test_losses_belong_to_the_next_evaluation_and_a_repeated_evaluation_changes_nothing(self, folder):
        first = read_runs(folder, {**LOGGED, "init": "folder2"}).records[0]
        assert [m.loss for m in first.evaluations] == [0.2, 0.1, pytest.approx(2 / 30)]
        assert [m.metrics for m in first.evaluations] == [{"eval_accuracy": s / 100, "loss": 0.5} for s in STEPS]

    def test_named_groups_of_a_pattern_are_columns(self, folder):
        runs = read_runs(folder, LOGGED, pattern=r"seed-(?P<init>\d+)")
        assert [r.trial.seeds.init for r in runs.records] == [2, 10, 2, 10]

    def test_folders_are_runs_where_nothing_tells_seeds(self, folder):
        runs = read_runs(folder, LOGGED)
        assert [r.trial.seeds.init for r in runs.records] == [1, 2, 3, 4]

    def test_a_single_state_is_a_run(self, folder):
        fields = {**LOGGED, "recipe": ":plain"}
        runs = read_runs(folder / "plain" / "seed-2" / "trainer_state.json", fields)
        assert len(runs.records[0].evaluations) == 3

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"pattern": "seed-("}, "pattern must be a regular expression, not 'seed-('"),
            ({"pattern": r"seed-\d"}, "pattern must have named groups"),
            ({"pattern": "(?P<init>x)"}, "does not fit 'plain/seed-2'"),
        ],
    )
    def test_a_pattern_that_does_not_fit_is_refused(self, folder, change, words):
        with pytest.raises(RequestError) as refused:
            read_runs(folder, LOGGED, **change)
        assert words in str(refused.value)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("{", "must be JSON, but: Expecting property name"),
            ("[1]", "must have a list log_history"),
            ('{"log_history": [{"loss": 1}]}', "must log evaluations (eval_...), but has none"),
        ],
    )
    def test_a_state_that_says_nothing_is_refused(self, tmp_path, text, words):
        (tmp_path / "trainer_state.json").write_text(text, encoding="utf-8")
        with pytest.raises(DataError) as refused:
            read_runs(tmp_path, LOGGED)
        assert words in str(refused.value)

    def test_a_folder_without_states_is_refused(self, tmp_path):
        with pytest.raises(DataError, match=r"must hold at least one trainer_state.json, but there is none"):
            read_runs(tmp_path, LOGGED)


# Refusals -------------------------------------------------------------------------------------------------------------


def changed(place, **fields):
    return [{**row, **fields} if number == place else row for number, row in enumerate(LONG)]


@pytest.mark.parametrize(
    ("rows", "fields", "words"),
    [
        (LONG, {"inti": "seed"}, "--map has no field 'inti'; did you mean 'init'; it has task, recipe, init"),
        (LONG, {"init": "sed"}, "runs.jsonl has no column 'sed'; did you mean 'seed'; it has recipe, seed, step, acc."),
        (LONG, {"init__a": "seed"}, "--map must name a metric only with score and test_score, not 'init:a'"),
        (LONG, {"score__": "acc"}, "--map must name a metric only with score and test_score, not 'score:'"),
        (LONG, {"score__acc": "step"}, "two validation metrics of RTE must have two names, not both 'acc'; name them"),
        (LONG, {"task": ": "}, "--map task=:VALUE must have a value"),
        (LONG, {"score": "val_*"}, "'val_*' must fit columns of runs.jsonl with a number for one *, but fits none"),
        (changed(4, acc="high"), {}, "score must be a number, but row 5 of runs.jsonl has 'high' in acc"),
        (changed(4, acc=True), {}, "score must be a number, but row 5 of runs.jsonl has True in acc"),
        (changed(4, step="x"), {}, "step must be a whole number of at least 0, but row 5 of runs.jsonl has 'x'"),
        (changed(4, step=0.5), {}, "step must be a whole number of at least 0, but row 5 of runs.jsonl has 0.5"),
        (changed(4, step=-1), {}, "step must be a whole number of at least 0, but row 5 of runs.jsonl has -1"),
        (changed(4, step=None), {}, "step must be a whole number of at least 0, but row 5 of runs.jsonl has None"),
        (
            changed(4, step=10),
            {},
            "row 4 of runs.jsonl and row 5 of runs.jsonl are both step 10 of one run (RTE, plain, ",
        ),
        (changed(4, seed=""), {}, "init must be known of every run, but row 5 of runs.jsonl has none in seed"),
        (changed(4, recipe=None), {}, "recipe must be known of every run, but row 5 of runs.jsonl has none in recipe"),
        (
            [*WIDE, WIDE[1]],
            {},
            "row 2 of runs.jsonl and row 4 of runs.jsonl are both RTE, plain, init 2, order 2, dropout 2; map the column",
        ),
        (
            [{**LISTED[0], "acc": []}],
            {},
            "score must hold at least one evaluation, but row 1 of runs.jsonl has an empty list",
        ),
        (
            [{**LISTED[0], "steps": [1, 2]}],
            {"step": "steps"},
            "step must be a list as long as the curve, 3, but row 1 of runs.jsonl has [1, 2]",
        ),
        (
            [{"recipe": "a", "seed": 1, "acc": [[2, 0.5], [1, 0.5]]}],
            {},
            "score must have ascending steps, but row 1 of runs.jsonl has 1 after 2",
        ),
        (
            [{"recipe": "a", "seed": 1, "step": 0, "acc": 0.5}],
            {},
            "a run must have an evaluation after step 0, but that of row 1 of runs.jsonl has none",
        ),
        (LONG, {"baseline": {"MRPC": 0.5}}, "baseline must be of one of the tasks RTE, not of 'MRPC'"),
        (changed(4, recipe="x"), {"task": "recipe", "baseline": 0.5}, "baseline must say of which task, not 0.5 for"),
        (LONG, {"pattern": "a"}, "pattern is for the paths in a folder, not for the file"),
        (LONG, {"beside": [{"other": 1}]}, "more.jsonl must share a mapped column of task, recipe or seeds with runs"),
        (
            LONG,
            {"beside": [{"seed": 1}] * 2},
            "more.jsonl must have one row for each run, but rows 1 and 2 are both seed",
        ),
        (LONG, {"beside": [{"seed": 77}]}, "no row of more.jsonl fits one of runs.jsonl by seed"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(tmp_path, rows, fields, words):
    with pytest.raises(RequestError) as refused:
        read(tmp_path, rows, **fields)
    assert words in str(refused.value)
    assert str(refused.value).endswith(".")


def test_a_missing_mapping_is_refused_with_a_command_to_try(tmp_path):
    rows = [{"method": "a", "seed": 1, "val_acc": 0.5, "step": 3}]
    with pytest.raises(RequestError) as refused:
        read_runs(write(tmp_path / "runs.csv", rows), {})
    assert str(refused.value) == (
        "each of task, recipe and score needs a column, but none of runs.csv is mapped to task or recipe or score; its columns are method, seed, "
        f"val_acc, step: try `seedwise import {tmp_path / 'runs.csv'} DIR --map recipe=method --map init=seed "
        "--map score=val_acc --map task=:NAME`."
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("runs.csv", b"", "must have rows, but it is empty"),
        ("runs.csv", b"a,b\n", "must have rows, but it is empty"),
        ("runs.csv", b"a,a\n1,2\n", "must have different names, but 'a' is there twice"),
        ("runs.csv", b"a,b\n1,2,3\n", "row 1 of runs.csv must have 2 fields as the header has, not 3"),
        ("runs.csv", b"a,b\n" + 200_000 * b"x", "cannot be read: field larger than field limit"),
        ("runs.csv", b"a, a\n1,2\n", "must have different names, but 'a' is there twice"),
        ("runs.csv", b"a,b\n\xff,2\n", "must be UTF-8 text, but "),
        ("runs.jsonl", b'{"a": 1}\n{"a": \n', "line 2 of "),
        ("runs.jsonl", b"1\n", "must hold JSON objects"),
        ("runs.json", b"[1, 2]", "must hold JSON objects"),
        ("runs.json", b"[", "must be JSON, but: "),
        ("runs.parquet", b"no parquet", "must be Parquet, but: "),
        ("runs.csv.gz", b"no gzip", "cannot be read ("),
        ("runs.xlsx", b"x", "must end in one of .csv, .tsv, "),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_sentence(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as refused:
        read_runs(tmp_path / name, WHO)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(refused.value).endswith(".")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"none.csv does not exist; check the path"):
        read_runs(tmp_path / "none.csv", WHO)


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (["init"], "--map must read FIELD=COLUMN, not 'init'"),
        (["=seed"], "--map must read FIELD=COLUMN, not '=seed'"),
        (["init="], "--map must read FIELD=COLUMN, not 'init='"),
        (["init=a", "init=b"], "--map must name init once, not as 'a' and 'b'; drop one of them"),
        (["score=a", "score=b"], "give each a name, as in score:f1=COLUMN"),
    ],
)
def test_a_mapping_of_another_form_is_refused(texts, words):
    with pytest.raises(RequestError) as refused:
        parse(texts)
    assert words in str(refused.value)


# The store ------------------------------------------------------------------------------------------------------------


def same(one, other):
    """Equal but for nan, which is unlike itself."""
    return repr(one) == repr(other)


def test_records_come_back_from_the_store_as_they_were_read(tmp_path):
    runs = read(tmp_path, changed(5, acc=NAN), train_loss="acc", test_score="acc")
    with Study.import_runs(tmp_path / "study", runs) as study:
        assert same(study.trials, runs.records)
        assert [study.losses(r.id).tolist() for r in study.trials] == [[], [], []]
    with Study.open(tmp_path / "study") as study:
        assert same(study.trials, runs.records)
        assert study.is_imported
        assert (
            study.facts(runs.records[0].trial)
            == runs.facts[runs.records[0].trial.task.id, runs.records[0].trial.recipe.id]
        )


def test_more_runs_are_added_at_the_end_and_facts_are_put_together(tmp_path):
    first = read(tmp_path, LONG[:3], baseline=0.5)
    second = read(tmp_path, LONG[3:])
    Study.import_runs(tmp_path / "study", first).close()
    with Study.import_runs(tmp_path / "study", second) as study:
        assert [r.position for r in study.trials] == [0, 1, 2]
        facts = study.facts(study.trials[0].trial)
    assert (facts.steps, facts.evaluation_steps, facts.baselines) == (30, (10, 20, 30), {"acc": 0.5})
    assert facts.imported.files == ("runs.jsonl", "runs.jsonl")


def test_runs_that_are_there_already_are_refused_and_nothing_is_written(tmp_path):
    Study.import_runs(tmp_path / "study", read(tmp_path, LONG[:3])).close()
    with pytest.raises(RequestError, match=r"but 1 of 3 are there, first that of RTE, plain, init 1, order 1; import"):
        Study.import_runs(tmp_path / "study", read(tmp_path, LONG))
    with Study.open(tmp_path / "study") as study:
        assert len(study.trials) == 1


def test_a_study_of_trainings_takes_no_imported_runs(tmp_path):
    with Store.create_or_open(tmp_path / "study" / "study.db", write=True) as store:
        store.add_trials(trials(2))
    with pytest.raises(RequestError, match=r"the study holds trainings of its own, not imported runs"):
        Study.import_runs(tmp_path / "study", read(tmp_path, LONG))
    with Study.open(tmp_path / "study") as study:
        assert not study.is_imported


def test_imported_runs_are_not_run(tmp_path):
    Study.import_runs(tmp_path / "study", read(tmp_path, LONG)).close()
    own = trials(2)
    with pytest.raises(RequestError, match=r"holds imported runs, which cannot be run here; choose another directory"):
        Study.resume(tmp_path / "study")
    with pytest.raises(RequestError, match=r"holds imported runs, which cannot be run here"):
        Study.create(tmp_path / "study", tasks=[own[0].task], recipes=[own[0].recipe], seeds=[Seeds(1, 1)], extend=True)
    with Study.import_runs(tmp_path / "study", read(tmp_path, [{**LONG[0], "seed": 9}])) as study:
        with pytest.raises(RequestError, match=r"holds imported runs, which cannot be run here"):
            study.run(None)
        assert len(study.trials) == 4


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_is_exported_and_imported_again_has_the_same_scores(tmp_path, form):
    runs = read(tmp_path, changed(5, acc=NAN), train_loss="acc", test_score="acc")
    with Study.import_runs(tmp_path / "study", runs) as study:
        study.export(tmp_path / "out", form)
    table = tmp_path / "out" / f"evaluations.{form}"
    again = read_runs(
        table,
        {"score": "acc", "test_score": "test_acc"},
        beside=tmp_path / "out" / f"trials.{form}",
        lower_is_better=False,
    )
    assert [same(a.scores, b.scores) for a, b in zip(again.records, runs.records, strict=True)] == [True] * 3
    assert [a.trial.seeds for a in again.records] == [b.trial.seeds for b in runs.records]
    assert [a.test_metrics for a in again.records] == [b.test_metrics for b in runs.records]
    assert [m.loss for m in again.records[0].evaluations] == [0.5, 0.6, 0.55]


# Real runs ------------------------------------------------------------------------------------------------------------


def test_zhang_2021_comes_in_with_the_published_best_and_last_scores(shared):
    folder = shared / "data" / "runs" / "bert_large_seeds"
    runs = read_runs(
        folder / "curves.csv",
        {
            "recipe": "method",
            "init": "seed",
            "score": "val_mcc,val_acc",
            "validation_loss": "val_loss",
            "test_score": "test_best",
        },
        beside=folder / "runs.csv",
    )
    assert {(len(r.evaluations), r.state) for r in runs.records} == {(11, TrialState.COMPLETE)}
    published = {(r["method"], r["task"], r["seed"]): r for r in pl.read_csv(folder / "runs.csv").to_dicts()}
    assert len(runs.records) == len(published) == 450
    for record in runs.records:
        row = published[record.trial.recipe.name, record.trial.task.name, record.trial.seeds.init]
        assert record.trial.task.metric == f"val_{row['primary_metric']}"
        assert record.best[1] == row["best_val"]
        assert record.scores[-1] == (row["total_steps"], row["final_val"])
        assert record.evaluations[-1].metrics["loss"] == row["final_val_loss"]
        assert record.test_metrics == {record.trial.task.metric: row["test_best"]}


def test_a_search_of_deberta_on_mnli_comes_in_with_both_curves(shared):
    file = shared / "data" / "runs" / "deberta_mnli_search" / "deberta-base_tuning.results.jsonl"
    runs = read_runs(
        file,
        {
            "task": ":MNLI",
            "recipe": ":deberta-base",
            "init": "iteration",
            "score:matched": "learning_curves.matched",
            "score:mismatched": "learning_curves.mismatched",
        },
    )
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(runs.records) == len(rows) == 1024
    for record, row in zip(runs.records, rows, strict=True):
        assert record.trial.seeds.init == row["iteration"]
        assert record.state is TrialState.COMPLETE
        for metric, curve in row["learning_curves"].items():
            found = [(m.step, m.metrics[metric]) for m in record.evaluations]
            np.testing.assert_array_equal(found, curve)


@pytest.mark.parametrize("missing", ["nan", "None", "N/A"])
def test_a_seed_that_is_not_known_is_not_one_seed(tmp_path, missing):
    lines = ["recipe,init,score", *(f"plain,{seed},0.{7 + i}" for i, seed in enumerate(["1", missing, missing]))]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(DataError, match="init must be known of every run, but 2 of 3 have none"):
        read_runs(path, {"task": ":toy"})
