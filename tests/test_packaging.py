"""Does the wheel contain everything that seedwise needs at run time, and is it built where there is no C compiler?"""

import os
import platform
import shutil
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

pytestmark = pytest.mark.slow  # builds the package

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"


COMPILES = (
    os.name == "posix"
    and platform.machine().lower() in {"x86_64", "amd64"}
    and any(shutil.which(name) for name in ("cc", "gcc", "clang"))
)


def built(root: Path, folder: Path) -> Path:
    (wheel,) = WheelBuilder(str(root)).build(directory=str(folder), versions=["standard"])
    return Path(wheel)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def wheel_names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of what is built, so that this checkout keeps its own library."""
    root = tmp_path / "copy"
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        root.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, root)
    kernels = Path("src", "seedwise", "engines", "kernels")
    shutil.copytree(SOURCE.parent / kernels, root / kernels, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    return root


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


@pytest.mark.skipif(not COMPILES, reason="there is no C compiler here for an x86-64 processor")
def test_wheel_with_compiled_kernels_is_for_one_platform_and_any_python(wheel, wheel_names):
    assert any(name.startswith("seedwise/engines/kernels/kernels-") for name in wheel_names)
    assert "-py3-none-" in wheel.name
    assert not wheel.name.endswith("-any.whl")


@pytest.mark.parametrize(
    "compiler",
    ["no-such-compiler", pytest.param("false", marks=pytest.mark.skipif(os.name == "nt", reason="there is no false"))],
)
def test_wheel_without_a_working_compiler_is_for_every_platform(copied, tmp_path, monkeypatch, capsys, compiler):
    monkeypatch.setenv("CC", compiler)
    wheel = built(copied, tmp_path)
    assert wheel.name.endswith("-py3-none-any.whl")
    assert "kernels are left out" in "".join(capsys.readouterr())


def test_wheel_for_another_processor_is_for_every_platform(copied, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    assert built(copied, tmp_path).name.endswith("-py3-none-any.whl")
    assert "not for aarch64" in "".join(capsys.readouterr())


@pytest.mark.skipif(not COMPILES, reason="there is no C compiler here for an x86-64 processor")
def test_library_of_earlier_sources_is_cleared_away(copied, tmp_path):
    folder = copied / "src" / "seedwise" / "engines" / "kernels"
    (folder / "kernels-000000000000.so").write_bytes(b"of earlier sources")
    with zipfile.ZipFile(built(copied, tmp_path)) as archive:
        libraries = [name for name in archive.namelist() if name.endswith(".so")]
    assert len(libraries) == 1
    assert "000000000000" not in libraries[0]
