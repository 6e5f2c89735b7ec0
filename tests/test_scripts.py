"""Does every script run, from its imports to its last line? Each with --quick, in a process of its own, without a network."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = [
    path
    for folder in ("benchmarks", "scripts")
    for path in sorted((ROOT / folder).glob("*.py"))
    if '"--quick"' in path.read_text(encoding="utf-8")
]


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_runs_to_its_end_when_it_is_quick(script, tmp_path):
    command = [sys.executable, str(script), "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    assert "left out" not in done.stdout  # a rival whose process failed


def test_every_script_that_can_be_started_has_a_quick_form():
    started = {
        path
        for folder in ("benchmarks", "scripts")
        for path in (ROOT / folder).glob("*.py")
        if "argparse" in path.read_text(encoding="utf-8") or "sys.argv" in path.read_text(encoding="utf-8")
    }
    assert started - set(SCRIPTS) == {ROOT / "scripts" / "version_answers.py"}  # started by compare_versions.py alone
