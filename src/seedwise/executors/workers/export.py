"""How does the winner become a plain Hugging Face model folder?"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from transformers import AutoTokenizer

from seedwise.data.pretrained import resolve_model
from seedwise.data.tokens import TokenizedTask
from seedwise.errors import StorageError
from seedwise.training.adapters import merge_lora
from seedwise.training.checkpoint import load_weights
from seedwise.training.loop import begin
from seedwise.values.trial import Trial

__all__ = ["export_model"]


def export_model(trial: Trial, data_folder: Path, weights: Path, folder: Path, files: Mapping[str, str]) -> None:
    """Write a model, its tokenizer and what goes beside them into a folder, replacing an earlier one as a whole."""
    data = TokenizedTask.open(data_folder)
    training = begin(trial, data)
    load_weights(training, weights)
    merge_lora(training.model)
    beside = folder.with_name(f".{folder.name}.part")
    try:
        shutil.rmtree(beside, ignore_errors=True)  # half-written when a worker was killed
        training.model.save_pretrained(beside)
        tokenizer = AutoTokenizer.from_pretrained(resolve_model(trial.recipe.model))
        tokenizer.model_max_length = data.max_length  # so that new texts are cut as these were
        if tokenizer.pad_token is None:  # GPT-2 and its kin were padded so, and a batch of new texts must be
            tokenizer.pad_token = tokenizer.eos_token
        tokenizer.save_pretrained(beside)
        for name, text in files.items():
            (beside / name).write_text(text, encoding="utf-8")
        if folder.exists():
            shutil.rmtree(folder)
        beside.replace(folder)
    except (OSError, SafetensorError) as error:
        raise StorageError(
            f"the model folder {folder} cannot be written ({error}); make room and run again."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
