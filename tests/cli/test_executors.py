"""Do --executor, --engine and --width mean what they say, and does ``seedwise info`` tell what is here?"""

import subprocess
import sys

import pytest

from seedwise import Study
from seedwise.engines import kernels, memory

pytestmark = pytest.mark.slow  # nearly every test starts worker processes

SHORT = ["--seeds", 1, "--set", "num_train_steps=2", "--set", "evaluations=1 per run"]


def path_of(folder):
    with Study.open(folder) as study:
        (record,) = study.trials
        return record.environment.engine, record.environment.width


def test_auto_is_the_default_and_says_in_one_line_what_it_chose(seedwise, request_of, tmp_path):
    said = seedwise("run", tmp_path / "s", *request_of, *SHORT)
    assert (said.code, said.err) == (0, "")
    path, width = path_of(tmp_path / "s")
    line = f"engine      {path}, 1 worker of 1 thread: "
    assert said.out.count("engine ") == sum(text.startswith(line) for text in said.out.splitlines()) == 1
    assert width == 1


@pytest.mark.parametrize(
    ("flags", "ran"),
    [
        (["--executor", "local", "--engine", "plain"], ("plain", 1)),
        (["--engine", "packed"], ("packed", 1)),
        (["--engine", "fused", "--width", 1], ("fused", 1)),
    ],
)
def test_what_is_asked_for_is_taken_in_silence(seedwise, request_of, tmp_path, flags, ran):
    said = seedwise("run", tmp_path / "s", *request_of, *SHORT, *flags)
    assert (said.code, said.err) == (0, "")
    assert "engine" not in said.out
    assert path_of(tmp_path / "s") == ran


def test_a_study_file_can_name_them(seedwise, request_of, tmp_path):
    (tmp_path / "study.toml").write_text('[workers]\nengine = "fused"\nwidth = 2\n', encoding="utf-8")
    said = seedwise("run", tmp_path / "s", *request_of, *SHORT, "--config", tmp_path / "study.toml")
    assert said.code == 0
    assert "engine      fused, 1 worker of 1 thread, 1 trial a stack: as asked, but" in said.out
    assert path_of(tmp_path / "s") == ("fused", 1)  # there is but one trial


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (["--engine", "fuse"], "--engine must be one of auto, plain, packed, compiled, fused, not 'fuse'; did you"),
        (["--executor", "cluster"], "--executor must be one of local, not 'cluster'"),
        (
            ["--executor", "packed"],
            "--executor says where trials run and must be local, not 'packed'; write --engine packed.",
        ),
        (["--width", 4], "--width goes with --engine fused, not auto; give both, or leave --width out."),
        (["--engine", "packed", "--width", 4], "--width goes with --engine fused, not packed; give both"),
        (["--engine", "fused", "--width", 0], "width must be a whole number of at least 1, not 0"),
        (
            ["--engine", "fused", "--width", 6],
            "width must be at most 4 for toy on cpu, not 6: more trials do not fit into its memory; ask for less.",
        ),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    seedwise, request_of, tmp_path, flags, sentence, monkeypatch
):
    monkeypatch.setattr(memory, "widest", lambda *_: 4)
    said = seedwise("run", tmp_path / "s", *request_of, "--seeds", 8, *flags)
    assert said.code == 2
    assert said.err.startswith(f"seedwise: {sentence}")
    assert not (tmp_path / "s" / "checkpoints").exists()


def test_compiled_without_kernels_is_refused(seedwise, request_of, tmp_path, monkeypatch):
    monkeypatch.setattr(kernels, "reason", lambda: "the C kernels are not compiled here.")
    said = seedwise("run", tmp_path / "s", *request_of, *SHORT, "--engine", "compiled")
    assert said.code == 2
    assert said.err == (
        "seedwise: the engine compiled cannot be used here: the C kernels are not compiled here; take packed or auto.\n"
    )


@pytest.mark.parametrize("code", ["import seedwise.cli.executors", "from seedwise.cli import main; main()"])
def test_choosing_an_executor_and_asking_for_help_load_no_torch(code):
    program = f"""
import atexit, sys
sys.argv = ["seedwise", "info", "--help"]
atexit.register(lambda: print("torch" in sys.modules, file=sys.stderr))
{code}
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "False\n"


class TestInfo:
    @pytest.fixture(autouse=True)
    def own_cache(self, tmp_path, monkeypatch):
        monkeypatch.setenv("SEEDWISE_CACHE", str(tmp_path / "cache"))

    def test_tells_versions_hardware_kernels_and_the_engine(self, seedwise, tmp_path):
        said = seedwise("info")
        assert (said.code, said.err) == (0, "")
        facts = {line[:12].strip(): line[12:] for line in said.out.splitlines()}
        assert facts.keys() >= {"versions", "system", "processor", "kernels", "engine", "cache"}
        assert "torch " in facts["versions"]
        assert facts["cache"] == str(tmp_path / "cache")
        assert "1 thread" in facts["engine"]

    def test_says_why_there_are_no_kernels(self, seedwise, monkeypatch):
        monkeypatch.setattr(kernels, "reason", lambda: "there is no compiler.")
        said = seedwise("info")
        assert "kernels     there is no compiler.\n" in said.out
        assert "not compiled: there is no compiler\n" in said.out

    def test_refuses_a_model_that_is_nowhere(self, seedwise):
        said = seedwise("info", "--model", "nowhere-at-all")
        assert said.code == 2
        assert "nowhere-at-all" in said.err
