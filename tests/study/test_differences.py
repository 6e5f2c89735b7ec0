"""Is it told wherever somebody looks that a trial did not repeat exactly?"""

from dataclasses import replace

import pytest

from replay import ReplayExecutor
from seedwise import Analysis, Recipe, Report, Seeds, Study, Task
from seedwise.cli import app
from seedwise.values.facts import Environment


@pytest.fixture
def folder(tmp_path):
    recipe = Recipe(model="m", batch_size=8, num_train_epochs=1, evaluations="every 1 steps")
    with Study.create(tmp_path, tasks=[Task.glue("rte")], recipes=[recipe], seeds=Seeds.paired(2)) as study:
        study.run(ReplayExecutor([[0.5, 0.6], [0.7, 0.8]]))
    return tmp_path


@pytest.fixture
def differing(folder):
    """A study whose first trial drew and gave something else when it was started again."""
    with Study.resume(folder) as study:
        record = study.trials[0]
        study.store.start(record.id, {}, Environment())
        study.store.start(record.id, {"init": "other"}, Environment())
        study.store.append(record.id, [replace(record.evaluations[0], loss=0.25)], 1.0)
        study.store.set_state(record.id, record.state)
    return folder, record.id[:8]


def said(capsys, *words):
    app([str(word) for word in words], exit_on_error=False, print_error=False, result_action="return_value")
    return capsys.readouterr().out


def test_a_study_that_repeats_exactly_says_nothing_of_it(folder, capsys):
    with Study.open(folder) as study:
        assert study.differences == ()
        assert "did not repeat" not in Report(Analysis(study), title="t").to_html()
    assert "did not repeat" not in said(capsys, "status", folder)


def test_the_study_knows_each_difference(differing):
    with Study.open(differing[0]) as study:
        assert [event.kind for event in study.differences[-2:]] == ["fingerprint differs", "replay differs"]
        assert study.differences[-1].detail == "step 1: the loss was 1.0 and is 0.25 in a replay"


def test_status_says_so_in_one_line(differing, capsys):
    folder, trial = differing
    lines = said(capsys, "status", folder).splitlines()
    assert sum("did not repeat exactly" in line and trial in line for line in lines) == 1


def test_the_report_has_a_note(differing):
    folder, trial = differing
    with Study.open(folder) as study:
        page = Report(Analysis(study), title="t").to_html()
    assert f"Note: 1 trial did not repeat exactly: in {trial}, fingerprint differs" in page


def test_export_lists_them(differing, capsys, tmp_path):
    said(capsys, "export", differing[0], "-o", tmp_path / "tables")
    table = (tmp_path / "tables" / "events.csv").read_text("utf-8")
    assert "replay differs,step 1: the loss was 1.0 and is 0.25 in a replay" in table
