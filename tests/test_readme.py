"""The README shows what runs: its commands are run again on the whole sample crawl, and compared."""

import importlib.util
import platform
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def load_bench_readme() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_readme", ROOT / "bench" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def corpus(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "corpus", *map(str, arguments)], check=True, capture_output=True)


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The README with every output made anew: what `make iterate ROUND=3` does, elsewhere."""
    work = tmp_path_factory.mktemp("readme")
    crawl, workspace, settings = (
        work / "work" / "sample-crawl",
        work / "work" / "sample",
        work / "sample" / "corpus.toml",
    )
    settings.parent.mkdir()
    settings.write_bytes((ROOT / "sample" / "corpus.toml").read_bytes())
    corpus("sample", crawl)
    corpus("iterate", "3", "-w", workspace, "-c", settings)
    corpus("finish", "-w", workspace)
    shown: str = load_bench_readme().render(README, str(workspace), str(crawl))
    return shown


def test_the_readme_shows_what_its_commands_print(rendered: str) -> None:
    if f"<!-- made with Python {platform.python_version()} -->" in README:
        assert rendered == README
    else:  # another Python documents itself in other words, so the sample's numbers differ
        assert [line.split()[:1] for line in rendered.splitlines()] == [
            line.split()[:1] for line in README.splitlines()
        ]


def test_every_make_target_that_the_readme_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z]+)", README))
    assert named <= targets
    assert {"setup", "iterate", "test", "evaluate", "query", "export", "bench", "help"} <= targets
