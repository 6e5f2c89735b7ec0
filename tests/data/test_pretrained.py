"""Is a model folder taken with the files of every kind of tokenizer, and refused without any?"""

import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from seedwise.data.pretrained import check_model
from seedwise.errors import RequestError


@pytest.fixture
def folder(tmp_path):
    """A model folder without a tokenizer."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "deberta-v2"}))
    save_file({"weight": np.zeros(1)}, tmp_path / "model.safetensors")
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        "tokenizer.json",
        "vocab.txt",  # BERT
        "vocab.json",  # RoBERTa
        "spiece.model",  # ALBERT, XLNet
        "sentencepiece.bpe.model",  # XLM-R
        "sentencepiece.model",  # RemBERT
        "spm.model",  # DeBERTa-v3
        "tokenizer.model",  # Llama, Mistral
        "tokenizer_config.json",  # CANINE, which reads characters and needs no vocabulary
    ],
)
def test_files_of_every_kind_of_tokenizer_are_known(folder, name):
    (folder / name).touch()

    check_model(str(folder))


def test_folder_without_a_tokenizer_is_refused(folder):
    with pytest.raises(RequestError, match=r"must hold a tokenizer, but does not; save model and tokenizer there"):
        check_model(str(folder))
