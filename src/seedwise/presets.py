"""Which recipes were published, by name?"""

from typing import Any

__all__ = ["PRESETS"]

_BERT_ADAM = {"bias_correction": False, "adam_epsilon": 1e-6, "weight_decay": 0.01}

PRESETS: dict[str, dict[str, Any]] = {
    # Devlin et al. (2019), appendix A.3: of the recommended ranges, those that Zhang et al. (2021) call the default.
    "devlin2019": {**_BERT_ADAM, "batch_size": 32, "evaluations": "per epoch"},
    # Dodge et al. (2020), section 2: BERTAdam as in Devlin et al., ten evaluations in each epoch.
    "dodge2020": {**_BERT_ADAM, "batch_size": 16, "evaluations": "10 per epoch"},
    # Zhang et al. (2021), section 3: debiased Adam, no weight decay, ten evaluations in the whole run.
    "zhang2021": {"batch_size": 32, "weight_decay": 0.0, "adam_epsilon": 1e-8, "evaluations": "10 per run"},
    # Mosbach et al. (2021), section 6: bias correction and long training.
    "mosbach2021": {
        "batch_size": 16,
        "weight_decay": 0.01,
        "adam_epsilon": 1e-6,
        "num_train_epochs": 20.0,
        "evaluations": "per epoch",
    },
}
"""Published recipes; learning rate 2e-5, three epochs, 10 % warm-up and clipping at 1.0 unless a preset says else."""
