"""Do flags and study files mean what they say?"""

import pytest

from seedwise import RequestError, Seeds, Splits, Task
from seedwise.cli.config import StudyOptions
from seedwise.cli.options import RecipeOptions, TaskOptions, TrialOptions, WorkerOptions
from seedwise.data.rows import load_rows

TENTHS = tuple(range(1, 11))


@pytest.fixture
def over_file(tmp_path):
    """Puts flags on top of a study file in a folder of its own."""

    def read(content, **flags):
        path = tmp_path / "beside" / "study.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
        groups = {"task": TaskOptions(), "recipe": RecipeOptions(), "trials": TrialOptions()}
        return StudyOptions(**groups | flags, workers=WorkerOptions()).over_file(path)

    return read


class TestNamedTasks:
    @pytest.fixture
    def folder(self, tmp_path):
        """RTE in GLUE's files, one of whose training rows has an empty text."""
        rows = "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n1\tc\td\tnot_entailment\n2\te\t\tentailment\n"
        (tmp_path / "RTE").mkdir()
        for split in ("train", "dev"):
            (tmp_path / "RTE" / f"{split}.tsv").write_text(rows, encoding="utf-8")
        return str(tmp_path / "RTE")

    @pytest.mark.parametrize("name", ["folder", "glue/rte", "embedded/entailment"])
    def test_heed_metric_and_drop_empty(self, folder, name):
        chosen = folder if name == "folder" else name
        (task,) = TaskOptions(task=(chosen,), metric="f1", drop_empty=True).tasks()
        (plain,) = TaskOptions(task=(chosen,)).tasks()
        assert (task.metric, task.drop_empty) == ("f1", True)
        assert (plain.metric, plain.drop_empty) == ("accuracy", False)

    @pytest.mark.parametrize(("drop_empty", "rows"), [(False, 3), (True, 2)])
    def test_leave_empty_rows_out_only_when_told(self, folder, drop_empty, rows):
        (task,) = TaskOptions(task=(folder,), drop_empty=drop_empty).tasks()
        assert len(load_rows(task).train) == rows

    @pytest.mark.parametrize("name", ["glue/stsb", "embedded/similarity"])
    def test_refuse_a_metric_of_another_kind(self, name):
        with pytest.raises(RequestError, match=r"metric \(for regression\) must be one of pearson, .*, not 'accuracy'"):
            TaskOptions(task=(name,), metric="accuracy").tasks()


class TestProtocol:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "MRPC").mkdir()
        for split in ("train", "dev"):
            (tmp_path / "MRPC" / f"{split}.tsv").write_text("Quality\t#1 String\t#2 String\n", encoding="utf-8")
        return str(tmp_path / "MRPC")

    @pytest.mark.parametrize("name", ["folder", "glue/mrpc", "mrpc"])
    def test_is_heeded_by_the_tasks_of_glue(self, folder, name):
        (task,) = TaskOptions(task=(folder if name == "folder" else name,), protocol="zhang2021").tasks()
        assert (task.metric, task.splits) == ("f1", Splits(halve_validation=True))

    def test_gives_way_to_other_flags_one_by_one(self):
        said = TaskOptions(task=("glue/mrpc",), protocol="zhang2021", train_size=500, split_seed=3, metric="accuracy")
        (task,) = said.tasks()
        assert task.metric == "accuracy"
        assert task.splits == Splits(halve_validation=True, train_size=500, seed=3)

    def test_changes_nothing_of_an_embedded_task(self):
        said = TaskOptions(task=("embedded/entailment", "glue/rte"), protocol="zhang2021").tasks()
        assert said == (Task.embedded("entailment"), Task.glue("rte", protocol="zhang2021"))

    @pytest.mark.parametrize("name", ["embedded/entailment", "glue/rte"])
    def test_that_is_unknown_is_refused(self, name):
        with pytest.raises(
            RequestError, match=r"the protocol must be one of .*, not 'zhang2012'; did you mean 'zhang2"
        ):
            TaskOptions(task=(name,), protocol="zhang2012").tasks()

    def test_stands_in_a_study_file(self, over_file):
        (task,) = over_file('[task]\ntask = "glue/stsb"\nprotocol = "zhang2021-1k"\n').task.tasks()
        assert task == Task.glue("stsb", protocol="zhang2021-1k")

    def test_of_the_flags_replaces_that_of_the_file(self, over_file):
        content = '[task]\ntask = "glue/stsb"\nprotocol = "zhang2021-1k"\n'
        (task,) = over_file(content, task=TaskOptions(protocol="dodge2020")).task.tasks()
        assert task == Task.glue("stsb")


class TestKind:
    """What is not said follows from the metric, and where that scores both kinds from the labels."""

    @pytest.fixture
    def ratings(self, tmp_path):
        path = tmp_path / "ratings.csv"
        path.write_text("text,stars\na,1\nb,5\nc,3\n", encoding="utf-8")
        return {"train": path, "text": "text", "label": "stars"}

    @pytest.mark.parametrize(
        ("metric", "kind"),
        [(None, "classification"), ("loss", "classification"), ("f1", "classification"), ("pearson", "regression")],
    )
    def test_of_whole_numbers(self, ratings, metric, kind):
        (task,) = TaskOptions(**ratings, metric=metric).tasks()
        assert task.kind == kind

    def test_of_a_data_set(self):
        (task,) = TaskOptions(task=("hub/org/name",), text="text", metric="spearman").tasks()
        assert task.kind == "regression"

    def test_that_is_said_comes_first(self, ratings):
        (task,) = TaskOptions(**ratings, kind="regression").tasks()
        assert (task.kind, task.metric) == ("regression", "pearson_spearman")


