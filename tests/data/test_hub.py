"""Are the hub's tasks read from GLUE_DIR where it has them, from the hub elsewhere, and refused in one sentence?"""

import importlib.util
import sys
from types import ModuleType

import pytest

from seedwise.data import load_rows
from seedwise.errors import DataError
from seedwise.task import Task

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

    rows = load_rows(Task.hub("glue/rte"))

    assert (rows.train.texts, rows.train.pairs, rows.validation.labels) == (("a", "c"), ("b", "d"), (0, 1))


def test_real_files_stand_in_for_the_hub(shared, monkeypatch):
    monkeypatch.setenv("GLUE_DIR", str(shared / "data" / "glue"))

    assert len(load_rows(Task.hub("cola")).validation) == 1043


def test_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)

    with pytest.raises(DataError, match=r"pip install 'seedwise\[hub\]', or give the folder .*path/to/RTE"):
        load_rows(Task.hub("rte"))


def test_hub_that_does_not_answer_is_refused_in_one_sentence(monkeypatch):
    def unreachable(*_: object, **__: object) -> None:
        raise ConnectionError("Couldn't reach 'nyu-mll/glue' on the Hub\nand much more")

    datasets = ModuleType("datasets")
    datasets.load_dataset = unreachable
    monkeypatch.setitem(sys.modules, "datasets", datasets)

    with pytest.raises(
        DataError, match=r"cannot be fetched from the hub \(Couldn't reach .*\); give the folder"
    ) as refusal:
        load_rows(Task.hub("rte"))

    assert "\n" not in str(refusal.value)


@pytest.mark.skipif(importlib.util.find_spec("datasets") is None, reason="needs the extra [hub]")
@pytest.mark.slow
def test_columns_of_the_hubs_layout_become_rows(tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        {
            "sentence1": datasets.Value("string"),
            "sentence2": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["entailment", "not_entailment"]),
            "idx": datasets.Value("int32"),
        }
    )
    folder = tmp_path / "nyu-mll" / "glue"
    (folder / "rte").mkdir(parents=True)
    for split in ("train", "validation"):
        columns = {"sentence1": [split, "c"], "sentence2": ["b", "d"], "label": [1, 0], "idx": [0, 1]}
        part = datasets.Dataset.from_dict(columns, features=features)
        part.to_parquet(folder / "rte" / f"{split}-00000-of-00001.parquet")
    (folder / "README.md").write_text(
        "---\nconfigs:\n- config_name: rte\n  data_files:\n  - split: train\n    path: rte/train-*\n"
        "  - split: validation\n    path: rte/validation-*\n---\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")

    rows = load_rows(Task.hub("rte"))

    assert (rows.train.texts, rows.train.labels) == (("train", "c"), (1, 0))
    assert rows.validation.index == (0, 1)
