"""Compiles the C kernels when seedwise is built or installed; where that cannot be, seedwise does without them."""

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sysconfig
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

KERNELS = Path("src", "seedwise", "engines", "kernels")
# Every kernel names its vector instructions itself. No -ffast-math: nan must stay nan, and on some systems linking with
# it makes a library round tiny numbers to zero in the whole process that loads it.
FLAGS = "-std=gnu11 -O3 -mavx2 -mfma -fno-math-errno -fPIC -shared -fvisibility=hidden".split()


class CompileKernels(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the compiled library into the package's folder and gives the wheel a platform's tag."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Compile, or say why not."""
        reason = compile_kernels(Path(self.root) / KERNELS)
        if reason:
            self.app.display_warning(
                f"seedwise: the C kernels are left out, because {reason}; training is slower without."
            )
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"


def compile_kernels(folder: Path) -> str | None:
    """Compile the C files of a folder into one library beside them, and return why not where that fails."""
    for stale in folder.glob("kernels-*.so"):
        if stale.name != library_name(folder):
            with suppress(OSError):
                stale.unlink()
    if platform.machine().lower() not in {"x86_64", "amd64"}:
        return f"they are written for x86-64 processors, not for {platform.machine()}"
    compiler = find_compiler()
    if not compiler:
        return "no C compiler was found (cc, gcc, clang or $CC)"
    with tempfile.TemporaryDirectory() as directory:
        made = Path(directory) / "kernels.so"
        command = [*compiler, *FLAGS, *map(str, sorted(folder.glob("*.c"))), "-lm", "-o", str(made)]
        try:
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            if run.returncode:
                return f"{compiler[0]} did not compile them: {' '.join(run.stderr.split())[:300]}"
            # Moved into place at once: a process that has the old file in use keeps it.
            part = folder / f"kernels.so.{os.getpid()}"
            shutil.copyfile(made, part)
            part.replace(folder / library_name(folder))
        except OSError as error:  # a compiler that cannot be run, a folder that cannot be written
            return f"they cannot be compiled ({error})"
    return None


def find_compiler() -> list[str]:
    """Return the command of the C compiler; nothing where there is none."""
    if os.name == "nt":  # its compilers take other arguments
        return []
    named = shlex.split(os.environ.get("CC", ""))
    if named:
        return named if shutil.which(named[0]) else []
    return next(([name] for name in ("cc", "gcc", "clang") if shutil.which(name)), [])


def library_name(folder: Path) -> str:
    """Return the file name of the library that the C files of a folder make; seedwise.engines.kernels has the same."""
    sources = b"".join(path.read_bytes() for path in sorted(folder.glob("*.[ch]")))
    return f"kernels-{hashlib.sha256(sources).hexdigest()[:12]}.so"
