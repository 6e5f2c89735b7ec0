"""How is everything below `src/seedwise/embedded` made?

    python scripts/make_embedded.py               the data and the encoder (under 30 minutes on 2 cores)
    python scripts/make_embedded.py --data-only   the data alone (under a minute)
    python scripts/make_embedded.py --check       make the data anew in a temporary folder and compare it byte for byte
    python scripts/make_embedded.py --quick       pretrain a tiny encoder on few texts, in a temporary folder: does it run?

The data are the same on every machine. The encoder is trained in floating point: equal scores within noise, not equal bytes.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from embedded_tasks import SIZES, TASKS, write_tasks

__all__ = ["main"]

_PACKAGE = Path(__file__).resolve().parents[1] / "src" / "seedwise" / "embedded"


def main(arguments: list[str] | None = None) -> int:
    """Make or check the embedded data and encoder; return the exit code."""
    parser = argparse.ArgumentParser(description="Make the embedded tasks and the embedded encoder.")
    parser.add_argument("--data-only", action="store_true", help="make the tasks, keep the encoder")
    parser.add_argument("--check", action="store_true", help="compare the packaged tasks with freshly made ones")
    parser.add_argument("--output", type=Path, default=_PACKAGE, help="folder to write to or to check")
    parser.add_argument("--quick", action="store_true", help="pretrain a tiny encoder on few texts and keep nothing")
    parser.add_argument("--threads", type=int, default=2, help="threads for pretraining")
    chosen = parser.parse_args(arguments)
    started = time.monotonic()
    if chosen.check:
        return _check(chosen.output)
    if chosen.quick:
        return _try()
    write_tasks(chosen.output)
    print(f"tasks written after {time.monotonic() - started:.0f} s")
    if not chosen.data_only:
        from embedded_encoder import Pretraining, pretrain

        pretrain(chosen.output / "encoder", Pretraining(), threads=chosen.threads)
    size = sum(path.stat().st_size for path in chosen.output.rglob("*") if path.is_file())
    print(f"{size / 1e6:.2f} MB in {time.monotonic() - started:.0f} s")
    return 0


def _check(folder: Path) -> int:
    """Compare every split with a fresh one; name those that differ."""
    with tempfile.TemporaryDirectory() as temporary:
        write_tasks(Path(temporary))
        names = [f"{task}/{split}.tsv" for task in TASKS for split in SIZES]
        differing = [name for name in names if not _equal(folder / name, Path(temporary) / name)]
    print(f"differing: {', '.join(differing)}" if differing else f"all {len(names)} files are equal, byte for byte")
    return 1 if differing else 0


def _try() -> int:
    """Pretrain an encoder too small to be of use."""
    from embedded_encoder import Pretraining, pretrain

    with tempfile.TemporaryDirectory() as temporary:
        pretrain(Path(temporary), Pretraining(texts=500, epochs=1, layers=1, width=32, inner=64), threads=1)
        print(f"saved {', '.join(sorted(path.name for path in Path(temporary).iterdir()))}")
    return 0


def _equal(first: Path, second: Path) -> bool:
    return first.is_file() and first.read_bytes() == second.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
