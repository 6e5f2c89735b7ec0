"""What does a finished model predict for new rows?"""

from pathlib import Path

import torch
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging as transformers_logging

from seedwise.data.tokens import TokenizedSplit
from seedwise.training.plain import Padding, predict

__all__ = ["predict_rows"]


def predict_rows(model_folder: Path, rows: TokenizedSplit, padding: Padding, kind: str) -> list[dict[str, object]]:
    """Label every row."""
    transformers_logging.disable_progress_bar()
    model = AutoModelForSequenceClassification.from_pretrained(model_folder, dtype=torch.float32)
    outputs = torch.from_numpy(predict(model, rows, padding)).double()
    if kind == "regression":
        return [{"row": i, "prediction": float(row[0])} for i, row in enumerate(outputs)]
    names = [model.config.id2label[k] for k in range(model.config.num_labels)]
    found: list[dict[str, object]] = []
    for i, probabilities in enumerate(outputs.softmax(-1)):
        chances = {f"p({name})": round(float(p), 6) for name, p in zip(names, probabilities, strict=True)}
        found.append({"row": i, "label": names[int(probabilities.argmax())], **chances})
    return found
