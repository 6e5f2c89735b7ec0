"""Does the command in the report make the same study again?"""

import shlex
from importlib import import_module

import numpy as np
import pytest

from design_studies import design_study, methods_design
from seedwise import Recipe, Seeds, Splits, StoppingRule, Study, Task, read_runs
from seedwise.analysis.analysis import Analysis
from seedwise.cli import app
from seedwise.report.provenance import commands, seeds_words, settings
from table_studies import TableStudy, grid_seeds, table_study

RECIPES = {
    "plain": Recipe(model="embedded"),
    "changed": Recipe.preset(
        "dodge2020", model="embedded", learning_rate=3e-4, num_train_steps=20, evaluations="every 5 steps"
    ),
    "dropout": Recipe(model="embedded", dropout=0.3, dtype="bfloat16"),
}
PLANS = {
    "seeds": (Seeds.paired(3), None),
    "grid": (Seeds.grid(2, 3), None),
    "rule": (Seeds.paired(4), StoppingRule(t=4, f=0.5, p=2)),
}
TASKS = {
    "embedded": lambda _: Task.embedded("entailment", splits=Splits(train_size=96, seed=3)),
    "file": lambda rows: Task.files(
        rows,
        text="a text",
        label="label",
        metric="f1",
        splits=Splits(validation_size=0.25, test_size=10),
        drop_empty=True,
    ),
}


MAPPING = {"task": ":toy", "recipe": ":plain", "init": "seed", "score": "acc"}


@pytest.fixture
def rows(tmp_path):
    place = tmp_path / "my rows.csv"
    place.write_text("a text,label\n" + "".join(f"row {i},{i % 2}\n" for i in range(80)), "utf-8")
    return place


def asked_again(line, folder, monkeypatch):
    """The study that the command line describes, without running it."""
    monkeypatch.setattr(Study, "run", lambda *_: None)
    monkeypatch.setattr(import_module("seedwise.cli.run"), "run_to_the_end", lambda *_: None)
    words = shlex.split(line)
    assert words[:3] == ["seedwise", "run", "STUDY"]
    app(["run", str(folder), *words[3:]], exit_on_error=False, print_error=False, result_action="return_value")
    with Study.open(folder) as study:
        return study.rule, [record.id for record in study.trials]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("plan", PLANS)
def test_the_command_asks_for_the_same_trials(plan, recipe, task, rows, tmp_path, monkeypatch):
    seeds, rule = PLANS[plan]
    with Study.create(
        tmp_path / "one", tasks=[TASKS[task](rows)], recipes=[RECIPES[recipe]], seeds=seeds, rule=rule
    ) as study:
        (line,) = commands(Analysis(study), "STUDY")
        first = study.rule, [record.id for record in study.trials]
    assert asked_again(line, tmp_path / "two", monkeypatch) == first


def test_a_study_that_grew_is_made_in_as_many_commands(tmp_path, monkeypatch):
    records = ()
    for name, size in (("entailment", 3), ("similarity", 2)):
        with Study.create(
            tmp_path / name, tasks=[Task.embedded(name)], recipes=[RECIPES["plain"]], seeds=Seeds.grid(size, size)
        ) as study:
            records += study.trials
    first, second = commands(Analysis(TableStudy(records, {}, {})), "STUDY")
    assert second.endswith(" --extend")
    asked = [asked_again(line, tmp_path / f"again {i}", monkeypatch)[1] for i, line in enumerate((first, second))]
    assert asked[0] + asked[1] == [record.id for record in records]


def test_runs_of_others_without_a_file_have_no_command():
    assert commands(Analysis(table_study([[0.5], [0.6]])), "STUDY") == []


def test_runs_of_others_tell_how_they_were_imported(tmp_path):
    rows = tmp_path / "their runs.csv"
    rows.write_text("seed,acc\n1,0.5\n2,0.6\n", "utf-8")
    runs = read_runs(rows, MAPPING, baseline={"toy": 0.5}, lower_is_better=True, all_complete=True)
    with Study.import_runs(tmp_path / "study", runs) as study:
        (line,) = commands(Analysis(study), "STUDY")
    mapping = " ".join(f"--map {field}={column}" for field, column in MAPPING.items())
    assert (
        line == f"seedwise import 'their runs.csv' STUDY {mapping} --baseline toy=0.5 --lower-is-better --all-complete"
    )


def test_seeds_that_the_command_line_cannot_say_have_no_command(tmp_path):
    with Study.create(
        tmp_path, tasks=[Task.embedded("entailment")], recipes=[RECIPES["plain"]], seeds=[Seeds(7, 3), Seeds(9, 4)]
    ) as study:
        assert commands(Analysis(study), "STUDY") == []


def test_seeds_are_told_in_ranges():
    analysis = Analysis(table_study(np.full((6, 1), 0.5), **grid_seeds(2, 3)))
    assert seeds_words(analysis) == "init 1–2, order 1–3, dropout follows the order seed: 6 combinations."


def test_settings_stand_side_by_side():
    rows = settings([RECIPES["plain"], RECIPES["changed"]])
    assert ("learning_rate", "2e-05", "0.0003") in rows
    assert ("num_train_steps", "–", "20") in rows


def test_a_study_with_a_design_is_made_again_by_its_name():
    study = design_study(methods_design(tasks=("entailment",)), lambda *_: 0.7)
    assert commands(Analysis(study), "DIR") == ["seedwise run DIR --design made-up --scale small"]
