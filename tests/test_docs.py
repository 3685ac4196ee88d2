"""Documentation that is not true fails the build: links, commands, settings, printed answers."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from csfinterp.cli import main
from csfinterp.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "config").glob("*.md")), *sorted((ROOT / "reference_ranges").glob("*.md")),
         *sorted((ROOT / "tests").glob("*.md")), *sorted((ROOT / "csfinterp" / "guides").glob("*.md"))]  # fmt: skip


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("file", PAGES, ids=name_of)
def test_links_lead_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", file.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (file.parent / target).exists(), target


def commands(page: Path) -> Iterator[list[str]]:
    """Every `csfinterp …` of the code blocks and of the inline code of a page, as words."""
    text = page.read_text(encoding="utf-8")
    blocks = "\n".join(re.findall(r"```(?:sh|console)\n(.*?)```", text, re.DOTALL)).replace("\\\n", " ")
    inline = "\n".join(re.findall(r"`(csfinterp [^`]+)`", text))
    for line in f"{blocks}\n{inline}".splitlines():
        for part in line.removeprefix("$ ").split("&&"):
            words = shlex.split(part, comments=True)
            if words and words[0].rpartition("/")[2] == "csfinterp":
                yield words[1:]


@pytest.mark.parametrize("file", PAGES, ids=name_of)
def test_commands_and_their_options_exist(file: Path) -> None:
    for words in commands(file):
        command: click.Command = main
        while isinstance(command, click.Group) and words and not words[0].startswith("-"):
            name = words.pop(0)
            assert name in command.commands, f"csfinterp {name}"
            command = command.commands[name]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        for word in words:
            if word.startswith("--"):
                assert word.partition("=")[0] in known | {"--help", "--version"}, f"{command.name} {word}"


def readme_block(pattern: str) -> list[str]:
    """Lines of what the group of `pattern` matches in README.md."""
    found = re.search(pattern, (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None, f"README.md has no {pattern}"
    return str(found[1]).splitlines()


def test_the_two_commands_are_the_ones_that_work() -> None:
    first, second = readme_block(r"```sh\n(.*?)```")
    assert "pip install -q -c config/constraints.txt ." in first
    assert first.endswith("csfinterp demo")
    assert second == "bash tests/run"
    assert "tests/run" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_printed_answer_is_the_real_one() -> None:
    command, *printed = readme_block(r"```console\n\$ csfinterp (.*?)```")
    words = [str(ROOT / word) if word.endswith(".json") else word for word in shlex.split(command)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    real = iter(done.stdout.splitlines())
    for line in printed:
        assert line == "…" or line in real, f"the report has no line {line!r} (in this order)"


def test_the_readme_is_under_two_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 90


def test_every_setting_is_explained_and_every_explained_one_exists() -> None:
    text = (ROOT / "config" / "default.yaml").read_text(encoding="utf-8")
    assert set(yaml.safe_load(text)) == set(Settings.__dataclass_fields__) - {"config_folder"}
    for page in PAGES:
        for name in re.findall(r"CSFINTERP_([A-Z_]+)\b", page.read_text(encoding="utf-8")):
            assert name.lower() in {*Settings.__dataclass_fields__, "test_env", "test_database"}, (
                f"{page.name}: CSFINTERP_{name}"
            )


def test_constraints_pin_versions_and_nothing_else() -> None:
    lines = (ROOT / "config" / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!-]+", line) for line in pins)


def test_the_top_level_is_the_agreed_one() -> None:
    agreed = {"csfinterp", "reference_ranges", "tests", "config", "pyproject.toml", "README.md", "wsgi.py", "LICENSE"}
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], check=True, capture_output=True, text=True).stdout
    tracked = {line.partition("/")[0].strip('"') for line in listed.splitlines()}
    assert {name for name in tracked if not name.startswith(".")} == agreed
