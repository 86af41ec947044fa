"""Write the outputs that README.md shows, from a finished sample workspace (make iterate ROUND=3).

Usage: python bench/readme.py
"""

import platform
import re
import subprocess
import sys
from pathlib import Path

from corpus.tokenized import LOADING

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = re.compile(r"<!-- output: (corpus [^\n]+) -->\n.*?<!-- end -->", re.DOTALL)
MADE_WITH = re.compile(r"<!-- made with Python [\d.]+ -->")
LOAD = re.compile(r"<!-- loading -->\n.*?<!-- end -->", re.DOTALL)


def render(readme: str, workspace: str = "work/sample", crawl: str = "work/sample-crawl") -> str:
    """The README with each marked block replaced by what its command prints now."""

    def output(found: re.Match[str]) -> str:
        arguments = found[1].replace("work/sample-crawl", crawl).split()[1:]
        arguments = [workspace if argument == "work/sample" else argument for argument in arguments]
        command = [sys.executable, "-m", "corpus", *arguments]
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
        shown = done.stdout.replace(f"{Path(ROOT, workspace)}", "work/sample")
        return f"<!-- output: {found[1]} -->\n```\n$ {found[1]}\n{shown}```\n<!-- end -->"

    readme = MADE_WITH.sub(f"<!-- made with Python {platform.python_version()} -->", readme)
    loading = "\n".join(f"```python\n{snippet.strip()}\n```" for snippet in LOADING.values())
    return LOAD.sub(lambda _: f"<!-- loading -->\n{loading}\n<!-- end -->", OUTPUT.sub(output, readme))


if __name__ == "__main__":
    path = ROOT / "README.md"
    path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")
