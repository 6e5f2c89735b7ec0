"""Do the ready-made designs say what the papers did, and is a design file that cannot be refused in one sentence?"""

from dataclasses import replace
from pathlib import Path

import pytest

from seedwise import Recipe, RequestError, Task, designs
from seedwise.designs import promises
from seedwise.designs.file import FOLDER
from seedwise.papers.numbers import PUBLISHED
from seedwise.report.question import PROMISED
from toys import toy_task

# What each paper trained: its tuning trainings and its reported ones.
COSTS = {
    "dodge2020": (0, 3 * 25 * 25 + 15 * 15),  # 2,100
    "mosbach2021": (0, 2 * 25 * 3),
    "zhang2021-bias-correction": (0, 2 * 50 * 4),
    "zhang2021-bias-correction-mnli": (0, 2 * 3),
    "zhang2021-longer": (4 * (7 * 20 + 2 * 5 * 8), 4 * 20 * 4),
    "zhang2021-longer-1k": (8 * (7 * 20 + 2 * 5 * 8), 4 * 20 * 8),
    "zhang2021-methods": (4 * 20 * (6 + 5 + 4 + 4 + 7) + 4 * 8 * 5, 8 * 20 * 4),
    "zhang2021-models": (4 * 4 * 6 * 20, 8 * 20 * 4),
    "zhang2021-precision": (0, 2 * 20 * 4),
    "zhang2021-randomness": (0, 2 * 10 * 10),
    "zhang2021-reinit": (4 * 7 * 20, 2 * 20 * 4),
}

SMALLEST = """
title = "Own"
[[task]]
names = ["glue/rte"]
[recipe]
model = "m"
[trials]
seeds = 2
tuning_seeds = 3
[[arm]]
name = "Standard"
"""


def own(folder, *, more="", text=SMALLEST):
    path = folder / "own.toml"
    path.write_text(text + more, encoding="utf-8")
    return path


def arm(design, name, task):
    return next(a for a in design.arms if (a.name, a.task.name) == (name, task))


# What is published ----------------------------------------------------------------------------------------------------


def test_every_design_has_its_cost_written_here():
    assert set(designs.names()) == set(COSTS)


@pytest.mark.parametrize("name", COSTS)
def test_the_cost_of_a_design_is_the_papers(name):
    cost = designs.load(name).cost
    assert (cost["tuning"], cost["report"]) == COSTS[name]


def test_only_the_methods_need_an_intermediate_task():
    assert [name for name in COSTS if designs.load(name).cost["intermediate"]] == ["zhang2021-methods"]


@pytest.mark.parametrize("name", COSTS)
def test_every_design_says_whose_it_is_and_what_it_asks(name):
    design = designs.load(name)
    assert design.source.partition(" et al. (")[0] in ("Dodge", "Zhang", "Mosbach")
    assert design.question.endswith("?")
    assert design.shows


@pytest.mark.parametrize("name", COSTS)
def test_the_small_scale_has_the_same_arms_stages_and_kind_of_seeds(name):
    full, small = designs.load(name), designs.load(name, scale="small")
    assert small.names == full.names
    assert [bool(n) for n in small.cost.values()] == [bool(n) for n in full.cost.values()]
    assert {a.name: (set(a.search), a.after) for a in small.arms} == {
        a.name: (set(a.search), a.after) for a in full.arms
    }
    assert {a.recipe.model for a in small.arms} == {"embedded"}
    assert sum(small.cost.values()) <= 150


def test_the_four_tasks_of_dodge_et_al_have_their_grids_and_evaluations():
    design = designs.load("dodge2020")
    assert {a.task.name: (len(a.seeds), str(a.recipe.evaluations)) for a in design.arms} == {
        "mrpc": (625, "10 per epoch"),
        "rte": (625, "10 per epoch"),
        "cola": (625, "10 per epoch"),
        "sst2": (225, "every 100 steps"),
    }


def test_the_standard_of_zhang_et_al_is_their_section_3():
    for name in ("zhang2021-bias-correction", "zhang2021-longer", "zhang2021-methods"):
        first = designs.load(name).arms[0]
        assert first.recipe == Recipe.preset("zhang2021", model="google-bert/bert-large-uncased")
        assert first.task == Task.glue("rte", protocol="zhang2021")


def test_reinit_always_draws_the_pooler_too():
    for name in (
        "zhang2021-reinit",
        "zhang2021-longer",
        "zhang2021-methods",
        "zhang2021-models",
        "zhang2021-randomness",
    ):
        found = {a.name: a.recipe.reinit_pooler for a in designs.load(name).arms}
        assert {which for which, drawn in found.items() if drawn} == {which for which in found if "Re-init" in which}


def test_the_search_spaces_of_the_methods_are_those_of_appendix_h():
    found = {a.name: dict(a.search) for a in designs.load("zhang2021-methods").arms}
    assert found["LLRD"] == {"learning_rate": (2e-5, 5e-5, 1e-4), "layerwise_lr_decay": (0.9, 0.95)}
    assert found["Mixout"] == {"mixout": (0.1, 0.3, 0.5, 0.7, 0.9)}
    assert found["Pre-trained WD"] == {"pretrained_weight_decay": (1e-3, 1e-2, 1e-1, 1.0)}
    assert found["WD"] == {"weight_decay": (1e-4, 1e-3, 1e-2, 1e-1)}


