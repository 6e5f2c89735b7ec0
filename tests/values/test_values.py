"""Are values equal by content, do they survive JSON, and does their id depend on nothing else?"""

import json
import math
import shutil
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise import Measurement, Recipe, Seeds, Splits, StoppingRule, Task, Trial
from seedwise.values.benchmarks import EMBEDDED, GLUE
from seedwise.values.evaluations import Evaluations
from seedwise.values.presets import PRESETS
from seedwise.values.task import CLASSIFICATION_METRICS, REGRESSION_METRICS
from toys import toy_task

SEED = st.integers(0, 2**70)
FRACTION = st.floats(0, 1, exclude_min=True)
POSITIVE = st.floats(0, exclude_min=True, allow_infinity=False, allow_nan=False)
NOT_NEGATIVE = st.floats(0, allow_infinity=False, allow_nan=False)
BELOW_ONE = st.floats(0, 1, exclude_max=True)
COUNT = st.integers(1, 10**6)
WORD = st.text(min_size=1).filter(str.strip)


def back(value):
    """Write a value as JSON text and read it again."""
    return type(value).from_json(json.loads(json.dumps(value.to_json())))


seeds = st.builds(Seeds, SEED, SEED, st.none() | SEED)
rules = st.builds(lambda p, more, f: StoppingRule(p + more, f, p), COUNT, st.integers(0, 200), FRACTION)
evaluations = st.builds(Evaluations, COUNT, st.sampled_from(["epoch", "run", "steps"]))
recipes = st.builds(
    Recipe,
    model=WORD,
    learning_rate=POSITIVE,
    num_train_epochs=POSITIVE | COUNT,
    num_train_steps=st.none() | COUNT,
    batch_size=COUNT,
    gradient_accumulation_steps=COUNT,
    warmup_ratio=st.floats(0, 1),
    weight_decay=NOT_NEGATIVE,
    adam_beta1=BELOW_ONE,
    adam_beta2=BELOW_ONE,
    adam_epsilon=POSITIVE,
    bias_correction=st.booleans(),
    max_grad_norm=NOT_NEGATIVE,
    dropout=st.none() | BELOW_ONE,
    max_length=st.integers(4, 10**5),
    dtype=st.sampled_from(["float32", "bfloat16"]),
    evaluations=evaluations | evaluations.map(str),
)
sizes = st.none() | COUNT | st.floats(0, 1, exclude_min=True, exclude_max=True)
splits = st.builds(
    Splits, seed=SEED, train_size=st.none() | st.integers(2), validation_size=sizes, test_size=sizes
) | st.builds(Splits, seed=SEED, halve_validation=st.just(True))


@st.composite
def tasks(draw):
    kind = draw(st.sampled_from(["classification", "regression"]))
    chosen = draw(splits)
    text, label, second = draw(st.lists(WORD, min_size=3, max_size=3, unique=True))
    return Task(
        name=draw(WORD),
        source=draw(st.sampled_from(["glue", "files", "hub", "embedded"])),
        train=draw(WORD),
        validation=draw(WORD) if chosen.halve_validation else draw(st.none() | WORD),
        test=None if chosen.halve_validation else draw(st.none() | WORD),
        text=text,
        text_pair=draw(st.sampled_from([None, second])),
        label=label,
        kind=kind,
        metric=draw(st.sampled_from(CLASSIFICATION_METRICS if kind == "classification" else REGRESSION_METRICS)),
        splits=chosen,
        drop_empty=draw(st.booleans()),
        digest=draw(WORD),
    )


trials = st.builds(Trial, tasks(), recipes, seeds)
tracked = st.none() | st.dictionaries(WORD, st.lists(st.floats(), min_size=1, max_size=4).map(tuple))


class TestRoundTrip:
    @given(seeds)
    def test_seeds(self, value):
        assert back(value) == value

    @given(rules)
    def test_stopping_rule(self, value):
        assert back(value) == value

    @given(tasks())
    def test_task_with_its_paths(self, value):
        assert back(value) == value
        assert back(value).to_json() == value.to_json()  # equality leaves the paths out

    @given(recipes)
    def test_recipe(self, value):
        assert back(value) == value

    @pytest.mark.parametrize("name", PRESETS)
    def test_preset(self, name):
        recipe = Recipe.preset(name, model="m")
        assert back(recipe) == recipe

    @pytest.mark.parametrize("task", [*map(Task.glue, GLUE), *map(Task.embedded, EMBEDDED)], ids=lambda task: task.name)
    def test_benchmark(self, task):
        assert back(task) == task

    @given(evaluations)
    def test_evaluations_as_text(self, value):
        assert Evaluations.parse(str(value)) == value

    @given(trials)
    def test_trial_and_its_id(self, value):
        assert back(value) == value
        assert back(value).id == value.id

    @given(COUNT, st.floats(), st.none() | st.dictionaries(WORD, st.floats()), tracked)
    def test_measurement_with_nan_and_infinity(self, step, loss, metrics, tracked):
        value = Measurement(step, loss, metrics, tracked)
        text = json.dumps(value.to_json(), allow_nan=False)
        assert repr(Measurement.from_json(json.loads(text))) == repr(value)  # nan equals no nan, its word does


