"""Is a design run in its stages: chosen on validation rows and tuning seeds alone, reported on fresh ones, whatever is killed?"""

import json
import math
from dataclasses import replace

import pytest

from replay import Scripted
from seedwise import (
    Arm,
    Design,
    LocalExecutor,
    Recipe,
    RequestError,
    Seeds,
    Study,
    Task,
    TrialState,
    WorkError,
    run_design,
)
from seedwise.data import tokens
from seedwise.values.arm import Intermediate
from toys import toy_model, toy_recipe, toy_task

pytestmark = pytest.mark.slow  # runs whole designs

RTE, QNLI = Task.glue("rte"), Task.glue("qnli")
RECIPE = Recipe(model="m", batch_size=8, num_train_steps=4, evaluations="every 1 steps")
REPORT, TUNING = Seeds.paired(3), Seeds.paired([101, 102])
RATES = (1e-5, 3e-5, 5e-5)


def arm(name="Standard", task=RTE, **fields):
    chosen = {"recipe": RECIPE, "seeds": REPORT, **fields}
    if chosen.get("search"):
        chosen = {"tuning_seeds": TUNING, **chosen}
    return Arm(name=name, task=task, **chosen)


def design(*arms, **fields):
    return Design(name="own", title="One's own", arms=arms, **fields)


def two_stages():
    return design(arm(), arm("Rate", search={"learning_rate": RATES}))


def by_rate(best):
    """A score that is highest at one learning rate."""
    return lambda trial: 0.9 if trial.recipe.learning_rate == best else 0.5


def reported(folder):
    """The report's recipes, by arm and task, once all its trials are complete."""
    with Study.open(folder) as study:
        assert {record.state for record in study.trials} == {TrialState.COMPLETE}
        labels = study.design.labels()
        found = {(labels[r.trial.task.id, r.trial.recipe.id], r.trial.task.name): r.trial.recipe for r in study.trials}
        assert len(study.trials) == sum(len(a.seeds) for a in study.design.design.arms)
        return found


# The choice -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("best", RATES)
def test_the_best_candidate_on_the_tuning_seeds_is_reported(tmp_path, best):
    run_design(tmp_path, two_stages(), Scripted(by_rate(best)))
    assert reported(tmp_path)["Rate", "rte"].learning_rate == best


def test_every_task_chooses_for_itself(tmp_path):
    arms = [arm("Rate", task, search={"learning_rate": RATES}) for task in (RTE, QNLI)]
    run_design(tmp_path, design(*arms), Scripted(lambda t: by_rate(1e-5 if t.task == RTE else 5e-5)(t)))
    assert {task: recipe.learning_rate for (_, task), recipe in reported(tmp_path).items()} == {
        "rte": 1e-5,
        "qnli": 5e-5,
    }


def test_of_equal_candidates_the_first_is_taken(tmp_path):
    run_design(tmp_path, two_stages(), Scripted(lambda _: 0.7))
    assert reported(tmp_path)["Rate", "rte"].learning_rate == RATES[0]


def test_the_report_seeds_have_no_say(tmp_path):
    tuned = {seeds.init for seeds in TUNING}

    def score(trial):
        return by_rate(3e-5 if trial.seeds.init in tuned else 5e-5)(trial)

    run_design(tmp_path, two_stages(), Scripted(score))
    assert reported(tmp_path)["Rate", "rte"].learning_rate == 3e-5


def test_no_seed_is_used_in_both_stages_and_every_candidate_is_tried_on_all_tuning_seeds(tmp_path):
    executor = Scripted(lambda _: 0.7)
    run_design(tmp_path, two_stages(), executor)
    with Study.open(tmp_path / "tuning") as tuning, Study.open(tmp_path) as report:
        tried = [(r.trial.recipe.learning_rate, r.trial.seeds) for r in tuning.trials]
        assert tried == [(rate, seeds) for rate in RATES for seeds in TUNING]
        assert {r.trial.seeds for r in report.trials} == set(REPORT)
    assert len(executor.trained) == 3 * 2 + 2 * 3


