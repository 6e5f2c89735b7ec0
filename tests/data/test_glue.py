"""Are the GLUE files read as they were published, quirks and all?"""

from pathlib import Path

import pytest

from seedwise.data.rows import load_rows
from seedwise.errors import DataError, RequestError
from seedwise.values.task import Task


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


@pytest.mark.parametrize(
    ("folder", "train", "validation", "counts"),
    [
        ("RTE", 2490, 277, {0: 1249, 1: 1241}),
        ("CoLA", 8551, 1043, {0: 2528, 1: 6023}),
        ("MRPC", 3668, 408, {0: 1194, 1: 2474}),
        ("SST-2", 67349, 872, {0: 29780, 1: 37569}),
    ],
)
def test_published_files_have_their_published_rows(shared, folder, train, validation, counts):
    rows = load_rows(Task.glue(shared / "data" / "glue" / folder))

    assert (len(rows.train), len(rows.validation), rows.test, rows.dropped) == (train, validation, None, 0)
    assert {label: rows.train.labels.count(label) for label in (0, 1)} == counts


def test_similarity_is_a_number_from_0_to_5(shared):
    rows = load_rows(Task.glue(shared / "data" / "glue" / "STS-B"))

    assert (len(rows.train), len(rows.validation)) == (5749, 1500)
    assert rows.label_names is None
    assert (rows.train.texts[0], rows.train.pairs[0]) == ("A plane is taking off.", "An air plane is taking off.")
    assert rows.train.labels[:2] == (5.0, 3.8)
    assert (min(rows.train.labels), max(rows.train.labels)) == (0.0, 5.0)


def test_byte_order_mark_does_not_hide_the_first_column(shared):
    rows = load_rows(Task.glue(shared / "data" / "glue" / "MRPC"))

    assert rows.label_names == ("not_equivalent", "equivalent")
    assert rows.train.labels[:3] == (1, 0, 1)
    assert rows.train.texts[0].startswith('Amrozi accused his brother , whom he called " the witness "')


def test_sentences_keep_their_last_space(shared):
    rows = load_rows(Task.glue(shared / "data" / "glue" / "SST-2"))

    assert rows.train.texts[0] == "hide new secretions from the parental units "


def test_the_first_line_of_cola_is_a_row(tmp_path):
    folder = write(
        tmp_path / "CoLA",
        {"train.tsv": "gj\t1\t\tFine.\ngj\t0\t*\tFine not\n", "dev.tsv": "gj\t1\t\tOk.\ngj\t0\t*\tOk not\n"},
    )

    rows = load_rows(Task.glue(folder))

    assert rows.train.texts == ("Fine.", "Fine not")
    assert rows.train.labels == (1, 0)
    assert rows.train.index == (0, 1)


QQP = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n"
QQP_DEV = QQP + "1\t1\t2\ta\tb\t1\n2\t1\t3\ta\tc\t0\n"


def test_lines_of_qqp_without_all_fields_are_left_out_and_counted(tmp_path):
    train = QQP + "1\t1\t2\tWhy?\tHow?\t0\n2\t3\t4\ttorn\n3\t5\t6\tWho?\tWho is?\t1\n"
    folder = write(tmp_path / "QQP", {"train.tsv": train, "dev.tsv": QQP_DEV + "\n"})

    rows = load_rows(Task.glue(folder))

    assert rows.train.pairs == ("How?", "Who is?")
    assert rows.train.index == (0, 2)
    assert rows.train.labels == (0, 1)
    assert rows.dropped == 2  # the torn line and the blank one


def test_rows_of_a_benchmark_keep_an_empty_text(tmp_path):
    train = QQP + "1\t1\t2\tWhy?\t\t0\n2\t3\t4\tWho?\tWho?\t1\n"
    folder = write(tmp_path / "QQP", {"train.tsv": train, "dev.tsv": QQP_DEV})

    assert load_rows(Task.glue(folder)).train.pairs == ("", "Who?")


MNLI = "index\tpromptID\tpairID\tgenre\ts1bp\ts2bp\ts1p\ts2p\tsentence1\tsentence2\tlabel1"


def mnli_lines(labels: list[str], *, annotators: int) -> str:
    header = MNLI + "".join(f"\tlabel{n}" for n in range(2, annotators + 1)) + "\tgold_label\n"
    middle = "\tneutral" * annotators
    return header + "".join(
        f"{n}\t1\t1e\tfiction\t(\t(\t(\t(\tpremise {n}\thypothesis {n}{middle}\t{label}\n"
        for n, label in enumerate(labels)
    )


