"""What do the rivals of ``training.py`` train on? Rows as long as those of RTE, CoLA and SST-2, and random BERTs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seedwise import Recipe, Task
from seedwise.data.tokenizer import load_tokenizer
from seedwise.data.tokens import TokenizedTask, tokenize

__all__ = ["CELLS", "DEFAULT", "Cell", "Setting", "prepare", "set_up"]

EVALUATIONS = "10 per epoch"
VOCABULARY = 30_522  # BERT's
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


class Shape(NamedTuple):
    """How large an encoder is."""

    blocks: int
    width: int
    heads: int


class Texts(NamedTuple):
    """How many rows a task has, and how long they are: logarithms of words in a row and, for pairs, in its second text.

    The numbers are those of the real rows, tokenised for BERT; of SST-2's training rows a tenth is made up.
    """

    folder: str
    train: int
    validation: int
    length: tuple[float, float]  # mean and sd of the logarithm
    second: tuple[float, float] | None
    words: int  # different ones
    longest: int


class Cell(NamedTuple):
    """One model on one task.

    Args:
        model: minilm, tiny or large.
        task: rte, cola or sst2.
        span: Steps of a turn, of which the last is followed by an evaluation.
    """

    model: str
    task: str
    span: int


class Setting(NamedTuple):
    """What every rival in a cell is given.

    Args:
        model: Folder of the model, in the Hugging Face layout.
        task: The task.
        rows: Folder of its tokenised rows.
        recipe: The recipe whose trials are asked about.
        span: Steps of a turn.
        device: cpu or cuda.
    """

    model: str
    task: Task
    rows: Path
    recipe: Recipe
    span: int
    device: str

    @property
    def config(self) -> Any:
        """The model's config."""
        from transformers import AutoConfig

        return AutoConfig.from_pretrained(self.model)


COLUMNS = {"RTE": "index\tsentence1\tsentence2\tlabel", "SST-2": "sentence\tlabel"}  # CoLA's files name none
SHAPES = {"minilm": Shape(6, 384, 12), "tiny": Shape(2, 128, 2), "large": Shape(24, 1024, 16)}
TEXTS = {
    "rte": Texts("RTE", 2490, 277, (4.02, 0.51), (2.4, 0.4), 13_500, 300),
    "cola": Texts("CoLA", 8551, 1043, (2.15, 0.41), None, 5_500, 60),
    "sst2": Texts("SST-2", 6735, 872, (2.06, 0.85), None, 8_000, 62),
}
CELLS = {
    "minilm-rte": Cell("minilm", "rte", 6),
    "minilm-cola": Cell("minilm", "cola", 12),
    "tiny-rte": Cell("tiny", "rte", 40),
    "tiny-cola": Cell("tiny", "cola", 80),
    "minilm-sst2": Cell("minilm", "sst2", 12),
    "large-rte": Cell("large", "rte", 2),
    "large-cola": Cell("large", "cola", 3),
    "large-sst2": Cell("large", "sst2", 3),
}
DEFAULT = ("minilm-rte", "minilm-cola", "tiny-rte", "tiny-cola")


def set_up(folder: Path, cells: Sequence[Cell], model: str | None, glue: Path | None, *, quick: bool) -> Path:
    """Save the cells' models, and their rows unless these are given; return the folder of the rows."""
    import transformers

    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    made_up = _save_tokenizer(folder / "tokenizer") if model is None else model
    for name in {cell.model for cell in cells}:
        if name != "minilm" or model is None:
            _save_model(folder / name, SHAPES[name], made_up)
    if glue is not None:
        return glue
    known = load_tokenizer(made_up).inner.get_vocab()
    words = sorted(word for word in known if word.isascii() and word.isalpha() and word.islower())
    for texts in {TEXTS[cell.task] for cell in cells}:
        _write_rows(folder / "glue" / texts.folder, texts, words, share=0.04 if quick else 1)
    return folder / "glue"


def prepare(cell: Cell, folder: Path, model: str | None, glue: Path, dtype: str, device: str) -> Setting:
    """Tokenise the cell's rows."""
    place = model if model is not None and cell.model == "minilm" else str(folder / cell.model)
    task = Task.glue(glue / TEXTS[cell.task].folder)
    recipe = Recipe(model=place, dtype=dtype, evaluations=EVALUATIONS)  # type: ignore[arg-type]  # read from text
    rows: TokenizedTask = tokenize(task, place, recipe.max_length, cache=folder / "cache")
    return Setting(place, task, rows.folder, recipe, cell.span, device)


def _save_tokenizer(folder: Path) -> str:
    """Save a tokenizer of as many words as BERT has, all of them made up."""
    from transformers import BertTokenizerFast  # type: ignore[attr-defined]  # a name made at run time

    consonants, vowels = "bdfghjklmnprstvwxyz", "aeiou"
    syllables = [consonant + vowel for consonant in consonants for vowel in vowels]
    three = ([number // 95**place % 95 for place in range(3)] for number in range(VOCABULARY - len(SPECIAL)))
    words = ["".join(syllables[part] for part in parts) for parts in three]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *words]) + "\n", encoding="utf-8")
    BertTokenizerFast(vocab=str(folder / "vocab.txt"), model_max_length=512).save_pretrained(folder)
    return str(folder)


def _save_model(folder: Path, shape: Shape, tokenizer: str) -> None:
    import torch
    from transformers import AutoTokenizer, BertConfig, BertModel

    known = AutoTokenizer.from_pretrained(tokenizer)
    config = BertConfig(
        vocab_size=len(known),
        hidden_size=shape.width,
        num_hidden_layers=shape.blocks,
        num_attention_heads=shape.heads,
        intermediate_size=4 * shape.width,
        pad_token_id=known.pad_token_id,
    )
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder)
    known.save_pretrained(folder)


def _write_rows(folder: Path, texts: Texts, words: list[str], share: float) -> None:
    """Write GLUE's two files: words as frequent as in a language, labels at random."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    known = generator.permutation(words)[: texts.words]
    frequency = 1 / np.arange(3, len(known) + 3)  # Zipf's law

    def some(count: int) -> str:
        return " ".join(generator.choice(known, count, p=frequency / frequency.sum()))

    for name, size in (("train.tsv", texts.train), ("dev.tsv", texts.validation)):
        lines = [] if texts.folder == "CoLA" else [COLUMNS[texts.folder]]
        for row in range(max(64, round(share * size))):
            total, label = max(2, round(generator.lognormal(*texts.length))), int(generator.integers(2))
            total = min(total, texts.longest)
            if texts.second is None:
                text = some(total)
                lines.append(f"{text}\t{label}" if texts.folder == "SST-2" else f"made\t{label}\t\t{text}")
                continue
            second = min(max(2, round(generator.lognormal(*texts.second))), total - 1)
            kind = ("entailment", "not_entailment")[label]
            lines.append(f"{row}\t{some(total - second)}\t{some(second)}\t{kind}")
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