def test_each_model_has_its_own_recipe_on_each_task_with_and_without_reinit():
    design = designs.load("zhang2021-models")
    plain, drawn = arm(design, "RoBERTa", "cola").recipe, arm(design, "RoBERTa, Re-init", "cola").recipe
    assert (plain.model_name, plain.learning_rate, plain.num_train_steps) == ("roberta-large", 1e-5, 5336)
    assert drawn == plain.with_changes(reinit_pooler=True)
    assert arm(design, "ELECTRA", "stsb").recipe.num_train_epochs == 10


def test_no_candidate_of_another_model_s_reinit_is_the_plain_arm():
    for scale in ("full", "small"):
        design = designs.load("zhang2021-models", scale=scale)
        assert {min(a.search["reinit_layers"]) for a in design.arms if a.search} == {1}


def test_designs_may_name_what_the_report_can_draw_and_nothing_else():
    assert set(promises.SHOWS) == set(PROMISED)
    assert {name for name in promises.PUBLISHED if name != "dodge2020"} == set(PUBLISHED)


def test_mosbach_promises_no_curve_over_length_as_its_arms_differ_in_more():
    assert "length" not in designs.load("mosbach2021").shows


def test_longer_with_reinit_takes_over_what_reinit_chose():
    design = designs.load("zhang2021-longer")
    longer = arm(design, "Re-init, longer", "rte")
    chosen = {("Re-init", longer.task.id): longer.recipe.with_changes(reinit_layers=3)}
    assert {c.recipe.reinit_layers for c in design.candidates(longer, chosen)} == {3}


def test_the_1k_tasks_stand_for_the_published_1k_tasks():
    assert designs.load("zhang2021-longer-1k").stands_for["sst2"] == "SST-2 (1k)"


@pytest.mark.parametrize(
    "task", [Task.glue("rte", protocol="zhang2021"), Task.glue("rte", protocol="zhang2021-1k", metric="loss")]
)
def test_a_task_split_or_scored_otherwise_stands_for_no_published_one(task):
    assert designs.load("zhang2021-longer-1k", task=task).stands_for == {}


def test_another_draw_of_the_same_splits_stands_for_the_published_task():
    task = Task.glue("rte", protocol="zhang2021")
    drawn = replace(task, splits=replace(task.splits, seed=7))
    assert designs.load("zhang2021-longer", task=drawn).stands_for == {"rte": "RTE"}


def test_at_the_small_scale_a_given_task_on_fewer_rows_stands_for_the_published_one():
    found = designs.load("zhang2021-longer-1k", task="glue/rte", scale="small")
    assert found.stands_for == {"rte": "RTE (1k)"}
    assert {a.task.splits.train_size for a in found.arms} == {128}


def test_the_embedded_tasks_stand_for_tasks_of_their_kind():
    found = designs.load("zhang2021-reinit", scale="small").stands_for
    assert found == {"entailment": "RTE", "similarity": "STS-B", "acceptability": "CoLA"}


# What is asked --------------------------------------------------------------------------------------------------------


def test_a_model_and_changes_go_into_every_arm():
    design = designs.load("zhang2021-reinit", model="other", changes={"dtype": "bfloat16"})
    assert {(a.recipe.model, a.recipe.dtype) for a in design.arms} == {("other", "bfloat16")}


def test_tasks_that_are_given_are_split_and_scored_as_the_design_says():
    design = designs.load("zhang2021-reinit", task=["glue/mrpc", "embedded/similarity"])
    assert design.tasks == (Task.glue("mrpc", protocol="zhang2021"), Task.embedded("similarity"))


def test_a_task_with_seeds_of_its_own_keeps_them():
    design = designs.load("dodge2020", task=["glue/sst2", "glue/rte"])
    assert {a.task.name: len(a.seeds) for a in design.arms} == {"sst2": 225, "rte": 625}


def test_ones_own_rows_stand_for_no_published_task(tmp_path):
    mine = toy_task(tmp_path)
    design = designs.load("zhang2021-reinit", task=mine)
    assert (design.tasks, design.stands_for) == ((mine,), {})


def test_the_small_scale_on_a_given_task_trains_on_few_rows_and_a_given_model_keeps_its_rate():
    design = designs.load("zhang2021-bias-correction", task="glue/rte", model="bert", scale="small")
    assert {(a.task.splits.train_size, a.recipe.learning_rate) for a in design.arms} == {(256, 2e-5)}


def test_models_are_not_compared_with_one_model():
    with pytest.raises(RequestError, match="compares models, and --model would make them one"):
        designs.load("zhang2021-models", model="bert")


def test_what_an_arm_is_about_cannot_be_set_for_all():
    with pytest.raises(RequestError, match="is what arm 'No bias correction' of the design"):
        designs.load("zhang2021-bias-correction", changes={"bias_correction": True})


