"""Does a design say what is compared and chosen, on which seeds, and come back as it was?"""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise import Recipe, RequestError, Seeds, Task
from seedwise.values.arm import Arm, Candidate, Intermediate
from seedwise.values.choice import DesignRecord, choose, objection
from seedwise.values.design import Design

RTE, MRPC = Task.glue("rte"), Task.glue("mrpc")
RECIPE = Recipe(model="m", batch_size=32)
REPORT, TUNING = Seeds.paired(3), Seeds.paired([101, 102])


def arm(name="Standard", task=RTE, **fields):
    chosen = {"recipe": RECIPE, "seeds": REPORT, **fields}
    if chosen.get("search"):
        chosen = {"tuning_seeds": TUNING, **chosen}
    return Arm(name=name, task=task, **chosen)


def design(*arms, **fields):
    return Design(name="own", title="One's own", arms=arms or (arm(),), **fields)


def longer_after_reinit():
    """Standard, Re-init with a search, and Re-init longer, which takes over what Re-init chose."""
    return design(
        arm(),
        arm("Re-init", search={"reinit_layers": (0, 1, 2)}),
        arm("Longer", search={"num_train_steps": (200, 400)}, after="Re-init"),
    )


# Arms -----------------------------------------------------------------------------------------------------------------


def test_an_arm_without_a_search_has_its_recipe_as_its_only_candidate():
    assert arm().candidates() == (Candidate({}, RECIPE),)


def test_several_searched_fields_are_crossed_in_their_order():
    found = arm(search={"layerwise_lr_decay": (0.9, 0.95), "learning_rate": (2e-5, 5e-5)}).candidates()
    assert [candidate.words for candidate in found] == [
        "decay = 0.9, learning rate = 2e-05",
        "decay = 0.9, learning rate = 5e-05",
        "decay = 0.95, learning rate = 2e-05",
        "decay = 0.95, learning rate = 5e-05",
    ]
    assert found[1].recipe == RECIPE.with_changes(layerwise_lr_decay=0.9, learning_rate=5e-5)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"search": {"reinit_layer": (1,)}}, "has no key 'reinit_layer'; did you mean 'reinit_layers'"),
        ({"search": {"mixout": ()}}, "must list at least one candidate for mixout"),
        ({"search": {"mixout": (0.1, 2)}}, "a candidate of arm 'Standard' cannot be: mixout must be in"),
        ({"search": {"mixout": (0.1, 0.1)}}, "must hold no candidate twice"),
        ({"search": {"mixout": (0.1,)}, "tuning_seeds": ()}, "a search alone"),
        ({"tuning_seeds": TUNING}, "tuning seeds alone"),
        ({"seeds": ()}, "the seeds of arm 'Standard' must be at least one"),
        ({"seeds": REPORT * 2}, "none twice"),
        ({"name": " "}, "the arm's name must be a non-empty text"),
    ],
)
def test_an_arm_that_cannot_be_is_refused_in_one_sentence(fields, words):
    with pytest.raises(RequestError, match=words) as caught:
        arm(**fields)
    assert str(caught.value).count(". ") == 0


# Designs --------------------------------------------------------------------------------------------------------------


def test_a_design_needs_an_arm():
    with pytest.raises(RequestError, match="needs at least one arm"):
        Design(name="own", title="t", arms=())


def test_an_arm_twice_on_one_task_is_refused_and_on_two_is_one_row():
    with pytest.raises(RequestError, match="one arm 'Standard' on task rte, not several"):
        design(arm(), arm())
    assert design(arm(), arm(task=MRPC)).names == ("Standard",)


def test_an_unknown_after_is_refused_with_the_nearest_arm():
    with pytest.raises(RequestError, match=r"not 'Standart'; did you mean 'Standard'\."):
        design(arm(), arm("Longer", after="Standart"))


def test_after_means_an_arm_of_the_same_task():
    with pytest.raises(RequestError, match="must name another arm on task rte, not 'Standard'"):
        design(arm(task=MRPC), arm("Longer", after="Standard"))


def test_arms_that_come_after_each_other_in_a_circle_are_refused():
    with pytest.raises(RequestError, match="in a circle"):
        design(arm("a", after="b"), arm("b", after="a"))


@pytest.mark.parametrize("stream", ["init", "order", "dropout"])
def test_a_seed_of_the_choice_that_is_one_of_the_report_is_refused(stream):
    shared = replace(Seeds(101, 102, 103), **{stream: 2})
    with pytest.raises(RequestError, match=f"share no seed, but {stream} seed 2 is in both"):
        design(arm(), arm("Mixout", search={"mixout": (0.1, 0.5)}, tuning_seeds=(shared,)))


