import json
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def version_differences(monkeypatch):
    monkeypatch.syspath_prepend(SCRIPTS)
    import version_differences

    return version_differences


def answers(folder, *, loss="0.1", seconds="1.5", train="/a/train.csv", new_table=False):
    tables = {
        "trials": f"id,seconds\nab,{seconds}\n",
        "losses": f"trial,step,loss\nab,1,{loss}\n",
        "tasks": f"id,train\ncd,{train}\n",
    } | ({"chosen": "arm\none\n"} if new_table else {})
    (folder / "tables").mkdir(parents=True)
    for name, text in tables.items():
        (folder / "tables" / f"{name}.csv").write_text(text)
    (folder / "answers.json").write_text(json.dumps({"analyze": {"code": 0, "json": {"cells": [{"best": 0.5}]}}}))
    return folder


def test_equal_answers_have_no_differences(version_differences, tmp_path):
    found = version_differences.differences(answers(tmp_path / "a"), answers(tmp_path / "b"), trained=False)
    assert found.found == ()
    assert found.compared > 8


def test_a_loss_that_differs_in_its_last_digit_is_named(version_differences, tmp_path):
    here = answers(tmp_path / "b", loss="0.10000001")
    found = version_differences.differences(answers(tmp_path / "a"), here, trained=True)
    assert found.found == ("losses.0.loss is 0.10000001 and was 0.1",)


def test_seconds_count_where_nothing_was_trained_alone(version_differences, tmp_path):
    known, here = answers(tmp_path / "a"), answers(tmp_path / "b", seconds="2.5")
    assert version_differences.differences(known, here, trained=True).found == ()
    assert version_differences.differences(known, here, trained=False).found == ("trials.0.seconds is 2.5 and was 1.5",)


def test_of_a_place_the_last_part_is_compared(version_differences, tmp_path):
    known = answers(tmp_path / "a")
    moved, other = answers(tmp_path / "b", train="/b/train.csv"), answers(tmp_path / "c", train="/a/dev.csv")
    assert version_differences.differences(known, moved, trained=False).found == ()
    assert version_differences.differences(known, other, trained=False).found == (
        "tasks.0.train is dev.csv and was train.csv",
    )


def test_the_event_that_brought_a_file_up_to_date_is_left_out(version_differences, tmp_path):
    known, here = answers(tmp_path / "a"), answers(tmp_path / "b")
    (known / "tables" / "events.csv").write_text("time,kind\n1,added\n2,state\n")
    (here / "tables" / "events.csv").write_text("time,kind\n1,added\n3,schema\n2,state\n")
    assert version_differences.differences(known, here, trained=False).found == ()


def test_a_new_table_is_named_and_a_missing_one_is_a_difference(version_differences, tmp_path):
    less, more = answers(tmp_path / "a"), answers(tmp_path / "b", new_table=True)
    found = version_differences.differences(less, more, trained=False)
    assert (found.found, found.new_tables) == ((), ("chosen",))
    missing = version_differences.differences(more, less, trained=False).found
    assert "chosen.columns is missing and was arm" in missing