class TestOlderContent:
    """Content that was stored before a field with a default came to be is still read."""

    def test_of_seeds(self):
        assert Seeds.from_json({"init": 1, "order": 2}) == Seeds(1, 2)

    def test_of_a_task(self):
        content = Task.glue("sst2").to_json()
        older = {key: content[key] for key in ("name", "source", "train", "validation", "text", "label", "metric")}
        assert Task.from_json({**older, "metric": "accuracy", "digest": content["digest"]}) == Task.glue("sst2")

    def test_of_a_measurement(self):
        assert Measurement.from_json({"step": 1, "loss": 0.5}) == Measurement(1, 0.5)
        before_tracking = {"step": 1, "loss": 0.5, "metrics": {"accuracy": 0.5}}
        assert Measurement.from_json(before_tracking) == Measurement(1, 0.5, {"accuracy": 0.5})


class TestId:
    @pytest.fixture
    def trial(self, tmp_path):
        return Trial(toy_task(tmp_path / "here"), Recipe.preset("zhang2021", model="m"), Seeds(1, 2))

    def test_equal_trials_have_one_id(self, trial, tmp_path):
        again = Trial(toy_task(tmp_path / "here"), Recipe.preset("zhang2021", model="m"), Seeds(1, 2, 2))
        assert again == trial
        assert again.id == trial.id
        assert hash(again) == hash(trial)

    def test_moved_files_are_the_same_trial(self, trial, tmp_path):
        shutil.move(tmp_path / "here", tmp_path / "there")
        files = {split: tmp_path / "there" / f"{split}.csv" for split in ("train", "validation", "test")}
        moved = replace(trial, task=Task.files(**files, text="text", label="label"))
        assert moved.task.train != trial.task.train
        assert (moved, moved.id) == (trial, trial.id)

    @pytest.mark.parametrize("split", ["train", "validation", "test"])
    def test_an_edited_file_is_another_trial(self, trial, tmp_path, split):
        with (tmp_path / "here" / f"{split}.csv").open("a") as stream:
            stream.write("one more,good,1\n")
        files = {name: tmp_path / "here" / f"{name}.csv" for name in ("train", "validation", "test")}
        edited = replace(trial, task=Task.files(**files, text="text", label="label"))
        assert edited != trial
        assert edited.id != trial.id

    @pytest.mark.parametrize(
        "change",
        [
            {"seeds": Seeds(1, 1)},
            {"seeds": Seeds(1, 2, 1)},
            {"recipe": Recipe.preset("zhang2021", model="n")},
            {"recipe": Recipe.preset("zhang2021", model="m", dropout=0.0)},
            {"recipe": Recipe.preset("zhang2021", model="m", evaluations="per epoch")},
        ],
        ids=str,
    )
    def test_other_content_is_another_trial(self, trial, change):
        assert replace(trial, **change).id != trial.id

    @pytest.mark.parametrize(
        "field",
        "learning_rate num_train_epochs warmup_ratio weight_decay adam_epsilon max_grad_norm".split(),
    )
    def test_a_whole_number_is_the_same_recipe_as_a_fraction(self, field):
        assert Recipe(model="m", **{field: 1}).id == Recipe(model="m", **{field: 1.0}).id

    @pytest.mark.parametrize("field", ["adam_beta1", "adam_beta2", "dropout", "warmup_ratio"])
    def test_zero_is_the_same_recipe_in_either_spelling(self, field):
        assert Recipe(model="m", **{field: 0}).id == Recipe(model="m", **{field: 0.0}).id

    def test_evaluations_as_text_are_the_same_recipe(self):
        assert (
            Recipe(model="m", evaluations="per epoch").id == Recipe(model="m", evaluations=Evaluations(1, "epoch")).id
        )

    def test_the_id_is_the_same_in_every_version(self):
        """Stored studies are found again by these ids; if this fails, old studies no longer continue."""
        trial = Trial(Task.glue("rte"), Recipe.preset("dodge2020", model="google-bert/bert-large-uncased"), Seeds(1, 2))
        assert (trial.task.id, trial.recipe.id, trial.id) == PINNED


