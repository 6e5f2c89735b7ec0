"""Is the cache what the tokenizer says, complete, shared, and never stale?"""

import json
import multiprocessing
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, BertTokenizerFast, PreTrainedTokenizerFast

from seedwise.data.pretrained import ENCODER
from seedwise.data.rows import load_rows, read_texts
from seedwise.data.tokenizer import load_tokenizer
from seedwise.data.tokens import TokenizedTask, default_cache, tokenize, tokenize_rows
from seedwise.errors import RequestError, WorkError
from seedwise.values.task import Task

WORDS = "a man is playing the flute slowly today but nobody listens".split()


def bert_tokenizer(folder: Path, words: list[str] = WORDS, **config: object) -> str:
    folder.mkdir()
    (folder / "words.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]) + "\n")
    BertTokenizerFast(vocab=str(folder / "words.txt"), model_max_length=64).save_pretrained(folder)
    if config:
        (folder / "config.json").write_text(json.dumps({"model_type": "bert", **config}))
    return str(folder)


def bare_tokenizer(folder: Path, **special: str) -> str:
    """A tokenizer in the manner of GPT-2: nothing is put around a text."""
    inner = Tokenizer(models.WordLevel({"[UNK]": 0, "<end>": 1, "man": 2, "plays": 3}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=inner, unk_token="[UNK]", **special).save_pretrained(folder)
    return str(folder)


def toy_task(folder: Path, train: str = "text,label\na man,x\nthe flute is playing,y\n", **given: object) -> Task:
    folder.mkdir(exist_ok=True)
    (folder / "train.csv").write_text(train)
    (folder / "validation.csv").write_text("text,label,note\nnobody,y,so\n")
    columns = {"text": "text", "label": "label", "validation": folder / "validation.csv"}
    return Task.files(folder / "train.csv", **(columns | given))


def pair_task(folder: Path) -> Task:
    (folder / "train.csv").write_text("q,a,score\na man,is playing the flute slowly today,0.5\nnobody,listens,1\n")
    return Task.files(
        folder / "train.csv",
        text="q",
        text_pair="a",
        label="score",
        validation=folder / "train.csv",
        kind="regression",
    )


def test_arrays_hold_what_the_tokenizer_gives_each_row(tmp_path):
    model = bert_tokenizer(tmp_path / "model")
    task = toy_task(tmp_path)

    found = tokenize(task, model, 32, tmp_path / "cache")

    expected = AutoTokenizer.from_pretrained(model)(list(load_rows(task).train.texts))
    rows = np.split(found.train.ids, found.train.offsets[1:-1])
    assert [row.tolist() for row in rows] == expected["input_ids"]
    assert found.train.lengths.tolist() == [4, 6]
    assert found.train.type_ids.tolist() == [0] * 10
    assert (found.train.labels.tolist(), found.train.labels.dtype) == ([0, 1], np.int64)
    assert (found.validation.labels.tolist(), found.test) == ([1], None)
    assert (found.pad_id, found.padding_side, found.vocabulary) == (0, "right", 16)


def test_arrays_are_small_types_mapped_into_memory(tmp_path):
    found = tokenize(toy_task(tmp_path), bert_tokenizer(tmp_path / "model"), 32, tmp_path / "cache")

    arrays = (found.train.ids, found.train.type_ids, found.train.offsets, found.train.labels, found.train.index)
    assert all(isinstance(array, np.memmap) for array in arrays)
    assert [array.dtype.name for array in arrays] == ["int32", "int8", "int64", "int64", "int64"]
    with pytest.raises(ValueError, match="read-only"):
        found.train.ids[0] = 1


def test_pairs_are_cut_at_the_longer_text_and_counted(tmp_path):
    found = tokenize(pair_task(tmp_path), bert_tokenizer(tmp_path / "model"), 8, tmp_path / "cache")

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    assert [words[n] for n in found.train.ids[:8]] == "[CLS] a man [SEP] is playing the [SEP]".split()
    assert found.train.type_ids[:8].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert found.train.lengths.tolist() == [8, 5]
    assert found.truncated == {"train": 1, "validation": 1}
    assert found.max_tokens == 8
    assert (found.train.labels.tolist(), found.train.labels.dtype) == ([0.5, 1.0], np.float32)


def test_facts_are_plain_json(tmp_path):
    found = tokenize(toy_task(tmp_path), bert_tokenizer(tmp_path / "model"), 5, tmp_path / "cache")

    assert json.loads(json.dumps(found.facts().to_json())) == {
        "baselines": {},
        "blocks": None,
        "kind": "classification",
        "rows": {"train": 2, "validation": 1},
        "label_names": ["x", "y"],
        "class_counts": {"train": [1, 1], "validation": [0, 1]},
        "truncated": {"train": 1, "validation": 0},
        "repeated": {"validation": 0},
        "dropped": 0,
        "max_length": 5,
        "max_tokens": 5,
        "digest": found.digest,
    }


def test_second_call_reuses_the_folder(tmp_path):
    model, task = bert_tokenizer(tmp_path / "model"), toy_task(tmp_path)
    first = tokenize(task, model, 32, tmp_path / "cache")
    before = {path: path.stat().st_mtime_ns for path in first.folder.iterdir()}

    second = tokenize(task, model, 32, tmp_path / "cache")

    assert second.folder == first.folder
    assert {path: path.stat().st_mtime_ns for path in second.folder.iterdir()} == before
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [first.folder.name]


def test_moved_files_and_models_share_one_folder(tmp_path):
    (tmp_path / "b").mkdir()
    one = tokenize(toy_task(tmp_path / "a"), bert_tokenizer(tmp_path / "a" / "model"), 32, tmp_path / "cache")
    two = tokenize(toy_task(tmp_path / "b"), bert_tokenizer(tmp_path / "b" / "model"), 32, tmp_path / "cache")

    assert one.folder == two.folder


def test_rows_that_are_also_training_rows_are_counted(tmp_path):
    train = "text,label\na man,x\nthe flute is playing,y\na man today,y\n"
    (tmp_path / "test.csv").write_text("text,label\na man,y\nnobody,x\nthe flute is playing,y\na man,x\n")
    task = toy_task(tmp_path, train, test=tmp_path / "test.csv")

    found = tokenize(task, bert_tokenizer(tmp_path / "model"), 32, tmp_path / "cache")

    assert found.repeated == {"validation": 0, "test": 3}


def test_other_content_other_folder(tmp_path):
    model = bert_tokenizer(tmp_path / "model")
    other_model = bert_tokenizer(tmp_path / "other", [*WORDS[1:], WORDS[0]])
    train = "text,label\na man,x\nthe flute is playing,y\n"
    with_notes = "text,label,note\na man,x,so\nthe flute is playing,y,so\n"
    cases = [
        (toy_task(tmp_path / "1", train), model, 32),
        (toy_task(tmp_path / "2", train), other_model, 32),
        (toy_task(tmp_path / "3", train), model, 31),
        (toy_task(tmp_path / "4", train.replace("man", "man today")), model, 32),
        (toy_task(tmp_path / "5", train.replace("playing,y", "playing,z").replace("man,x", "man,y")), model, 32),
        (toy_task(tmp_path / "6", with_notes, text_pair="note"), model, 32),
    ]

    folders = [tokenize(*case, tmp_path / "cache").folder for case in cases]

    assert len(set(folders)) == len(cases)


def tokenize_here(task: Task, model: str, cache: Path, results: "multiprocessing.Queue[str]") -> None:
    results.put(str(tokenize(task, model, 32, cache).folder))


@pytest.mark.slow
def test_processes_that_race_agree_on_one_folder(tmp_path):
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    given = (toy_task(tmp_path), bert_tokenizer(tmp_path / "model"), tmp_path / "cache", results)
    processes = [context.Process(target=tokenize_here, args=given) for _ in range(4)]

    for process in processes:
        process.start()
    found = {results.get() for _ in processes}
    for process in processes:
        process.join()

    assert [str(path) for path in (tmp_path / "cache").iterdir()] == list(found)


def test_damaged_folder_is_refused(tmp_path):
    found = tokenize(toy_task(tmp_path), bert_tokenizer(tmp_path / "model"), 32, tmp_path / "cache")
    (found.folder / "train.offsets.npy").unlink()

    with pytest.raises(WorkError, match=r"tokenised rows in .* cannot be read .*; delete the folder"):
        TokenizedTask.open(found.folder)


def test_cache_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "cache").write_text("a file")

    with pytest.raises(WorkError, match=r"cannot be written to .*; set SEEDWISE_CACHE"):
        tokenize(toy_task(tmp_path), bert_tokenizer(tmp_path / "model"), 32, tmp_path / "cache")


@pytest.mark.parametrize(
    ("config", "limit"),
    [({}, 64), ({"max_position_embeddings": 16}, 16), ({"max_position_embeddings": 512}, 64)],
)
def test_models_own_limit_counts_where_it_is_less(tmp_path, config, limit):
    model = bert_tokenizer(tmp_path / "model", **config)

    assert tokenize(toy_task(tmp_path), model, 1000, tmp_path / "cache").max_length == limit


def test_positions_of_roberta_start_after_the_padding(tmp_path):
    folder = Path(bert_tokenizer(tmp_path / "model"))
    config = {"model_type": "roberta", "max_position_embeddings": 20, "pad_token_id": 1}
    (folder / "config.json").write_text(json.dumps(config))

    assert tokenize(toy_task(tmp_path), str(folder), 1000, tmp_path / "cache").max_length == 18


def test_end_of_text_pads_where_there_is_no_padding_token(tmp_path):
    model = bare_tokenizer(tmp_path / "model", eos_token="<end>")

    found = tokenize(toy_task(tmp_path), model, 32, tmp_path / "cache")

    assert found.pad_id == 1
    assert found.train.lengths.tolist() == [2, 4]  # nothing is put around a text


def test_models_without_token_types_get_none(tmp_path):
    folder = tmp_path / "model"
    model = bare_tokenizer(folder, eos_token="<end>")
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["model_input_names"] = ["input_ids", "attention_mask"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))

    assert tokenize(toy_task(tmp_path), model, 32, tmp_path / "cache").train.type_ids is None


