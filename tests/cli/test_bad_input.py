"""Is every wrong request refused in one sentence, with exit code 2, and with nothing lost?"""

import csv
import shutil
import sqlite3
from unittest.mock import Mock

import pytest

from seedwise import Study, TrialState
from seedwise.store import database
from seedwise.store.store import Store
from toys import toy_rows


@pytest.fixture
def refused(seedwise):
    """Runs a command that must be refused, and returns its sentence."""

    def run(*arguments):
        said = seedwise(*arguments)
        assert said.code == 2, said
        assert said.out == ""
        assert said.err.startswith("seedwise: ")
        assert said.err.count("\n") == 1
        assert said.err.endswith((".\n", "?\n"))
        return said.err

    return run


@pytest.fixture
def request_with(rows, model, tmp_path, refused):
    """Asks for a small study with one thing changed, which must be refused before anything is written."""

    def run(*trials, settings=(), **flags):
        files = {split: rows / f"{split}.csv" for split in ("train", "validation")}
        chosen = {**files, "text": "text", "label": "label", "model": model, **flags}
        arguments = [word for name, value in chosen.items() if value is not None for word in (f"--{name}", value)]
        arguments += [word for setting in ("batch_size=8", *settings) for word in ("--set", setting)]
        sentence = refused("run", tmp_path / "study", *arguments, *(trials or ("--seeds", 2)))
        assert not (tmp_path / "study").exists()
        return sentence

    return run


def write(path, rows, header=("text", "label")):
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])
    return path


