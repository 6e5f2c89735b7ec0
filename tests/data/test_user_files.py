"""Are the user's own rows read from every format, and is every kind of bad input refused in one sentence?"""

import gzip
import json
import re
from pathlib import Path

import polars as pl
import pytest

from seedwise.data.classes import class_name
from seedwise.data.rows import load_rows, read_texts
from seedwise.data.user_files import infer_kind
from seedwise.errors import DataError
from seedwise.values.splits import Splits
from seedwise.values.task import Task

TEXTS = ('say "hi", all', "two\nlines", "plain", "fünf", "sechs", "seven")
LABELS = ("pos", "neg", "pos", "neg", "neg", "pos")
FRAME = pl.DataFrame({"text": TEXTS, "label": LABELS})


def saved(path: Path, frame: pl.DataFrame = FRAME) -> Path:
    ending = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if ending == "parquet":
        frame.write_parquet(path)
        return path
    content = {
        "csv": frame.write_csv,
        "tsv": lambda: frame.write_csv(separator="\t"),
        "jsonl": frame.write_ndjson,
        "ndjson": frame.write_ndjson,
        "json": lambda: json.dumps(frame.to_dicts()),
    }[ending]().encode()
    path.write_bytes(gzip.compress(content) if path.name.endswith("gz") else content)
    return path


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8", newline="")
    return path


def toy_validation(folder: Path) -> Path:
    return saved(folder / "validation.csv", FRAME.head(2))


def task_of(train: Path, **given: object) -> Task:
    return Task.files(train, **({"text": "text", "label": "label", "validation": train} | given))


@pytest.mark.parametrize(
    "name", ["a.csv", "a.CSV", "a.tsv", "a.jsonl", "a.ndjson", "a.json", "a.parquet", "a.csv.gz", "a.jsonl.gz"]
)
def test_every_format_gives_the_same_rows(tmp_path, name):
    rows = load_rows(task_of(saved(tmp_path / name)))

    assert rows.train.texts == TEXTS
    assert rows.train.labels == (1, 0, 1, 0, 0, 1)
    assert rows.train.index == (0, 1, 2, 3, 4, 5)
    assert rows.label_names == ("neg", "pos")
    assert rows.train.pairs is None


def test_pair_of_text_columns(tmp_path):
    path = written(tmp_path / "a.csv", "q,a,label\nx,y,0\nz,w,1\n")

    rows = load_rows(Task.files(path, text="q", text_pair="a", label="label", validation=path))

    assert (rows.train.texts, rows.train.pairs) == (("x", "z"), ("y", "w"))


def test_quote_inside_an_unquoted_field_is_text(tmp_path):
    path = written(tmp_path / "a.csv", 'text,label\n5" pipe,a\nsay "hi" x,b\n')

    assert load_rows(task_of(path)).train.texts == ('5" pipe', 'say "hi" x')


def test_quotes_of_a_tab_separated_file_are_text_where_they_enclose_no_field(tmp_path):
    path = written(tmp_path / "a.tsv", 'text\tlabel\n"open\ta\nhe said "hi"\tb\n')

    assert load_rows(task_of(path)).train.texts == ('"open', 'he said "hi"')


def test_byte_order_mark_and_windows_line_ends(tmp_path):
    path = written(tmp_path / "a.csv", "\ufefftext,label\r\nx,a\r\ny,b\r\n")

    rows = load_rows(task_of(path))

    assert (rows.train.texts, rows.label_names) == (("x", "y"), ("a", "b"))


def test_text_longer_than_the_csv_limit(tmp_path):
    path = written(tmp_path / "a.csv", f"text,label\n{'x' * 200_000},a\ny,b\n")

    assert len(load_rows(task_of(path)).train.texts[0]) == 200_000


