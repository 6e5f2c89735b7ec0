"""Are wrong and contradicting switches refused, and is a recipe the same recipe however its switches are written?"""

import re

import pytest

from seedwise import Recipe, RequestError

CONTRADICTION = (
    "{} and lora_rank = 4 contradict each other: LoRA trains small matrices beside frozen weights, and {}; turn one of "
    "the two off."
)
UNTRAINED = "no pretrained weight is trained that could"
SENTENCE = re.compile(r"[^\n]+[^.\n]\.")


def recipe(**fields):
    return Recipe(model="m", **fields)


REFUSED = [
    *[
        ({"mixout": p}, f"mixout must be in [0, 1], not {p!r}; it is a probability, and 0 is no mixout.")
        for p in (1.5, -0.1, float("nan"), "0.5", True)
    ],
    *[
        ({field: value}, f"{field} must be a whole number of at least 0, not {value!r}.")
        for field in ("reinit_layers", "freeze_layers", "lora_rank")
        for value in (-1, 1.0, True, "2")
    ],
    ({"reinit_pooler": 1}, "reinit_pooler must be true or false, not 1."),
    *[
        (
            {"layerwise_lr_decay": d},
            f"layerwise_lr_decay must be in (0, 1], not {d!r}; 1 is one learning rate for all layers.",
        )
        for d in (0, 1.1, -0.9)
    ],
    ({"pretrained_weight_decay": -1}, "pretrained_weight_decay must be a finite number at least 0, not -1."),
    ({"start_from": " "}, "start_from must be a non-empty text, not ' '."),
    ({"lora_rank": 4, "lora_alpha": 0}, "lora_alpha must be a finite number above 0, not 0."),
    ({"lora_targets": 5}, "lora_targets must be names, not 5; write them as a list, or with commas between."),
    ({"track": [1]}, "track must be names, not [1]; write them as a list, or with commas between."),
    (
        {"track": "distances"},
        "track must be one of distance, gradient_norm, bias_ratio, not 'distances'; did you mean 'distance'.",
    ),
    ({"track": "distance,loss"}, "track must be one of distance, gradient_norm, bias_ratio, not 'loss'."),
    (
        {"lora_targets": "query"},
        "lora_targets needs lora_rank, which is 0; set the rank, or leave lora_targets out.",
    ),
    *[
        ({"lora_rank": 4, name: value}, CONTRADICTION.format(f"{name} = {value}", reason))
        for name, value, reason in (
            ("reinit_layers", 2, "the blocks drawn anew would stay random"),
            ("reinit_pooler", True, "the pooler drawn anew would stay random"),
            ("freeze_layers", 1, "it freezes the whole encoder already"),
            ("mixout", 0.5, f"{UNTRAINED} be mixed with its starting value"),
            ("pretrained_weight_decay", 0.1, f"{UNTRAINED} move away from its starting value"),
        )
    ],
]


@pytest.mark.parametrize(("fields", "sentence"), REFUSED, ids=str)
def test_it_is_refused_in_one_sentence(fields, sentence):
    with pytest.raises(RequestError) as refusal:
        recipe(**fields)
    assert str(refusal.value) == sentence
    assert SENTENCE.fullmatch(sentence)


@pytest.mark.parametrize(
    "fields",
    [
        {"mixout": 0},
        {"mixout": 1},
        {"layerwise_lr_decay": 1},
        {"reinit_layers": 24, "mixout": 0.9, "freeze_layers": 3, "pretrained_weight_decay": 1, "start_from": "x"},
        {"lora_rank": 4, "layerwise_lr_decay": 0.9, "start_from": "x", "weight_decay": 0.1, "track": "distance"},
    ],
    ids=str,
)
def test_the_ends_of_each_range_and_what_goes_together_are_taken(fields):
    assert {name: recipe(**fields).to_json()[name] for name in fields if name != "track"} == {
        name: value for name, value in fields.items() if name != "track"
    }


@pytest.mark.parametrize("field", ["track", "lora_targets"])
def test_names_may_be_a_list_or_one_text_and_come_once(field):
    rank = {"lora_rank": 2} if field == "lora_targets" else {}
    names = ("distance", "bias_ratio")
    ways = [
        "distance,bias_ratio",
        " distance , bias_ratio,",
        list(names),
        names,
        ("distance", "bias_ratio", "distance"),
    ]
    assert {getattr(recipe(**rank, **{field: way}), field) for way in ways} == {names}
    assert len({recipe(**rank, **{field: way}).id for way in ways}) == 1


OFF = {
    "reinit_layers": 0,
    "reinit_pooler": False,
    "layerwise_lr_decay": 1,
    "pretrained_weight_decay": 0,
    "mixout": 0,
    "freeze_layers": 0,
    "start_from": None,
    "lora_rank": 0,
    "lora_targets": [],
    "track": "",
}
ON = {
    "reinit_layers": 1,
    "reinit_pooler": True,
    "layerwise_lr_decay": 0.9,
    "pretrained_weight_decay": 0.1,
    "mixout": 0.1,
    "freeze_layers": 1,
    "start_from": "folder",
    "lora_rank": 2,
    "track": "distance",
}


def test_a_recipe_whose_switches_are_off_is_the_recipe_of_old():
    # As the first studies stored it, before there were any switches.
    assert recipe(**OFF).id == recipe().id == "f96471a439168354"


@pytest.mark.parametrize("name", ON)
def test_a_switch_that_is_on_makes_another_recipe(name):
    assert recipe(**{name: ON[name]}).id != recipe().id


def test_switches_survive_json():
    for fields in (ON | {"lora_rank": 0}, {"lora_rank": 2, "lora_targets": ["query"], "lora_alpha": 8}):
        assert Recipe.from_json(recipe(**fields).to_json()) == recipe(**fields)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, False),
        ({"mixout": 0.5, "pretrained_weight_decay": 0.1, "reinit_pooler": True, "track": "gradient_norm"}, False),
        *[
            ({name: ON[name]}, True)
            for name in ("reinit_layers", "layerwise_lr_decay", "freeze_layers", "start_from", "lora_rank")
        ],
        ({"track": "gradient_norm,distance"}, True),
    ],
    ids=str,
)
def test_only_switches_that_name_layers_or_weights_have_to_be_checked_against_the_model(fields, expected):
    assert recipe(**fields).needs_layers is expected
