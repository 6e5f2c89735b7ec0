"""Is the winner found that is meant, in a study of one task or of several?"""

import json

import pytest

from seedwise import RequestError, Task
from seedwise.study.winners import choose_winner, winner_folders


@pytest.fixture
def study(tmp_path):
    """Writes what stands beside winners, each in its folder of a study."""

    def write(**winners):
        for place, task in winners.items():
            folder = tmp_path / "best" / place if place != "best" else tmp_path / "best"
            folder.mkdir(parents=True)
            (folder / "seedwise.json").write_text(json.dumps({"task": task.to_json()}), encoding="utf-8")
        return tmp_path

    return write


REVIEWS = Task.hub("org/reviews", text="text")
MORE_REVIEWS = Task.hub("org/reviews", text="text", metric="f1")
RTE = Task.glue("rte")


@pytest.mark.parametrize("name", [None, "org/reviews"])
def test_the_only_winner(study, name):
    folder = study(best=REVIEWS)
    assert choose_winner(folder, name) == (folder / "best", REVIEWS)


@pytest.mark.parametrize("name", ["org/reviews", "one"])
def test_one_of_several_by_its_task_or_its_folder(study, name):
    folder = study(one=REVIEWS, rte=RTE)
    assert choose_winner(folder, name) == (folder / "best" / "one", REVIEWS)


def test_winners_whose_tasks_have_one_name_are_told_apart_by_their_folders(study):
    folder = study(one=REVIEWS, two=MORE_REVIEWS, rte=RTE)
    assert choose_winner(folder, "one") == (folder / "best" / "one", REVIEWS)
    assert choose_winner(folder, "two")[1].metric == "f1"
    with pytest.raises(RequestError, match=r"not 'org/reviews', the task of several; say one of one, two\.$"):
        choose_winner(folder, "org/reviews")


def test_a_folder_named_as_anothers_task_is_the_one_that_is_meant(study):
    folder = study(rte=REVIEWS, other=RTE)
    assert choose_winner(folder, "rte") == (folder / "best" / "rte", REVIEWS)


def test_several_winners_need_a_name(study):
    with pytest.raises(RequestError, match=r"so task must be one of one, rte, not None\.$"):
        choose_winner(study(one=REVIEWS, rte=RTE), None)


def test_a_folder_that_is_still_being_written_is_no_winner(study):
    folder = study(**{"rte": RTE, ".reviews.part": REVIEWS})
    assert winner_folders(folder) == [folder / "best" / "rte"]
