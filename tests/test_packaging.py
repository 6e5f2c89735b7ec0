"""Does the wheel contain everything that seedwise needs at run time?"""

import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def package_files() -> list[Path]:
    return [path for path in (SOURCE / "seedwise").rglob("*") if path.is_file() and "__pycache__" not in path.parts]


def test_wheel_holds_every_file_of_the_package(wheel_names):
    expected = {path.relative_to(SOURCE).as_posix() for path in package_files()}
    assert expected - wheel_names == set()


def test_wheel_holds_nothing_but_the_package(wheel_names):
    assert {name.split("/")[0] for name in wheel_names} == {"seedwise", "seedwise-0.1.0.dist-info"}


def test_wheel_says_that_the_package_is_typed(wheel_names):
    assert "seedwise/py.typed" in wheel_names


def test_wheel_holds_the_licence(wheel_names):
    assert "seedwise-0.1.0.dist-info/licenses/LICENSE" in wheel_names
