"""Do the commands do what they say, from rows to a model that labels new ones?"""

import csv
import io
import json
import re
import shutil

import polars as pl
import pytest
from transformers import pipeline

from seedwise import Study, TrialState
from toys import toy_rows

SCRIPT = "<script>alert(1)</script>"


def write(path, rows, header, delimiter=","):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, delimiter=delimiter, lineterminator="\n").writerows([header, *rows])
    return path


def texts(path):
    with path.open(encoding="utf-8") as stream:
        return [row["text"] for row in csv.DictReader(stream)]


def contents(folder):
    with Study.open(folder) as study:
        return [(r.id, r.state, r.evaluations, r.attempts) for r in study.trials]


class TestRun:
    def test_starts_stops_and_keeps(self, finished):
        with Study.open(finished) as study:
            states = sorted(record.state for record in study.trials)
        assert states == [TrialState.COMPLETE] * 2 + [TrialState.STOPPED] * 2
        assert (finished / "report.html").exists()
        assert not list((finished / "checkpoints").iterdir())

    def test_the_same_command_has_nothing_left_to_do(self, seedwise, finished, request_of):
        before = contents(finished)
        model = (finished / "best" / "model.safetensors").stat()
        said = seedwise("run", finished, *request_of, "--start", 4, "--fraction", 0.3, "--keep", 2)
        assert said.code == 0
        assert said.err == ""
        assert re.search(r"train +accuracy +4 +2 +2 +0\.\d{3} ", said.out)
        assert f"best model  {finished / 'best'}\n" in said.out
        assert contents(finished) == before
        assert (finished / "best" / "model.safetensors").stat().st_mtime_ns == model.st_mtime_ns

    def test_a_winner_that_is_gone_is_not_trained_anew_in_silence(self, seedwise, finished, tmp_path):
        folder = shutil.copytree(finished, tmp_path / "study")
        shutil.rmtree(folder / "best")
        said = seedwise("run", folder)
        assert said.code == 1  # everything is trained, and the winner's weights went with its folder
        assert "is gone and so are the winner's weights; train it again in another directory, in Python " in said.err

    def test_extending_adds_seeds(self, seedwise, finished, tmp_path, request_of):
        folder = shutil.copytree(finished, tmp_path / "study")
        rule = ["--start", 5, "--fraction", 0.3, "--keep", 2]
        assert seedwise("run", folder, *request_of, *rule, "--extend").code == 0
        before = {key: evaluations for key, _, evaluations, _ in contents(finished)}
        after = {key: evaluations for key, _, evaluations, _ in contents(folder)}
        assert len(after) == 5
        assert all(after[key][: len(known)] == known for key, known in before.items())


class TestTables:
    def test_status(self, seedwise, finished):
        said = seedwise("status", finished)
        assert said.code == 0
        assert re.search(r"waiting +running +paused +stopped +complete +time +best so far", said.out)
        assert re.search(r"train +0 +0 +0 +2 +2 +\d:\d\d +accuracy 0\.\d{3}", said.out)

    def test_status_tells_a_killed_study_from_a_running_one(self, seedwise, finished, tmp_path):
        folder = shutil.copytree(finished, tmp_path / "study")
        with Study.resume(folder) as study:
            study.store.set_state(study.trials[0].id, TrialState.RUNNING)
            assert "is gone" not in seedwise("status", folder).out
        assert (
            f"The process that ran this study is gone: seedwise run {folder} continues it."
            in seedwise("status", folder).out
        )

    def test_trials_as_a_table(self, seedwise, finished):
        lines = seedwise("trials", finished).out.strip().splitlines()
        assert len(lines) == 2 + 4
        assert sum("complete" in line for line in lines) == 2

    def test_trials_as_json_and_csv_agree(self, seedwise, finished):
        as_json = json.loads(seedwise("trials", finished, "--format", "json").out)
        as_csv = list(csv.DictReader(io.StringIO(seedwise("trials", finished, "--format", "csv").out)))
        with Study.open(finished) as study:
            expected = [(r.id, r.trial.seeds.init, r.best[1]) for r in study.trials]
        assert [(row["id"], row["init"], row["best_score"]) for row in as_json] == expected
        assert [(row["id"], int(row["init"]), float(row["best_score"])) for row in as_csv] == expected

    @pytest.mark.parametrize(("form", "read"), [("csv", pl.read_csv), ("parquet", pl.read_parquet)])
    def test_export(self, seedwise, finished, tmp_path, form, read):
        said = seedwise("export", finished, "-o", tmp_path / "tables", "--format", form)
        assert said.code == 0
        written = {path.stem: read(path) for path in (tmp_path / "tables").iterdir()}
        assert sorted(said.out.split()) == sorted(str(path) for path in (tmp_path / "tables").iterdir())
        assert set(written) == {"trials", "evaluations", "losses", "predictions", "recipes", "tasks", "events"}
        assert len(written["trials"]) == 4
        assert len(written["losses"]) == sum(int(step) for step in written["trials"]["last_step"])

    def test_the_report_names_the_rows_and_what_is_unusual_about_them(self, two_tasks):
        page = (two_tasks / "study" / "report.html").read_text(encoding="utf-8")
        assert str(two_tasks / "SST-2" / "train.tsv") in page
        assert "Note: 2 of 22 validation rows are also among the training rows." in page

    def test_report_into_another_file(self, seedwise, finished, tmp_path):
        said = seedwise("report", finished, "-o", tmp_path / "page.html")
        assert said.out.strip() == str(tmp_path / "page.html")
        assert "<svg" in (tmp_path / "page.html").read_text(encoding="utf-8")

    @pytest.mark.parametrize("folder", [".", "../study"])
    def test_report_is_titled_by_the_folders_name(self, seedwise, finished, tmp_path, monkeypatch, folder):
        monkeypatch.chdir(finished)
        assert seedwise("report", folder, "-o", tmp_path / "page.html").code == 0
        assert "<title>study</title>" in (tmp_path / "page.html").read_text(encoding="utf-8")


