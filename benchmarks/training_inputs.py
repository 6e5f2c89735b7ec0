"""What do the rivals of ``training.py`` train on? Rows as long as those of RTE and CoLA, and random BERTs of two shapes."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from seedwise import Recipe, Task
from seedwise.data.tokenizer import load_tokenizer
from seedwise.data.tokens import TokenizedTask, tokenize

__all__ = ["CELLS", "Cell", "Setting", "prepare", "set_up"]

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

    The numbers are those of the real rows, tokenised for BERT.
    """

    folder: str
    train: int
    validation: int
    length: tuple[float, float]  # mean and sd of the logarithm
    second: tuple[float, float] | None
    words: int  # different ones


class Cell(NamedTuple):
    """One model on one task.

    Args:
        model: minilm or tiny.
        task: rte or cola.
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


SHAPES = {"minilm": Shape(6, 384, 12), "tiny": Shape(2, 128, 2)}
TEXTS = {
    "rte": Texts("RTE", 2490, 277, (4.02, 0.51), (2.4, 0.4), 13_500),
    "cola": Texts("CoLA", 8551, 1043, (2.15, 0.41), None, 5_500),
}
CELLS = {
    "minilm-rte": Cell("minilm", "rte", 6),
    "minilm-cola": Cell("minilm", "cola", 12),
    "tiny-rte": Cell("tiny", "rte", 40),
    "tiny-cola": Cell("tiny", "cola", 80),
}


def set_up(folder: Path, model: str | None, glue: Path | None, *, quick: bool) -> Path:
    """Save the models, and the rows unless they are given; return the folder of the rows."""
    import transformers

    transformers.logging.disable_progress_bar()
    made_up = _save_tokenizer(folder / "tokenizer") if model is None else model
    for name, shape in SHAPES.items():
        if name == "tiny" or model is None:
            _save_model(folder / name, shape, made_up)
    if glue is not None:
        return glue
    known = load_tokenizer(made_up).inner.get_vocab()
    words = sorted(word for word in known if word.isascii() and word.isalpha() and word.islower())
    for texts in TEXTS.values():
        _write_rows(folder / "glue" / texts.folder, texts, words, share=0.04 if quick else 1)
    return folder / "glue"


def prepare(cell: Cell, folder: Path, model: str | None, glue: Path, dtype: str, device: str) -> Setting:
    """Tokenise the cell's rows."""
    place = str(folder / "tiny") if cell.model == "tiny" else model or str(folder / "minilm")
    task = Task.glue(glue / TEXTS[cell.task].folder)
    recipe = Recipe(model=place, dtype=dtype, evaluations=EVALUATIONS)  # type: ignore[arg-type]  # read from text
    rows: TokenizedTask = tokenize(task, place, recipe.max_length, cache=folder / "cache")
    return Setting(place, task, rows.folder, recipe, cell.span, device)


def _save_tokenizer(folder: Path) -> str:
    """Save a tokenizer of as many words as BERT has, all of them made up."""
    from transformers import BertTokenizerFast

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
        lines = [] if texts.second is None else ["index\tsentence1\tsentence2\tlabel"]
        for row in range(max(64, round(share * size))):
            total, label = max(2, round(generator.lognormal(*texts.length))), int(generator.integers(2))
            if texts.second is None:
                lines.append(f"made\t{label}\t\t{some(total)}")
                continue
            second = min(max(2, round(generator.lognormal(*texts.second))), total - 1)
            kind = ("entailment", "not_entailment")[label]
            lines.append(f"{row}\t{some(total - second)}\t{some(second)}\t{kind}")
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
