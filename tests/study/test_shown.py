"""Is a study short and safe to look at, in a terminal and in a notebook?"""

import io
import sys

import pytest

from replay import ReplayExecutor
from seedwise import Recipe, Seeds, Study, Task

EVIL = "<script>alert(1)</script>"


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def study(tmp_path):
    recipe = Recipe(model=f"m{EVIL}", batch_size=8, num_train_epochs=1, evaluations="every 1 steps")
    with Study.create(tmp_path / "s", tasks=[Task.glue("rte")], recipes=[recipe], seeds=Seeds.paired(2)) as study:
        yield study


def test_study_in_one_line(study, tmp_path):
    study.run(ReplayExecutor([[0.5, 0.6], [0.7, 0.8]]))
    assert (
        repr(study)
        == f"<Study {tmp_path / 's'}: rte, {study.trials[0].trial.recipe.model_name}, 2 complete, accuracy 0.800>"
    )


def test_study_that_has_not_begun_has_no_score(study):
    assert repr(study).endswith(", 2 waiting>")


def test_recipes_of_one_model_are_told_apart(tmp_path):
    slow = Recipe(model="m", batch_size=8, num_train_epochs=1, evaluations="every 1 steps", learning_rate=1e-5)
    recipes = [slow, slow.with_changes(learning_rate=1e-4)]
    with Study.create(tmp_path / "s", tasks=[Task.glue("rte")], recipes=recipes, seeds=Seeds.paired(1)) as study:
        assert "m, learning_rate=1e-05" in repr(study)
        assert "m, learning_rate=0.0001" in study._repr_html_()


def test_closed_study_can_still_be_printed(study, tmp_path):
    study.close()
    assert repr(study) == f"<Study {tmp_path / 's'}: closed>"
    assert "closed" in study._repr_html_()


def test_html_is_escaped(study):
    for shown in (study._repr_html_(), study.trials[0]._repr_html_()):
        assert "<script" not in shown
        assert "script" in shown


def test_record_in_one_line(study):
    study.run(ReplayExecutor([[0.5, 0.6], [0.7, 0.8]]))
    record = study.trials[1]
    assert repr(record).startswith(f"<TrialRecord {record.id[:8]}: rte, ")
    assert repr(record).endswith("init 2, order 2, dropout 2: complete, accuracy 0.800 at step 2>")


@pytest.mark.parametrize(
    ("screen", "how", "shown"),
    [
        (Terminal, {}, True),
        (io.StringIO, {}, False),
        (Terminal, {"progress": False}, False),
        (Terminal, {"on_progress": lambda _: None}, False),
    ],
    ids=["a terminal", "a file", "not asked for", "another display"],
)
def test_a_bar_is_shown_where_a_person_looks(study, monkeypatch, screen, how, shown):
    screen = screen()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("TTY_COMPATIBLE", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    study.run(ReplayExecutor([[0.5, 0.6], [0.7, 0.8]]), **how)
    assert ("evaluations" in screen.getvalue()) is shown