PINNED = ("78c5454f123300db", "aec31a9773098d5b", "08a3cdca4a2290e2")


class TestEvaluations:
    def test_ten_per_epoch_over_three_epochs_of_rte_are_thirty(self):
        steps = Recipe.preset("dodge2020", model="m").evaluation_steps(train_rows=2490)
        assert len(steps) == 30
        assert (steps[9], steps[19], steps[29]) == (156, 312, 468)

    def test_ten_per_run_of_rte_are_ten(self):
        steps = Recipe.preset("zhang2021", model="m").evaluation_steps(train_rows=2490)
        assert len(steps) == 10
        assert steps[-1] == 3 * math.ceil(2490 / 32)

    def test_per_epoch_is_the_end_of_every_epoch(self):
        assert Evaluations.parse("per epoch").at(7, 21) == (7, 14, 21)

    def test_every_n_steps_ends_with_the_last_step(self):
        assert Evaluations.parse("every 10 steps").at(8, 24) == (10, 20, 24)

    def test_a_run_that_ends_within_an_epoch(self):
        assert Evaluations.parse("2 per epoch").at(10, 13) == (5, 10, 13)

    def test_a_run_shorter_than_its_evaluations_is_scored_at_every_step(self):
        assert Evaluations.parse("10 per run").at(3, 3) == (1, 2, 3)
        assert Evaluations.parse("every 100 steps").at(3, 3) == (3,)

    @given(evaluations, st.integers(1, 2000), st.integers(1, 2000))
    def test_they_ascend_to_the_last_step(self, value, steps_per_epoch, steps):
        found = replace(value, count=min(value.count, 3000)).at(steps_per_epoch, steps)
        assert list(found) == sorted(set(found))
        assert found[0] >= 1
        assert found[-1] == steps

    @given(st.integers(1, 50), st.integers(50, 2000), st.integers(1, 5))
    def test_k_per_epoch_are_k_in_every_epoch(self, k, steps_per_epoch, epochs):
        found = Evaluations(k, "epoch").at(steps_per_epoch, epochs * steps_per_epoch)
        in_epoch = [math.ceil(step / steps_per_epoch) for step in found]
        assert [in_epoch.count(epoch) for epoch in range(1, epochs + 1)] == [k] * epochs

    @given(st.integers(1, 50), st.integers(50, 2000))
    def test_k_per_run_are_k(self, k, steps):
        assert len(Evaluations(k, "run").at(17, steps)) == k


class TestBudget:
    @given(rules, st.floats(0, 1e6))
    def test_the_cost_is_the_papers(self, rule, s):
        assert rule.cost(s) == pytest.approx((rule.t * rule.f + rule.p * (1 - rule.f)) * s)

    def test_the_papers_example_costs_what_it_says(self):
        assert StoppingRule(t=41, f=0.26, p=11).cost() == pytest.approx(41 * 0.26 + 11 * 0.74)
        assert StoppingRule.full(7).cost(s=2.0) == 14

    @pytest.mark.parametrize("grid", [3, 10, 30], ids="{} evaluations".format)
    @pytest.mark.parametrize("b", range(1, 201))
    def test_the_rule_of_thumb_spends_the_budget(self, b, grid):
        fractions = [i / grid for i in range(1, grid + 1)]
        rule = StoppingRule.for_budget(b, fractions)
        assert rule.cost() <= b + 1e-6
        assert rule.p <= rule.t <= 200
        assert rule.p == max(1, b // 2)
        assert abs(rule.f - 0.25) == pytest.approx(min(abs(f - 0.25) for f in fractions))
        one_more = replace(rule, t=rule.t + 1)
        assert one_more.cost() > b or rule.t == 200

    def test_of_two_equally_near_fractions_the_later_is_taken(self):
        assert StoppingRule.for_budget(10, [0.2, 0.3, 1.0]).f == 0.3

    def test_without_an_evaluation_on_the_way_every_trial_runs_to_the_end(self):
        assert StoppingRule.for_budget(7.9, [1.0]) == StoppingRule.full(7)


class TestSeeds:
    def test_dropout_follows_the_order_seed(self):
        assert Seeds(3, 7).dropout == 7

    def test_a_grid_may_name_its_seeds(self):
        assert Seeds.grid(init=[5], order=(8, 9)) == (Seeds(5, 8), Seeds(5, 9))

    @given(st.integers(1, 50))
    def test_paired_trials_share_no_seed(self, n):
        found = Seeds.paired(n)
        assert len({s.init for s in found}) == len({s.order for s in found}) == n