def test_an_unknown_design_is_refused_with_the_nearest():
    with pytest.raises(RequestError, match=r"not 'zhang2021-renit'; did you mean 'zhang2021-reinit'\."):
        designs.load("zhang2021-renit")


def test_a_missing_design_file_is_refused(tmp_path):
    with pytest.raises(RequestError, match=r"the design file .*no\.toml does not exist"):
        designs.load(tmp_path / "no.toml")


def test_an_unknown_scale_is_refused():
    with pytest.raises(RequestError, match="the scale must be one of full, small, not 'tiny'"):
        designs.load("dodge2020", scale="tiny")


# Files of one's own ---------------------------------------------------------------------------------------------------


def test_a_file_of_ones_own_is_a_design(tmp_path):
    design = designs.load(own(tmp_path))
    assert (design.name, design.names, design.cost["report"]) == ("own", ("Standard",), 2)


def test_the_file_of_the_documentation_is_a_design_with_the_rows_that_it_names(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "designs.md"
    (tmp_path / "mine.toml").write_text(page.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0])
    design = designs.load(tmp_path / "mine.toml")
    assert [task.splits.train_size for task in design.tasks] == [128]
    assert design.cost == {"intermediate": 0, "tuning": 9, "report": 10}


def test_a_copy_of_a_ready_made_design_is_the_same_design(tmp_path):
    path = tmp_path / "zhang2021-methods.toml"
    path.write_bytes((FOLDER / path.name).read_bytes())
    assert designs.load(path) == designs.load("zhang2021-methods")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            "searches = { mixout = [0.1] }",
            r"\[\[arm\]\] in the design file own.toml has no key 'searches'; did you mean 'search'",
        ),
        ("search = { mixout = 0.1 }", "must be a table of recipe fields, each with a list of values"),
        ("search = { mixout = [] }", "at least one candidate for mixout"),
        ("search = { mixout = [1.5] }", "a candidate of arm 'Standard' cannot be: mixout must be in"),
        ("set = { mixuot = 0.1 }", "the recipe has no key 'mixuot'; did you mean 'mixout'"),
        ("after = 'Re-init'", "must name another arm on task rte, not 'Re-init'"),
        ("after = 'Standard'", "must name another arm on task rte, not 'Standard'"),
        ("seeds = 0", "seeds of .* must be a whole number of at least 1, not 0"),
        ("init = 3", "order must be a whole number of at least 1, not None; a grid needs both init and order"),
        ("[small]\nscale = 2", "has no key 'scale'"),
        ("[extra]", "has no key 'extra'"),
        ("[intermediate]\ntask = 'glue/mnli'", "must have the key 'seeds'"),
    ],
)
def test_a_design_file_that_cannot_be_is_refused_in_one_sentence(tmp_path, more, words):
    with pytest.raises(RequestError, match=words) as caught:
        designs.load(own(tmp_path, more=more))
    assert str(caught.value).count(". ") == 0


@pytest.mark.parametrize(
    ("line", "instead", "words"),
    [
        ('model = "m"', "preset = 5", r"preset of \[recipe\] in .* must be text in quotes, not 5; mend the file"),
        ("[[task]]", "shows = ['lenght']\n[[task]]", "shows of .* must be one of .*; did you mean 'length'"),
        ("[[task]]", "published = 'zhang2021-table-3'\n[[task]]", "published of .* did you mean 'zhang2021-table-"),
        ("glue/rte", "hub/org/set", "must be glue/NAME, embedded/NAME or a folder .*; say --task hub/org/set and"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_one_sentence(tmp_path, line, instead, words):
    with pytest.raises(RequestError, match=words) as caught:
        designs.load(own(tmp_path, text=SMALLEST.replace(line, instead)))
    assert str(caught.value).count(". ") == 0


@pytest.mark.parametrize("search", ["learning_rate = ['a']", "num_train_steps = ['a', [1]]"])
def test_a_search_of_no_numbers_is_refused_in_one_sentence_at_the_small_scale_too(tmp_path, search):
    more = f"search = {{ {search} }}\n[small]\nmodel = 'embedded'\nlearning_rate_factor = 2\nsteps_factor = 0.5"
    with pytest.raises(RequestError, match=r"a candidate of arm 'Standard' cannot be: .* must be"):
        designs.load(own(tmp_path, more=more), scale="small")


def test_a_design_without_a_small_scale_says_how_to_have_one(tmp_path):
    with pytest.raises(RequestError, match=r"has no small scale; add a table \[small\]"):
        designs.load(own(tmp_path), scale="small")


def test_a_search_without_tuning_seeds_is_refused(tmp_path):
    text = SMALLEST.replace("tuning_seeds = 3\n", "")
    with pytest.raises(RequestError, match="has a search, so the design needs tuning_seeds"):
        designs.load(own(tmp_path, text=text, more="search = { mixout = [0.1, 0.5] }"))


def test_a_file_without_arms_is_refused(tmp_path):
    with pytest.raises(RequestError, match="must have the key 'arm'"):
        designs.load(own(tmp_path, text=SMALLEST.partition("[[arm]]")[0]))
