"""A study beside a published table says in what it is other than the published one, and nothing where it is not."""

from dataclasses import replace

import pytest

from seedwise.designs import load, names
from seedwise.papers.numbers import PUBLISHED
from seedwise.tables.departures import departures
from seedwise.values.splits import Splits
from seedwise.values.task import Task

L_0 = "The paper chooses among L = 1 to 6"
BESIDE = [name for name in names() if load(name).published in PUBLISHED]


def told(study="zhang2021-bias-correction-mnli", **options):
    design = load(study, **options)
    return departures(PUBLISHED[design.published], design)


@pytest.mark.parametrize("study", BESIDE)
def test_ready_made_studies_at_full_scale_depart_in_nothing_but_l_0(study):
    assert [note for note in told(study) if not note.startswith(L_0)] == []


@pytest.mark.parametrize("study", BESIDE)
def test_at_small_scale_models_and_stand_ins_are_told(study):
    notes = told(study, scale="small")
    assert any(note.endswith("here embedded.") for note in notes)
    assert any(note.startswith("Other tasks stand for") for note in notes)
    assert any(note.startswith("At small scale") for note in notes)


@pytest.mark.parametrize("scale", ["full", "small"])
def test_another_model_is_told_at_either_scale(scale):
    notes = told(model="google-bert/bert-base-uncased", scale=scale)
    assert "Published scores are of bert-large-uncased; here bert-base-uncased." in notes


def test_the_published_model_in_a_folder_is_the_published_model():
    assert told(model="/somewhere/bert-large-uncased") == []


def test_other_settings_are_told_once_and_what_an_arm_is_about_is_not():
    changed = {"learning_rate": 5e-5, "batch_size": 16, "track": ["distance"]}
    (note,) = told(changes=changed)
    assert "other than published: learning_rate = 5e-05 (published: 2e-05), batch_size = 16 (published: 32)." in note


def test_settings_of_table_7_are_held_against_each_model_s_own():
    (note,) = [note for note in told("zhang2021-models", changes={"warmup_ratio": 0.5}) if not note.startswith(L_0)]
    assert "warmup_ratio = 0.5 (published: 0.25 or " in note
    assert "num_train_steps" not in note


def test_other_rows_and_another_metric_are_told():
    task = Task.glue("mnli", splits=Splits(train_size=500), metric="loss")
    design = replace(load("zhang2021-bias-correction-mnli", task=task), stands_for={"mnli": "MNLI"})
    (note,) = departures(PUBLISHED["zhang2021-table-5"], design)
    assert note.startswith(
        "The rows or the metric of mnli are other than published: metric = loss (published: accuracy)"
    )
    assert note.endswith("train_size = 500 (published: none), validation_size = none (published: 1000).")


def test_another_draw_of_the_rows_is_no_departure():
    task = Task.glue("mnli", protocol="zhang2021")
    assert told(task=replace(task, splits=replace(task.splits, seed=7))) == []


def test_tasks_and_arms_that_the_table_does_not_have_are_not_held_against_it():
    rows = Task.files(__file__, text="a", label="b", name="RTE")
    assert told("zhang2021-methods", task=rows, model="a/b") == []


def test_l_0_among_the_candidates_is_told():
    assert sum(note.startswith(L_0) for note in told("zhang2021-reinit")) == 1
    assert not any(note.startswith(L_0) for note in told("zhang2021-precision"))


def test_the_precision_of_table_4_is_told():
    assert any("bfloat16" in note for note in PUBLISHED["zhang2021-table-4"].notes)
