"""Do all engines give the same study, alone or stacked, and does the executor keep to what a study began with?"""

import logging
import os
import signal
from dataclasses import replace

import pytest
import torch

from seedwise import LocalExecutor, RequestError, Seeds, StoppingRule, Study, Trial, TrialState
from seedwise.engines import kernels, memory
from seedwise.engines.engine import COMPILED, FUSED, PACKED
from seedwise.executors import layout
from seedwise.executors.base import Job, Remaining
from seedwise.values.facts import Environment
from tolerances import drift
from toys import toy_recipe
from workers import content, workers_of

pytestmark = pytest.mark.slow  # nearly every test starts worker processes

RULE = StoppingRule(t=5, f=0.3, p=2)


def run(folder, task, recipe, executor, *, rule=RULE, on_progress=None, extend=False):
    recipes = recipe if isinstance(recipe, list) else [recipe]
    seeds = Seeds.paired(rule.t)
    with Study.create(folder, tasks=[task], recipes=recipes, seeds=seeds, rule=rule, extend=extend) as study:
        study.run(executor, on_progress)
    return folder


def packed(workers=1):
    return LocalExecutor("packed", workers=workers)


def losses(folder):
    with Study.open(folder) as study:
        return [study.losses(record.id).tolist() for record in study.trials]


def environments(folder, name):
    with Study.open(folder) as study:
        return {getattr(record.environment, name) for record in study.trials}


@pytest.fixture(scope="session")
def alone(tmp_path_factory, task, recipe):
    """A study by the engine packed, one worker, undisturbed."""
    return run(tmp_path_factory.mktemp("alone") / "study", task, recipe, packed())


@pytest.fixture(scope="session")
def stacked(tmp_path_factory, task, recipe):
    """The same study in a stack of three."""
    return run(tmp_path_factory.mktemp("stacked") / "study", task, recipe, LocalExecutor("fused", width=3, workers=1))


class TestAlone:
    def test_the_rule_is_kept(self, alone):
        with Study.open(alone) as study:
            early = [max(score for step, score in r.scores if step <= 7) for r in study.trials]
            best = sorted(range(5), key=lambda i: (-early[i], i))[:2]
            complete = [i for i, r in enumerate(study.trials) if r.state is TrialState.COMPLETE]
        assert complete == sorted(best)
        assert (alone / "best" / "model.safetensors").exists()
        assert (environments(alone, "engine"), environments(alone, "width")) == ({"packed"}, {1})

    def test_two_workers_and_a_kill_change_no_bit(self, tmp_path, task, recipe, alone):
        killed = []

        def kill_once(progress):
            victims = workers_of(os.getpid())
            if progress.evaluations_done >= 4 and not killed and victims:
                killed.append(victims[0])
                os.kill(victims[0], signal.SIGKILL)

        folder = run(tmp_path / "study", task, recipe, packed(2), on_progress=kill_once)
        assert killed
        assert content(folder) == content(alone)


@pytest.mark.skipif(not kernels.available(), reason="the C kernels are not compiled here")
def test_compiled_trials_are_as_packed_ones_and_two_workers_change_no_bit(tmp_path, task, recipe, alone):
    one = run(tmp_path / "one", task, recipe, LocalExecutor("compiled", workers=1))
    two = run(tmp_path / "two", task, recipe, LocalExecutor("compiled", workers=2))
    assert content(one) == content(two)
    for compiled, other in zip(losses(one), losses(alone), strict=True):
        steps = min(len(compiled), len(other))
        assert compiled[:steps] == pytest.approx(other[:steps], abs=drift(steps))
    assert environments(one, "engine") == {"compiled"}


