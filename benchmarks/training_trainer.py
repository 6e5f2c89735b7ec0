"""How does the Hugging Face Trainer take turns? A callback stops it after its steps; everything else is its own.

Set as ``run_glue`` sets it, rows are padded to 128 tokens and evaluated 8 at a time. Set as well as can be, batches are
padded to their longest row, evaluation takes 128 rows at a time from rows sorted by length, and AdamW is torch's fused
one. Either reads rows that were tokenised beforehand from memory; nothing is logged or saved.
"""

import statistics
import tempfile
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from training_inputs import Setting
from training_turns import WARM_UP, Ready, Rival, Turn, Turns
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    default_data_collator,
    set_seed,
)

from seedwise import Recipe
from seedwise.data.tokens import TokenizedSplit, TokenizedTask
from seedwise.training.metrics import score

__all__ = ["take_turns"]

EVALUATION_ROWS = 128


class Pauses(TrainerCallback):
    """Stops the Trainer after the steps of each turn, and times them and one evaluation.

    Args:
        turns: Tells when to go on.
        span: Steps of a turn.
        start: Seconds until all was loaded.
        before: When the trial began to be set up.
    """

    def __init__(self, turns: Turns, span: int, start: float, before: float) -> None:
        self._turns, self._span, self._start, self._before = turns, span, start, before
        self._begin, self._steps = 0.0, list[float]()
        self.trainer: Trainer

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002 - the library's
        """Note how long it took to set the trial up."""
        self._begin = self._turns.clock() - self._before

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002 - the library's
        """Note how long the step took; at the end of a turn evaluate, report, and wait for the next."""
        now = self._turns.clock()
        self._steps.append(now - self._before)
        if state.global_step == WARM_UP:
            self._turns.over(Ready(self._start, self._begin))
            self._steps.clear()
        elif state.global_step > WARM_UP and len(self._steps) == self._span:
            self.trainer.evaluate()
            evaluation = self._turns.clock() - now
            self._turns.over(Turn(statistics.median(self._steps), evaluation, self._turns.memory()))
            self._steps.clear()
        self._before = self._turns.clock()


def take_turns(rival: Rival, setting: Setting, number: int, turns: Turns, started: float) -> None:
    """Set a Trainer up and let it train, turn by turn.

    Args:
        rival: How it is set.
        setting: With which model and rows.
        number: Which of the rival's processes this is.
        turns: Tells when to go on.
        started: When the process was started, by time.time().
    """
    rows, recipe = TokenizedTask.open(setting.rows), setting.recipe
    tokenizer = AutoTokenizer.from_pretrained(setting.model)
    by_length = np.argsort(-rows.validation.lengths, kind="stable")
    order = np.arange(len(by_length)) if rival.as_run_glue else by_length
    width = recipe.max_length if rival.as_run_glue else 0
    train, validation = _examples(rows, rows.train, width), _examples(rows, rows.validation, width, order)
    AutoModelForSequenceClassification.from_pretrained(setting.model)  # the first one loads libraries
    pauses = Pauses(turns, setting.span, time.time() - started, turns.clock())
    set_seed(number)
    model = AutoModelForSequenceClassification.from_pretrained(setting.model, num_labels=2)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model,
            args=_arguments(
                recipe, setting.device, folder, recipe.steps(len(train)), number, as_run_glue=rival.as_run_glue
            ),
            train_dataset=train,
            eval_dataset=validation,
            data_collator=default_data_collator if rival.as_run_glue else DataCollatorWithPadding(tokenizer),
            compute_metrics=lambda found: score(rows.kind, np.asarray(found.predictions), np.asarray(found.label_ids)),
            callbacks=[pauses],
        )
        trainer.remove_callback(PrinterCallback)
        pauses.trainer = trainer
        trainer.train()


def _arguments(
    recipe: Recipe, device: str, folder: str, steps: int, seed: int, *, as_run_glue: bool
) -> TrainingArguments:
    """Say what the recipe says; the rest stays as the library has it, but for what makes it faster."""
    faster: dict[str, Any] = {"per_device_eval_batch_size": EVALUATION_ROWS, "optim": "adamw_torch_fused"}
    return TrainingArguments(
        output_dir=folder,
        per_device_train_batch_size=recipe.batch_size,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        max_steps=steps,
        warmup_steps=round(recipe.warmup_ratio * steps),
        bf16=recipe.dtype == "bfloat16",
        use_cpu=device == "cpu",
        eval_strategy="no",
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        seed=seed,
        **({} if as_run_glue else faster),
    )


def _examples(
    rows: TokenizedTask, split: TokenizedSplit, width: int, order: Sequence[int] | np.ndarray | None = None
) -> list[dict[str, Any]]:
    """Return rows as the Trainer wants them, padded up to a width."""
    found = []
    for row in range(len(split)) if order is None else order:
        part = slice(int(split.offsets[row]), int(split.offsets[row + 1]))
        ids = split.ids[part].tolist()
        pad = max(0, width - len(ids))
        example = {
            "input_ids": ids + [rows.pad_id] * pad,
            "attention_mask": [1] * len(ids) + [0] * pad,
            "labels": int(split.labels[row]),
        }
        if split.type_ids is not None:
            example["token_type_ids"] = split.type_ids[part].tolist() + [0] * pad
        found.append(example)
    return found