def snapshot(folder):
    return {p.relative_to(folder): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


class TestRows:
    def test_missing_file(self, request_with, tmp_path):
        sentence = request_with(train=tmp_path / "nowhere.csv")
        assert "nowhere.csv does not exist; check the path." in sentence

    def test_missing_validation_file(self, request_with, tmp_path):
        assert "nowhere.csv does not exist" in request_with(validation=tmp_path / "nowhere.csv")

    def test_missing_text_column(self, request_with):
        assert "no column 'txt'; did you mean 'text'; it has text, label, value." in request_with(text="txt")

    def test_missing_label_column(self, request_with):
        assert "no column 'class'; it has text, label, value." in request_with(label="class")

    def test_unnamed_label_column(self, request_with):
        assert "--train needs --label; name the column (the file has text, label, value)." in request_with(label=None)

    def test_empty_file(self, request_with, tmp_path):
        (tmp_path / "empty.csv").touch()
        assert "empty.csv must have rows, but it is empty" in request_with(train=tmp_path / "empty.csv")

    def test_header_alone(self, request_with, tmp_path):
        assert "must have rows, but" in request_with(train=write(tmp_path / "header.csv", []))

    def test_one_class_only(self, request_with, tmp_path):
        train = write(tmp_path / "one.csv", [("a song", "good")] * 9)
        assert "one.csv must have labels of at least two classes, not 'good' alone" in request_with(train=train)

    def test_label_unknown_to_training(self, request_with, tmp_path):
        validation = write(tmp_path / "dev.csv", [("a song", "good"), ("a road", "odd")])
        sentence = request_with(validation=validation)
        assert "the labels of dev.csv must be among the training rows' labels ('bad', 'good'), not 'odd'" in sentence

    @pytest.mark.parametrize("label", ["high", "nan", "inf"])
    def test_regression_label_that_is_no_number(self, request_with, tmp_path, label):
        train = write(tmp_path / "r.csv", [("a song", "0.5"), ("a road", label), ("a river", "0.7")])
        sentence = request_with(train=train, validation=None, kind="regression")
        assert (
            f"a regression label (column 'label', metric pearson_spearman) must be a finite number, not '{label}' in row 1 "
            in sentence
        )

    def test_empty_texts_are_counted(self, request_with, tmp_path):
        rows = [(text, label) for text, label, _ in toy_rows(20)]
        train = write(tmp_path / "gaps.csv", [*rows, ("", "good"), (" ", "bad")])
        sentence = request_with(train=train)
        assert "but 2 are empty, the first is row 20 " in sentence
        assert "--drop-empty" in sentence

    def test_own_columns_with_a_named_task(self, refused, tmp_path, model):
        sentence = refused("run", tmp_path / "s", "--task", "glue/rte", "--text", "a", "--model", model, "--seeds", 1)
        assert "--text goes with --train, not with --task glue/rte; drop one." in sentence

    @pytest.mark.parametrize("rows", [["--train", "train.csv", "--text", "text"], ["--task", "hub/org/name"]])
    def test_protocol_on_rows_that_are_not_of_glue(self, refused, tmp_path, model, rows):
        sentence = refused("run", tmp_path / "s", *rows, "--protocol", "zhang2021", "--model", model, "--seeds", 1)
        assert (
            f"--protocol is for the tasks of GLUE, whose papers it follows, not for the rows of {rows[0]}" in sentence
        )
        assert "; drop it and say the splits and the metric (--halve-validation, " in sentence

    @pytest.mark.parametrize(
        ("task", "words"),
        [
            ("glue/rt", "not 'rt'; did you mean 'rte'"),
            ("embedded/entailmnt", "not 'entailmnt'; did you mean 'entailment'"),
            ("entailment", "not 'entailment'; did you mean 'embedded/entailment'"),
            ("qqqq", "--task must be a folder of GLUE files, or one of glue/cola, "),
        ],
    )
    def test_unknown_task(self, refused, tmp_path, model, task, words):
        assert words in refused("run", tmp_path / "s", "--task", task, "--model", model, "--seeds", 1)
        assert not (tmp_path / "s").exists()


class TestLabelsAndMetric:
    """Labels that the metric cannot score; each sentence names the column, the rule, what was given and what to do."""

    def test_text_for_a_metric_of_numbers(self, request_with):
        sentence = request_with(metric="spearman")
        assert (
            "a regression label (column 'label', metric spearman) must be a finite number, not 'bad' in row "
            in sentence
        )
        assert "classification, whose metrics are accuracy, f1, accuracy_f1, matthews and loss.\n" in sentence

    def test_numbers_for_a_metric_of_classes(self, request_with):
        sentence = request_with(metric="accuracy", label="value")
        assert "train.csv (column 'value') must be text or whole numbers for classification by metric " in sentence
        assert "not 0.25; make the task a regression, whose metrics are pearson, spearman, " in sentence

    @pytest.mark.parametrize(
        ("kind", "metric", "label", "words"),
        [
            (
                "classification",
                "pearson",
                "label",
                "matthews, loss, because column 'label' holds classes, not 'pearson', which is for regression; ",
            ),
            (
                "regression",
                "f1",
                "value",
                "spearman, loss, because column 'value' holds numbers, not 'f1', which is for classification; ",
            ),
        ],
    )
    def test_kind_and_metric_that_contradict(self, request_with, kind, metric, label, words):
        sentence = request_with(kind=kind, metric=metric, label=label)
        assert words in sentence
        assert "; choose one of them, or say kind = " in sentence

    def test_metric_of_classes_for_a_task_of_numbers(self, refused, tmp_path, model):
        asked = ["--task", "glue/stsb", "--metric", "accuracy", "--model", model, "--seeds", 1]
        sentence = refused("run", tmp_path / "s", *asked)
        assert sentence.endswith("not 'accuracy', which is for classification; choose one of them.\n")

    @pytest.mark.parametrize("metric", ["f1", "accuracy_f1", "matthews"])
    def test_validation_rows_of_one_class_for_a_metric_that_compares_classes(self, request_with, tmp_path, metric):
        validation = write(tmp_path / "dev.csv", [("a song", "good"), ("a road", "good")])
        sentence = request_with(validation=validation, metric=metric)
        assert (
            "the labels (column 'label') of the 2 validation rows of task 'train' must differ for metric " in sentence
        )
        assert f"{metric}, not all be 'good'; give more validation rows, or choose metric accuracy.\n" in sentence

    @pytest.mark.parametrize("metric", ["pearson", "spearman"])
    def test_validation_rows_of_one_number_for_a_correlation(self, request_with, tmp_path, metric):
        validation = write(tmp_path / "dev.csv", [("a song", "0.5"), ("a road", "0.5")], header=("text", "value"))
        sentence = request_with(validation=validation, label="value", metric=metric)
        assert "the labels (column 'value') of the 2 validation rows of task 'train' must differ" in sentence
        assert f"{metric}, not all be 0.5; give more validation rows, or choose metric loss.\n" in sentence


class TestTrials:
    def test_fewer_started_than_kept(self, request_with):
        sentence = request_with("--start", 2, "--fraction", 0.5, "--keep", 3)
        assert "t (trials started) must be at least p (trials kept), not t = 2 with p = 3; start 3 or more" in sentence

    @pytest.mark.parametrize("f", ["0", "-0.5", "1.5", "nan"])
    def test_fraction_outside_its_range(self, request_with, f):
        sentence = request_with("--start", 3, "--fraction", f, "--keep", 1)
        assert "f (fraction of the run) must be in (0, 1], not " in sentence

    def test_budget_too_small(self, request_with):
        assert "must pay for at least 1 full training, not 0.5; give 1 or more." in request_with("--budget", 0.5)

    def test_fraction_on_no_evaluation(self, request_with):
        sentence = request_with("--start", 3, "--fraction", 0.3, "--keep", 1, settings=["evaluations=4 per run"])
        assert (
            "must fall on an evaluation, not 0.3; the evaluations are at these fractions: 0.25, 0.5, 0.75, 1."
            in sentence
        )

    @pytest.mark.parametrize(
        ("trials", "words"),
        [
            (("--budget", 3, "--seeds", 2), "in one way, not --budget and --seeds; give --budget B, --start T "),
            (("--start", 3, "--keep", 1), "--start, --fraction and --keep belong together"),
            (("--init", 3), "a grid needs both --init and --order; give the missing one."),
            (("--budget", 3, "--keep", 1), "--budget plans fraction and keep itself; drop them"),
            (("--seeds", 0), "must be a whole number of at least 1, not 0"),
            (("--init", 0, "--order", 2), "must be a whole number of at least 1, not 0"),
        ],
    )
    def test_trials_said_twice_or_by_halves(self, request_with, trials, words):
        assert words in request_with(*trials)

    def test_no_trials_at_all(self, request_with):
        assert "say how many trials in one way, not none" in request_with("--set", "batch_size=8")


class TestRecipe:
    def test_unknown_preset(self, request_with):
        assert "not 'dodge2002'; did you mean 'dodge2020'." in request_with(recipe="dodge2002")

    def test_unknown_field(self, request_with):
        sentence = request_with(settings=["learning_rat=1e-5"])
        assert "the recipe has no key 'learning_rat'; did you mean 'learning_rate'" in sentence

    @pytest.mark.parametrize("field", ["name", "path", "cls"])
    @pytest.mark.parametrize("recipe", ["zhang2021", "recipe.toml"])
    def test_field_named_as_an_argument_of_python(self, request_with, tmp_path, recipe, field):
        (tmp_path / "recipe.toml").write_text("preset = 'zhang2021'\n", encoding="utf-8")
        given = tmp_path / recipe if recipe.endswith(".toml") else recipe
        assert f"the recipe has no key {field!r}; it has model, " in request_with(recipe=given, settings=[f"{field}=x"])

    def test_field_without_a_value(self, request_with):
        assert "--set must read name=value, not 'learning_rate'" in request_with(settings=["learning_rate"])

    def test_field_of_the_wrong_kind(self, request_with):
        assert "learning_rate must be a finite number above 0, not 'fast'" in request_with(
            settings=["learning_rate=fast"]
        )

    def test_unknown_metric(self, request_with):
        sentence = request_with(metric="acuracy")
        assert "metric (for classification) must be one of accuracy, f1, " in sentence
        assert "not 'acuracy'; did you mean 'accuracy'." in sentence

    def test_no_model(self, request_with):
        assert "the recipe needs a model; name one on the hub, a folder, or 'embedded'." in request_with(model=None)

    def test_unknown_model(self, request_with):
        sentence = request_with(model="google-bert/bert-base-uncasd")
        assert "'google-bert/bert-base-uncasd' cannot be loaded (" in sentence
        assert "did you mean 'google-bert/bert-base-uncased'; name a folder, a model on the hub, or " in sentence

    def test_mistyped_embedded_is_refused_without_asking_the_hub(self, request_with, monkeypatch):
        monkeypatch.setattr("seedwise.data.pretrained._check_found", None)
        assert "the model 'embeded' is no folder; did you mean 'embedded'; name a folder, " in request_with(
            model="embeded"
        )

    @pytest.mark.parametrize(
        ("lost", "words"),
        [
            ("config.json", "must hold a config.json, but does not"),
            ("*.safetensors", "must hold weights (*.safetensors), but does not"),
            ("tokenizer*", "must hold a tokenizer, but does not"),
            ("*", "must hold a config.json and weights (*.safetensors) and a tokenizer, but does not; save model and "),
        ],
    )
    def test_model_folder_without(self, request_with, model, tmp_path, lost, words):
        folder = shutil.copytree(model, tmp_path / "model")
        for path in [*folder.glob(lost), *folder.glob("vocab.txt" if "token" in lost else lost)]:
            path.unlink(missing_ok=True)
        assert words in request_with(model=folder)

    def test_model_that_is_no_classifier(self, request_with, model, tmp_path):
        folder = shutil.copytree(model, tmp_path / "model")
        (folder / "config.json").write_text('{"model_type": "vit"}', encoding="utf-8")
        sentence = request_with(model=folder)
        assert "must be of a kind that transformers has a sequence classifier for, not 'vit'; choose an " in sentence

    @pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
    def test_model_folder_with_a_damaged_file(self, request_with, model, tmp_path, name):
        folder = shutil.copytree(model, tmp_path / "model")
        (folder / name).write_text("{", encoding="utf-8")
        assert str(folder) in request_with(model=folder)


class TestStudyFile:
    @pytest.mark.parametrize(
        ("content", "words"),
        [
            ("[taks]\n", "has no key 'taks'; did you mean 'task'; it has task, recipe, trials, workers."),
            ("[trials]\nfracton = 0.3\n", "has no key 'fracton'; did you mean 'fraction'"),
            ("[recipe]\nbatchsize = 8\n", "the recipe has no key 'batchsize'; did you mean 'batch_size'"),
            ("[recipe]\npreset = 'zhang2021'\nname = 'mine'\n", "the recipe has no key 'name'; it has model, "),
            ("[recipe]\npreset = 'zang2021'\n", "not 'zang2021'; did you mean 'zhang2021'"),
            ("[trials]\nstart = 'six'\n", "start of [trials] in "),
            ("[trials]\nstart = true\n", "must be a whole number, not True; mend the file."),
            ("[task]\ntrain = 5\n", "must be a path in quotes, not 5; mend the file."),
            ("[task]\ntask = [5]\n", "must be text in quotes, or a list of such, not [5]; mend the file."),
            ("[task]\ndrop_empty = 'no'\n", "must be true or false, not 'no'; mend the file."),
            ("[recipe]\nweight_decay = 2026-11-21\n", "weight_decay must be a finite number at least 0, not '2026-"),
            ("task = 'glue/rte'\n", "must be a table, not 'glue/rte'; write [task] and its keys below."),
            ("recipe = 'zhang2021'\n", "must be a table, not 'zhang2021'; write [recipe] and its keys below."),
            ("[task\n", "must be readable TOML, but: "),
        ],
    )
    def test_is_refused(self, refused, tmp_path, request_of, content, words):
        (tmp_path / "study.toml").write_text(content, encoding="utf-8")
        given = [] if "[task]" in content else request_of
        trials = [] if "[trials]" in content else ["--seeds", 2]
        assert words in refused("run", tmp_path / "s", "--config", tmp_path / "study.toml", *given, *trials)
        assert not (tmp_path / "s").exists()

    def test_is_missing(self, refused, tmp_path):
        assert "nowhere.toml does not exist; check the path." in refused(
            "run", tmp_path / "s", "--config", "nowhere.toml"
        )


class TestFolder:
    """The folder of the study is the wrong one; whatever it holds stays as it was."""

    def test_holds_another_study(self, refused, finished, request_of):
        before = snapshot(finished)
        wrong = ["--start", 4, "--fraction", 0.3, "--keep", 2]
        sentence = refused("run", finished, *request_of, "--set", "learning_rate=1e-5", *wrong)
        assert "holds another study (model " in sentence
        assert "settings); repeat its own command, add --extend to add to it, or choose another" in sentence
        assert snapshot(finished) == before

    def test_holds_a_study_with_another_rule(self, refused, finished, request_of):
        before = snapshot(finished)
        sentence = refused("run", finished, *request_of, "--start", 4, "--fraction", 0.5, "--keep", 2)
        assert "holds a study with f = 0.3 and p = 2, not f = 0.5 and p = 2; " in sentence
        assert snapshot(finished) == before

    def test_holds_more_seeds_only_with_extend(self, refused, finished, request_of):
        sentence = refused("run", finished, *request_of, "--start", 5, "--fraction", 0.3, "--keep", 2)
        assert "holds another study (4 trials, not 5, " in sentence

    @pytest.mark.parametrize("command", ["status", "run", "trials", "report"])
    def test_holds_a_newer_schema(self, refused, finished, tmp_path, command):
        folder = shutil.copytree(finished, tmp_path / "newer")
        with sqlite3.connect(folder / "study.db") as connection:
            connection.execute("PRAGMA user_version = 99")
        connection.close()
        before = snapshot(folder)
        sentence = refused(command, folder)
        assert "must have schema 3 or older, not 99; it was written by a newer seedwise: update with " in sentence
        assert snapshot(folder) == before

    @pytest.mark.parametrize("with_request", [False, True])
    def test_is_open_in_another_process(self, refused, finished, request_of, with_request):
        asked = [*request_of, "--start", 4, "--fraction", 0.3, "--keep", 2] if with_request else []
        with Store.create_or_open(finished / "study.db", write=True):
            sentence = refused("run", finished, *asked)
        assert "is open in another process; wait until it ends, or choose another directory." in sentence

    def test_can_be_read_while_another_process_writes(self, seedwise, finished):
        with Store.create_or_open(finished / "study.db", write=True):
            assert seedwise("status", finished).code == 0

    def test_is_a_file(self, refused, tmp_path, request_of):
        (tmp_path / "file").write_text("mine", encoding="utf-8")
        assert "choose another directory." in refused("run", tmp_path / "file", *request_of, "--seeds", 1)
        assert (tmp_path / "file").read_text(encoding="utf-8") == "mine"

    def test_holds_a_foreign_database(self, refused, tmp_path, request_of):
        (tmp_path / "study.db").write_text("mine, and no database at all", encoding="utf-8")
        sentence = refused("run", tmp_path, *request_of, "--seeds", 1)
        assert "study.db must be a study of seedwise, not another kind of file; choose another directory." in sentence
        assert (tmp_path / "study.db").read_text(encoding="utf-8") == "mine, and no database at all"

    @pytest.mark.parametrize("command", ["status", "trials", "report", "export"])
    def test_holds_no_study(self, refused, tmp_path, command):
        output = ["-o", tmp_path / "out"] if command == "export" else []
        assert "there is no study in " in refused(command, tmp_path / "nowhere", *output)
        assert not list(tmp_path.iterdir())

    def test_is_to_be_changed_without_its_command(self, refused, finished):
        sentence = refused("run", finished, "--start", 9, "--extend")
        assert (
            "holds a study, and a change to it needs its whole command again, task and all; `seedwise run " in sentence
        )

    def test_holds_nothing_to_continue(self, refused, tmp_path):
        sentence = refused("run", tmp_path / "nowhere")
        assert "nowhere holds no study; say what to run: a task, a model and how many trials." in sentence
        assert not list(tmp_path.iterdir())


class TestPredict:
    def test_without_a_winner(self, refused, tmp_path, rows):
        assert "holds no best model; run the study to its end, or see `seedwise trials " in refused(
            "predict", tmp_path, rows / "test.csv"
        )

    def test_of_an_unknown_task(self, refused, finished, rows):
        sentence = refused("predict", finished, rows / "test.csv", "--task", "trian")
        assert "task must be one of train, not 'trian'; did you mean 'train'." in sentence

    def test_of_a_missing_file(self, refused, finished):
        assert "nowhere.csv does not exist" in refused("predict", finished, "nowhere.csv")

    def test_of_rows_without_the_text(self, refused, finished, tmp_path):
        other = write(tmp_path / "other.csv", [("a", "b")], header=("sentence", "note"))
        assert "no column 'text'; " in refused("predict", finished, other)

    def test_into_a_folder_that_is_missing(self, refused, finished, rows, tmp_path):
        sentence = refused("predict", finished, rows / "test.csv", "-o", tmp_path / "nowhere" / "out.csv")
        assert "--output must be a file in a folder that exists, not " in sentence
        assert "nowhere/out.csv; make the folder." in sentence

    @pytest.mark.parametrize("name", ["new.csv", "NEW.CSV", "study.db"])
    def test_over_the_rows_or_another_kind_of_file(self, refused, finished, rows, tmp_path, name):
        place = tmp_path / name
        place.write_bytes((rows / "test.csv").read_bytes())
        sentence = refused("predict", finished, place, "-o", place)
        assert "--output must be a" in sentence
        assert sentence.endswith("name one.\n" if name == "study.db" else "name another.\n")
        assert place.read_bytes() == (rows / "test.csv").read_bytes()


class TestReport:
    def test_over_a_file_of_another_kind(self, refused, finished, tmp_path):
        (tmp_path / "data.csv").write_text("a\n", encoding="utf-8")
        assert "the report must be a file that ends in .html, not " in refused(
            "report", finished, "-o", tmp_path / "data.csv"
        )
        assert (tmp_path / "data.csv").read_text(encoding="utf-8") == "a\n"

    @pytest.mark.parametrize(
        ("output", "words"),
        [
            (
                "nowhere/page.html",
                "nowhere/page.html must be a file that can be used, but: No such file or directory; ",
            ),
            ("file/page.html", "file/page.html must be a file that can be used, but: Not a directory; "),
            ("folder.html", "folder.html must be a file that can be used, but: Is a directory; "),
        ],
    )
    def test_into_a_place_that_is_no_file(self, refused, finished, tmp_path, output, words):
        (tmp_path / "file").touch()
        (tmp_path / "folder.html").mkdir()
        before = sorted(tmp_path.rglob("*"))
        sentence = refused("report", finished, "-o", tmp_path / output)
        assert sentence == f"seedwise: {tmp_path}/{words}check the path.\n"
        assert sorted(tmp_path.rglob("*")) == before


class TestWords:
    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["rum", "x"], 'Unknown command "rum". Did you mean "run"?'),
            (["run", "x", "--modle", "y"], "Unknown option: --modle. Did you mean --model?"),
            (["run", "x", "--start", "six"], 'Invalid value for --start: unable to convert "six" into int.'),
            (
                ["trials", "x", "--format", "xml"],
                'Invalid value "xml" for --format. Choose from: "table", "csv", "json".',
            ),
            (["status"], "requires an argument"),
            (["status", "x", "y"], "y"),
        ],
    )
    def test_unknown_to_the_command_line(self, refused, arguments, words):
        assert words in refused(*arguments)

    @pytest.mark.parametrize("count", [0, -1])
    def test_no_workers(self, refused, tmp_path, request_of, count):
        sentence = refused("run", tmp_path / "s", *request_of[:-2], "--workers", count, "--seeds", 1)
        assert f"workers must be a whole number of at least 1, not {count}" in sentence

    def test_ctrl_c_is_answered(self, seedwise, monkeypatch):
        monkeypatch.setattr("seedwise.study.study.Study.open", Mock(side_effect=KeyboardInterrupt))
        said = seedwise("status", "anywhere")
        assert (said.code, said.err) == (
            130,
            "seedwise: stopped; everything done so far is kept, and the same command continues.\n",
        )

    def test_a_file_where_a_study_is_meant(self, refused, tmp_path):
        (tmp_path / "rows.csv").write_text("text", encoding="utf-8")
        assert "must be a study's directory, not a file; name the directory." in refused(
            "status", tmp_path / "rows.csv"
        )

    def test_debug_shows_where_and_keeps_the_exit_code(self, seedwise, tmp_path):
        said = seedwise("status", tmp_path, "--debug")
        assert said.code == 2
        assert said.err.startswith("Traceback (most recent call last):")
        assert said.err.splitlines()[-1].startswith("seedwise: there is no study in ")

    def test_an_error_of_ours_is_said_as_such(self, seedwise, finished, monkeypatch):
        monkeypatch.setattr("seedwise.study.study.Study.open", lambda _: 1 / 0)
        said = seedwise("status", finished)
        assert said.code == 1
        assert (
            said.err
            == "seedwise: an error of seedwise itself (ZeroDivisionError: division by zero); --debug shows where.\n"
        )


@pytest.mark.slow
def test_full_disk_ends_the_run_and_the_folder_alone_continues_it(seedwise, monkeypatch, tmp_path, request_of):
    prepare, full = database._prepare, True

    def prepare_on_a_small_disk(connection, path):
        prepare(connection, path)
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + (1 if full else 1000)}")

    monkeypatch.setattr(database, "_prepare", prepare_on_a_small_disk)
    said = seedwise("run", tmp_path / "s", *request_of, "--set", "num_train_epochs=1", "--seeds", 6)
    assert said.code == 2
    assert said.err == (
        f"seedwise: the disk of {tmp_path / 's'} is full; what was stored before is kept: make room, then run the same "
        "again.\n"
    )
    with Study.open(tmp_path / "s") as study:
        stored = {record.id: record.evaluations for record in study.trials}
        assert any(stored.values())
        assert any(record.state is not TrialState.COMPLETE for record in study.trials)
    full = False
    assert seedwise("run", tmp_path / "s", "--workers", 1).code == 0
    with Study.open(tmp_path / "s") as study:
        assert all(record.state is TrialState.COMPLETE for record in study.trials)
        assert all(study.store.record(key).evaluations[: len(kept)] == kept for key, kept in stored.items())