def test_starting_from_an_intermediate_task_that_is_missing_is_refused():
    with pytest.raises(RequestError, match="starts from the intermediate task, but there is none"):
        design(arm(recipe=RECIPE.with_changes(start_from="intermediate")))


def test_the_place_of_the_intermediate_model_is_written_where_arms_start_from_it():
    first = Intermediate(task=Task.glue("mnli"), recipe=RECIPE, seeds=Seeds.paired(1))
    whole = design(arm(), arm("Int. Task", recipe=RECIPE.with_changes(start_from="intermediate")), intermediate=first)
    assert [a.recipe.start_from for a in whole.starting_from("/there").arms] == [None, "/there"]


def test_the_cost_counts_the_trainings_of_each_stage():
    assert longer_after_reinit().cost == {"intermediate": 0, "tuning": 3 * 2 + 2 * 2, "report": 3 * 3}


def test_an_arm_after_another_waits_for_it_and_takes_over_what_it_chose():
    whole = longer_after_reinit()
    longer = whole.arms[2]
    assert whole.candidates(longer, {}) is None
    chosen = {("Re-init", RTE.id): RECIPE.with_changes(reinit_layers=2)}
    assert [c.recipe for c in whole.candidates(longer, chosen)] == [
        RECIPE.with_changes(reinit_layers=2, num_train_steps=steps) for steps in (200, 400)
    ]


def test_a_design_and_its_record_come_back_from_json():
    first = Intermediate(task=Task.glue("mnli"), recipe=RECIPE, seeds=Seeds.paired(1))
    whole = replace(longer_after_reinit(), intermediate=first, shows=("table",), stands_for={"rte": "RTE"})
    record = DesignRecord(design=whole, stage="tuning", chosen={("Re-init", RTE.id): RECIPE})
    assert DesignRecord.from_json(json.loads(json.dumps(record.to_json()))) == record


# Labels ---------------------------------------------------------------------------------------------------------------


def test_in_the_report_a_recipe_is_called_what_its_arm_is():
    chosen = RECIPE.with_changes(reinit_layers=2)
    record = DesignRecord(design=longer_after_reinit(), chosen={("Re-init", RTE.id): chosen})
    assert record.label(RTE.id, chosen.id) == "Re-init"
    assert record.label(MRPC.id, chosen.id) is None


def test_while_tuning_a_recipe_is_called_its_arm_and_what_is_tried():
    reinit = RECIPE.with_changes(reinit_layers=1)
    record = DesignRecord(design=longer_after_reinit(), stage="tuning", chosen={("Re-init", RTE.id): reinit})
    assert list(record.labels().values()) == [
        *(f"Re-init, L = {layers}" for layers in (0, 1, 2)),
        *(f"Longer, steps = {steps}" for steps in (200, 400)),
    ]
    assert record.label(RTE.id, reinit.id) == "Re-init, L = 1"


def test_arms_that_chose_the_same_recipe_share_a_label():
    record = DesignRecord(
        design=longer_after_reinit(), chosen={("Standard", RTE.id): RECIPE, ("Re-init", RTE.id): RECIPE}
    )
    assert record.label(RTE.id, RECIPE.id) == "Standard = Re-init"


# The choice -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.lists(st.floats(0, 1), min_size=3, max_size=3), min_size=1))
def test_the_choice_is_the_first_of_the_best_means(scores):
    means = [math.fsum(found) / 3 for found in scores]
    assert choose(scores) == means.index(max(means))


def test_where_less_is_better_the_smallest_mean_is_chosen():
    assert choose([[0.5], [0.2], [0.3]], greater_is_better=False) == 1


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([[0.9, math.nan], [0.1, 0.1]], 1),
        ([[0.9, math.nan, math.nan], [0.1, 0.2, math.inf]], 1),
        ([[math.nan], [math.nan]], None),
    ],
)
def test_a_candidate_with_a_trial_without_a_score_comes_last(scores, expected):
    assert choose(scores) == expected


def test_runs_no_longer_than_the_arms_own_and_more_layers_than_there_are_do_not_fit():
    steps = Candidate({"num_train_steps": 200}, RECIPE.with_changes(num_train_steps=200))
    layers = Candidate({"reinit_layers": 4}, RECIPE.with_changes(reinit_layers=4))
    assert objection(steps, own_steps=199) is None
    assert "not longer than the run of 200 steps" in objection(steps, own_steps=200)
    assert "not longer than the run of 234 steps" in objection(steps, own_steps=234)
    assert objection(layers, own_steps=200) is None
    assert objection(layers, own_steps=200, blocks=4) is None
    assert "more than the model's 3 blocks" in objection(layers, own_steps=200, blocks=3)
