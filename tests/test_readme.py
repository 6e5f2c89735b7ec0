"""Does what the README and the docs tell people to type work?"""

import doctest
import functools
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = [path for path in [README, *sorted((ROOT / "docs").rglob("*.md"))] if path.is_file()]

FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>[\w+-]*)[^\n]*\n(?P<text>.*?)^ *(?P=ticks) *$",
    re.MULTILINE | re.DOTALL,
)
INLINE = re.compile(r"(?<!`)`((?:\./dev demo|\./dev run seedwise|seedwise)(?: [^`]*)?)`(?!`)")
NOT_RUN = re.compile(
    r"<!-- not run: .+? -->\s*$", re.DOTALL
)  # right before a block that cannot run here; the reason inside
SHELL = {"bash", "console", "sh", "shell"}
LONG_TIME = 600  # seconds: the README may train a few small models


@dataclass(frozen=True)
class Block:
    """One fenced block of code, with the line its text begins on and what stands before it."""

    language: str
    text: str
    line: int
    before: str

    @property
    def runs(self) -> bool:
        return not NOT_RUN.search(self.before)


def blocks_of(page: str) -> Iterator[Block]:
    for match in FENCE.finditer(page):
        text = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        line = page.count("\n", 0, match.start("text")) + 1
        yield Block(match["language"].lower(), text, line, page[: match.start()])


# Python ---------------------------------------------------------------------------------------------------------------


def run_python(page: str, name: str) -> None:
    """Run the blocks of Python in order, each seeing the names of those before it, as a reader would."""
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks_of(page):
        if block.language in {"python", "pycon", "py"} and block.runs:
            if ">>>" in block.text:
                run_session(block, names, name)
            else:
                # Empty lines above make a traceback show the line of the page.
                exec(compile("\n" * (block.line - 1) + block.text, name, "exec"), names)


def run_session(block: Block, names: dict[str, object], name: str) -> None:
    test = doctest.DocTestParser().get_doctest(block.text, names, name, name, block.line - 1)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    failed, _ = runner.run(test, out=report.append, clear_globs=False)
    names.update(test.globs)
    assert not failed, "".join(report)


@pytest.mark.slow
@pytest.mark.timeout(LONG_TIME)
@pytest.mark.skipif(not README.is_file(), reason="there is no README.md yet")
def test_python_in_the_readme_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_python(README.read_text("utf-8"), "README.md")


# Commands -------------------------------------------------------------------------------------------------------------


def shell_lines(block: Block) -> Iterator[tuple[int, str]]:
    """What is typed: in a console after the prompt, elsewhere every line; continued lines are one."""
    lines = block.text.splitlines()
    number = 0
    while number < len(lines):
        start, line = number, lines[number]
        while line.endswith("\\") and number + 1 < len(lines):
            number += 1
            line = line[:-1] + " " + lines[number].removeprefix("> ").strip()
        if block.language != "console" or line.startswith("$ "):
            yield block.line + start, line.removeprefix("$ ")
        number += 1


