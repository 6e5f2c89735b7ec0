"""Which pretrained model does a name mean, and can it be loaded?"""

from pathlib import Path

from seedwise.errors import RequestError
from seedwise.values.checks import did_you_mean

__all__ = ["ENCODER", "check_model", "check_start", "depth", "not_loaded", "resolve_model", "start_folder"]

ENCODER = Path(__file__).parent.parent / "embedded" / "encoder"
"""The folder of the encoder inside the package."""

WELL_KNOWN_MODELS = (
    "embedded",
    "google-bert/bert-base-uncased",
    "google-bert/bert-large-uncased",
    "FacebookAI/roberta-base",
    "FacebookAI/roberta-large",
    "google/electra-large-discriminator",
    "facebook/bart-large",
    "xlnet/xlnet-large-cased",
    "distilbert/distilbert-base-uncased",
    "albert/albert-large-v2",
    "answerdotai/ModernBERT-base",
    "microsoft/deberta-v3-base",
)
"""Only suggested when a name is not found."""


def resolve_model(model: str) -> str:
    """Return where a recipe's model is loaded from: ``embedded`` is the encoder inside the package.

    Example:
        >>> resolve_model("google-bert/bert-base-uncased")
        'google-bert/bert-base-uncased'
    """
    return str(ENCODER) if model == "embedded" else model


def check_model(model: str, *, tokenizer: bool = True) -> None:
    """Refuse a model that cannot be loaded, before anything runs."""
    folder = Path(resolve_model(model))
    if not folder.is_dir():
        if "/" not in model and (hint := did_you_mean(model, ["embedded"])):  # known without asking the hub
            raise RequestError(
                f"the model {model!r} is no folder{hint}; name a folder, a model on the hub, or 'embedded'."
            )
        _check_found(model)
        return
    lacks = {
        "a config.json": not (folder / "config.json").is_file(),
        "weights (*.safetensors)": not any(folder.glob("*.safetensors")),
        "a tokenizer": tokenizer and not any(any(folder.glob(pattern)) for pattern in _TOKENIZER_FILES),
    }
    missing = [what for what, absent in lacks.items() if absent]
    if missing:
        raise RequestError(
            f"the model folder {model} must hold {' and '.join(missing)}, but does not; save model and tokenizer there "
            "with save_pretrained."
        )
    for path in folder.glob("*.safetensors"):
        _check_whole(model, path)
    _check_found(model)


def depth(model: str) -> int | None:
    """Return how many Transformer blocks a model has, those of encoder and decoder together; None where it is not known."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(resolve_model(model))
    found = [getattr(config, name, None) for name in ("num_hidden_layers", "decoder_layers", "num_decoder_layers")]
    return sum(count for count in found if isinstance(count, int)) or None


def start_folder(start_from: str) -> str:
    """Return the model folder that ``start_from`` means: of a study its best model."""
    folder = Path(start_from)
    if not (folder / "study.db").is_file():
        return resolve_model(start_from)
    best = folder / "best"
    if (best / "config.json").is_file():
        return str(best)
    several = sorted(str(place.parent) for place in best.glob("*/config.json"))
    way_out = f"name one of {', '.join(several)}" if several else "run that study to its end"
    raise RequestError(f"start_from must lead to one best model, not to {len(several)} in {best}; {way_out}.")


def check_start(model: str, start_from: str) -> None:
    """Refuse a starting point that does not fit the model."""
    from transformers import AutoConfig

    if not Path(start_from).is_dir() and start_from.count("/") != 1 and start_from != "embedded":
        raise RequestError(
            f"start_from must be a study, a model's folder or a model on the hub, not {start_from!r}, where there is none; "
            "check the path."
        )
    try:
        check_model(start_folder(start_from), tokenizer=False)  # the model's own is used
    except RequestError as error:
        raise RequestError(f"start_from must be a study or a model's folder, but {error}") from error
    ours = AutoConfig.from_pretrained(resolve_model(model))
    other = AutoConfig.from_pretrained(start_folder(start_from))
    for field in _SHAPE:
        mine, given = getattr(ours, field, None), getattr(other, field, None)
        if mine != given:
            raise RequestError(
                f"start_from must fit the model {model}, whose {field} is {mine!r}, but {start_from} has {given!r}; start "
                "from a model that was trained from the same one."
            )


def not_loaded(model: str, error: Exception) -> RequestError:
    """Return the refusal of a model that the library cannot load."""
    reason = str(error).strip().split("\n")[0].rstrip(".")
    hint = did_you_mean(model, WELL_KNOWN_MODELS)
    return RequestError(
        f"the model {model!r} cannot be loaded ({reason}){hint}; name a folder, a model on the hub, or 'embedded'."
    )


# What two models of one kind have alike when the weights of one can start the other.
_SHAPE = (
    "model_type hidden_size num_hidden_layers decoder_layers num_decoder_layers num_attention_heads vocab_size "
    "intermediate_size"
).split()

# Every kind of tokenizer has one of these; whether it can be loaded and knows any words, loading shows.
_TOKENIZER_FILES = ("tokenizer*", "vocab*", "*.model")


def _check_whole(model: str, path: Path) -> None:
    """Refuse a file of weights that was cut short, or that only points to one in a large-file store."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np"):
            pass
    except (OSError, SafetensorError) as error:
        raise RequestError(
            f"the weights {path} of the model {model} must be a whole safetensors file, but: {error}; fetch or save the "
            "model anew."
        ) from error


def _check_found(model: str) -> None:
    from transformers import MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING, AutoConfig

    try:
        config = AutoConfig.from_pretrained(resolve_model(model))
    except (OSError, ValueError) as error:
        raise not_loaded(model, error) from error
    if type(config) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        raise RequestError(
            f"the model {model} must be of a kind that transformers has a sequence classifier for, not "
            f"{config.model_type!r}; choose an encoder, such as a BERT."
        )