class TestPredict:
    def test_labels_equal_those_of_the_pipeline(self, seedwise, finished, rows):
        said = seedwise("predict", finished, rows / "test.csv")
        assert (said.code, said.err) == (0, "")
        found = list(csv.DictReader(io.StringIO(said.out)))
        expected = pipeline("text-classification", str(finished / "best"))(texts(rows / "test.csv"))
        assert [row["label"] for row in found] == [label["label"] for label in expected]
        assert [float(row[f"p({row['label']})"]) for row in found] == pytest.approx(
            [label["score"] for label in expected], abs=2e-6
        )

    def test_labels_score_as_the_study_says(self, seedwise, finished, rows, tmp_path):
        said = seedwise("predict", finished, rows / "test.csv", "-o", tmp_path / "labels.csv")
        assert said.out.strip() == str(tmp_path / "labels.csv")
        found = pl.read_csv(tmp_path / "labels.csv")
        gold = pl.read_csv(rows / "test.csv")["label"]
        with Study.open(finished) as study:
            assert (found["label"] == gold).mean() == pytest.approx(study.best_trial().test_metrics["accuracy"])
        assert found["row"].to_list() == list(range(40))


STUDY_FILE = """
[task]
train = "rows/{name}.csv"
text = "text"
label = "value"
test_size = 0.2
drop_empty = true
metric = "spearman"

[recipe]
preset = "zhang2021"
model = "model"
learning_rate = 1e-3
batch_size = 8
evaluations = "4 per run"

[trials]
start = 3
fraction = 0.25
keep = 3

[workers]
workers = 1
"""


@pytest.fixture(scope="module")
def from_file(tmp_path_factory, seedwise, model):
    """A study file beside its rows and model, whose names are not harmless, and its study; some rows are empty."""
    folder = tmp_path_factory.mktemp("from_file")
    name = "<script>alert(1)"
    rows = [(text, value) for text, _, value in toy_rows(60)]
    write(folder / "rows" / f"{name}.csv", [*rows, ("", 0.5), (" ", 0.25)], header=("text", "value"))
    shutil.copytree(model, folder / "model")
    (folder / "study.toml").write_text(STUDY_FILE.format(name=name), encoding="utf-8")
    flags = ["--keep", 1, "--set", "batch_size=12"]
    said = seedwise("run", folder / "study", "--config", folder / "study.toml", *flags)
    assert (said.code, said.err) == (0, f"{name}: 2 rows without a text or a label were left out.\n")
    return folder


class TestStudyFile:
    """Regression, told by its numbers; paths are relative to the file, and a flag overrides it."""

    @pytest.fixture
    def study(self, from_file):
        return from_file / "study"

    def test_says_everything(self, from_file, study):
        with Study.open(study) as opened:
            record = opened.best_trial()
            assert (opened.rule.t, opened.rule.f, opened.rule.p) == (3, 0.25, 1)
        assert (record.trial.task.kind, record.trial.task.metric) == ("regression", "spearman")
        recipe = record.trial.recipe
        assert (recipe.batch_size, recipe.learning_rate, recipe.weight_decay) == (12, 1e-3, 0.0)
        assert recipe.model == str(from_file / "model")

    def test_numbers_equal_those_of_the_pipeline(self, seedwise, from_file, study):
        rows = write(from_file / "new.csv", [(text,) for text, _, _ in toy_rows(10, seed=9)], header=("text",))
        found = list(csv.DictReader(io.StringIO(seedwise("predict", study, rows).out)))
        expected = pipeline("text-classification", str(study / "best"), function_to_apply="none")(texts(rows))
        assert [float(row["prediction"]) for row in found] == pytest.approx([x["score"] for x in expected], abs=1e-5)

    def test_the_report_escapes_every_word_and_asks_for_nothing(self, study):
        page = (study / "report.html").read_text(encoding="utf-8")
        assert page.count("<script") == 2  # the page's own, and the curves it draws
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page
        assert set(re.findall(r"https?://[^\s\"'<>)]+", page)) <= {
            "http://www.w3.org/2000/svg",
            "http://www.w3.org/1999/xlink",
        }
        card = (study / "best" / "README.md").read_text(encoding="utf-8")
        assert "<script" not in card


