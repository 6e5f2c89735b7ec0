"""Does every command that prints a table, a state or paths also print JSON, and nothing else on standard output?"""

import json
import shutil

import pytest

from seedwise.cli import app

WITHOUT_JSON = {"cite", "completion"}  # they print BibTeX and a shell script
COMMANDS = sorted(name for name in app if not name.startswith("-"))


@pytest.fixture(scope="module")
def imported(tmp_path_factory, seedwise):
    """A study of two recipes, crossed 4 x 4, imported from a CSV."""
    folder = tmp_path_factory.mktemp("json")
    lines = ["task,recipe,init,order,step,accuracy"]
    for recipe, level, factor in (("plain", 0.6, 3), ("better", 0.7, 2)):
        for init in range(4):
            for order in range(4):
                trial = 4 * init + order  # no two trials have the same curve
                scores = [level + 0.01 * (factor * trial % 7) + 0.001 * trial + 0.01 * step for step in range(1, 5)]
                lines += [f"rte,{recipe},{init},{order},{step},{score}" for step, score in enumerate(scores, 1)]
    (folder / "runs.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    said = seedwise("import", folder / "runs.csv", folder / "study", "--map", "score=accuracy")
    assert said.code == 0
    return folder


CALLS = [
    (("status", "{study}"), {"study", "imported", "running", "killed", "warnings", "stages"}),
    (("trials", "{study}"), None),
    (("plan", "{study}", "--budget", "1..3", "--interval", "--others"), None),
    (("analyze", "{study}"), {"cells"}),
    (("compare", "{study}"), None),
    (("designs",), None),
    (("designs", "zhang2021-reinit"), {"title", "arm"}),
    (("info",), {"versions", "system", "processor", "cache"}),
    (
        ("import", "{folder}/runs.csv", "{folder}/new", "--map", "score=accuracy", "--preview"),
        {"study", "rows", "runs", "fields", "cells", "notes"},
    ),
    (("export", "{study}", "-o", "{folder}/tables"), {"tables"}),
    (("report", "{study}", "-o", "{folder}/page.html"), {"report", "figures", "tables"}),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_offers_json(command, seedwise):
    offers = "--json" in seedwise(command, "--help").out
    assert offers == (command not in WITHOUT_JSON)


@pytest.mark.parametrize(
    ("call", "keys"), CALLS, ids=lambda part: " ".join(part[:2]) if isinstance(part, tuple) else ""
)
def test_what_is_printed_is_json_alone(call, keys, seedwise, imported):
    words = [word.format(folder=imported, study=imported / "study") for word in call]
    said = seedwise(*words, "--json")
    assert said.code == 0
    content = json.loads(said.out, parse_constant=pytest.fail)
    if keys is None:
        assert isinstance(content, list)
        assert content
    else:
        assert keys - set(content) == set()


def test_trials_as_json_are_the_same_by_flag_and_by_format(seedwise, imported):
    by_flag, by_format = (seedwise("trials", imported / "study", *flag) for flag in (["--json"], ["--format", "json"]))
    assert by_flag == by_format


def test_a_run_prints_its_messages_beside_the_json(seedwise, finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / "study")
    said = seedwise("run", folder, "--json")
    content = json.loads(said.out)
    assert said.err.startswith("nothing is left to train")
    assert content["cells"][0]["kept"] == 2
    assert content["best_models"] == [str(folder / "best")]


def test_labels_as_json_are_those_of_the_csv(seedwise, finished, rows):
    said = seedwise("predict", finished, rows / "test.csv", "--json")
    csv = seedwise("predict", finished, rows / "test.csv")
    assert [row["label"] for row in json.loads(said.out)] == [line.split(",")[1] for line in csv.out.splitlines()[1:]]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_every_command(shell, seedwise):
    said = seedwise("completion", shell)
    assert said.code == 0
    assert [command for command in COMMANDS if command not in said.out] == []
