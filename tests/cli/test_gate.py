"""Does `seedwise gate` tell a person, a script and the shell the same answer?"""

import json
import random

import pytest

from replay import Scripted
from seedwise import Recipe, Seeds, Study, Task, run_gate
from seedwise.cli.gate import EXIT_CODES

A = Recipe(model="m", batch_size=8, num_train_steps=4, evaluations="every 1 steps")
B = A.with_changes(learning_rate=5e-5)
NAMES = ("m, learning_rate=2e-05", "m, learning_rate=5e-05")
FIELDS = (
    "study answer task metric split a b pairs mean_a mean_b gain lower upper p confidence margin budget diverged_a diverged_b seeds"
).split()


@pytest.fixture(params=[0.05, -0.05, 0.0], ids=["B better", "B worse", "equal"])
def answered(tmp_path, request):
    """The folder of a study with a gate of 20 pairs that has run, and how much better B is."""

    def score(trial):
        noise = random.Random(f"{trial.recipe.learning_rate} {trial.seeds.init}").gauss(0, 0.02)
        return 0.7 + noise + request.param * (trial.recipe == B)

    with Study.create(tmp_path / "s", tasks=[Task.glue("rte")], recipes=[A, B], seeds=Seeds.paired(1)) as study:
        study.run(Scripted(score))
    run_gate(tmp_path / "s", *NAMES, Scripted(score), budget=20)
    return tmp_path / "s", request.param


def test_the_exit_code_tells_the_answer(answered, seedwise):
    folder, better = answered
    said = seedwise("gate", folder, *NAMES, "--budget", 20, "--margin", 0.03)
    expected = "equal" if not better else "better" if better > 0 else "worse"
    assert said.code == EXIT_CODES[expected]
    assert said.out.splitlines()[-1] == f"  {'A and B are equal within 0.03' if not better else f'B is {expected}'}."
    assert said.err == ""


def test_without_a_margin_equal_recipes_stay_undecided(answered, seedwise):
    folder, better = answered
    said = seedwise("gate", folder, *NAMES, "--budget", 20)
    assert (said.code == 5) == (not better)
    assert ("not decided" in said.out) == (not better)


def test_the_json_has_the_documented_fields_and_the_same_answer(answered, seedwise):
    folder, better = answered
    said = seedwise("gate", folder, *NAMES, "--budget", 20, "--json")
    content = json.loads(said.out, parse_constant=pytest.fail)
    assert list(content) == FIELDS
    assert EXIT_CODES[content["answer"]] == said.code
    assert content["lower"] < content["gain"] < content["upper"]
    assert (content["p"] < 0.05) == bool(better)
    assert content["pairs"] == len(content["seeds"])
    assert content["answer"] in said.err.replace("not decided", "undecided")


def test_a_wrong_recipe_is_refused_before_anything_runs(answered, seedwise):
    said = seedwise("gate", answered[0], NAMES[0], "bert")
    assert said.code == 2
    assert "recipe must be one of" in said.err


@pytest.mark.slow
def test_a_gate_trains_what_it_needs(tmp_path, seedwise, request_of):
    for more in ((), ("--set", "learning_rate=1e-9", "--extend")):
        assert seedwise("run", tmp_path / "s", *request_of, *more, "--seeds", 1).code == 0
    with Study.open(tmp_path / "s") as study:
        good, poor = (record.trial.recipe.id for record in study.trials)
    said = seedwise("gate", tmp_path / "s", poor, good, "--margin", 1, "--workers", 2, "--threads", 1)
    assert said.code == EXIT_CODES["equal"]  # no two accuracies differ by 1
    looks = [line for line in said.out.splitlines() if "of at most 50 pairs" in line]
    assert [line.split()[0] for line in looks] == [str(n) for n in range(1, 9)]
    assert ["[" in line for line in looks] == [False] * 7 + [True]
    again = seedwise("gate", tmp_path / "s", good, poor, "--margin", 1)
    assert again.code == said.code
    assert "of at most" not in again.out


def test_compare_says_that_a_gate_chose_the_number_of_trials(answered, seedwise):
    folder, _ = answered
    assert "were run by `seedwise gate`" in seedwise("compare", folder).out
    again = seedwise("compare", folder, *NAMES, "--sequential").out
    assert "were run by" not in again
    assert "sequential paired t-test" in again


def test_compare_warns_of_adding_seeds_until_the_answer_pleases(answered, seedwise):
    folder, better = answered
    said = seedwise("compare", folder)
    assert ("adding seeds until p < 0.05" in said.out) == (not better)
    assert "adding seeds" not in seedwise("compare", folder, "--sequential").out
