"""Tables as text: numbers formatted alike, nothing that a format takes for its own, and what CSV keeps."""

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.tables.table import DASH, Table, to_csv, to_html, to_latex, to_markdown, to_texts

NASTY = r"a&b_c|d<script>alert('1')</script> 50% #1 $x$ {y} ~z ^ \end{tabular} `code` *b* [l](u)"


def column(kind, *values):
    return [row[0] for row in to_texts(Table("t", "", ("x",), (kind,), tuple((value,) for value in values)))]


def nasty_table(**fields):
    rows = ((NASTY, (0.5, 0.1, 5)), ("[second", None))
    return Table("t", f"Of {NASTY}.", ("task", NASTY), ("text", "spread"), rows, notes=(NASTY,), **fields)


# Numbers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("text", "RTE", "RTE"),
        ("count", 2490, "2,490"),
        ("number", 0.8437, "0.844"),
        ("number", 6.0, "6"),
        ("number", 12.5, "12.5"),
        ("number", 20.04, "20"),
        ("number", 1234.5, "1234"),
        ("number", float("inf"), "∞"),
        ("number", 0, "0"),
        ("score", 0.7126, "0.713"),
        ("score", -0.02, "−0.020"),
        ("score", -0.00001, "0.000"),
        ("score", 91.42, "91.4"),
        ("sd", 0.0584, "0.058"),
        ("sd", 0.0028, "0.0028"),
        ("sd", 0.1, "0.10"),
        ("sd", 1e-9, "0.0000000010"),
        ("spread", (0.7124, 0.0214, 20), "0.712 ± 0.021"),
        ("spread", (71.24, 2.14, 20), "71.2 ± 2.1"),
        ("spread", (0.7124, float("nan"), 1), "0.712"),
        ("spread", (0.7, 0.0, 20), "0.700 ± 0.000"),
        ("interval", (-0.0123, -0.03, 0.01), "−0.012 (−0.030 to 0.010)"),
        ("share", 0.48, "48%"),
        ("share", 0.004, "0.4%"),
        ("share", 1, "100%"),
        ("share", 0.999, "99.9%"),
        ("share_interval", (0.4, 0.276, 0.538), "40% (28% to 54%)"),
        ("p", 0.0321, "0.032"),
        ("p", 0.00028, "2.8 × 10⁻⁴"),
        ("p", 1.0, "1.000"),
        ("p", 0.0, "< 10⁻³⁰⁰"),
    ],
)
def test_value_is_written(kind, value, text):
    assert column(kind, value) == [text]


@pytest.mark.parametrize("kind", ["text", "count", "number", "score", "sd", "share", "p"])
@pytest.mark.parametrize("missing", [None, float("nan")])
def test_missing_value_is_a_dash(kind, missing):
    assert column(kind, missing) == [DASH]


def test_all_of_a_column_have_the_decimals_that_its_smallest_spread_needs():
    assert column("spread", (0.95, 0.0028, 9), (0.7, 0.03, 9)) == ["0.9500 ± 0.0028", "0.7000 ± 0.0300"]


def test_column_without_any_value_is_all_dashes():
    assert column("spread", None, None) == [DASH, DASH]


def test_table_without_rows_has_its_header():
    table = Table("t", "Nothing.", ("a", "b"), ("text", "count"), ())
    assert to_texts(table) == []
    assert r"a & b \\" in to_latex(table)
    assert to_csv(table) == "a,b\n"


# Formats --------------------------------------------------------------------------------------------------------------


class Cells(HTMLParser):
    """Collects the text of every cell, and every tag."""

    def __init__(self):
        super().__init__()
        self.tags, self.cells = [], []

    def handle_starttag(self, tag, attrs):  # noqa: ARG002
        self.tags.append(tag)
        if tag in ("td", "th", "li", "caption"):
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data

    def texts(self):
        return [text.strip() for text in self.cells]

    @classmethod
    def of(cls, page):
        found = cls()
        found.feed(page)
        found.close()
        return found


def test_html_says_what_was_given_and_holds_no_other_tag():
    found = Cells.of(to_html(nasty_table()))
    assert found.texts() == [f"Of {NASTY}.", "task", NASTY, NASTY, "0.500 ± 0.100", "[second", DASH, NASTY]
    assert set(found.tags) <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong"}