def test_a_candidate_with_a_trial_without_a_score_is_not_taken(tmp_path):
    def score(trial):
        wins_but_once_without = trial.recipe.learning_rate == 3e-5 and trial.seeds.init == 101
        return math.nan if wins_but_once_without else by_rate(3e-5)(trial)

    run_design(tmp_path, two_stages(), Scripted(score))
    assert reported(tmp_path)["Rate", "rte"].learning_rate == 1e-5


def test_where_less_is_better_the_smallest_mean_is_chosen(tmp_path):
    task = replace(RTE, metric="loss")
    executor = Scripted(lambda trial: 1 - by_rate(3e-5)(trial))
    wait = executor.open

    def renamed(folder, work):
        session = wait(folder, work)
        found = session.wait
        session.wait = lambda seconds: [_as_loss(report) for report in found(seconds)]
        return session

    executor.open = renamed
    run_design(tmp_path, design(arm("Rate", task, search={"learning_rate": RATES})), executor)
    assert reported(tmp_path)["Rate", "rte"].learning_rate == 3e-5


def _as_loss(report):
    if not hasattr(report, "measurements"):
        return report
    found = tuple(replace(m, metrics={"loss": m.metrics["accuracy"] or 1.0}) for m in report.measurements)
    return replace(report, measurements=found)


def test_a_choice_waits_for_a_trial_that_failed_and_is_made_when_it_is_run_again(tmp_path):
    with pytest.raises(WorkError, match=r"arm 'Rate' on task rte cannot choose, because trial \w+ failed .*run again"):
        run_design(tmp_path, two_stages(), Scripted(by_rate(3e-5), fail=[101]))
    run_design(tmp_path, None, Scripted(by_rate(3e-5)))
    assert reported(tmp_path)["Rate", "rte"].learning_rate == 3e-5


def test_no_choice_is_made_where_nothing_has_a_score(tmp_path):
    with pytest.raises(WorkError, match="no trial has a finite score; try smaller learning rates"):
        run_design(tmp_path, two_stages(), Scripted(lambda t: math.nan if t.seeds in TUNING else 0.5))


# Candidates that do not fit -------------------------------------------------------------------------------------------


def test_runs_no_longer_than_the_arms_own_are_left_out_and_that_is_said(tmp_path):
    own = RECIPE.with_changes(num_train_steps=None, num_train_epochs=1)  # 32 rows: 4 steps
    said, executor = [], Scripted(lambda t: 0.9 if t.recipe.num_train_steps == 2 else 0.5)
    longer = arm("Longer", recipe=own, search={"num_train_steps": (2, 4, 6, 8)})
    run_design(tmp_path, design(longer), executor, on_stage=said.append)
    assert {t.recipe.num_train_steps for t in executor.trained} == {6, 8}
    assert said[0].left_out == tuple(
        f"Longer on rte: steps = {steps} is not longer than the run of 4 steps that it is compared with"
        for steps in (2, 4)
    )


def test_more_layers_than_the_model_has_are_left_out(tmp_path):
    executor = Scripted(lambda _: 0.5)
    run_design(tmp_path, design(arm("Re-init", search={"reinit_layers": (2, 3, 4)})), executor)
    assert {t.recipe.reinit_layers for t in executor.trained} == {2, 3}


def test_a_single_candidate_that_fits_needs_no_tuning(tmp_path):
    executor = Scripted(lambda _: 0.5)
    run_design(tmp_path, design(arm("Re-init", search={"reinit_layers": (3, 4)})), executor)
    assert {t.seeds for t in executor.trained} == set(REPORT)
    assert not (tmp_path / "tuning").exists()


def test_a_search_of_which_nothing_fits_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(
        RequestError, match="must hold a candidate that fits, but L = 5 is more than the model's 3 blocks"
    ):
        run_design(tmp_path / "s", design(arm(), arm("Re-init", search={"reinit_layers": (4, 5)})), Scripted(None))
    assert not (tmp_path / "s").exists()