class TestStacked:
    def test_trials_are_as_they_are_alone(self, alone, stacked):
        for one, other in zip(losses(alone), losses(stacked), strict=True):
            steps = min(len(one), len(other))
            assert other[:steps] == pytest.approx(one[:steps], abs=drift(steps))
        assert (environments(stacked, "engine"), environments(stacked, "width")) == ({"fused"}, {3})

    def test_the_rule_is_kept(self, stacked):
        with Study.open(stacked) as study:
            states = [record.state for record in study.trials]
        assert (states.count(TrialState.COMPLETE), states.count(TrialState.STOPPED)) == (2, 3)
        assert not list((stacked / "checkpoints").iterdir())

    def test_time_is_shared_out_among_trials(self, stacked):
        with Study.open(stacked) as study:
            assert all(record.seconds > 0 for record in study.trials)

    def test_a_worker_that_dies_with_several_trials_costs_none_of_them(self, tmp_path, task, recipe, stacked, caplog):
        killed = []

        def kill_once(progress):
            victims = workers_of(os.getpid())
            if progress.evaluations_done >= 2 and not killed and victims:
                killed.append(victims[0])
                os.kill(victims[0], signal.SIGKILL)

        folder = run(
            tmp_path / "study", task, recipe, LocalExecutor("fused", width=3, workers=1), on_progress=kill_once
        )
        with Study.open(folder) as study:
            assert TrialState.FAILED not in {record.state for record in study.trials}
        for one, other in zip(losses(folder), losses(stacked), strict=True):
            assert one == pytest.approx(other[: len(one)], abs=drift(len(one)))
        assert any("died (killed by signal 9); from now on it holds 1 at once" in text for text in caplog.messages)

    def test_trials_that_cannot_share_a_stack_take_turns(self, tmp_path, task, recipe):
        other = replace(recipe, batch_size=4)
        rule = StoppingRule(t=2, f=0.3, p=1)
        folder = run(tmp_path / "study", task, [recipe, other], LocalExecutor("fused", width=4, workers=1), rule=rule)
        with Study.open(folder) as study:
            states = [record.state for record in study.trials]
        assert states.count(TrialState.COMPLETE) == states.count(TrialState.STOPPED) == 2


class TestMasks:
    """A study keeps to the dropout masks that it began with."""

    RULE = StoppingRule(t=2, f=0.3, p=1)

    def test_of_the_library_mean_the_plain_engine(self, tmp_path, task, recipe, caplog):
        folder = run(
            tmp_path / "study", task, recipe, LocalExecutor("plain", workers=1), rule=StoppingRule(t=1, f=0.3, p=1)
        )
        run(folder, task, recipe, packed(), rule=self.RULE, extend=True)
        assert environments(folder, "engine") == {"plain"}
        assert [text for text in caplog.messages if "the plain engine" in text] == [
            "all trials run on the plain engine, as the study began with the library's own dropout masks."
        ]

    def test_that_are_hashed_mean_an_engine_that_draws_them(self, tmp_path, task, recipe, caplog):
        folder = run(tmp_path / "study", task, recipe, packed(), rule=StoppingRule(t=1, f=0.3, p=1))
        run(folder, task, recipe, LocalExecutor("plain", workers=1), rule=self.RULE, extend=True)
        assert environments(folder, "engine") == {"packed"}
        assert (
            "the study began with hashed dropout masks, which plain does not draw: its trials go on with packed."
        ) in caplog.messages


def test_what_packed_cannot_train_is_trained_by_the_library_and_said_once(tmp_path, task, model, caplog):
    recipe = toy_recipe(model, lora_rank=2, evaluations="2 per run")
    executor = packed()
    for name in ("a", "b"):
        folder = run(tmp_path / name, task, recipe, executor, rule=StoppingRule(t=1, f=1.0, p=1))
        assert environments(folder, "engine") == {"plain"}
    (sentence,) = [text for text in caplog.messages if "plain engine" in text]
    assert sentence == (
        "all trials run on the plain engine, so that they share dropout masks: "
        f"{recipe.model_name} on train has no other (LoRA puts matrices beside the weights)."
    )


def test_one_recipe_that_packed_cannot_train_takes_those_that_it_is_compared_with_along(tmp_path, task, model, recipe):
    lora = toy_recipe(model, lora_rank=2, evaluations="2 per run")
    rule = StoppingRule(t=1, f=1.0, p=1)
    folder = run(tmp_path / "study", task, [replace(recipe, evaluations="2 per run"), lora], packed(), rule=rule)
    assert environments(folder, "engine") == {"plain"}


def test_one_added_to_a_study_that_began_fast_is_plain_and_the_others_go_on_fast(tmp_path, task, model, recipe, caplog):
    lora, first = toy_recipe(model, lora_rank=2, evaluations="2 per run"), replace(recipe, evaluations="2 per run")
    folder = run(tmp_path / "study", task, first, packed(), rule=StoppingRule(t=1, f=1.0, p=1))
    run(folder, task, [first, lora], packed(), rule=StoppingRule(t=2, f=1.0, p=2), extend=True)
    with Study.open(folder) as study:
        paths = {(bool(record.trial.recipe.lora_rank), record.environment.engine) for record in study.trials}
    assert paths == {(False, "packed"), (True, "plain")}
    assert sum("paired seeds do not share masks" in text for text in caplog.messages) == 1