def test_mnli_has_three_classes_in_the_hubs_order_and_matched_validation(tmp_path):
    files = {
        "train.tsv": mnli_lines(["neutral", "entailment", "contradiction"], annotators=1),
        "dev_matched.tsv": mnli_lines(["contradiction", "-", "entailment"], annotators=5),
        "dev_mismatched.tsv": "not read",
    }

    rows = load_rows(Task.glue(write(tmp_path / "MNLI", files)))

    assert rows.label_names == ("entailment", "neutral", "contradiction")
    assert rows.train.labels == (1, 0, 2)
    assert (rows.train.texts[0], rows.train.pairs[0]) == ("premise 0", "hypothesis 0")
    assert rows.validation.labels == (2, 0)
    assert rows.validation.index == (0, 2)
    assert rows.dropped == 1  # the row on whose label the annotators did not agree


def test_qnli_pairs_a_question_with_a_sentence(tmp_path):
    header = "index\tquestion\tsentence\tlabel\n"
    train = header + "0\tWhen?\tIn May.\tentailment\n1\tWho?\tIn June.\tnot_entailment\n"
    folder = write(tmp_path / "QNLI", {"train.tsv": train, "dev.tsv": header + "0\tq\ts\tentailment\n"})

    rows = load_rows(Task.glue(folder))

    assert (rows.train.texts, rows.train.pairs) == (("When?", "Who?"), ("In May.", "In June."))
    assert rows.train.labels == (0, 1)


def test_wnli_labels_are_numbers_of_the_hubs_names(tmp_path):
    header = "index\tsentence1\tsentence2\tlabel\n"
    files = {"train.tsv": header + "0\ta\tb\t1\n1\tc\td\t0\n", "dev.tsv": header + "0\ta\tb\t0\n"}

    rows = load_rows(Task.glue(write(tmp_path / "WNLI", files)))

    assert rows.label_names == ("not_entailment", "entailment")
    assert rows.train.labels == (1, 0)


RTE = "index\tsentence1\tsentence2\tlabel\n"
RTE_DEV = RTE + "0\ta\tb\tentailment\n"


def test_only_tabs_and_newlines_separate(tmp_path):
    odd = 'a "quote\u2028line\x0bfeed\u0085next'
    train = RTE + f"0\t{odd}\tb\tentailment\r\n1\tc\td\tnot_entailment\r\n"
    folder = write(tmp_path / "RTE", {"train.tsv": train, "dev.tsv": RTE_DEV})

    rows = load_rows(Task.glue(folder))

    assert rows.train.texts == (odd, "c")
    assert rows.train.labels == (0, 1)


@pytest.mark.parametrize(
    ("train", "essentials"),
    [
        ("", "train.tsv must have rows, but it is empty"),
        (RTE, "train.tsv must have rows"),
        (RTE.replace("sentence1", "sentence_1"), "no column 'sentence1'; did you mean 'sentence_1'"),
        (RTE + "0\ta\tb\tmaybe\n1\ta\tb\tentailment\n", "'entailment', 'not_entailment'.*not 'maybe'"),
        (RTE + f"0\ta\tb\t{'1' * 5_000}\n", "'entailment', 'not_entailment'.*not '1111"),
        (RTE + "0\ta\tb\tentailment\n", "none of 'not_entailment'"),
        (
            b"index\tsentence1\tsentence2\tlabel\n0\t\xff\tb\tentailment\n",
            "UTF-8 text, but invalid start byte at byte 34",
        ),
    ],
)
def test_damaged_file_is_refused(tmp_path, train, essentials):
    folder = write(tmp_path / "RTE", {"train.tsv": train, "dev.tsv": RTE_DEV})

    with pytest.raises(DataError, match=essentials):
        load_rows(Task.glue(folder))


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"dev\.tsv does not exist"):
        Task.glue(write(tmp_path / "RTE", {"train.tsv": RTE_DEV}))


def test_folder_that_is_no_glue_task_is_refused(tmp_path):
    with pytest.raises(RequestError, match="GLUE task"):
        Task.glue(write(tmp_path / "IMDB", {}))


def test_edited_file_is_no_longer_the_task(tmp_path):
    train = RTE + "0\ta\tb\tentailment\n1\tc\td\tnot_entailment\n"
    folder = write(tmp_path / "RTE", {"train.tsv": train, "dev.tsv": RTE_DEV})
    task = Task.glue(folder)
    (folder / "train.tsv").write_text(train.replace("\tc\t", "\te\t"), encoding="utf-8")

    with pytest.raises(DataError, match=r"one has changed.*in another directory"):
        load_rows(task)
