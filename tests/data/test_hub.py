"""Are the hub's tasks read from GLUE_DIR where it has them, from the hub elsewhere, and refused in one sentence?"""

import json
import sys
from types import ModuleType

import polars as pl
import pytest

from seedwise.data.rows import load_rows
from seedwise.errors import DataError, RequestError
from seedwise.values.task import Task

HEADER = "index\tsentence1\tsentence2\tlabel\n"
ROWS = HEADER + "0\ta\tb\tentailment\n1\tc\td\tnot_entailment\n"


@pytest.fixture(autouse=True)
def no_local_glue(monkeypatch):
    monkeypatch.delenv("GLUE_DIR", raising=False)


def test_local_folder_stands_in_for_the_hub(tmp_path, monkeypatch):
    (tmp_path / "RTE").mkdir()
    for name in ("train.tsv", "dev.tsv"):
        (tmp_path / "RTE" / name).write_text(ROWS)
    monkeypatch.setenv("GLUE_DIR", str(tmp_path))
    monkeypatch.setitem(sys.modules, "datasets", None)

    rows = load_rows(Task.glue("glue/rte"))

    assert (rows.train.texts, rows.train.pairs, rows.validation.labels) == (("a", "c"), ("b", "d"), (0, 1))


def test_real_files_stand_in_for_the_hub(shared, monkeypatch):
    monkeypatch.setenv("GLUE_DIR", str(shared / "data" / "glue"))

    assert len(load_rows(Task.glue("cola")).validation) == 1043


def test_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)

    with pytest.raises(DataError, match=r"pip install 'seedwise\[hub\]', or give the folder .*path/to/RTE"):
        load_rows(Task.glue("rte"))


def test_hub_that_does_not_answer_is_refused_in_one_sentence(monkeypatch):
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("Couldn't reach 'nyu-mll/glue' on the Hub\nand much more")

    datasets = ModuleType("datasets")
    datasets.load_dataset = unreachable
    monkeypatch.setitem(sys.modules, "datasets", datasets)

    with pytest.raises(
        DataError, match=r"cannot be fetched from the hub \(Couldn't reach .*\); give the folder"
    ) as refusal:
        load_rows(Task.glue("rte"))

    assert "\n" not in str(refusal.value)


def publish(folder, columns, classes, configuration, splits):
    """Lay a folder out as a data set on the hub: Parquet files, and a README that names columns and classes."""
    (folder / configuration).mkdir(parents=True)
    files, features = [], []
    for split, rows in splits.items():
        path = f"{configuration}/{split}-00000-of-00001.parquet"
        pl.DataFrame(rows, schema=columns, orient="row").write_parquet(folder / path)
        files.append({"split": split, "path": path})
    for name, kind in columns.items():
        dtype = {pl.String: "string", pl.Int32: "int32"}.get(kind)
        features.append({"name": name, "dtype": dtype or {"class_label": {"names": dict(enumerate(classes))}}})
    about = {
        "configs": [{"config_name": configuration, "data_files": files}],
        "dataset_info": {"config_name": configuration, "features": features},
    }
    (folder / "README.md").write_text(f"---\n{json.dumps(about)}\n---\n")  # JSON is YAML


class Columns(dict):
    """Stands in for one split of a data set: its columns by name; no class has a name of its own."""

    @property
    def column_names(self):
        return list(self)

    @property
    def features(self):
        return dict.fromkeys(self)


@pytest.fixture
def published(monkeypatch):
    """Publish columns on a hub where every split holds the same."""

    def publish_columns(**columns):
        datasets = ModuleType("datasets")
        datasets.load_dataset = lambda *_, **__: Columns(columns)
        monkeypatch.setitem(sys.modules, "datasets", datasets)

    return publish_columns


def reviews(**given):
    return Task.hub("org/reviews", text="text", label="label", validation="test", **given)


def test_glue_task_is_no_data_set_with_columns_of_ones_own():
    with pytest.raises(RequestError, match=r"'rte' is a task of GLUE, .*; use Task.glue \(--task glue/rte\)\."):
        Task.hub("rte", text="sentence1")


def test_empty_texts_of_a_data_set_are_refused_unless_they_are_to_be_left_out(published):
    published(text=["a", None, " ", "b"], label=[0, 1, 0, 1])

    with pytest.raises(DataError, match=r"org/reviews train must have a text, but 2 are empty, the first is row 1 "):
        load_rows(reviews())
    rows = load_rows(reviews(drop_empty=True))

    assert (rows.train.texts, rows.train.index, rows.dropped) == (("a", "b"), (0, 3), 4)


def test_empty_texts_of_a_benchmark_are_kept_as_published(published):
    published(sentence=["a", "", "b"], label=[0, 1, 0])

    assert load_rows(Task.glue("sst2")).train.texts == ("a", "", "b")


def test_numbers_in_a_text_column_of_the_hub_are_text(published):
    published(text=[1, 2.5], other=[True, 4], label=["x", "y"])

    rows = load_rows(reviews(text_pair="other"))

    assert (rows.train.texts, rows.train.pairs) == (("1", "2.5"), ("True", "4"))


@pytest.mark.parametrize(
    ("columns", "essentials"),
    [
        (
            {"text": [["a"], ["b"]], "label": [0, 1]},
            r"column 'text' of org/reviews train must hold text, not list such",
        ),
        ({"text": ["a", "b"], "label": [[0], [1]]}, r"label column 'label' of .* must hold text or numbers, not list"),
        (
            {"text": ["a", "b", "c"], "label": [" ", "x", "y"]},
            r"must have a label, but 1 row has none, the first is row 0 ",
        ),
    ],
)
def test_column_of_the_hub_of_a_wrong_kind_is_refused(published, columns, essentials):
    published(**columns)

    with pytest.raises(DataError, match=essentials):
        load_rows(reviews())


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Stand in for the hub: `datasets` takes folders below the working directory for repositories."""
    datasets = pytest.importorskip("datasets", reason="needs the extra [hub]")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    return tmp_path


@pytest.mark.slow
def test_columns_of_the_hubs_layout_become_rows(hub):
    columns = {"sentence1": pl.String, "sentence2": pl.String, "label": pl.Int64, "idx": pl.Int32}
    splits = {split: [(split, "b", 1, 0), ("c", "d", 0, 1)] for split in ("train", "validation")}
    publish(hub / "nyu-mll" / "glue", columns, ("entailment", "not_entailment"), "rte", splits)

    rows = load_rows(Task.glue("rte"))

    assert (rows.train.texts, rows.train.labels) == (("train", "c"), (1, 0))
    assert rows.validation.index == (0, 1)


@pytest.mark.slow
def test_any_data_set_becomes_rows_with_the_names_of_its_classes(hub):
    columns = {"review": pl.String, "stars": pl.Int64}
    splits = {split: [("a", 0), ("b", 1), ("c", 0), ("d", 1)] for split in ("train", "test")}
    publish(hub / "org" / "reviews", columns, ("bad", "good"), "default", splits)

    rows = load_rows(Task.hub("org/reviews", text="review", label="stars", validation="test"))

    assert rows.label_names == ("bad", "good")
    assert rows.train.labels == (0, 1, 0, 1)
    with pytest.raises(DataError, match=r"has no column 'star'; did you mean 'stars'; it has review, stars"):
        load_rows(Task.hub("org/reviews", text="review", label="star", validation="test"))