class Uniform(Scripted):
    """A model whose blocks cannot be told apart, as ALBERT's, so that they cannot have rates of their own."""

    def prepare(self, task, recipe):
        if recipe.layerwise_lr_decay != 1:
            raise RequestError("layerwise_lr_decay needs blocks; leave it out.")
        return super().prepare(task, recipe)


@pytest.mark.parametrize("start", [None, "intermediate"])
def test_candidates_that_the_model_cannot_have_are_refused_before_anything_is_written(tmp_path, start):
    recipe = RECIPE.with_changes(start_from=start)
    whole = with_intermediate(arm("LLRD", recipe=recipe, search={"layerwise_lr_decay": (1.0, 0.9)}))
    with pytest.raises(RequestError, match="layerwise_lr_decay needs blocks"):
        run_design(tmp_path / "s", whole, Uniform(None))
    assert not (tmp_path / "s").exists()


def test_what_is_checked_of_many_candidates_tokenises_their_rows_once(tmp_path, monkeypatch):
    calls, tokenize = [], tokens.tokenize
    monkeypatch.setattr(tokens, "tokenize", lambda *asked: calls.append(asked) or tokenize(*asked))
    executor, task = LocalExecutor("plain", workers=1), toy_task(tmp_path / "rows")
    recipes = [toy_recipe(toy_model(tmp_path / "model"), learning_rate=rate) for rate in RATES]
    assert (
        executor.prepare(task, recipes[0]) == executor.prepare(task, recipes[1]) == executor.prepare(task, recipes[2])
    )
    assert len(calls) == 1


# Arms after others, and the intermediate task -------------------------------------------------------------------------


def after_each_other():
    return design(
        arm(),
        arm("Steps", search={"num_train_steps": (6, 8)}, after="Rate"),
        arm("Rate", search={"learning_rate": RATES}),
        arm("Decay", recipe=RECIPE.with_changes(weight_decay=0.1), after="Rate"),
    )


def test_an_arm_after_another_is_tuned_from_what_that_one_chose(tmp_path):
    executor = Scripted(lambda t: by_rate(5e-5)(t) + 0.01 * t.recipe.num_train_steps)
    said = []
    run_design(tmp_path, after_each_other(), executor, on_stage=said.append)
    found = reported(tmp_path)
    assert found["Steps", "rte"] == RECIPE.with_changes(learning_rate=5e-5, num_train_steps=8)
    assert found["Decay", "rte"] == RECIPE.with_changes(learning_rate=5e-5, weight_decay=0.1)
    assert [(s.number, s.stages, s.name, s.plan) for s in said] == [
        (1, 2, "tuning", "3 recipes x 2 seeds on rte"),
        (1, 2, "tuning", "2 recipes x 2 seeds on rte"),
        (2, 2, "report", "4 recipes x 3 seeds on rte"),
    ]


def with_intermediate(*more):
    first = Intermediate(task=Task.glue("mnli"), recipe=RECIPE, seeds=Seeds.paired(2))
    started = arm("Int. Task", recipe=RECIPE.with_changes(start_from="intermediate"))
    return design(arm(), started, *more, intermediate=first)


def test_the_intermediate_task_is_trained_once_and_arms_start_from_its_study(tmp_path):
    executor = Scripted(lambda _: 0.5)
    run_design(tmp_path, with_intermediate(), executor)
    place = str((tmp_path / "intermediate").resolve())
    assert [t.task.name for t in executor.trained[:2]] == ["mnli", "mnli"]
    assert reported(tmp_path)["Int. Task", "rte"].start_from == place
    assert executor.exported == [tmp_path / "intermediate" / "best", tmp_path / "best"]


