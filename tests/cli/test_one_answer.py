"""Does the same question get the same answer in terminal, table, page and JSON?"""

import csv
import html
import json
import re

import numpy as np
import pytest

from seedwise import Report, Study
from seedwise.analysis.analysis import Analysis
from seedwise.analysis.verdicts import Answer
from seedwise.report.sentences.recipes import recipe_sentences, verdict_sentence

pytestmark = pytest.mark.slow  # draws a whole page for each design

PAIRED = [(seed, seed) for seed in range(12)]
LATER = [(seed, seed) for seed in range(100, 112)]
GRID = [(init, order) for init in range(4) for order in range(4)]
OWN_ORDERS = [(init, 10 * init + order) for init in range(4) for order in range(4)]
ONE_INIT, OTHER_INIT = ([(init, order) for order in range(12)] for init in (1, 2))


def rows(task, recipe, seeds, generator, mean=0.7, sd=0.02, metric="accuracy"):
    effects = {init: generator.normal(0, sd) for init, _ in seeds}
    for init, order in seeds:
        start = mean + effects[init] + generator.normal(0, sd)
        for step in range(1, 5):
            yield task, recipe, init, order, step, metric, start + 0.01 * step + generator.normal(0, 0.002)


DESIGNS = {
    "paired": [("toy", "a", PAIRED, 0.80), ("toy", "b", PAIRED, 0.70)],
    "independent": [("toy", "a", PAIRED, 0.70), ("toy", "b", LATER, 0.71)],
    "more of one": [("toy", "a", PAIRED * 1 + LATER, 0.70), ("toy", "b", PAIRED[:6], 0.71)],
    "crossed": [("toy", "a", GRID, 0.60), ("toy", "b", GRID, 0.70)],
    "nested": [("toy", "a", OWN_ORDERS, 0.70), ("toy", "b", OWN_ORDERS, 0.72)],
    "grid against independent": [("toy", "a", GRID, 0.70), ("toy", "b", LATER, 0.75)],
    "one init each": [("toy", "a", ONE_INIT, 0.70), ("toy", "b", OTHER_INIT, 0.90)],
    "many": [(task, name, PAIRED, 0.7 + 0.02 * i) for task in ("one", "two") for i, name in enumerate("abcd")],
}


DRAWN = ("paired", "one init each")
"""Designs whose page is drawn as well, which takes seconds."""


@pytest.fixture(params=DESIGNS)
def study(request, tmp_path, seedwise):
    generator = np.random.default_rng(5)
    with (tmp_path / "runs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["task", "recipe", "init", "order", "step", "metric", "score"])
        for task, recipe, seeds, mean in DESIGNS[request.param]:
            writer.writerows(rows(task, recipe, seeds, generator, mean))
    assert seedwise("import", tmp_path / "runs.csv", tmp_path / "study").code == 0
    return tmp_path / "study"


def test_every_surface_gives_the_verdict_of_the_analysis(study, seedwise, request):
    design = request.node.callspec.params["study"]
    with Study.open(study) as opened:
        analysis = Analysis(opened)
        verdicts, headlines = analysis.verdicts(), recipe_sentences(analysis)
        page = Report(analysis).to_html() if design in DRAWN else None
    told = json.loads(seedwise("analyze", study, "--json").out)["verdicts"]
    said = re.sub(r"\s+", " ", seedwise("analyze", study).out)
    assert all(re.sub(r"\s+", " ", sentence) in said for sentence in headlines)
    assert page is None or all(html.escape(sentence) in page for sentence in headlines)
    assert len(told) == len(verdicts)
    for verdict, one in zip(verdicts, told, strict=True):
        names = (verdict.a, verdict.b, "--task", verdict.task)
        compared = json.loads(seedwise("compare", study, *names, "--json").out)[0]["verdict"]
        assert one == compared
        assert (one["answer"], one["p"]) == (str(verdict.answer), verdict.p if np.isfinite(verdict.p) else None)
        text = seedwise("compare", study, *names).out
        assert verdict_sentence(verdict) in text
        table = seedwise("compare", study, *names, "--format", "csv").out.splitlines()
        answer = verdict.better and f"{verdict.better} is better"
        assert (answer or str(verdict.answer)) in table[1]
        (headline,) = (sentence for sentence in headlines if sentence.startswith(f"{verdict.task}: "))
        if f"{verdict.task}: {verdict.better} has the best mean" in headline:
            loser = verdict.b if verdict.better == verdict.a else verdict.a
            assert "all others are worse" in headline or loser in headline.split("worse: ")[1].split(";")[0]


def test_the_designs_lead_to_every_kind_of_answer(study, seedwise, request):
    answers = {one["answer"] for one in json.loads(seedwise("analyze", study, "--json").out)["verdicts"]}
    expected = {"paired": Answer.A_BETTER, "one init each": Answer.NOT_SEPARABLE, "independent": Answer.NOT_TOLD_APART}
    design = request.node.callspec.params["study"]
    assert str(expected.get(design, next(iter(answers)))) in answers
