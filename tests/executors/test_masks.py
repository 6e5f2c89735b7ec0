"""Do all trials of a study that are compared get the same kind of dropout masks, and is it said where they do not?"""

from dataclasses import replace

import pytest

from seedwise import Seeds, Trial
from seedwise.executors.base import Job, Remaining
from seedwise.executors.masks import cell_of, path_for, study_masks
from toys import toy_recipe

PLAIN, FAST = {"path": "plain"}, {"path": "compiled"}


@pytest.fixture
def recipes(model, recipe):
    """Two that every path knows, and one that the library's model alone knows."""
    return [recipe, replace(recipe, learning_rate=1e-3), toy_recipe(model, lora_rank=2)]


@pytest.fixture
def work(task, recipes):
    def of(*origins, steps=10):
        return [
            Remaining(Trial(task, recipe, Seeds(1, 1)), trials=4, steps=steps, origin=origin)
            for recipe, origin in zip(recipes, origins, strict=False)
        ]

    return of


def kinds(work, wanted):
    found = study_masks(work, wanted, "cpu")
    return [found.kinds[cell_of(item)] for item in work], list(found.said)


@pytest.mark.parametrize("wanted", ["library", "hashed"])
def test_a_fresh_study_gets_what_is_wanted(work, wanted):
    assert kinds(work({}, {}), wanted) == ([wanted] * 2, [])


def test_one_recipe_that_needs_the_plain_path_takes_all_of_a_fresh_study_there(work):
    found, said = kinds(work({}, {}, {}), "hashed")
    assert found == ["library"] * 3
    (sentence,) = said
    assert sentence.startswith("all trials take the plain path, so that they share dropout masks: ")
    assert sentence.endswith(" on train has no other (LoRA puts matrices beside the weights).")


def test_a_study_that_began_plain_goes_on_so(work):
    found, said = kinds(work(PLAIN, {}, {}), "hashed")
    assert found == ["library"] * 3
    assert said == ["all trials take the plain path, as the study began with the library's own dropout masks."]


def test_a_study_that_began_fast_goes_on_so_also_where_the_plain_path_is_asked_for(work):
    found, said = kinds(work(FAST, {}), "library")
    assert found == ["hashed"] * 2
    assert said == ["the study began with the dropout masks of the fast paths: its trials go on packed."]


def test_what_needs_the_plain_path_in_a_study_that_began_fast_is_warned_of_by_name(work):
    found, said = kinds(work(FAST, {}, {}), "hashed")
    assert found == ["hashed", "hashed", "library"]
    (sentence,) = said
    assert "on train takes the plain path (LoRA puts matrices beside the weights)" in sentence
    assert sentence.endswith(
        "so its dropout masks differ from those of the trials on record: paired seeds do not share masks."
    )


def test_with_both_kinds_on_record_each_goes_on_with_its_own_and_new_ones_are_plain(work):
    found, said = kinds(work(FAST, {}, PLAIN), "hashed")
    assert found == ["hashed", "library", "library"]
    assert len(said) == 1


def test_nothing_is_said_where_nothing_is_left_to_train(work):
    assert study_masks(work(PLAIN, {}, {}, steps=0), "hashed", "cpu").said == ()


@pytest.mark.parametrize(
    ("masks", "path", "taken"),
    [
        (None, "compiled", "compiled"),
        (None, "plain", "plain"),
        ("hashed", "fused", "fused"),
        ("hashed", "plain", "packed"),
        ("library", "plain", "plain"),
        ("library", "compiled", "plain"),
    ],
)
def test_a_job_is_trained_on_a_path_with_its_masks(task, recipe, masks, path, taken):
    assert path_for(Job(Trial(task, recipe, Seeds(1, 1)), 4, 0, masks), path) == taken
