"""Is every value that breaks its rule refused in one sentence that names the argument, the value and a way out?"""

import re

import pytest

from seedwise import (
    DataError,
    Measurement,
    Recipe,
    RequestError,
    Schedule,
    Seeds,
    SeedwiseError,
    Splits,
    StoppingRule,
    Task,
    Trial,
)
from seedwise.values.evaluations import Evaluations


def task(**fields):
    chosen = {"name": "n", "source": "hub", "train": "train", "text": "a", "label": "b", "digest": "d"}
    return Task(**{**chosen, **fields})


def recipe(**fields):
    return Recipe(model="m", **fields)


SEEDS = [
    (lambda: Seeds(-1, 0), "the init seed must be a whole number of at least 0, not -1"),
    (lambda: Seeds(1, -2), "the order seed must be a whole number of at least 0, not -2"),
    (lambda: Seeds(1, 1, -3), "the dropout seed must be a whole number of at least 0, not -3"),
    (lambda: Seeds(True, 1), "the init seed must be a whole number of at least 0, not True"),
    (lambda: Seeds(1, 2.5), "the order seed must be a whole number of at least 0, not 2.5"),
    (lambda: Seeds("1", 1), "the init seed must be a whole number of at least 0, not '1'"),
    (lambda: Seeds.grid(0, 5), "init must be a whole number of at least 1, not 0"),
    (lambda: Seeds.grid(5, True), "order must be a whole number of at least 1, not True"),
    (
        lambda: Seeds.grid([1, 2, 1], 5),
        "init must hold at least one seed and none twice, not [1, 2, 1]; drop the extra",
    ),
    (lambda: Seeds.grid(5, []), "order must hold at least one seed and none twice, not []"),
    (lambda: Seeds.paired(2.5), "the number of seeds (n) must be a whole number of at least 1, not 2.5"),
    (lambda: Seeds.paired("six"), "the number of seeds (n) must be a whole number of at least 1, not 'six'"),
    (lambda: Seeds.from_json({"init": 1, "ordre": 1}), "seeds has no key 'ordre'; did you mean 'order'; it has init,"),
    (lambda: Seeds.from_json({}), "seeds must have the key 'init', but does not; add it"),
    (lambda: Seeds.from_json(5), "seeds must be keys and values, not 5; its keys are init, order, dropout"),
]

RULE = StoppingRule.full(1)

RULES = [
    (
        lambda: StoppingRule(3, 0.5, 4),
        "t (trials started) must be at least p (trials kept), not t = 3 with p = 4; start 4 or more, or keep 3 or fewer",
    ),
    (lambda: StoppingRule(0, 0.5, 1), "t (trials started) must be a whole number of at least 1, not 0"),
    (lambda: StoppingRule(5, 0.5, 0), "p (trials kept) must be a whole number of at least 1, not 0"),
    (lambda: StoppingRule(5.0, 0.5, 1), "t (trials started) must be a whole number of at least 1, not 5.0"),
    (lambda: StoppingRule(True, 0.5, 1), "t (trials started) must be a whole number of at least 1, not True"),
    *[
        (
            lambda f=f: StoppingRule(5, f, 1),
            f"f (fraction of the run) must be in (0, 1], not {f!r}; 0.25 stops after a quarter of the run",
        )
        for f in (0, -0.1, 1.01, 30, float("nan"), True, "0.3")
    ],
    (lambda: StoppingRule.for_budget(0.9), "the budget must pay for at least 1 full training, not 0.9; give 1 or more"),
    (lambda: StoppingRule.for_budget(-1), "the budget must be a finite number at least 0, not -1"),
    (lambda: StoppingRule.for_budget(float("nan")), "the budget must be a finite number at least 0, not nan"),
    (lambda: StoppingRule.for_budget("10"), "the budget must be a finite number at least 0, not '10'"),
    (lambda: StoppingRule.for_budget(10, []), "fractions must hold at least one fraction of the run, not none"),
    (lambda: StoppingRule.from_json({"t": 1}), "the stopping rule must have the key 'f', but does not; add it"),
    (lambda: Schedule(RULE, -5, 0), "fraction_step must be a whole number of at least 1, not -5"),
    (lambda: Schedule(RULE, 5, 4), "steps must be a whole number of at least 5, not 4; trials are judged at step 5"),
    (lambda: Schedule("full", 5, 5), "the schedule's rule must be a seedwise.StoppingRule, not 'full'; make one of"),
    (lambda: Schedule.from_json({"rule": {}}), "the schedule must have the key 'fraction_step', but does not; add it"),
]