def test_text_without_any_token_becomes_one_token(tmp_path):
    model = bare_tokenizer(tmp_path / "model", eos_token="<end>")
    task = toy_task(tmp_path)
    (tmp_path / "new.csv").write_text("text\nman\n\nplays man\n")

    found = tokenize_rows(read_texts(tmp_path / "new.csv", task), load_tokenizer(model))

    assert found.ids.tolist() == [2, 1, 3, 2]
    assert found.offsets.tolist() == [0, 1, 2, 4]
    assert len(found) == 3


def test_text_of_unknown_characters_keeps_its_special_tokens(tmp_path):
    task = toy_task(tmp_path, "text,label\n\u200b,x\nzzz,y\n")

    found = tokenize(task, bert_tokenizer(tmp_path / "model"), 32, tmp_path / "cache")

    assert found.train.lengths.tolist() == [2, 3]


def test_tokenizer_without_padding_and_end_is_refused(tmp_path):
    with pytest.raises(RequestError, match="must have a padding or an end-of-text token"):
        tokenize(toy_task(tmp_path), bare_tokenizer(tmp_path / "model"), 32, tmp_path / "cache")


@pytest.mark.parametrize("config", [None, {"model_type": "bert", "vocab_size": 100}, {"model_type": "deberta-v2"}])
def test_folder_without_a_tokenizer_is_refused(tmp_path, config):
    folder = tmp_path / "model"
    folder.mkdir()
    if config:
        (folder / "config.json").write_text(json.dumps(config))

    with pytest.raises(RequestError, match=r"must have a tokenizer, but .*; .*save .*tokenizer into") as refusal:
        tokenize(toy_task(tmp_path), str(folder), 32, tmp_path / "cache")

    assert "\n" not in str(refusal.value)