# Killed, repeated, mixed up -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crash_after", [0, 1, 7, 23, 24, 25, 40, 51, 52, 53, 75])
def test_a_design_killed_anywhere_ends_like_an_undisturbed_one(tmp_path, crash_after):
    score = lambda t: by_rate(5e-5)(t) + 0.01 * t.recipe.num_train_steps  # noqa: E731
    run_design(tmp_path / "a", after_each_other(), Scripted(score))
    with pytest.raises(RuntimeError, match="killed"):
        run_design(tmp_path / "b", after_each_other(), Scripted(score, crash_after=crash_after))
    run_design(tmp_path / "b", None, Scripted(score))
    for stage in ("tuning", "."):
        with Study.open(tmp_path / "a" / stage) as a, Study.open(tmp_path / "b" / stage) as b:
            assert [(r.id, r.state, r.evaluations) for r in a.trials] == [
                (r.id, r.state, r.evaluations) for r in b.trials
            ]
            assert a.design.chosen == b.design.chosen


class KilledAtExport(Scripted):
    """Dies between a stage's last evaluation and its ``best/``."""

    def open(self, folder, work):
        session = super().open(folder, work)
        session.export = self._die
        return session

    def _die(self, *_):
        raise RuntimeError("killed")


@pytest.mark.parametrize("crash_after", [0, 3, 7, 8, 9, 23, 24, "best/"])
def test_a_design_killed_about_its_intermediate_task_ends_like_an_undisturbed_one(tmp_path, crash_after):
    whole, score = with_intermediate(arm("Rate", search={"learning_rate": RATES[:2]})), by_rate(3e-5)
    run_design(tmp_path / "a", whole, Scripted(score))
    killed = KilledAtExport(score) if crash_after == "best/" else Scripted(score, crash_after=crash_after)
    with pytest.raises(RuntimeError, match="killed"):
        run_design(tmp_path / "b", whole, killed)
    again = Scripted(score)
    run_design(tmp_path / "b", None, again)
    assert _ends(tmp_path / "a") == _ends(tmp_path / "b")
    assert (tmp_path / "b" / "intermediate" / "best").is_dir()
    trained_first = [trial for trial in (*killed.trained, *again.trained) if trial.task.name == "mnli"]
    assert len(trained_first) <= 3  # two, and the one that the kill cut off


def _ends(folder):
    """What each stage holds in the end, whichever folder the arms start from."""
    found = []
    for stage in ("intermediate", "tuning", "."):
        with Study.open(folder / stage) as study:
            found.append([(r.trial.task.name, r.trial.seeds, r.state, r.evaluations) for r in study.trials])
    return found, set(reported(folder))


def test_a_second_run_trains_nothing(tmp_path):
    run_design(tmp_path, with_intermediate(), Scripted(lambda _: 0.5))
    again = Scripted(lambda _: 0.5)
    run_design(tmp_path, with_intermediate(), again)
    run_design(tmp_path, None, again)
    assert (again.trained, again.exported) == ([], [])


def test_the_best_model_is_the_reports_and_tuning_keeps_none(tmp_path):
    executor = Scripted(lambda t: 0.9 if t.seeds in TUNING else by_rate(3e-5)(t))
    run_design(tmp_path, two_stages(), executor)
    with Study.open(tmp_path) as study:
        assert json.loads((tmp_path / "best" / "seedwise.json").read_text())["trial"] == study.best_trial().id
    assert not (tmp_path / "tuning" / "best").exists()


def test_another_design_is_refused_and_says_how_they_differ(tmp_path):
    run_design(tmp_path, two_stages(), Scripted(lambda _: 0.5))
    other = design(arm(task=QNLI))
    with pytest.raises(
        RequestError, match=r"holds the study 'own' \(task rte; model m\), not 'own' \(task qnli; model m\)"
    ):
        run_design(tmp_path, other, Scripted(lambda _: 0.5))


def test_another_design_is_refused_while_only_tuning_has_begun(tmp_path):
    with pytest.raises(RuntimeError, match="killed"):
        run_design(tmp_path, two_stages(), Scripted(lambda _: 0.5, crash_after=5))
    with pytest.raises(RequestError, match="alone continues it"):
        run_design(tmp_path, design(arm(task=QNLI)), Scripted(lambda _: 0.5))
    run_design(tmp_path, None, Scripted(lambda _: 0.5))
    assert set(reported(tmp_path)) == {("Standard", "rte"), ("Rate", "rte")}


