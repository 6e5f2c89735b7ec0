"""Small real things for tests: a two-layer BERT with its tokenizer, and a task of forty words that can be learnt."""

import csv
import random
from pathlib import Path

import torch
from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast

from seedwise import Recipe, Splits, Task

GOOD = "bright calm clear eager fair fresh gentle glad grand happy kind lively merry neat noble".split()
BAD = "bitter bleak cold crude cruel damp dark dim dreary dull foul grim harsh mean rude".split()
PLAIN = "the a was it day song road house talk river".split()


def toy_model(folder: Path, *, hidden: int = 32, layers: int = 2, dropout: float = 0.1) -> Path:
    """Save a random BERT without a head, with a WordPiece tokenizer of the toy words."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = folder / "vocab.txt"
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PLAIN, *GOOD, *BAD]
    vocabulary.write_text("\n".join(words) + "\n", encoding="utf-8")
    BertTokenizerFast(vocab=str(vocabulary), model_max_length=64).save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(words),
            hidden_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=2,
            intermediate_size=2 * hidden,
            max_position_embeddings=64,
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
        BertForMaskedLM(config).save_pretrained(folder)
    return folder


def toy_rows(rows: int, seed: int = 0) -> list[tuple[str, str, float]]:
    """Draw rows of text, label (good or bad) and value (share of good words)."""
    draw = random.Random(seed)
    found = []
    for _ in range(rows):
        good = draw.randint(0, 4)
        words = draw.sample(GOOD, good) + draw.sample(BAD, 4 - good) + draw.sample(PLAIN, draw.randint(1, 6))
        draw.shuffle(words)
        found.append((" ".join(words), "good" if good > 2 else "bad", good / 4))
    return found


def toy_file(path: Path, rows: int, seed: int = 0) -> Path:
    """Write toy rows as CSV with the columns text, label and value."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label", "value"])
        writer.writerows(toy_rows(rows, seed))
    return path


def toy_task(folder: Path, *, rows: int = 64, test: bool = True, **fields: object) -> Task:
    """Describe a toy task with training, validation and (by default) test rows."""
    folder.mkdir(parents=True, exist_ok=True)
    train = toy_file(folder / "train.csv", rows, seed=1)
    validation = toy_file(folder / "validation.csv", 40, seed=2)
    given = toy_file(folder / "test.csv", 40, seed=3) if test else None
    chosen = {"text": "text", "label": "label", "splits": Splits(), **fields}
    return Task.files(train, validation=validation, test=given, **chosen)


def toy_recipe(model: Path, **fields: object) -> Recipe:
    """Return a recipe that trains a toy for a few steps."""
    chosen = {"learning_rate": 2e-3, "num_train_epochs": 3, "batch_size": 8, "evaluations": "2 per epoch", **fields}
    return Recipe(model=str(model), **chosen)