def seedwise_calls(line: str) -> Iterator[list[str]]:
    """The arguments of every call of seedwise in a line of shell: behind ./dev, variables, pipes and && as well."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set(";|&()"):
            commands.append([])
        else:
            commands[-1].append(word)
    for words in commands:
        while words and re.fullmatch(r"\w+=.*|time|env|\$", words[0]):
            words.pop(0)
        if words[:2] == ["./dev", "demo"]:
            yield words[1:]
        elif (words[:2] == ["./dev", "run"] and words[2:3] == ["seedwise"]) or words[:3] == [
            "python",
            "-m",
            "seedwise",
        ]:
            yield words[3:]
        elif words[:1] == ["seedwise"]:
            yield words[1:]


def calls_in(page: str) -> Iterator[tuple[int, list[str]]]:
    """Every call of seedwise on a page, in blocks of shell and between backticks, with its line."""
    for block in blocks_of(page):
        if block.language in SHELL:
            for line, text in shell_lines(block):
                yield from ((line, call) for call in seedwise_calls(text))
    prose = FENCE.sub(lambda match: "\n" * match[0].count("\n"), page)
    for match in INLINE.finditer(prose):
        line = prose.count("\n", 0, match.start()) + 1
        yield from ((line, call) for call in seedwise_calls(" ".join(match[1].split())))


@functools.cache
def help_text(*command: str) -> str:
    """What seedwise itself says about a command."""
    environment = {**os.environ, "COLUMNS": "300", "NO_COLOR": "1", "TERM": "dumb"}
    call = [sys.executable, "-m", "seedwise", *command, "--help"]
    done = subprocess.run(call, capture_output=True, text=True, env=environment, check=False)
    return done.stdout if done.returncode == 0 else ""


def wrong_in(call: list[str]) -> str | None:
    """What seedwise does not know in a call, or None."""
    if call and call[0].isupper():
        return None  # a placeholder: seedwise COMMAND --help
    if not call or call[0].startswith("-"):
        command, text = "", help_text()
    else:
        command, text = call[0], help_text(call[0])
        if not re.search(rf"^Usage: .*\b{re.escape(command)}\b", text, re.MULTILINE):
            return f"there is no command {command}"
    flags = {word.strip("[]").split("=")[0] for word in call if re.match(r"\[?--?[a-zA-Z]", word)}
    known = set(re.findall(r"(?<![\w-])--?[a-zA-Z][\w.-]*", text)) | {"--help"}
    unknown = sorted(flag for flag in flags if flag not in known)
    return f"{command or 'seedwise'} knows no {', '.join(unknown)}" if unknown else None


@pytest.mark.slow
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_commands_on_the_page_exist(path):
    calls = list(calls_in(path.read_text("utf-8")))
    found = [f"{path.name}:{line}: {wrong}." for line, call in calls if (wrong := wrong_in(call))]
    assert found == []


# The tree -------------------------------------------------------------------------------------------------------------


def test_the_tree_in_the_readme_is_that_of_the_package():
    page = README.read_text("utf-8")
    tree = page[page.index("src/seedwise/\n") :].partition("\nbenchmarks/")[0].splitlines()[1:]
    told = {word.strip("/") for line in tree for word in re.findall(r"^  (\S.*?)(?:  |$| the public)", line)[0].split()}
    folder = ROOT / "src" / "seedwise"
    there = {path.name for path in folder.iterdir() if path.name not in {"__pycache__", "py.typed"}}
    assert told == there


# The test itself ------------------------------------------------------------------------------------------------------

PAGE = """
Call `seedwise status DIR`, see `seedwise.stats`.

```bash
./dev demo -o out   # a comment with --flags
SEED=1 seedwise run DIR \\
    --budget 10 | tee log && ./dev run seedwise plan DIR --budget 1..30
```

```console
$ seedwise trials DIR [--format json]
seedwise prints this
```

```python
answer = 42
```

<!-- not run: it needs the network -->
```python
raise RuntimeError
```

```pycon
>>> answer
42
```
"""


def test_calls_are_found_with_their_lines():
    assert sorted(calls_in(PAGE)) == [
        (2, ["status", "DIR"]),
        (5, ["demo", "-o", "out"]),
        (6, ["plan", "DIR", "--budget", "1..30"]),
        (6, ["run", "DIR", "--budget", "10"]),
        (11, ["trials", "DIR", "[--format", "json]"]),
    ]


def test_blocks_of_python_run_in_order():
    run_python(PAGE, "page")


def test_block_that_fails_is_named_by_its_line():
    with pytest.raises(ZeroDivisionError) as failure:
        run_python("# Title\n\n```python\na = 0\n1 / a\n```\n", "page")
    assert (failure.traceback[-1].path, failure.traceback[-1].lineno + 1) == ("page", 5)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (["run", "DIR", "--budget", "3"], None),
        (["run", "DIR", "[--budget=3]"], None),
        (["run", "DIR", "--bugdet", "3"], "run knows no --bugdet"),
        (["walk", "DIR"], "there is no command walk"),
        (["COMMAND", "--help"], None),
        (["--help"], None),
        (["--verison"], "seedwise knows no --verison"),
    ],
)
def test_calls_are_held_against_the_help(call, expected, monkeypatch):
    pages = {(): "Usage: seedwise COMMAND", ("run",): "Usage: seedwise run [OPTIONS] DIR\n│ --budget -b  how much"}
    monkeypatch.setattr(sys.modules[__name__], "help_text", lambda *command: pages.get(command, pages[()]))
    assert wrong_in(call) == expected
