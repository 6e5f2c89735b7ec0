"""Are files as large as they should be, and are names words?"""

import re
import struct

import altair as alt
import pytest

from seedwise.charts.series import line_channel
from seedwise.charts.style import WIDTH, save, styled, to_svg
from seedwise.errors import RequestError
from seedwise.values.labels import metric_words

INCHES = 3.3


@pytest.fixture(scope="module")
def chart():
    points = alt.Data(values=[{"x": 0, "y": 0.25}, {"x": 1, "y": 0.75}])
    marks = alt.Chart(points).mark_line().encode(x=alt.X("x:Q", title="n"), y=alt.Y("y:Q", title="accuracy"))
    return styled(marks.properties(width=WIDTH, height=150), "a title", "a subtitle")


def test_svg_is_as_wide_as_a_column(chart):
    width = float(re.search(r'width="([\d.]+)', to_svg(chart))[1])
    assert width / 96 == pytest.approx(INCHES, abs=0.3)


def test_png_is_as_wide_as_a_column(chart, tmp_path):
    content = save(chart, tmp_path / "a.png").read_bytes()
    pixels, _ = struct.unpack(">II", content[16:24])
    assert pixels / 300 == pytest.approx(INCHES, abs=0.3)


def test_pdf_is_as_wide_as_a_column(chart, tmp_path):
    content = save(chart, tmp_path / "a.pdf").read_bytes()
    points = float(re.search(rb"/MediaBox\s*\[\s*0\s+0\s+([\d.]+)", content)[1])
    assert points / 72 == pytest.approx(INCHES, abs=0.3)


def test_the_same_chart_is_the_same_file(chart, tmp_path):
    assert save(chart, tmp_path / "a.svg").read_bytes() == save(chart, tmp_path / "b.svg").read_bytes()


def test_another_ending_is_refused(chart, tmp_path):
    with pytest.raises(RequestError, match=r"must end in \.svg, \.png or \.pdf, not 'a\.gif'"):
        save(chart, tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []


def test_a_long_title_is_broken_into_lines():
    marks = alt.Chart(alt.Data(values=[{"x": 0}])).mark_point().encode(x="x:Q").properties(width=WIDTH)
    words = "a recipe of a very long name, learning_rate=2e-05, num_train_epochs=20: expected best of n"
    width = float(re.search(r'width="([\d.]+)', to_svg(styled(marks, words)))[1])
    assert width / 96 < INCHES + 0.3


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("accuracy", "validation accuracy"),
        ("val_acc", "validation accuracy"),
        ("eval_matthews", "validation Matthews correlation"),
        ("points_won", "validation points won"),
        ("test", "validation test"),
    ],
)
def test_metrics_are_named_in_words(metric, words):
    assert metric_words(metric) == words


def test_no_two_of_many_lines_look_alike():
    names = [f"arm {i}" for i in range(20)]
    looks = [line_channel(channel, names).to_dict()["scale"]["range"] for channel in (alt.Color, alt.StrokeDash)]
    assert len({(color, tuple(dash)) for color, dash in zip(*looks, strict=True)}) == 20
