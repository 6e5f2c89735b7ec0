"""Do all trials of a study that are compared get the same kind of dropout masks, and is it said where they do not?"""

from dataclasses import replace

import pytest

from seedwise import Seeds, Trial
from seedwise.engines.engine import COMPILED, FUSED, PACKED, PLAIN
from seedwise.executors.base import Remaining
from seedwise.executors.study_masks import cell_of, study_masks, with_masks
from seedwise.values.facts import Environment
from seedwise.values.masks import Masks
from toys import toy_recipe

LIBRARY, HASHED = Masks
ON_PLAIN, ON_COMPILED = {"path": "plain"}, {"path": "compiled"}


@pytest.fixture
def recipes(model, recipe):
    """Two that every engine can train, and one that plain alone can."""
    return [recipe, replace(recipe, learning_rate=1e-3), toy_recipe(model, lora_rank=2)]


@pytest.fixture
def work(task, recipes):
    def of(*origins, steps=10):
        return [
            Remaining(
                Trial(task, recipe, Seeds(1, 1)), trials=4, steps=steps, environment=Environment.from_json(origin)
            )
            for recipe, origin in zip(recipes, origins, strict=False)
        ]

    return of


def kinds(work, wanted):
    found = study_masks(work, wanted, "cpu")
    return [found.kinds[cell_of(item)] for item in work], list(found.said)


@pytest.mark.parametrize("wanted", [LIBRARY, HASHED])
def test_a_fresh_study_gets_what_is_wanted(work, wanted):
    assert kinds(work({}, {}), wanted) == ([wanted] * 2, [])


def test_one_recipe_that_needs_the_plain_engine_takes_all_of_a_fresh_study_there(work):
    found, said = kinds(work({}, {}, {}), HASHED)
    assert found == [LIBRARY] * 3
    (sentence,) = said
    assert sentence.startswith("all trials run on the plain engine, so that they share dropout masks: ")
    assert sentence.endswith(" on train has no other (LoRA puts matrices beside the weights).")


def test_a_study_that_began_plain_goes_on_so(work):
    found, said = kinds(work(ON_PLAIN, {}, {}), HASHED)
    assert found == [LIBRARY] * 3
    assert said == ["all trials run on the plain engine, as the study began with the library's own dropout masks."]


def test_a_study_that_began_fast_goes_on_so_also_where_plain_is_asked_for(work):
    found, said = kinds(work(ON_COMPILED, {}), LIBRARY)
    assert found == [HASHED] * 2
    assert said == [
        "the study began with hashed dropout masks, which plain does not draw: its trials go on with packed."
    ]


def test_what_needs_the_plain_engine_in_a_study_that_began_fast_is_warned_of_by_name(work):
    found, said = kinds(work(ON_COMPILED, {}, {}), HASHED)
    assert found == [HASHED, HASHED, LIBRARY]
    (sentence,) = said
    assert "on train runs on the plain engine (LoRA puts matrices beside the weights)" in sentence
    assert sentence.endswith(
        "so its dropout masks differ from those of the trials on record: paired seeds do not share masks."
    )


def test_with_both_kinds_on_record_each_goes_on_with_its_own_and_new_ones_are_plain(work):
    found, said = kinds(work(ON_COMPILED, {}, ON_PLAIN), HASHED)
    assert found == [HASHED, LIBRARY, LIBRARY]
    assert len(said) == 1


def test_nothing_is_said_where_nothing_is_left_to_train(work):
    assert study_masks(work(ON_PLAIN, {}, {}, steps=0), HASHED, "cpu").said == ()


@pytest.mark.parametrize(
    ("engine", "masks", "taken"),
    [
        (COMPILED, None, COMPILED),
        (PLAIN, None, PLAIN),
        (FUSED, HASHED, FUSED),
        (PLAIN, HASHED, PACKED),
        (PLAIN, LIBRARY, PLAIN),
        (COMPILED, LIBRARY, PLAIN),
    ],
)
def test_a_job_is_trained_by_an_engine_with_its_masks(engine, masks, taken):
    assert with_masks(engine, masks) is taken
