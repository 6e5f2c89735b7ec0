"""Is a file replaced as a whole or not at all?"""

import pytest

from seedwise.files import replacing


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old")
    return path


def test_what_was_written_takes_the_place(path):
    with replacing(path) as beside:
        beside.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]


def test_nothing_is_left_where_writing_fails(path):
    with pytest.raises(ZeroDivisionError), replacing(path) as beside:
        beside.write_text(f"half {1 / 0}" if beside.write_text("half") else "")
    assert path.read_text() == "old"
    assert [file.name for file in path.parent.iterdir()] == ["page.html"]


def test_error_names_the_file_that_was_wanted(tmp_path):
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "no" / "page.html") as beside:
        beside.write_text("new")
    assert caught.value.filename == str(tmp_path / "no" / "page.html")


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "page.html").mkdir()
    with pytest.raises(IsADirectoryError), replacing(tmp_path / "page.html") as beside:
        beside.write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_relative_path_may_have_no_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with replacing(tmp_path.joinpath("page.html").relative_to(tmp_path)) as beside:
        beside.write_text("new")
    assert (tmp_path / "page.html").read_text() == "new"
