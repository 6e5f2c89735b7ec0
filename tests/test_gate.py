"""Does a gate run fresh pairs until its answer is certain, whatever is killed, and never a seed twice?"""

import json
import random

import pytest

from replay import Scripted
from seedwise import Recipe, RequestError, Seeds, StoppingRule, Study, Task, TrialState, WorkError, run_gate
from seedwise.analysis.gate import GateAnswer
from seedwise.values.gate import GATE, GateSeeds

TASK = Task.glue("rte")
A = Recipe(model="m", batch_size=8, num_train_steps=4, evaluations="every 1 steps")
B = A.with_changes(learning_rate=5e-5)
C = A.with_changes(learning_rate=1e-5)


def score(better=0.05):
    """Scores with noise of a seed's and a recipe's own; B's are better."""

    def of(trial):
        noise = random.Random(f"{trial.recipe.learning_rate} {trial.seeds.init}").gauss(0, 0.02)
        return 0.7 + noise + better * (trial.recipe == B)

    return of


@pytest.fixture
def folder(tmp_path):
    """A study of three recipes, two seeds each, all complete."""
    with Study.create(tmp_path / "s", tasks=[TASK], recipes=[A, B, C], seeds=Seeds.paired(2)) as study:
        study.run(Scripted(score()))
    return tmp_path / "s"


def gate(folder, executor, a=A, b=B, **how):
    return run_gate(folder, a.id, b.id, executor, **how)


def seeds_of(executor):
    return sorted((trial.recipe.learning_rate, trial.seeds.init) for trial in executor.trained)


def test_a_gate_runs_both_recipes_on_fresh_seeds_until_the_answer_is_certain(folder):
    executor = Scripted(score())
    found = gate(folder, executor)
    assert found.answer is GateAnswer.BETTER
    assert found.seeds == tuple(range(3, 3 + found.pairs))
    assert seeds_of(executor) == sorted((r.learning_rate, s) for r in (A, B) for s in found.seeds)


def test_seen_from_the_other_side_the_answer_is_the_opposite_and_nothing_is_run(folder):
    found = gate(folder, Scripted(score()))
    again = Scripted(score())
    turned = gate(folder, again, B, A)
    assert again.trained == []
    assert turned.answer is GateAnswer.WORSE
    assert (turned.pairs, turned.gain, turned.lower) == pytest.approx((found.pairs, -found.gain, -found.upper))


@pytest.mark.parametrize("workers", [1, 2, 5, 40])
def test_the_answer_does_not_depend_on_how_many_run_at_once(folder, workers):
    found = gate(folder, Scripted(score(0.02), workers=workers))
    assert (found.answer, found.pairs) == (GateAnswer.BETTER, 10)


@pytest.mark.parametrize("crash_after", [0, 3, 17, 30, 41, 70])
def test_a_gate_that_is_killed_goes_on_and_trains_nothing_twice(folder, crash_after):
    first, second = Scripted(score(0.02), workers=2, crash_after=crash_after), Scripted(score(0.02), workers=2)
    with pytest.raises(RuntimeError, match="killed"):
        gate(folder, first)
    found = gate(folder, second)
    assert (found.answer, found.pairs) == (GateAnswer.BETTER, 10)
    with Study.open(folder) as study:
        assert len(study.trials) == 3 * 2 + 2 * 10
        complete_before = len(first.trained) - 2  # the last two were under way
    assert len(second.trained) <= 2 * 10 - complete_before


def test_two_gates_share_no_seed(folder):
    first = gate(folder, Scripted(score()))
    second = gate(folder, Scripted(score()), A, C, budget=8)
    assert first.seeds[-1] < second.seeds[0]


def test_a_gate_without_an_answer_goes_on_with_a_larger_budget_on_further_seeds(folder):
    first = gate(folder, Scripted(score(0.0)), budget=8)
    between = gate(folder, Scripted(score(0.0)), A, C, budget=8)
    executor = Scripted(score(0.0))
    second = gate(folder, executor, budget=10)
    assert [found.answer for found in (first, between, second)] == [GateAnswer.UNDECIDED] * 3
    assert second.seeds == (*first.seeds, 19, 20)
    assert len(executor.trained) == 4


def test_a_margin_may_change_because_the_interval_holds_anyway(folder):
    gate(folder, Scripted(score(0.0)), budget=20)
    executor = Scripted(score(0.0))
    assert gate(folder, executor, budget=20, margin=0.04).answer is GateAnswer.EQUAL
    assert executor.trained == []