def test_package_that_reads_the_tokenizer_is_named_where_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    (tmp_path / "config.json").write_text('{"model_type": "deberta-v2"}')
    (tmp_path / "spm.model").write_bytes(b"no words")

    with pytest.raises(RequestError, match=r"needs the package sentencepiece, .*; pip install sentencepiece\."):
        load_tokenizer(str(tmp_path))


def test_model_that_is_not_found_is_refused(tmp_path):
    with pytest.raises(RequestError, match="'no/such-model' cannot be loaded"):
        tokenize(toy_task(tmp_path), "no/such-model", 32, tmp_path / "cache")


def test_cache_lies_where_the_environment_says(monkeypatch):
    monkeypatch.setenv("SEEDWISE_CACHE", "/somewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", "/home/me/.caches")
    assert default_cache() == Path("/somewhere")
    monkeypatch.delenv("SEEDWISE_CACHE")
    assert default_cache() == Path("/home/me/.caches/seedwise")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert default_cache() == Path.home() / ".cache" / "seedwise"


@pytest.mark.slow
def test_sixty_seven_thousand_rows_take_seconds(shared, tmp_path):
    model = bert_tokenizer(tmp_path / "model", sorted({chr(n) for n in range(97, 123)} | set(WORDS)))
    started = time.process_time()

    found = tokenize(Task.glue(shared / "data" / "glue" / "SST-2"), model, 128, tmp_path / "cache")

    assert len(found.train) == 67_349
    assert time.process_time() - started < 60  # 4 s of a processor of 2024, whatever else it is busy with


@pytest.mark.skipif(not ENCODER.is_dir(), reason="the encoder inside the package has not been made")
@pytest.mark.parametrize("name", ["acceptability", "entailment", "similarity"])
def test_embedded_tasks_and_encoder_fit_each_other(name, tmp_path):
    found = tokenize(Task.embedded(name), "embedded", 128, tmp_path / "cache")

    assert found.kind == ("regression" if name == "similarity" else "classification")
    assert found.test is not None
    assert sum(found.truncated.values()) == 0
