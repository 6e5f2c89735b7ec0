"""Where do rows come from, and what does the model see of them?"""

from seedwise.data.embedded import resolve_model
from seedwise.data.files import infer_kind
from seedwise.data.rows import Rows, TaskRows, load_rows, read_texts
from seedwise.data.tokenizer import load_tokenizer
from seedwise.data.tokens import TokenizedSplit, TokenizedTask, default_cache, tokenize, tokenize_rows

__all__ = [
    "Rows",
    "TaskRows",
    "TokenizedSplit",
    "TokenizedTask",
    "default_cache",
    "infer_kind",
    "load_rows",
    "load_tokenizer",
    "read_texts",
    "resolve_model",
    "tokenize",
    "tokenize_rows",
]