RECIPES = [
    (lambda: Recipe.preset("dodge2021", model="m"), "not 'dodge2021'; did you mean 'dodge2020'"),
    (lambda: Recipe.preset("dodge2020"), "the recipe needs a model; name one on the hub, a folder, or 'embedded'"),
    (
        lambda: Recipe.preset("dodge2020", model="m", learning_rat=1.0),
        "the recipe has no key 'learning_rat'; did you mean 'learning_rate'; it has model, learning_rate,",
    ),
    (lambda: recipe().with_changes(batchsize=3), "the recipe has no key 'batchsize'; did you mean 'batch_size'"),
    (lambda: Recipe(model=" "), "model must be a non-empty text, not ' '"),
    (lambda: recipe(learning_rate=0.0), "learning_rate must be a finite number above 0, not 0.0"),
    (lambda: recipe(learning_rate="3e-5"), "learning_rate must be a finite number above 0, not '3e-5'"),
    (lambda: recipe(learning_rate=10**400), "learning_rate must be a finite number above 0, not 1000"),
    (lambda: recipe(warmup_ratio=10**400), "warmup_ratio must be in [0, 1], not 1000"),
    (lambda: recipe(learning_rate=float("inf")), "learning_rate must be a finite number above 0, not inf"),
    (lambda: recipe(num_train_epochs=True), "num_train_epochs must be a finite number above 0, not True"),
    (lambda: recipe(weight_decay=-0.1), "weight_decay must be a finite number at least 0, not -0.1"),
    (lambda: recipe(adam_beta2=1.0), "adam_beta2 must be in [0, 1), not 1.0"),
    (lambda: recipe(warmup_ratio=1.5), "warmup_ratio must be in [0, 1], not 1.5"),
    (lambda: recipe(dropout=1), "dropout must be in [0, 1), not 1"),
    (lambda: recipe(num_train_steps=0), "num_train_steps must be a whole number of at least 1, not 0"),
    (lambda: recipe(batch_size=16.0), "batch_size must be a whole number of at least 1, not 16.0"),
    (lambda: recipe(max_length=3), "max_length must be a whole number of at least 4, not 3"),
    (lambda: recipe(bias_correction=0), "bias_correction must be true or false, not 0"),
    (lambda: recipe(dtype="bfloat"), "dtype must be one of float32, bfloat16, not 'bfloat'; did you mean 'bfloat16'"),
    (
        lambda: recipe(evaluations="often"),
        "evaluations must read '10 per epoch', '10 per run', 'per epoch' or 'every 100 steps', not 'often'",
    ),
    (lambda: recipe(evaluations=10), "or 'every 100 steps', not 10; write it in one of these forms"),
    (lambda: recipe(evaluations="0 per run"), "the number of evaluations must be a whole number of at least 1, not 0"),
    (lambda: Evaluations(1, "day"), "the unit of evaluations must be one of epoch, run, steps, not 'day'"),
    (lambda: Recipe.from_toml("nowhere.toml"), "the recipe file nowhere.toml does not exist; check the path."),
]

