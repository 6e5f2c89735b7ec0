"""Does a task stay the task it was, and is it split and scored as its protocol says?"""

from pathlib import Path

import pytest

from seedwise import DataError, RequestError, Splits, Task
from seedwise.values.benchmarks import GLUE, PROTOCOLS

HUB = {
    "cola": "9b679effe42161d6",
    "sst2": "57a0ac6691da445d",
    "mrpc": "a983017183c9b287",
    "stsb": "8dc6e7fb586fbb4e",
    "qqp": "709044df1e9dec4e",
    "mnli": "da11c562760f1d6d",
    "qnli": "c3d9bdc998afcb81",
    "rte": "78c5454f123300db",
    "wnli": "4a5c9d727b651203",
}
EMBEDDED = {
    "acceptability": "aa716edb68a001d6",
    "entailment": "04c501d142615303",
    "similarity": "182e11c02bd8de87",
}
HALVES = Splits(halve_validation=True)
THOUSAND_ASIDE = Splits(validation_size=1000)


class TestId:
    """Stored studies are found again by these ids; if one of these fails, old studies no longer continue."""

    @pytest.mark.parametrize("name", HUB)
    def test_of_a_task_on_the_hub(self, name):
        assert Task.glue(name).id == HUB[name]

    @pytest.mark.parametrize("name", EMBEDDED)
    def test_of_an_embedded_task(self, name):
        assert Task.embedded(name).id == EMBEDDED[name]

    def test_of_files(self, tmp_path):
        (tmp_path / "a.csv").write_bytes(b"text,label\nx,a\ny,b\n")
        assert Task.files(tmp_path / "a.csv", text="text", label="label").id == "fd1aebc28fb7d388"

    def test_of_a_folder_of_glue_files(self, tmp_path):
        (tmp_path / "RTE").mkdir()
        for split in ("train", "dev"):
            rows = b"index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n"
            (tmp_path / "RTE" / f"{split}.tsv").write_bytes(rows)
        assert Task.glue(tmp_path / "RTE").id == "1eeb05286791f8fc"

    def test_of_a_data_set(self):
        assert Task.hub("stanfordnlp/imdb", text="text", test="test").id == "9b85d1b21433d0b2"

    def test_a_protocol_is_its_splits_and_metric_and_nothing_else(self):
        said = Task.glue("mrpc", metric="f1", splits=HALVES)
        assert Task.glue("mrpc", protocol="zhang2021") == said
        assert Task.glue("mrpc", protocol="zhang2021").id == said.id == "d83cdda82ad8af1e"
        assert Task.glue("mnli", protocol="zhang2021-1k").id == "67f0b4b07e2d71f5"


class TestProtocol:
    @pytest.mark.parametrize("name", GLUE)
    def test_of_dodge_is_glue_itself(self, name):
        assert Task.glue(name, protocol="dodge2020") == Task.glue(name)

    @pytest.mark.parametrize(
        ("name", "metric", "splits"),
        [
            ("rte", "accuracy", HALVES),
            ("mrpc", "f1", HALVES),
            ("stsb", "spearman", HALVES),
            ("cola", "matthews", HALVES),
            ("sst2", "accuracy", THOUSAND_ASIDE),
            ("qnli", "accuracy", THOUSAND_ASIDE),
            ("qqp", "accuracy", THOUSAND_ASIDE),
            ("mnli", "accuracy", THOUSAND_ASIDE),
        ],
    )
    @pytest.mark.parametrize(("protocol", "train_size"), [("zhang2021", None), ("zhang2021-1k", 1000)])
    def test_of_zhang_is_table_3(self, name, metric, splits, protocol, train_size):
        task = Task.glue(name, protocol=protocol)
        validates = {"halve_validation": splits.halve_validation, "validation_size": splits.validation_size}
        assert task.metric == metric
        assert task.splits == Splits(train_size=train_size, **validates)

    def test_gives_way_to_what_is_said(self):
        task = Task.glue("mrpc", protocol="zhang2021", metric="accuracy", splits=Splits(train_size=100))
        assert (task.metric, task.splits) == ("accuracy", Splits(train_size=100))

    @pytest.mark.parametrize("protocol", ["zhang2020", ""])
    def test_that_is_unknown_is_refused(self, protocol):
        with pytest.raises(RequestError, match=f"the protocol must be one of {', '.join(PROTOCOLS)}, not '{protocol}'"):
            Task.glue("rte", protocol=protocol)


class TestGlue:
    def test_a_text_without_a_slash_is_a_name_whatever_folders_there_are(self, tmp_path, monkeypatch):
        (tmp_path / "RTE").mkdir()
        monkeypatch.chdir(tmp_path)
        assert Task.glue("RTE") == Task.glue("rte") == Task.glue("glue/rte")

    @pytest.mark.parametrize("folder", [Path("RTE"), "./RTE", "data/../RTE"])
    def test_a_path_and_a_text_with_a_slash_are_folders(self, folder):
        with pytest.raises(DataError, match=r"the GLUE folder .*RTE does not exist"):
            Task.glue(folder)
