"""Do analyze, plan, compare, cite and report print what they found, on a study of others?"""

import csv
import io
import json

import numpy as np
import pytest

from seedwise import Study, read_runs
from seedwise.cli.plan import budgets_of
from seedwise.errors import RequestError

MAPPING = {
    "task": "task",
    "recipe": "method",
    "init": "init",
    "order": "order",
    "step": "step",
    "score": "accuracy",
    "test_score": "test",
}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Two recipes on two tasks, crossed 4 x 4, five evaluations each, imported from a CSV."""
    folder, generator = tmp_path_factory.mktemp("theirs"), np.random.default_rng(0)
    lines = ["task,method,init,order,step,accuracy,test"]
    for task in ("rte", "mrpc"):
        for method, level in (("plain", 0.6), ("better", 0.7)):
            for init in range(4):
                for order in range(4):
                    final = level + 0.02 * generator.standard_normal()
                    lines += [
                        f"{task},{method},{init},{order},{10 * k},{final - 0.04 * (5 - k) / 5:.4f},{final - 0.01:.4f}"
                        for k in range(1, 6)
                    ]
    (folder / "runs.csv").write_text("\n".join(lines) + "\n", "utf-8")
    runs = read_runs(folder / "runs.csv", MAPPING, baseline={"rte": 0.53, "mrpc": 0.5})
    Study.import_runs(folder / "study", runs).close()
    return folder / "study"


def test_analyze_says_the_verdict_of_every_task_and_recipe(seedwise, study):
    said = seedwise("analyze", study)
    assert said.code == 0
    assert said.out.count("The best of 16 trials reached a validation accuracy of") == 4
    assert said.out.count("The init seed explains") == 4


def test_analyze_as_json_holds_every_statistic_or_its_reason(seedwise, study):
    content = json.loads(seedwise("analyze", study, "--json").out)
    cells = {(cell["task"], cell["recipe"]): cell for cell in content["cells"]}
    assert set(cells) == {(task, recipe) for task in ("rte", "mrpc") for recipe in ("plain", "better")}
    assert cells["rte", "plain"]["variance"]["factors"] == ["init", "order", "residual"]
    assert "train_loss" in cells["rte", "plain"]["training_loss"]["reason"]


def test_plan_has_a_line_for_each_budget(seedwise, study):
    said = seedwise("plan", study, "--budget", "1..4", "--task", "rte", "--recipe", "plain")
    lines = said.out.splitlines()
    assert lines[0].startswith("rte, plain: ")
    assert [line.split()[0] for line in lines[3:7]] == ["1", "2", "3", "4"]


def test_plan_as_json_holds_the_same(seedwise, study):
    (content,) = json.loads(
        seedwise("plan", study, "--budget", "3", "--task", "rte", "--recipe", "plain", "--json").out
    )
    rules = content["rules"]
    assert rules["t"][0] * rules["f"][0] + rules["p"][0] * (1 - rules["f"][0]) == pytest.approx(3)


def test_plan_tells_the_gain_with_an_interval(seedwise, study):
    arguments = ("plan", study, "--budget", "3", "--task", "rte", "--recipe", "plain", "--interval", "--json")
    gain = json.loads(seedwise(*arguments).out)[0]["gains"]
    assert gain["lower"][0] <= gain["honest_gain"][0] <= gain["upper"][0]


def test_plan_tells_other_ways_to_spend_the_budget(seedwise, study):
    said = seedwise("plan", study, "--budget", "1,4", "--task", "rte", "--recipe", "plain", "--others")
    assert said.out.count("successive halving: start") == 1
    assert said.out.count("rule that knows the seeds: start") == 1


@pytest.mark.parametrize(
    ("text", "budgets"), [("10", (10,)), ("1..3", (1, 2, 3)), ("5,10", (5, 10)), ("1..2,7", (1, 2, 7))]
)
def test_budgets_are_read(text, budgets):
    assert budgets_of(text) == budgets


@pytest.mark.parametrize("text", ["0", "a", "3..1", "1..2..3", "", "201", "-1", "1.5"])
def test_budgets_that_are_none_are_refused(text):
    with pytest.raises(RequestError, match="--budget must be full trainings"):
        budgets_of(text)


def test_compare_says_which_recipe_is_better(seedwise, study):
    said = seedwise("compare", study, "plain", "better")
    assert said.out.count("better is better: paired t-test with shared seeds counted, p =") == 2
    assert said.out.count("corrected for 2 comparisons (Holm)") == 2
    assert "A minus B over the seeds that both have (positive: A is better): -" in said.out


def test_compare_needs_no_names_where_there_are_two_recipes(seedwise, study):
    assert seedwise("compare", study).out == seedwise("compare", study, "plain", "better").out


@pytest.mark.parametrize(
    ("form", "begins"), [("markdown", "Recipe A"), ("latex", r"\begin{table}"), ("csv", "task,A,B"), ("json", "[")]
)
def test_compare_writes_tables(seedwise, study, form, begins):
    assert seedwise("compare", study, "plain", "better", "--format", form).out.startswith(begins)


def test_compare_of_two_studies_of_one_recipe_each(seedwise, study, tmp_path):
    for method in ("plain", "better"):
        lines = (study.parent / "runs.csv").read_text("utf-8").splitlines()
        mine = [line for line in lines if line.startswith("task") or f",{method}," in line]
        (tmp_path / f"{method}.csv").write_text("\n".join(mine) + "\n", "utf-8")
        Study.import_runs(tmp_path / method, read_runs(tmp_path / f"{method}.csv", MAPPING)).close()
    said = seedwise("compare", tmp_path / "plain", tmp_path / "better", "--task", "rte")
    assert "A  plain: " in said.out
    assert "B  better: " in said.out


def test_a_study_of_several_recipes_is_not_compared_as_a_whole(seedwise, study):
    said = seedwise("compare", study, study)
    assert said.code == 2
    assert "each has one recipe, but" in said.err
    assert "('plain', 'better')" in said.err


def test_cite_prints_bibtex(seedwise):
    said = seedwise("cite")
    assert said.out.startswith("@misc{dodge2020finetuning,")
    assert said.out.count("@") >= 5


@pytest.mark.slow
def test_report_writes_figures_and_tables(seedwise, study, tmp_path):
    said = seedwise("report", study, "--figures", tmp_path / "figures", "--tables", tmp_path / "tables")
    assert said.code == 0
    figures = {path.name for path in (tmp_path / "figures").iterdir()}
    assert {f"rte-plain-expected-best.{form}" for form in ("svg", "png", "pdf")} <= figures
    assert (tmp_path / "figures" / "rte-plain-grid.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "figures" / "rte-plain-grid.pdf").read_bytes().startswith(b"%PDF")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "tables" / "results.csv").read_text("utf-8"))))
    assert [row["recipe"] for row in rows] == ["plain", "better"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("plan", "--task", "rt"), "task must be one of mrpc, rte, not 'rt'; did you mean 'rte'"),
        (("plan", "--recipe", "plain"), "task must be one of 'rte', 'mrpc', because the study has 2; name one."),
        (("plan", "--task", "rte", "--recipe", "plain", "--budget", "17"), "a budget must be at most 16"),
        (("compare", "plain", "bettr"), "did you mean 'better'"),
        (("compare", "nowhere"), "nowhere"),
        (("compare", "plain", "better", "--task", "cola"), "task must be one of mrpc, rte"),
    ],
)
def test_a_wrong_request_is_one_sentence(seedwise, study, arguments, sentence):
    command, *rest = arguments
    said = seedwise(command, study, *rest)
    assert said.code == 2
    assert sentence in said.err
    assert said.err.count("\n") == 1


def test_a_recipe_is_not_compared_with_itself(seedwise, study):
    said = seedwise("compare", study, "plain", "plain")
    assert (said.code, said.err.count("both are plain")) == (2, 1)
