"""Do the pages about the layers agree with the table of layers and with the files?"""

import importlib.util
import itertools
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
DECISION = ROOT / "docs" / "decisions" / "0001-layers.md"


@pytest.fixture(scope="module")
def drawing():
    spec = importlib.util.spec_from_file_location("draw_architecture", ROOT / "scripts" / "draw_architecture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_is_that_of_the_table(drawing):
    assert drawing.PICTURE.read_text("utf-8") == drawing.svg(drawing.rooms())


def test_every_arrow_points_down(drawing):
    height = {name: floor for floor, names in enumerate(drawing.floors(drawing.rooms())) for name in names}
    assert [(a, b) for a, b in drawing.arrows(drawing.rooms()) if height[a] <= height[b]] == []


def test_the_picture_says_what_it_shows(drawing):
    root = ET.fromstring(drawing.PICTURE.read_text("utf-8"))
    names = {element.tag.rpartition("}")[2] for element in root}
    assert {"title", "desc"} <= names


def test_every_file_on_the_page_exists():
    named = re.findall(r"`([\w/]+(?:\.py|/))`", PAGE.read_text("utf-8"))
    folders = (ROOT, ROOT / "src" / "seedwise")
    assert named
    assert [name for name in named if name != "best/" and not any((folder / name).exists() for folder in folders)] == []


def test_the_decision_has_the_table_that_is_enforced():
    spec = importlib.util.spec_from_file_location("layers_of_the_tests", ROOT / "tests" / "test_layers.py")
    layers = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = layers
    spec.loader.exec_module(layers)
    rows = re.findall(
        r"^\| `(\w[\w.]*)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", DECISION.read_text("utf-8"), re.MULTILINE
    )
    told = {name: (ours.strip(), libraries.strip()) for name, _, ours, libraries in rows}

    def words(names, empty):
        return empty if not names else ", ".join(sorted(names))

    expected = {
        name: (
            "all" if row.ours is None else words(row.ours, "nothing"),
            "any" if row.libraries is None else words(row.libraries, "nothing"),
        )
        for name, row in layers.TABLE.items()
    }
    assert {name: told.get(name) for name in expected} == expected


def test_no_two_rooms_are_drawn_over_each_other(drawing):
    for names in drawing.floors(drawing.rooms()):
        places = sorted(drawing.COLUMNS[name] for name in names)
        assert all(b - a > drawing.BOX for a, b in itertools.pairwise(places))