def test_what_was_looked_at_under_one_confidence_is_not_judged_by_another(folder):
    gate(folder, Scripted(score(0.0)), budget=8, confidence=0.9)
    assert gate(folder, Scripted(score(0.0)), budget=9).confidence == 0.9
    with pytest.raises(RequestError, match=r"confidence must be 0\.9 .* not 0\.95: their scores have been seen"):
        gate(folder, Scripted(score(0.0)), budget=9, confidence=0.95)
    with pytest.raises(RequestError, match=r"split must be validation .* not test"):
        gate(folder, Scripted(score(0.0)), budget=9, split="test")


def test_every_look_is_told_in_order(folder):
    looks = []
    found = gate(folder, Scripted(score()), on_look=looks.append)
    assert [look.pairs for look in looks] == list(range(1, found.pairs + 1))
    assert looks[-1] == found


def test_trials_that_are_not_the_gates_are_left_alone(tmp_path):
    with Study.create(tmp_path / "s", tasks=[TASK], recipes=[A, B, C], seeds=Seeds.paired(2)):
        pass
    found = gate(tmp_path / "s", Scripted(score()))
    with Study.open(tmp_path / "s") as study:
        states = {record.trial.seeds.init: record.state for record in study.trials}
        assert study.best_trial().trial.seeds.init in found.seeds
    assert {states[1], states[2]} == {TrialState.WAITING}


def test_a_crash_is_no_score_and_the_same_again_tries_it_anew(folder):
    with pytest.raises(WorkError, match=r"2 of the gate's trials crashed, first \w+ \(it would not\).*tries them anew"):
        gate(folder, Scripted(score(), fail={5}))
    found = gate(folder, Scripted(score()))
    assert found.answer is GateAnswer.BETTER
    assert 5 in found.seeds


def test_a_trial_that_diverges_is_a_score(folder):
    executor = Scripted(score(), diverge={5: 2})
    found = gate(folder, executor)
    assert (found.answer, found.diverged_a, found.diverged_b) == (GateAnswer.BETTER, 1, 1)
    assert len(executor.trained) == 2 * found.pairs


def test_a_recipe_without_any_score_scores_like_a_guess(folder):
    found = gate(folder, Scripted(lambda trial: float("nan") if trial.recipe == B else score()(trial)))
    assert (found.answer, found.mean_b) == (GateAnswer.WORSE, 0.5)


def test_the_diary_tells_which_seeds_were_set_aside(folder):
    found = gate(folder, Scripted(score()))
    with Study.open(folder) as study:
        asides = [json.loads(event.detail) for event in study.store.events(GATE)]
    assert asides[0] == {
        "task": TASK.id,
        "recipes": [A.id, B.id],
        "split": "validation",
        "confidence": 0.95,
        "first": 3,
        "last": 10,
    }
    assert asides[-1]["last"] == found.seeds[-1]


def test_seeds_that_a_kill_kept_from_becoming_trials_are_run(folder):
    aside = GateSeeds(task=TASK.id, recipes=(A.id, B.id), split="validation", confidence=0.95, first=31, last=40)
    with Study.resume(folder) as study:
        study.store.add_event(GATE, json.dumps(aside.to_json()))
    found = gate(folder, Scripted(score()))
    assert found.pairs <= 10
    assert found.seeds == tuple(range(31, 31 + found.pairs))


def test_the_study_that_a_gate_has_added_to_is_still_the_one_that_was_asked_for(folder):
    found = gate(folder, Scripted(score()))
    again = Scripted(score())
    with Study.create(folder, tasks=[TASK], recipes=[A, B, C], seeds=Seeds.paired(2)) as study:
        study.run(again)
        assert len(study.trials) == 6 + 2 * found.pairs
    assert again.trained == []
    with pytest.raises(RequestError, match="holds another study"):
        Study.create(folder, tasks=[TASK], recipes=[A, B, C], seeds=Seeds.paired(3))


def test_a_study_that_stops_trials_is_refused(tmp_path):
    rule = StoppingRule(t=2, f=0.5, p=1)
    with Study.create(tmp_path / "s", tasks=[TASK], recipes=[A, B], seeds=Seeds.paired(2), rule=rule):
        pass
    with pytest.raises(RequestError, match="whose rule stops trials early"):
        gate(tmp_path / "s", Scripted(score()))


def test_a_recipe_is_not_held_against_itself(folder):
    with pytest.raises(RequestError, match="two recipes that differ"):
        gate(folder, Scripted(score()), A, A)


def test_test_scores_of_a_task_without_test_rows_are_refused(folder):
    with pytest.raises(RequestError, match="has no test rows"):
        gate(folder, Scripted(score()), split="test")