@pytest.mark.parametrize(
    ("labels", "names", "numbers"),
    [
        ([10, 9, 10], ("9", "10"), (1, 0, 1)),
        ([1.0, 0.0, 1.0], ("0", "1"), (1, 0, 1)),
        ([-1, 1, 0], ("-1", "0", "1"), (0, 2, 1)),
        ([True, False, True], ("false", "true"), (1, 0, 1)),
        (["b", "a", "10"], ("10", "a", "b"), (2, 1, 0)),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_classes_are_sorted_and_numbered_alike_in_every_format(tmp_path, ending, labels, names, numbers):
    path = saved(tmp_path / f"a.{ending}", pl.DataFrame({"text": ["x", "y", "z"], "label": labels}))

    rows = load_rows(task_of(path))

    assert (rows.label_names, rows.train.labels) == (names, numbers)


def test_number_with_leading_zero_is_a_name():
    assert [class_name(label) for label in ("01", "1", "1.", "-0.0", "1.5")] == ["01", "1", "1", "0", "1.5"]


def test_whole_numbers_in_one_file_and_floats_in_the_other_are_one_class(tmp_path):
    train = saved(tmp_path / "a.csv", pl.DataFrame({"text": ["x", "y"], "label": [0, 1]}))
    validation = saved(tmp_path / "b.parquet", pl.DataFrame({"text": ["x", "y"], "label": [1.0, 0.0]}))

    assert load_rows(task_of(train, validation=validation)).validation.labels == (1, 0)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_regression_labels_are_numbers(tmp_path, ending):
    path = saved(tmp_path / f"a.{ending}", pl.DataFrame({"text": ["x", "y", "z"], "label": [1.5, -2.0, 3.25]}))

    rows = load_rows(task_of(path, kind="regression"))

    assert (rows.label_names, rows.train.labels) == (None, (1.5, -2.0, 3.25))


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ([0.5, 1.0], "regression"),
        ([1.0, 2.0], "classification"),
        ([1, 2], "classification"),
        (list(range(50)), "classification"),
        (["a", "b"], "classification"),
        (["0.5", "b"], "classification"),
        ([True, False], "classification"),
        ([0.25, None], "regression"),
        ([1.0, float("nan")], "classification"),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_kind_follows_from_the_labels(tmp_path, ending, labels, kind):
    path = saved(tmp_path / f"a.{ending}", pl.DataFrame({"label": labels}))

    assert infer_kind(path, "label") == kind


def test_test_rows_are_encoded_with_the_training_classes(tmp_path):
    train = saved(tmp_path / "a.csv")
    test = written(tmp_path / "t.csv", "text,label\nx,pos\n")

    rows = load_rows(task_of(train, test=test))

    assert (rows.test.labels, rows.test.source) == ((1,), "test")


def test_fifth_of_the_rows_validates_where_none_are_given(tmp_path):
    frame = pl.DataFrame({"text": [f"row {n}" for n in range(50)], "label": ["a", "b"] * 25})

    rows = load_rows(task_of(saved(tmp_path / "a.csv", frame), validation=None))

    assert (len(rows.train), len(rows.validation), rows.test) == (40, 10, None)
    assert sorted(rows.train.index + rows.validation.index) == list(range(50))
    assert rows.validation.texts == tuple(f"row {n}" for n in rows.validation.index)
    assert rows.validation.labels.count(0) == 5
    assert rows.validation.source == "train"


def test_empty_texts_are_left_out_on_request_and_counted(tmp_path):
    path = written(tmp_path / "a.csv", 'text,label\nx,a\n  ,b\ny,b\n"",a\nz,a\n')

    rows = load_rows(task_of(path, drop_empty=True))

    assert (rows.train.texts, rows.train.labels, rows.train.index) == (("x", "y", "z"), (0, 1, 0), (0, 2, 4))
    assert rows.dropped == 4  # two in the training rows, the same two in the validation rows


BAD = {
    "no such column": ("text,lable\nx,a\ny,b\n", {}, r"no column 'label'; did you mean 'lable'; it has text, lable\."),
    "no such pair column": ("text,label\nx,a\ny,b\n", {"text_pair": "other"}, "no column 'other'.*it has text, label"),
    "nothing in it": ("", {}, "must have rows, but it is empty"),
    "a header alone": ("text,label\n", {}, "must have rows, but it is empty"),
    "one class": ("text,label\nx,a\ny,a\n", {}, "at least two classes, not 'a' alone"),
    "an open quote": ('text,label\n"x,a\ny,b\n', {}, "must be CSV, but"),
    "too many fields": ("text,label\nx,a\ny,b,c\n", {}, "row 1 of .*must have 2 fields.*not 3"),
    "a column twice": ("text,label,text\nx,a,y\n", {}, "'text' is there twice"),
    "empty texts": ("text,label\nx,a\n ,b\n,b\n", {}, "2 are empty, the first is row 1 .*drop_empty"),
    "labels missing": (
        "text,label\nx,a\ny,\nz,b\nw, \n",
        {},
        "2 rows have none, the first is row 1 .*fill the labels in",
    ),
    "fractions as classes": (
        "text,label\nx,0.5\ny,1\n",
        {},
        r"a\.csv \(column 'label'\) must be text or whole numbers for .* accuracy, not 0.5; make.*regression, whose",
    ),
    "text as number": ("text,label\nx,1\ny,high\n", {"kind": "regression"}, "finite number, not 'high' in row 1 "),
    "not a number": ("text,label\nx,1\ny,nan\n", {"kind": "regression"}, "finite number, not 'nan' in row 1 "),
    "infinity": ("text,label\nx,1\ny,inf\n", {"kind": "regression"}, "finite number, not 'inf' in row 1 "),
    "no number": ("text,label\nx,1\ny,\n", {"kind": "regression"}, "1 row has none, the first is row 1 "),
    "numbers all alike": ("text,label\nx,2\ny,2.0\n", {"kind": "regression"}, "must differ, but all are 2"),
}


@pytest.mark.parametrize(("content", "given", "essentials"), BAD.values(), ids=BAD)
def test_bad_file_is_refused_in_one_sentence(tmp_path, content, given, essentials):
    path = written(tmp_path / "a.csv", content)

    with pytest.raises(DataError, match=essentials) as refusal:
        load_rows(task_of(path, **given))

    assert re.search(r"; [^;]+\.$", str(refusal.value)) or "it has" in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("label", [1, float("nan"), float("inf"), True])
def test_regression_label_that_is_no_finite_number_is_refused(tmp_path, label):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": "x", "label": v}) + "\n" for v in (0.5, label)), encoding="utf-8")

    if label == 1 and label is not True:
        assert load_rows(task_of(path, kind="regression")).train.labels == (0.5, 1.0)
        return
    with pytest.raises(DataError, match=re.escape(f"finite number, not {label!r} in row 1 ")):
        load_rows(task_of(path, kind="regression"))


def test_whole_number_that_is_missing_is_no_class(tmp_path):
    frame = pl.DataFrame({"text": ["x", "y", "z"], "label": [0.0, 1.0, float("nan")]})

    with pytest.raises(DataError, match="1 row has none, the first is row 2 "):
        load_rows(task_of(saved(tmp_path / "a.parquet", frame)))


@pytest.mark.parametrize("split", ["validation", "test"])
def test_label_that_training_does_not_know_is_named(tmp_path, split):
    train = saved(tmp_path / "a.csv")
    other = written(tmp_path / "b.csv", "text,label\nx,pos\ny,neutral\nz,mixed\n")

    with pytest.raises(DataError, match=r"b\.csv must be among the training rows' labels.*not 'mixed', 'neutral'"):
        load_rows(task_of(train, **{split: other}))


def test_class_without_training_rows_after_the_split_is_refused(tmp_path):
    frame = pl.DataFrame({"text": ["x"] * 20, "label": ["a"] * 19 + ["rare"]})
    task = task_of(saved(tmp_path / "a.csv", frame), splits=Splits(train_size=3))

    with pytest.raises(DataError, match=r"every class must have training rows, but the 3 .* none of 'rare'"):
        load_rows(task)


@pytest.mark.parametrize(
    ("name", "content", "essentials"),
    [
        ("a.txt", b"text,label\n", r"must end in one of \.csv, \.tsv, \.jsonl"),
        ("a", b"text,label\n", "must end in one of"),
        ("a.csv", b"text,label\n\xff,a\n", "UTF-8 text, but invalid start byte at byte 11; save it as UTF-8"),
        ("a.csv.gz", b"no gzip", "cannot be read"),
        ("a.jsonl", b'{"text": "x", "label": 1}\n{"text": \n', "line 2 of .* must be JSON, but"),
        ("a.jsonl", b"[1, 2]\n", "one JSON object a line"),
        ("a.jsonl", b'{"text": "x", "label": [1]}\n', "must hold text or numbers, not list"),
        ("a.jsonl", b'{"text": {"a": 1}, "label": 1}\n', "must hold text, not dict"),
        ("a.parquet", b"no parquet", "must be Parquet, but"),
        ("a.parquet", b"", "must have rows, but it is empty"),
        ("a.csv", b"\xef\xbb\xbf", "must have rows, but it is empty"),
        ("a.tsv", b"\xef\xbb\xbf\n\n", "must have rows, but it is empty"),
        ("a.jsonl", b"\xef\xbb\xbf", "must have rows, but it is empty"),
        ("a.json", b"[]\n", "must have rows, but it is empty"),
        ("a.jsonl", b"{}\n", "must have rows, but it is empty"),
        ("a.jsonl", b'{"a": ' * 10_000, "line 1 of .* must be JSON, but: it is nested too deeply; write"),
        ("a.json", b"[" * 10_000, r"a\.json must be JSON, but: it is nested too deeply; write"),
        ("a.jsonl", b'{"label": %b}' % (b"1" * 5_000), "must be JSON, but: a number in it is too long; write"),
        ("a.jsonl", b'{"text": "x \\ud800", "label": 1}', r"must hold whole characters, not '\\ud800' as in 'x "),
        ("a.jsonl", b'{"text": "x", "label": "\\udfff"}', r"must hold whole characters, not '\\udfff' as in "),
    ],
)
def test_file_that_is_not_what_its_ending_says_is_refused(tmp_path, name, content, essentials):
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(DataError, match=essentials) as refusal:
        load_rows(task_of(path))

    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("name", "digits"), [("a.csv", 5_000), ("a.jsonl", 400)])
def test_number_larger_than_every_float_names_a_class(tmp_path, name, digits):
    content = {"a.csv": "text,label\nx,{}\ny,7\n", "a.jsonl": '{{"text":"x","label":{}}}\n{{"text":"y","label":7}}'}
    path = written(tmp_path / name, content[name].format("1" * digits))

    assert infer_kind(path, "label") == "classification"
    assert load_rows(task_of(path)).label_names == ("7", "1" * digits)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"gone\.csv does not exist; check the path"):
        read_texts(tmp_path / "gone.csv", task_of(saved(tmp_path / "a.csv")))


def test_rows_to_predict_need_no_label_and_are_all_kept(tmp_path):
    task = task_of(saved(tmp_path / "a.csv"))
    path = written(tmp_path / "new.tsv", "text\nfirst\n\nthird\n")

    rows = read_texts(path, task)

    assert (rows.texts, rows.labels, rows.index) == (("first", "", "third"), (), (0, 1, 2))


@pytest.mark.parametrize("columns", ["premise\thypothesis", "index\tsentence1\tsentence2"])
def test_rows_to_predict_may_have_the_names_of_the_hub_or_of_glues_files(tmp_path, columns):
    line = "\t".join(["p", "h"] if "premise" in columns else ["0", "p", "h"])
    path = written(tmp_path / "new.tsv", f"{columns}\n{line}\n")

    rows = read_texts(path, Task.glue("mnli"))

    assert (rows.texts, rows.pairs) == (("p",), ("h",))
