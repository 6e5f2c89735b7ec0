"""Are designs listed, run in their stages, continued by the folder alone, and wrong requests refused in a sentence?"""

import pytest

from replay import Scripted
from seedwise import Arm, Design, Recipe, Seeds, Study, Task, TrialState, designs, run_design
from seedwise.designs.file import FOLDER

OWN = """
title = "Learning rates"
question = "Which learning rate?"
[[task]]
names = ["glue/rte"]
[recipe]
batch_size = 8
evaluations = "2 per run"
num_train_epochs = 1
[trials]
seeds = 2
tuning_seeds = 2
[[arm]]
name = "Fixed"
set = { learning_rate = 1e-3 }
[[arm]]
name = "Tuned"
search = { learning_rate = [1e-4, 2e-3] }
[[arm]]
name = "Longer"
after = "Tuned"
search = { num_train_steps = [4, 12] }
[small]
names = ["embedded/entailment"]
model = "embedded"
train_size = 64
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    path = tmp_path_factory.mktemp("studies") / "rates.toml"
    path.write_text(OWN, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def asked(own, rows, model):
    """The flags of the study on the toy rows, with the toy model."""
    files = ["--train", rows / "train.csv", "--validation", rows / "validation.csv", "--test", rows / "test.csv"]
    return ["--design", own, *files, "--text", "text", "--label", "label", "--model", model, "--workers", 1]


@pytest.fixture(scope="module")
def staged(tmp_path_factory, seedwise, asked):
    """A study in stages that was run to its end by the command line, and what it said."""
    folder = tmp_path_factory.mktemp("staged") / "study"
    said = seedwise("run", folder, *asked)
    assert (said.code, said.err) == (0, "")
    return folder, said.out


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A study in stages that was killed while it tuned."""
    folder = tmp_path_factory.mktemp("killed") / "study"
    recipe = Recipe(model="m", batch_size=8, num_train_steps=4, evaluations="every 1 steps")
    rates = {"learning_rate": (1e-5, 3e-5)}
    seeds = {"seeds": Seeds.paired(2), "tuning_seeds": Seeds.paired([101, 102])}
    design = Design(
        name="own", title="Own", arms=(Arm(name="Rate", task=Task.glue("rte"), recipe=recipe, search=rates, **seeds),)
    )
    with pytest.raises(RuntimeError, match="killed"):
        run_design(folder, design, Scripted(lambda _: 0.5, crash_after=5))
    return folder


class TestRun:
    def test_every_stage_has_a_heading_and_what_was_chosen_is_told(self, staged):
        lines = staged[1].splitlines()
        assert lines[0] == "stage 1 of 2, tuning: 2 recipes x 2 seeds on train"
        assert lines[1].startswith("engine      ")
        assert lines[2] == "stage 2 of 2, report: 3 recipes x 2 seeds on train"
        assert lines[3].startswith("  Longer on train: steps = 4 is not longer than the run of 8 steps")
        assert any(line.startswith("chosen      Tuned on train: learning rate = ") for line in lines)
        assert any(line.startswith("chosen      Longer on train: steps = 12, of 2 candidates") for line in lines)
        assert f"report      {staged[0] / 'report.html'}" in lines

    def test_the_table_calls_recipes_as_the_study_does(self, staged):
        assert all(f" {name} " in staged[1] for name in ("Fixed", "Tuned", "Longer"))

    def test_the_report_has_seeds_of_its_own(self, staged):
        with Study.open(staged[0]) as report, Study.open(staged[0] / "tuning") as tuning:
            assert {r.state for r in (*report.trials, *tuning.trials)} == {TrialState.COMPLETE}
            assert {r.trial.seeds.init for r in report.trials} == {1, 2}
            assert {r.trial.seeds.init for r in tuning.trials} == {1001, 1002}

    def test_the_folder_alone_continues_it_and_nothing_is_left(self, staged, seedwise):
        said = seedwise("run", staged[0], "--workers", 1)
        assert (said.code, said.err) == (0, "")
        assert said.out.splitlines()[0] == "stage 2 of 2, report: 3 recipes x 2 seeds on train"

    def test_the_same_command_again_is_welcome(self, staged, seedwise, asked):
        assert seedwise("run", staged[0], *asked).code == 0

    def test_status_shows_both_stages(self, staged, seedwise):
        out = seedwise("status", staged[0]).out
        assert (
            out.index("tuning:")
            < out.index("Tuned, learning rate = 0.002")
            < out.index("report:")
            < out.index("Longer")
        )

    def test_trials_are_called_by_their_arms(self, staged, seedwise):
        assert "Tuned, learning rate = 0.0001" in seedwise("trials", staged[0] / "tuning").out
        assert " Fixed " in seedwise("trials", staged[0]).out

    @pytest.mark.slow
    def test_the_small_scale_runs_with_what_is_inside_the_package(self, seedwise, own, tmp_path):
        said = seedwise(
            "run", tmp_path / "s", "--design", own, "--scale", "small", "--set", "dropout=0", "--workers", 1
        )
        assert (said.code, said.err) == (0, "")
        with Study.open(tmp_path / "s") as study:
            assert {(r.trial.task.splits.train_size, r.trial.recipe.model) for r in study.trials} == {(64, "embedded")}
            assert {r.trial.recipe.dropout for r in study.trials} == {0.0}