TASKS = [
    (lambda: task(metric="acuracy"), "metric (for classification) must be one of accuracy, f1, accuracy_f1, matthews"),
    (lambda: task(metric="acuracy"), "not 'acuracy'; did you mean 'accuracy'"),
    (
        lambda: task(kind="regression"),
        "metric (for regression) must be one of pearson, spearman, pearson_spearman, loss",
    ),
    (lambda: task(metric="spearman"), "metric (for classification) must be one of"),
    (lambda: task(kind="regresion"), "kind must be one of classification, regression, not 'regresion'; did you mean"),
    (lambda: task(text=""), "the task's text must be a non-empty text, not ''"),
    (lambda: task(text_pair=" "), "the task's text_pair must be a non-empty text, not ' '"),
    (lambda: task(source="web"), "the task's source must be one of glue, files, hub, embedded, not 'web'"),
    (lambda: task(drop_empty="no"), "drop_empty must be true or false, not 'no'"),
    (lambda: task(splits=Splits(halve_validation=True)), "halve_validation needs validation rows, not None; name them"),
    (
        lambda: task(splits=Splits(halve_validation=True), validation="v", test="t"),
        "halve_validation makes the test rows itself; leave out test, not 't'",
    ),
    (lambda: task(label="a"), "text, text_pair and label must be different columns, not 'a' twice; name each"),
    (lambda: task(text_pair="a"), "text, text_pair and label must be different columns, not 'a' twice; name"),
    (lambda: Task.glue("rt"), "not 'rt'; did you mean 'rte'"),
    (lambda: Task.embedded("entailmnt"), "not 'entailmnt'; did you mean 'entailment'"),
    (lambda: Splits(seed=-1), "the split seed must be a whole number of at least 0, not -1"),
    (lambda: Splits(train_size=1), "train_size must be a whole number of at least 2, not 1"),
    (lambda: Splits(validation_size=1.5), "validation_size must be in (0, 1), not 1.5; a whole number counts rows"),
    (lambda: Splits(test_size=0), "test_size must be a whole number of at least 1, not 0"),
    (lambda: Splits(halve_validation="yes"), "halve_validation must be true or false, not 'yes'"),
    (lambda: Splits(halve_validation=True, test_size=9), "must be left out, not None and 9; drop one of the two"),
    (lambda: Trial.from_json({"tsk": 1}), "the trial has no key 'tsk'; did you mean 'task'"),
    (lambda: Task.from_json({"name": "x"}), "the task must have the key 'source', but does not; add it"),
    (lambda: Task.from_json({**task().to_json(), "splits": 5}), "splits must be keys and values, not 5; its keys are"),
    (lambda: Trial.from_json({}), "the trial must have the key 'task', but does not; add it"),
    (lambda: Trial("x", recipe(), Seeds(1, 1)), "the trial's task must be a seedwise.Task, not 'x'; make one of that"),
    (lambda: Trial(task(), "y", Seeds(1, 1)), "the trial's recipe must be a seedwise.Recipe, not 'y'; make one of"),
    (lambda: Trial(task(), recipe(), "z"), "the trial's seeds must be a seedwise.Seeds, not 'z'; make one of that"),
    (lambda: Measurement(0, 1.0), "step must be a whole number of at least 1, not 0"),
    (lambda: Measurement(1, "abc"), "loss must be a number, not 'abc'; nan stands for one that is unknown"),
    (lambda: Measurement(1, True), "loss must be a number, not True"),
    (lambda: Measurement(1, 0.5, 0.9), "metrics must be names and numbers, not 0.9; give None where there are none"),
    (lambda: Measurement(1, 0.5, {"f1": "high"}), "the metric 'f1' must be a number, not 'high'; nan stands for one"),
    (lambda: Measurement.from_json({}), "the measurement must have the key 'step', but does not; add it"),
    (lambda: Measurement.from_json({"step": 1, "loss": "x"}), "loss must be a number, not 'x'"),
    (lambda: Measurement.from_json({"step": 1, "loss": 1.0, "metrics": [1]}), "metrics must be names and numbers, not"),
    (lambda: Measurement(1, 0.5, tracked=[1.0]), "tracked must be names and numbers, not [1.0]; give None where"),
    (
        lambda: Measurement(1, 0.5, tracked={"distance": 1.0}),
        "tracked 'distance' must be at least one number in a tuple",
    ),
    (
        lambda: Measurement(1, 0.5, tracked={"distance": ()}),
        "at least one number in a tuple, not (); leave the name out",
    ),
    (
        lambda: Measurement(1, 0.5, tracked={"distance": ("far",)}),
        "a value of tracked 'distance' must be a number, not",
    ),
    (
        lambda: Measurement.from_json({"step": 1, "loss": 1.0, "tracked": {"distance": 2}}),
        "tracked 'distance' must be at least one number in a tuple, not 2",
    ),
]

SENTENCE = re.compile(r"[^\n]+[^.\n]\.")


@pytest.mark.parametrize(
    ("wrong", "words"), [*SEEDS, *RULES, *RECIPES, *TASKS], ids=lambda part: part if isinstance(part, str) else ""
)
def test_it_is_refused_in_one_sentence(wrong, words):
    with pytest.raises(RequestError) as refusal:
        wrong()
    assert words in str(refusal.value)
    assert SENTENCE.fullmatch(str(refusal.value))


def test_missing_rows_are_refused_by_name(tmp_path):
    for make in (
        lambda: Task.files(tmp_path / "train.csv", text="a", label="b"),
        lambda: Task.glue(tmp_path / "RTE"),
    ):
        with pytest.raises(
            DataError, match=r"does not exist; (check the path|give the folder that holds train\.tsv)\."
        ):
            make()


def test_a_refusal_is_a_value_error_of_ours():
    assert issubclass(RequestError, ValueError)
    assert issubclass(RequestError, SeedwiseError)
    assert issubclass(DataError, RequestError)