def test_a_design_of_which_nothing_ran_binds_nobody(tmp_path):
    with pytest.raises(RuntimeError, match="killed"):
        run_design(tmp_path, design(arm(task=QNLI)), Scripted(lambda _: 0.5, crash_after=0))
    with Study.open(tmp_path) as study:
        begun = any(record.attempts for record in study.trials)
    assert not begun
    run_design(tmp_path, two_stages(), Scripted(lambda _: 0.5))
    assert set(reported(tmp_path)) == {("Standard", "rte"), ("Rate", "rte")}


def test_words_may_change_between_runs_of_the_same_trials(tmp_path):
    run_design(tmp_path, two_stages(), Scripted(lambda _: 0.5))
    run_design(tmp_path, replace(two_stages(), title="Said better"), Scripted(None))
    with Study.open(tmp_path) as study:
        assert study.design.design.title == "Said better"


def test_a_plain_study_and_a_design_do_not_mix(tmp_path):
    with Study.create(tmp_path / "plain", tasks=[RTE], recipes=[RECIPE], seeds=REPORT) as study:
        study.run(Scripted(lambda _: 0.5))
    with pytest.raises(RequestError, match="holds trials of another study than 'own'"):
        run_design(tmp_path / "plain", two_stages(), Scripted(lambda _: 0.5))
    run_design(tmp_path / "staged", two_stages(), Scripted(lambda _: 0.5))
    with pytest.raises(RequestError, match="which takes no other trials"):
        Study.create(tmp_path / "staged", tasks=[RTE], recipes=[RECIPE], seeds=REPORT, extend=True)


def test_a_study_in_stages_is_not_resumed_as_a_plain_one(tmp_path):
    run_design(tmp_path, two_stages(), Scripted(lambda _: 0.5))
    with pytest.raises(RequestError, match=r"continue it with seedwise\.run_design"):
        Study.resume(tmp_path)


def test_a_stage_is_not_run_alone(tmp_path):
    run_design(tmp_path, two_stages(), Scripted(lambda _: 0.5))
    with pytest.raises(RequestError, match=r"tuning is a stage of the study in .*; run that one"):
        run_design(tmp_path / "tuning", None, Scripted(lambda _: 0.5))


def test_without_a_design_there_is_nothing_to_continue(tmp_path):
    with Study.create(tmp_path, tasks=[RTE], recipes=[RECIPE], seeds=REPORT):
        pass
    with pytest.raises(RequestError, match="holds no study in stages; name its design"):
        run_design(tmp_path, None, Scripted(None))


# With a model ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_toy_is_tuned_from_an_intermediate_task_and_reported(tmp_path):
    model, task = toy_model(tmp_path / "model"), toy_task(tmp_path / "rows")
    recipe = toy_recipe(model, num_train_epochs=1, evaluations="2 per run")
    whole = design(
        arm(task=task, recipe=recipe, seeds=Seeds.paired(2)),
        arm("Rate", task, recipe=recipe, seeds=Seeds.paired(2), search={"learning_rate": (1e-6, 1e-3)}),
        arm("Int. Task", task, recipe=recipe.with_changes(start_from="intermediate"), seeds=Seeds.paired(2)),
        intermediate=Intermediate(task=toy_task(tmp_path / "other", rows=32), recipe=recipe, seeds=Seeds.paired(1)),
    )
    run_design(tmp_path / "s", whole, LocalExecutor("plain", workers=1))
    found = reported(tmp_path / "s")
    assert set(found) == {(name, task.name) for name in ("Standard", "Rate", "Int. Task")}
    with Study.open(tmp_path / "s") as study:
        curves = {r.trial.recipe.id: r.evaluations for r in study.trials if r.trial.seeds.init == 1}
        assert curves[found["Standard", task.name].id] != curves[found["Int. Task", task.name].id]
