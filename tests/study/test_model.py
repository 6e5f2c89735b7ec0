"""Does a study's best model label rows of every form, and say which rows it cannot take?"""

import polars as pl
import pytest

from seedwise import LocalExecutor, Recipe, RequestError, Seeds, Study, Task
from seedwise.study.model import BestModel
from toys import toy_model, toy_task

TEXTS = ["good film", "bad film", "a dull plot"]

pytestmark = pytest.mark.slow  # trains a study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study of two seeds that was trained for real, a few steps long."""
    place = tmp_path_factory.mktemp("best")
    toy_task(place)
    task = Task.files(place / "train.csv", validation=place / "validation.csv", text="text", label="label")
    recipe = Recipe(model=str(toy_model(place / "toy")), batch_size=8, num_train_steps=4, evaluations="2 per run")
    with Study.create(place / "study", tasks=[task], recipes=[recipe], seeds=Seeds.paired(2)) as study:
        study.run(LocalExecutor(workers=1))
    return place / "study"


def test_texts_mappings_and_a_frame_are_labelled_alike(folder):
    with Study.open(folder) as study:
        found = study.predict(TEXTS)
        assert found["row"].to_list() == [0, 1, 2]
        assert set(found["label"]) <= {name[2:-1] for name in found.columns if name.startswith("p(")}
        assert found.select(pl.sum_horizontal(pl.col("^p\\(.*$"))).to_series().to_list() == pytest.approx(
            [1] * 3, abs=1e-5
        )
        assert study.predict([{"text": text} for text in TEXTS]).equals(found)
        assert study.predict(pl.DataFrame({"text": TEXTS, "other": 1})).equals(found)
        assert study.predict(TEXTS, study.tasks[0]).equals(found)


def test_the_best_model_is_a_folder_of_its_task(folder):
    with Study.open(folder) as study:
        assert study.best_model() == study.best_model(study.tasks[0]) == study.best_model(study.tasks[0].name)
        assert study.best_model().folder == folder / "best"
        assert study.best_model().task == study.tasks[0]


def test_trials_are_a_frame_with_one_row_each(folder):
    with Study.open(folder) as study:
        frame = study.trials_dataframe()
        assert frame["id"].to_list() == [record.id for record in study.trials]
        assert frame["best_score"].to_list() == [record.best[1] for record in study.trials]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "rows must hold at least one row"),
        ([{"sentence": "a"}], "rows has no column 'text'"),
        (pl.DataFrame({"txt": ["a"]}), "rows has no column 'text'; did you mean 'txt'"),
    ],
)
def test_rows_without_texts_are_refused(folder, rows, sentence):
    with Study.open(folder) as study, pytest.raises(RequestError, match=sentence):
        study.predict(rows)


def test_texts_are_no_pairs(folder):
    with pytest.raises(RequestError, match="rows must be mappings with 'sentence1' and 'sentence2', not texts"):
        BestModel(folder / "best", Task.glue("rte")).predict(["a text"])


def test_an_unfinished_study_has_no_model(tmp_path):
    study = Study.create(tmp_path, tasks=[Task.glue("rte")], recipes=[Recipe(model="m")], seeds=Seeds.paired(2))
    with study, pytest.raises(RequestError, match="holds no best model; run the study to its end"):
        study.best_model()
