"""Does ``seedwise import`` say what it understood, keep it, and refuse in one sentence what does not fit?"""

import csv
import io
import json

import polars as pl
import pytest

from seedwise import Recipe, Seeds, Study, Task

ROWS = [
    {"method": method, "seed": seed, "epoch": epoch, "val_acc": score + seed / 100}
    for method, scores in {"plain": (0.5, 0.625), "reinit": (0.5, 0.75)}.items()
    for seed in (1, 2, 3)
    for epoch, score in enumerate(scores, start=1)
]
MAP = ["--map", "task=:RTE", "--map", "recipe=method", "--map", "init=seed", "--map", "score=val_acc"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("foreign") / "runs.csv"
    pl.DataFrame(ROWS).write_csv(path)
    return path


@pytest.fixture(scope="module")
def study(tmp_path_factory, seedwise, file):
    folder = tmp_path_factory.mktemp("imported") / "study"
    said = seedwise("import", file, folder, *MAP)
    assert (said.code, said.err) == (0, "")
    return folder


def table_rows(text):
    return [line.split() for line in text.splitlines()]


class TestImport:
    def test_keeps_every_run(self, study):
        with Study.open(study) as opened:
            found = [(r.trial.recipe.name, r.trial.seeds.init, r.scores) for r in opened.trials]
        assert found[:2] == [("plain", 1, ((1, 0.51), (2, 0.635))), ("plain", 2, ((1, 0.52), (2, 0.645)))]
        assert len(found) == 6

    def test_says_what_it_understood_and_where_to_go_on(self, seedwise, file, tmp_path):
        said = seedwise("import", file, tmp_path / "study", *MAP)
        lines = table_rows(said.out)
        assert ["runs.csv:", "12", "rows,", "6", "runs"] in lines
        assert ["task", "always", "RTE"] in lines
        assert ["init", "seed"] in lines
        assert ["RTE", "plain", "val_acc", "more", "3", "2", "3", "0", "0"] in lines
        assert ["RTE", "plain", "1", "1", "1", "1..2", "0.510", "0.635", "0.635", "2", "–"] in lines
        assert "- not mapped, but taken from columns of their names: epoch.\n- steps are epochs.\n" in said.out
        assert said.out.endswith(
            f"imported 6 runs into {tmp_path / 'study'}; next: seedwise status {tmp_path / 'study'}\n"
        )

    def test_says_that_the_seed_had_no_effect(self, seedwise, tmp_path):
        rows = [(seed, step, score) for seed in range(1, 9) for step, score in ((1, 0.51), (2, 0.61), (3, 0.65))]
        table = "\n".join(f"RTE,x,{seed},{step},{score + (seed == 8) / 100}" for seed, step, score in rows)
        (tmp_path / "runs.csv").write_text(f"task,recipe,init,step,score\n{table}\n")
        said = seedwise("import", tmp_path / "runs.csv", tmp_path / "study")
        assert "- RTE, x: 7 of 8 seeds gave the same curve: the seed had no effect, or a file was copied." in said.out
        told = seedwise("analyze", tmp_path / "study").out
        assert "7 of 8 seeds gave the same curve" in told
        assert "ranked" not in told

    def test_a_preview_says_the_same_and_writes_nothing(self, seedwise, file, tmp_path):
        shown = seedwise("import", file, tmp_path / "study", *MAP, "--preview")
        kept = seedwise("import", file, tmp_path / "other", *MAP)
        assert shown.out.rsplit("\n\n", 1)[0] == kept.out.rsplit("\n\n", 1)[0]
        assert shown.out.endswith("nothing was written; without --preview, these runs are imported.\n")
        assert not (tmp_path / "study").exists()

    def test_more_runs_are_added(self, seedwise, file, tmp_path):
        folder = tmp_path / "study"
        seedwise("import", file, folder, *MAP)
        more = tmp_path / "more.jsonl"
        more.write_text(json.dumps({"method": "plain", "seed": 9, "epoch": 1, "val_acc": 0.5}), encoding="utf-8")
        assert seedwise("import", more, folder, *MAP).code == 0
        with Study.open(folder) as opened:
            assert len(opened.trials) == 7

    def test_every_option_arrives(self, seedwise, file, tmp_path):
        beside = tmp_path / "test.csv"
        pl.DataFrame({"method": ["plain"], "seed": [2], "test": [0.6]}).write_csv(beside)
        flags = ["--with", beside, "--map", "test_score=test", "--baseline", "RTE=0.53", "--lower-is-better"]
        assert seedwise("import", file, tmp_path / "study", *MAP, *flags, "--all-complete").code == 0
        with Study.open(tmp_path / "study") as opened:
            second = opened.trials[1]
            assert second.test_metrics == {"val_acc": 0.6}
            assert not second.trial.task.greater_is_better
            assert opened.facts(second.trial).baselines == {"val_acc": 0.53}

    def test_a_pattern_arrives(self, seedwise, tmp_path):
        folder = tmp_path / "out" / "run-7"
        folder.mkdir(parents=True)
        log = {"log_history": [{"step": 5, "eval_accuracy": 0.5}]}
        (folder / "trainer_state.json").write_text(json.dumps(log), encoding="utf-8")
        fields = ["--map", "task=:RTE", "--map", "recipe=:a", "--map", "score=eval_accuracy"]
        said = seedwise("import", tmp_path / "out", tmp_path / "study", *fields, "--pattern", r"run-(?P<init>\d+)")
        assert said.code == 0
        with Study.open(tmp_path / "study") as opened:
            assert opened.trials[0].trial.seeds.init == 7


class TestRefusal:
    @pytest.mark.parametrize(
        ("flags", "words"),
        [
            ([], "each of task, recipe and score needs a column, but none of runs.csv is mapped to"),
            (["--map", "init"], "--map must read FIELD=COLUMN, not 'init'; for example init=seed."),
            ([*MAP, "--map", "order=sed"], "runs.csv has no column 'sed'; did you mean 'seed'"),
            ([*MAP, "--baseline", "x"], "--baseline must read VALUE or TASK=VALUE, not 'x'; for example RTE=0.53."),
            ([*MAP, "--baseline", "0.5", "--baseline", "RTE=0.5"], "--baseline must name the task of every value"),
            ([*MAP, "--with", "none.csv"], "the file none.csv does not exist; check the path."),
        ],
    )
    def test_is_one_sentence_and_nothing_is_written(self, seedwise, file, tmp_path, flags, words):
        said = seedwise("import", file, tmp_path / "study", *flags)
        assert said.code == 2
        assert said.out == ""
        assert words in said.err
        assert said.err.count("\n") == 1
        assert not (tmp_path / "study").exists()

    def test_the_suggested_command_works(self, seedwise, file, tmp_path):
        said = seedwise("import", file, tmp_path / "study")
        command = said.err.partition("`seedwise ")[2].partition("`")[0]
        words = command.replace(" DIR ", f" {tmp_path / 'study'} ").replace(":NAME", ":RTE").split()
        assert seedwise(*words).code == 0

    def test_runs_that_are_there_already_are_not_imported_again(self, seedwise, study, file):
        said = seedwise("import", file, study, *MAP)
        assert (said.code, "but 6 of 6 are there" in said.err) == (2, True)

    def test_a_study_of_trainings_is_left_alone(self, seedwise, file, tmp_path):
        fields = {"tasks": [Task.glue("rte")], "recipes": [Recipe(model="m")], "seeds": Seeds.paired(2)}
        Study.create(tmp_path / "study", **fields).close()
        said = seedwise("import", file, tmp_path / "study", *MAP)
        assert (said.code, "the study holds trainings of its own" in said.err) == (2, True)


class TestImportedStudy:
    def test_status_says_no_more_than_is_known(self, seedwise, study):
        said = seedwise("status", study)
        assert (said.code, said.err) == (0, "")
        assert "time" not in said.out
        assert ["RTE", "reinit", "3", "val_acc", "0.780"] in table_rows(said.out)

    def test_trials_name_their_recipe(self, seedwise, study):
        lines = table_rows(seedwise("trials", study).out)
        assert lines[0] == ["trial", "task", "recipe", "init", "order", "dropout", "state", "best", "at", "last"]
        assert lines[2][1:] == ["RTE", "plain", "1", "1", "1", "complete", "0.635", "2", "2"]

    def test_trials_are_told_to_other_programs(self, seedwise, study):
        rows = list(csv.DictReader(io.StringIO(seedwise("trials", study, "--format", "csv").out)))
        assert {row["origin_imported_from"] for row in rows} == {"runs.csv"}
        assert len(json.loads(seedwise("trials", study, "--format", "json").out)) == 6

    def test_export_writes_every_table(self, seedwise, study, tmp_path):
        assert seedwise("export", study, "-o", tmp_path / "out").code == 0
        names = {path.stem for path in (tmp_path / "out").iterdir()}
        assert names == {"trials", "evaluations", "losses", "recipes", "tasks", "events"}
        assert pl.read_csv(tmp_path / "out" / "recipes.csv")["name"].to_list() == ["plain", "reinit"]

    def test_it_cannot_be_run(self, seedwise, study):
        said = seedwise("run", study)
        assert said.code == 2
        assert said.err == (
            f"seedwise: {study} holds imported runs, which cannot be run here; choose another directory for trainings of "
            "your own.\n"
        )

    def test_it_cannot_predict(self, seedwise, study, file):
        said = seedwise("predict", study, file)
        assert (said.code, "holds imported runs and no model" in said.err) == (2, True)
