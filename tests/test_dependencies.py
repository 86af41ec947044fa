"""docs/dependencies.md and the licences of what is installed."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
NAME = re.compile(r"[\w.-]+")
GPL = re.compile(r"\bGPL|GNU General Public|\bAGPL|Affero", re.I)
WEAK = re.compile(r"\bLGPL|(?:Lesser|Library) General Public|\bMPL|Mozilla Public", re.I)


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> list[str]:
    """Distributions of requirements.lock that are installed here: some are for other systems."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    names = {NAME.match(line)[0] for line in lines if NAME.match(line)}
    return sorted(name for name in names if declared(name) is not None)


def declared(name: str) -> str | None:
    """The licence as the distribution declares it: its expression, else its classifiers, else its words for it."""
    try:
        fields = metadata(name)
    except PackageNotFoundError:
        return None
    classifiers = [text for text in fields.get_all("Classifier", []) if text.startswith("License ::")]
    words = (fields.get("License") or "").strip().split("\n")[0]  # some give the whole text
    return fields.get("License-Expression") or "; ".join(classifiers) or words


def is_gpl(licence: str) -> bool:
    """Whether no alternative that a licence offers does without the GPL; the LGPL is another licence."""
    return all(GPL.search(alternative) for alternative in licence.split(" OR "))


def test_every_dependency_has_a_row_in_the_page_and_every_row_a_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [normal(NAME.match(requirement)[0]) for requirement in project["dependencies"]]
    rows = [normal(row) for row in re.findall(r"^\| ([\w.-]+) \|", PAGE, re.M) if row != "dependency"]
    assert sorted(rows) == sorted(named)


def test_no_dependency_is_under_the_gpl_alone():
    assert [name for name in locked() if is_gpl(declared(name))] == []


def test_what_is_under_the_lgpl_or_mpl_is_named_in_the_page():
    weak = [name for name in locked() if WEAK.search(declared(name))]
    assert weak  # certifi at least: the pattern finds what it is for
    assert [name for name in weak if f"`{name}`" not in PAGE] == []


def test_every_distribution_declares_a_licence():
    assert [name for name in locked() if not declared(name)] == []


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("GPL-3.0-or-later", True),
        ("AGPL-3.0-only", True),
        ("License :: OSI Approved :: GNU General Public License v2 (GPLv2)", True),
        ("GPL-2.0-only AND MIT", True),
        ("MPL-1.1 OR GPL-2.0-only OR LGPL-2.1-or-later", False),
        ("LGPL-2.1-or-later", False),
        ("Apache-2.0", False),
    ],
)
def test_gpl_is_told_from_its_alternatives_and_from_the_lgpl(licence, expected):
    assert is_gpl(licence) is expected