class TestPathsInAStudyFile:
    def test_splits_of_the_hub_are_no_paths(self, over_file):
        content = '[task]\ntask = "hub/org/name"\ntext = "text"\nvalidation = "dev"\ntest = "test"\n'
        (task,) = over_file(content).task.tasks()
        assert (task.validation, task.test) == ("dev", "test")

    def test_rows_are_beside_it(self, over_file, rows, tmp_path):
        (tmp_path / "beside").symlink_to(rows)
        content = '[task]\ntrain = "train.csv"\ntext = "text"\nlabel = "label"\nvalidation = "validation.csv"\n'
        (task,) = over_file(content).task.tasks()
        assert task.validation == str(tmp_path / "beside" / "validation.csv")


class TestModelFolder:
    """It is relative to where it is written, and absolute in the recipe: a study may be continued from elsewhere."""

    @pytest.fixture(autouse=True)
    def folders(self, tmp_path, monkeypatch):
        for folder in ("here", "beside"):
            (tmp_path / folder / "m").mkdir(parents=True)
            (tmp_path / folder / "embedded").mkdir()
        (tmp_path / "beside" / "r.toml").write_text('model = "m"\n', encoding="utf-8")
        monkeypatch.chdir(tmp_path / "here")

    @pytest.mark.parametrize(
        ("given", "folder"),
        [
            ({"model": "m"}, "here"),
            ({"set": ("model=m",)}, "here"),
            ({"recipe": "zhang2021", "set": ("model=m",)}, "here"),
            ({"recipe": "../beside/r.toml"}, "beside"),
            ({"recipe": "../beside/r.toml", "model": "m"}, "here"),
            ({"recipe": "../beside/r.toml", "set": ("model=m",)}, "here"),
        ],
    )
    def test_named_by_flags(self, tmp_path, given, folder):
        assert RecipeOptions(**given).to_recipe().model == str(tmp_path / folder / "m")

    @pytest.mark.parametrize("table", ['model = "m"', 'preset = "r.toml"', 'preset = "zhang2021"\nmodel = "m"'])
    def test_named_by_a_study_file(self, over_file, tmp_path, table):
        assert over_file(f"[recipe]\n{table}\n").recipe.to_recipe().model == str(tmp_path / "beside" / "m")

    @pytest.mark.parametrize("flags", [{"model": "m"}, {"set": ("model=m",)}])
    def test_named_by_a_flag_over_a_study_file(self, over_file, tmp_path, flags):
        options = over_file('[recipe]\nmodel = "other"\n', recipe=RecipeOptions(**flags))
        assert options.recipe.to_recipe().model == str(tmp_path / "here" / "m")

    @pytest.mark.parametrize("name", ["embedded", "google-bert/bert-base-uncased"])
    @pytest.mark.parametrize("flag", ["model", "set"])
    def test_other_names_stay(self, name, flag):
        given = {"model": name} if flag == "model" else {"set": (f"model={name}",)}
        assert RecipeOptions(**given).to_recipe().model == name


RULE = "start = 4\nfraction = 0.5\nkeep = 2\n"


class TestTrialsOverAStudyFile:
    """Flags that count trials in another way replace the file's plan; every other flag replaces what it names."""

    @pytest.mark.parametrize(
        ("content", "flags", "seeds", "f_and_p"),
        [
            (RULE, {"seeds": 3}, Seeds.paired(3), None),
            (RULE, {"init": 1, "order": 2}, Seeds.grid(1, 2), None),
            (RULE, {"budget": 1}, Seeds.paired(1), (0.3, 1)),
            ("seeds = 5\n", {"start": 3, "fraction": 0.3, "keep": 1}, Seeds.paired(3), (0.3, 1)),
            ("budget = 9\n", {"start": 3, "fraction": 0.3, "keep": 1}, Seeds.paired(3), (0.3, 1)),
            ("budget = 9\n", {"seeds": 3}, Seeds.paired(3), None),
            ("init = 2\norder = 2\n", {"seeds": 3}, Seeds.paired(3), None),
            (RULE, {"keep": 1}, Seeds.paired(4), (0.5, 1)),
            (RULE, {"start": 8}, Seeds.paired(8), (0.5, 2)),
            ("init = 2\norder = 2\n", {"order": 3}, Seeds.grid(2, 3), None),
            ("seeds = 5\n", {"fraction": 0.3, "keep": 1}, Seeds.paired(5), (0.3, 1)),
        ],
    )
    def test_plan(self, over_file, content, flags, seeds, f_and_p):
        options = over_file(f"[trials]\n{content}", trials=TrialOptions(**flags))
        found, rule = options.trials.plan(TENTHS)
        assert found == seeds
        assert (rule and (rule.f, rule.p)) == f_and_p

    def test_the_file_is_checked_also_where_it_is_replaced(self, over_file):
        with pytest.raises(RequestError, match=r"start of .* must be a whole number, not 'six'"):
            over_file("[trials]\nstart = 'six'\n", trials=TrialOptions(seeds=2))