class TestBeforeTheReport:
    def test_status_shows_the_stage_it_has_come_to(self, killed, seedwise):
        out = seedwise("status", killed).out
        assert out.index("tuning:") < out.index("Rate, learning rate = ") < out.index("waits for the stages before it.")

    @pytest.mark.parametrize("command", ["analyze", "plan", "report"])
    def test_what_needs_the_report_says_where_the_study_stands(self, killed, seedwise, command):
        said = seedwise(command, killed)
        assert said.code == 2
        assert "choices are not all made, so its report has no trials yet; `seedwise run " in said.err


class TestDesigns:
    def test_every_design_is_listed_with_its_question_and_cost(self, seedwise):
        out = seedwise("designs").out
        assert all(f"{name}\n  {designs.load(name).question}" in out for name in designs.names())
        assert "2,881 trainings (1 intermediate, 2,240 tuning, 640 report); at small scale" in out

    def test_the_list_fits_a_wide_terminal(self, seedwise):
        assert max(map(len, seedwise("designs").out.splitlines())) <= 140

    def test_a_designs_file_is_printed_to_be_copied(self, seedwise):
        assert seedwise("designs", "dodge2020").out == (FOLDER / "dodge2020.toml").read_text(encoding="utf-8")

    def test_a_file_of_ones_own_is_printed_from_where_it_lies(self, seedwise, own):
        assert seedwise("designs", own).out == OWN


REFUSED = [
    (["--design", "zhang2021-renit"], "did you mean 'zhang2021-reinit'"),
    (["--design", "no.toml"], "the design file no.toml does not exist"),
    (["--design", "dodge2020", "--seeds", 5], "--design says how many trials there are, so --seeds must be left out"),
    (["--design", "dodge2020", "--init", 5, "--order", 5], "so --init and --order must be left out"),
    (["--design", "dodge2020", "--budget", 5], "so --budget must be left out"),
    (["--design", "dodge2020", "--fraction", 0.5], "so --fraction must be left out"),
    (
        ["--design", "dodge2020", "--recipe", "zhang2021"],
        "so --recipe must be left out; --set changes one field of all",
    ),
    (["--design", "dodge2020", "--extend"], "so --extend must be left out"),
    (["--design", "dodge2020", "--config", "x.toml"], "so --config must be left out"),
    (["--scale", "small"], "--scale small goes with --design, which is missing"),
    (["--design", "dodge2020", "--scale", "tiny"], "tiny"),
    (["--design", "zhang2021-models", "--model", "bert"], "--model would make them one; leave it out"),
    (["--design", "zhang2021-reinit", "--set", "reinit_layers=2"], "is what arm 'Re-init' of the design"),
    (["--design", "dodge2020", "--set", "mixuot=0.1"], "did you mean 'mixout'"),
    (["--design", "dodge2020", "--task", "glue/rt"], "did you mean 'rte'"),
    (
        ["--design", "zhang2021-models", "--task", "glue/sst2"],
        "for the tasks cola, mrpc, stsb, rte, not for sst2; choose",
    ),
    (["--design", "dodge2020", "--protocol", "zhang"], "the protocol must be one of"),
]


@pytest.mark.parametrize(("flags", "words"), REFUSED, ids=[" ".join(map(str, flags)) for flags, _ in REFUSED])
def test_a_wrong_request_is_one_sentence_and_writes_nothing(seedwise, tmp_path, flags, words):
    said = seedwise("run", tmp_path / "s", *flags)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert said.err.count("\n") == 1
    assert not (tmp_path / "s").exists()


def test_an_unknown_key_in_a_design_file_is_named(seedwise, tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(OWN.replace("search =", "searches ="), encoding="utf-8")
    said = seedwise("run", tmp_path / "s", "--design", path)
    assert said.code == 2
    assert "[[arm]] in the design file own.toml has no key 'searches'; did you mean 'search'" in said.err


def test_a_folder_with_another_study_is_refused(staged, seedwise):
    said = seedwise("run", staged[0], "--design", "zhang2021-precision", "--scale", "small")
    assert said.code == 2
    assert "holds the study 'rates' (task train; model toy), not 'zhang2021-precision' at small scale" in said.err


def test_a_plain_request_in_a_staged_folder_is_refused(staged, seedwise, request_of):
    said = seedwise("run", staged[0], *request_of, "--seeds", 2, "--extend")
    assert said.code == 2
    assert "which takes no other trials; `seedwise run " in said.err


def test_a_stage_alone_is_not_run(staged, seedwise):
    said = seedwise("run", staged[0] / "tuning")
    assert said.code == 2
    assert "tuning is a stage of the study in" in said.err


class TestTheOtherKindOfFile:
    """Two kinds of TOML file are easily taken for each other."""

    def test_a_study_file_is_no_design(self, seedwise, tmp_path):
        path = tmp_path / "reviews.toml"
        path.write_text('[task]\ntask = "glue/rte"\n[recipe]\nmodel = "embedded"\n', encoding="utf-8")
        said = seedwise("run", tmp_path / "s", "--design", path)
        assert (said.code, said.out) == (2, "")
        assert f"{path} is a study file, not a design; give it to --config." in said.err

    def test_a_design_is_no_study_file(self, seedwise, tmp_path, own):
        said = seedwise("run", tmp_path / "s", "--config", own)
        assert (said.code, said.out) == (2, "")
        assert f"{own} is a design, not a study file; give it to --design." in said.err

    def test_nor_is_the_name_of_a_design(self, seedwise, tmp_path):
        said = seedwise("run", tmp_path / "s", "--config", "dodge2020")
        assert "dodge2020 is a design, not a study file; give it to --design." in said.err
