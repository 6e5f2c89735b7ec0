"""Which recipes were published, by name?"""

from typing import Any

__all__ = ["PRESETS"]

_BERT_ADAM = {"bias_correction": False, "adam_epsilon": 1e-6, "weight_decay": 0.01}

# Zhang et al. (2021), section 3: debiased Adam, no weight decay, ten evaluations in the whole run.
_ZHANG = {"batch_size": 32, "weight_decay": 0.0, "adam_epsilon": 1e-8, "evaluations": "10 per run"}


def _steps(learning_rate: float, steps: int, batch_size: int, warmup: int) -> dict[str, Any]:
    """Return a row of Table 6 that counts steps; its warm-up as a share, from which training finds the same steps."""
    own = {"learning_rate": learning_rate, "num_train_steps": steps, "batch_size": batch_size}
    return {**own, "warmup_ratio": warmup / steps}


def _epochs(learning_rate: float, epochs: float) -> dict[str, Any]:
    """Return a row of ELECTRA in Table 6: batches of 32, 10 % warm-up, and layer-wise learning rates."""
    return {"learning_rate": learning_rate, "num_train_epochs": epochs, "layerwise_lr_decay": 0.9}


# Zhang et al. (2021), Table 6: what each large model's own authors used; all else as in section 3.
_TABLE_6 = {
    "xlnet-rte": _steps(3e-5, 800, 32, 200),
    "xlnet-mrpc": _steps(5e-5, 800, 32, 200),
    "xlnet-stsb": _steps(5e-5, 3000, 32, 500),
    "xlnet-cola": _steps(3e-5, 1200, 128, 120),
    "roberta-rte": _steps(2e-5, 2036, 16, 122),
    "roberta-mrpc": _steps(1e-5, 2296, 16, 137),
    "roberta-stsb": _steps(2e-5, 3598, 16, 214),
    "roberta-cola": _steps(1e-5, 5336, 16, 320),
    "electra-rte": _epochs(5e-5, 10.0),
    "electra-mrpc": _epochs(5e-5, 3.0),
    "electra-stsb": _epochs(5e-5, 10.0),
    "electra-cola": _epochs(5e-5, 3.0),
    "bart-rte": _steps(1e-5, 1018, 32, 61),
    "bart-mrpc": _steps(2e-5, 1148, 64, 68),
    "bart-stsb": _steps(2e-5, 1799, 32, 107),
    "bart-cola": _steps(2e-5, 1334, 64, 80),
}

PRESETS: dict[str, dict[str, Any]] = {
    # Devlin et al. (2019), appendix A.3: of the recommended ranges, those that Zhang et al. (2021) call the default.
    "devlin2019": {**_BERT_ADAM, "batch_size": 32, "evaluations": "per epoch"},
    # Dodge et al. (2020), section 2: BERTAdam as in Devlin et al., ten evaluations in each epoch.
    "dodge2020": {**_BERT_ADAM, "batch_size": 16, "evaluations": "10 per epoch"},
    "zhang2021": _ZHANG,
    # Mosbach et al. (2021), section 6: bias correction and long training.
    "mosbach2021": {
        "batch_size": 16,
        "weight_decay": 0.01,
        "adam_epsilon": 1e-6,
        "num_train_epochs": 20.0,
        "evaluations": "per epoch",
    },
    **{f"zhang2021-{name}": {**_ZHANG, **own} for name, own in _TABLE_6.items()},
}
"""Published recipes; learning rate 2e-5, three epochs, 10 % warm-up and clipping at 1.0 unless a preset says else."""