def test_html_marks_numbers_and_bold():
    page = to_html(nasty_table(bold=frozenset({(0, 1)})))
    assert '<td class="number"><strong>0.500 ± 0.100</strong></td>' in page


def test_markdown_is_read_as_what_was_given():
    markdown_it = pytest.importorskip("markdown_it")
    reader = markdown_it.MarkdownIt("commonmark").enable("table")
    page = reader.render(to_markdown(nasty_table(bold=frozenset({(0, 1)}))))
    found = Cells.of(page)
    assert found.texts() == ["task", NASTY, NASTY, "0.500 ± 0.100", "[second", DASH, NASTY]
    assert set(found.tags) <= {"p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong"}
    assert "<strong>0.500 ± 0.100</strong>" in page


def test_markdown_has_as_many_columns_in_every_row():
    lines = [line for line in to_markdown(nasty_table()).splitlines() if line.startswith("|")]
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in lines] == [3] * 4


def test_latex_escapes_what_is_its_own():
    text = to_latex(nasty_table())
    assert r"a\&b\_c\textbar{}d\textless{}script\textgreater{}alert('1')" in text
    assert r"50\% \#1 \$x\$ \{y\} \textasciitilde{}z \textasciicircum{} \textbackslash{}end\{tabular\}" in text
    assert text.count(r"\end{tabular}") == 1


def test_latex_row_never_begins_with_a_bracket():
    # After \\ a bracket would be its argument, even on the next line.
    assert not re.search(r"\\\\\s*\[", to_latex(nasty_table()))


def test_latex_row_has_a_mark_between_columns_and_numbers_are_mathematics():
    (row,) = [line for line in to_latex(nasty_table(bold=frozenset({(0, 1)}))).splitlines() if "0.500" in line]
    assert len(re.findall(r"(?<!\\)&", row)) == 1
    assert row.endswith(r"& \textbf{0.500 $\pm$ 0.100} \\")


def test_latex_powers_are_mathematics():
    table = Table("t", "", ("p",), ("p",), ((0.00028,),))
    assert r"2.8 $\times$ 10$^{-4}$ \\" in to_latex(table)


@given(st.text())
def test_latex_has_balanced_braces_whatever_the_name(name):
    text = to_latex(Table("t", name, (name,), ("text",), ((name,),), notes=(name,)))
    bare = re.sub(r"\\[{}\\]", "", text)
    assert bare.count("{") == bare.count("}")


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\0")), st.floats(allow_nan=False)
)
def test_csv_reads_back_to_the_last_digit(name, number):
    table = Table("t", "", ("task", "score"), ("text", "score"), ((name, number), ("b", None)))
    rows = list(csv.reader(io.StringIO(to_csv(table))))
    assert rows[1][0] == name
    assert float(rows[1][1]) == number
    assert rows[2] == ["b", ""]


def test_csv_gives_each_number_a_column_of_its_own():
    kinds = ("text", "spread", "interval", "share_interval")
    row = ("RTE", (0.7, 0.1, 20), (0.2, 0.1, 0.3), None)
    header, values = csv.reader(io.StringIO(to_csv(Table("t", "", ("task", "score", "gain", "failed"), kinds, (row,)))))
    assert header[1:4] == ["score mean", "score sd", "score n"]
    assert header[4:] == ["gain", "gain lower", "gain upper", "failed", "failed lower", "failed upper"]
    assert values == ["RTE", "0.7", "0.1", "20", "0.2", "0.1", "0.3", "", "", ""]


def test_row_that_does_not_fit_its_header_is_refused():
    with pytest.raises((ValueError, IndexError)):
        to_markdown(Table("t", "", ("a", "b"), ("text", "count"), (("x",),)))


def test_printed_numbers_keep_the_papers_three_decimals():
    table = Table("t", "", ("a", "b"), ("printed", "spread"), (((0.89, 0.006, 20), (0.89, 0.006, 20)),))
    assert to_texts(table) == [["0.890 ± 0.006", "0.8900 ± 0.0060"]]
    assert to_csv(table).splitlines()[0] == "a mean,a sd,a n,b mean,b sd,b n"


def test_one_narrow_interval_does_not_lengthen_all_others():
    table = Table("t", "", ("a",), ("interval",), (((0.15, 0.1, 0.2),), ((0.0, -1e-6, 1e-6),)))
    assert to_texts(table) == [["0.1500 (0.1000 to 0.2000)"], ["0.0000 (0.0000 to 0.0000)"]]
