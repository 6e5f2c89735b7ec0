"""Are the generated tasks and the small encoder in the package what docs/embedded.md says they are?"""

import subprocess
import sys
from pathlib import Path

import pytest

import seedwise

ROOT = Path(__file__).parents[1]
FOLDER = Path(seedwise.__file__).parent / "embedded"
TASKS = ("acceptability", "entailment", "similarity")
SPLITS = {"train": 800, "validation": 300, "test": 500}


def rows(task: str, split: str) -> list[tuple[str, ...]]:
    text = (FOLDER / task / f"{split}.tsv").read_text(encoding="utf-8")
    return [tuple(line.split("\t")) for line in text.removesuffix("\n").split("\n")[1:]]


def test_everything_embedded_takes_at_most_three_megabytes():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 3_000_000


@pytest.mark.parametrize("task", TASKS)
def test_splits_have_their_sizes(task):
    assert {split: len(rows(task, split)) for split in SPLITS} == SPLITS


@pytest.mark.parametrize("task", TASKS)
def test_no_row_occurs_twice_not_even_mirrored(task):
    keys = [tuple(sorted(row[:-1])) for split in SPLITS for row in rows(task, split)]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(("task", "label"), [("acceptability", "1"), ("entailment", "entailment")])
def test_no_label_is_rare(task, label):
    for split, size in SPLITS.items():
        share = sum(row[-1] == label for row in rows(task, split)) / size
        assert 0.45 <= share <= 0.68


def test_scores_span_the_scale():
    scores = [float(row[-1]) for row in rows("similarity", "train")]
    assert (min(scores), max(scores)) == (0.0, 5.0)


def test_only_the_head_of_the_encoder_is_new():
    from transformers import AutoModelForSequenceClassification

    _, info = AutoModelForSequenceClassification.from_pretrained(FOLDER / "encoder", output_loading_info=True)
    assert set(info["missing_keys"]) == {"classifier.weight", "classifier.bias"}
    assert not info["unexpected_keys"]


def test_the_vocabulary_spells_every_word():
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(FOLDER / "encoder")
    texts = [
        "Zebras quiz 42 foxes, don't they?",
        *(text for task in TASKS for row in rows(task, "test") for text in row[:-1]),
    ]
    assert not any(tokenizer.unk_token_id in ids for ids in tokenizer(texts)["input_ids"])


@pytest.mark.slow
def test_the_tasks_can_be_made_again_byte_for_byte():
    command = [sys.executable, str(ROOT / "scripts" / "make_embedded.py"), "--check"]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (made.returncode, made.stdout) == (0, "all 9 files are equal, byte for byte\n")
