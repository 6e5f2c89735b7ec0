"""What does a finished model say of new rows?"""

from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging as transformers_logging

from seedwise.data.rows import Rows

__all__ = ["predict_rows"]

BATCH = 64


def predict_rows(model_folder: Path, rows: Rows, kind: str) -> list[dict[str, object]]:
    """Label every row.

    Args:
        model_folder: A Hugging Face folder, such as a study's ``best``.
        rows: Texts, or pairs of texts.
        kind: classification or regression.

    Returns:
        One mapping a row: ``row`` (from 0), then ``label`` and a probability for each label, or ``prediction`` for
        regression.
    """
    transformers_logging.disable_progress_bar()
    model = AutoModelForSequenceClassification.from_pretrained(model_folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    found: list[dict[str, object]] = []
    for start in range(0, len(rows.texts), BATCH):
        part = slice(start, start + BATCH)
        pairs = None if rows.pairs is None else list(rows.pairs[part])
        encoded = tokenizer(list(rows.texts[part]), pairs, truncation=True, padding=True, return_tensors="pt")
        with torch.inference_mode():
            logits = model(**encoded).logits.double()
        if kind == "regression":
            found += [{"row": start + i, "prediction": float(row[0])} for i, row in enumerate(logits)]
            continue
        names = [model.config.id2label[k] for k in range(model.config.num_labels)]
        for i, probabilities in enumerate(logits.softmax(-1)):
            chances = {f"p({name})": round(float(p), 6) for name, p in zip(names, probabilities, strict=True)}
            found.append({"row": start + i, "label": names[int(probabilities.argmax())], **chances})
    return found