@pytest.fixture(scope="module")
def two_tasks(tmp_path_factory, seedwise, model):
    """A study of two folders in GLUE's layout: CoLA without a header, SST-2 with a text that is too long."""
    folder = tmp_path_factory.mktemp("glue")
    for split, count in (("train", 40), ("dev", 20)):
        found = [(text, int(label == "good")) for text, label, _ in toy_rows(count, seed=count)]
        cola = [("source", label, "", text) for text, label in found]
        path = write(folder / "CoLA" / f"{split}.tsv", cola, header=(), delimiter="\t")
        path.write_text(path.read_text(encoding="utf-8").lstrip("\n"), encoding="utf-8")
        long = [("song " * 100, 1), (SCRIPT, 0)]
        write(folder / "SST-2" / f"{split}.tsv", [*found, *long], header=("sentence", "label"), delimiter="\t")
    tasks = ["--task", folder / "CoLA", "--task", folder / "SST-2"]
    recipe = [
        "--recipe",
        "devlin2019",
        "--set",
        "num_train_steps=4",
        "--set",
        "evaluations=2 per run",
        "--model",
        model,
    ]
    said = seedwise("run", folder / "study", *tasks, *recipe, "--init", 1, "--order", 2, "--workers", 1)
    assert said.code == 0
    assert said.err == (
        "sst2: longer than 64 tokens and truncated: 1 of 42 train rows, 1 of 22 validation rows.\n"
        "sst2: 2 of 22 validation rows are also among the training rows.\n"
    )
    return folder


class TestTwoTasks:
    @pytest.fixture
    def study(self, two_tasks):
        return two_tasks / "study"

    def test_each_gets_its_winner(self, study):
        assert sorted(path.name for path in (study / "best").iterdir()) == ["cola", "sst2"]
        assert all((study / "best" / task / "model.safetensors").exists() for task in ("cola", "sst2"))
        assert (study / "report.html").read_text(encoding="utf-8").count('class="browser"') == 2

    def test_the_task_may_be_named_as_in_the_run(self, seedwise, study, two_tasks):
        rows = two_tasks / "SST-2" / "dev.tsv"
        said = [seedwise("predict", study, rows, "--task", name) for name in ("sst2", "glue/sst2", study / "best/sst2")]
        assert said[0].code == 0
        assert said[0] == said[1] == said[2]

    def test_predicting_needs_the_task(self, seedwise, study, tmp_path):
        rows = write(tmp_path / "new.csv", [(SCRIPT,), ("a grand song",)], header=("sentence",))
        said = seedwise("predict", study, rows)
        assert said.code == 2
        assert "the study has several winners, so task must be one of cola, sst2, not None." in said.err
        found = list(csv.DictReader(io.StringIO(seedwise("predict", study, rows, "--task", "sst2").out)))
        assert {row["label"] for row in found} <= {"negative", "positive"}

    def test_what_is_truncated_in_predicting_is_said_beside_the_labels(self, seedwise, study, tmp_path):
        long = "grand song " * 100
        rows = write(tmp_path / "new.csv", [("a bleak road",), (long,), ("a grand song",)], header=("sentence",))
        said = seedwise("predict", study, rows, "--task", "sst2")
        assert said.err == "sst2: longer than 64 tokens and truncated: 1 of 3 new rows.\n"
        found = list(csv.DictReader(io.StringIO(said.out)))
        classify = pipeline("text-classification", str(study / "best" / "sst2"))
        expected = classify(["a bleak road", long, "a grand song"], truncation=True)
        assert [row["label"] for row in found] == [label["label"] for label in expected]
        assert [float(row[f"p({row['label']})"]) for row in found] == pytest.approx(
            [label["score"] for label in expected], abs=2e-6
        )

    def test_every_winner_is_named_in_the_end(self, seedwise, study):
        said = seedwise("run", study)
        winners = [line for line in said.out.splitlines() if line.startswith("best model")]
        assert winners == [f"best model  {study / 'best' / task}" for task in ("cola", "sst2")]