def test_what_is_chosen_is_told_in_one_line_with_its_reason(tmp_path, task, recipe, caplog):
    caplog.set_level(logging.INFO, logger="seedwise")
    folder = run(tmp_path / "study", task, recipe, LocalExecutor(workers=1), rule=StoppingRule(t=1, f=1.0, p=1))
    against = COMPILED.reason_against(recipe, "cpu")
    name = "packed" if against else "compiled"
    why = f"not compiled, as {against}" if against else "usually the fastest on a CPU"
    assert environments(folder, "engine") == {name}
    assert [text for text in caplog.messages if text.startswith("engine ")] == [
        f"engine      {name}, 1 worker of 1 thread: {why}"
    ]


def test_what_is_done_keeps_its_masks_should_a_trial_of_it_run_once_more(tmp_path, task, recipe):
    trial = Trial(task, recipe, Seeds(1, 1))
    session = LocalExecutor().open(
        tmp_path, [Remaining(trial, trials=0, steps=0, environment=Environment(engine="compiled"))]
    )
    assert session._engine_of(Job(trial, 24, 0)) in {COMPILED, PACKED}


def test_a_width_has_to_fit_for_all_work_not_only_for_the_longest(tmp_path, task, recipe, monkeypatch):
    executor, wide = LocalExecutor("fused", width=4, workers=1), replace(recipe, batch_size=16)
    for each in (recipe, wide):
        executor.prepare(task, each)
    work = [
        Remaining(Trial(task, each, Seeds(1, 1)), trials=8, steps=steps) for each, steps in ((recipe, 99), (wide, 10))
    ]
    monkeypatch.setattr(memory, "widest", lambda recipe, *_: 32 // recipe.batch_size)
    with pytest.raises(RequestError, match="width must be at most 2"):
        executor.open(tmp_path, work)


class TestRefusals:
    @pytest.mark.parametrize(
        ("given", "sentence"),
        [
            (
                {"engine": "fuse"},
                r"engine must be one of auto, plain, packed, compiled, fused, not 'fuse'; did you mean",
            ),
            ({"engine": 2}, r"engine must be one of auto, .*, not 2"),
            ({"width": 0}, r"width must be a whole number of at least 1, not 0"),
            ({"width": "wide"}, r"width must be a whole number of at least 1, not 'wide'"),
            ({"width": 2, "engine": "packed"}, r"width goes with the engine fused, not packed"),
            ({"workers": 0}, r"workers must be a whole number of at least 1, not 0"),
        ],
    )
    def test_of_arguments(self, given, sentence):
        with pytest.raises(RequestError, match=sentence):
            LocalExecutor(**given)

    def test_of_kernels_that_are_not_there(self, tmp_path, task, recipe, monkeypatch):
        monkeypatch.setattr(kernels, "reason", lambda: "the C kernels are not compiled here.")
        with pytest.raises(
            RequestError,
            match=r"the engine compiled cannot be used here: the C kernels are not compiled here; take packed",
        ):
            run(tmp_path / "study", task, recipe, LocalExecutor("compiled"))

    def test_of_bfloat16_on_a_gpu_that_lacks_it(self, recipe, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "an old GPU")
        with pytest.raises(
            RequestError, match=r"dtype must be float32 on an old GPU, which cannot compute in bfloat16"
        ):
            layout.check_device(FUSED, replace(recipe, dtype="bfloat16"), "cuda:0")

    def test_of_kernels_on_a_gpu(self, recipe):
        with pytest.raises(
            RequestError, match=r"the C kernels compute on a CPU, and the device is cuda:0; take packed"
        ):
            layout.check_device(COMPILED, recipe, "cuda:0")

    def test_of_kernels_in_another_precision(self, tmp_path, task, recipe):
        with pytest.raises(RequestError, match=r"the C kernels compute in float32, and dtype is bfloat16; take packed"):
            run(tmp_path / "study", task, replace(recipe, dtype="bfloat16"), LocalExecutor("compiled"))
