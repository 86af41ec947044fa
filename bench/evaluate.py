"""Three rounds and a corpus on a real, labelled crawl; then precision and recall against the labels.

Usage: python bench/evaluate.py SHARED

SHARED holds crawl_dev, background, seed_web and benchmarks (see docs/evaluation.md); it is no part of the
project. The workspace, work/evaluate, is made anew each time: what is measured is the code as it is.
"""

import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("crawl_dev", "background", "seed_web", "benchmarks")


def main(shared: Path) -> int:
    missing = [name for name in NEEDED if not (shared / name).is_dir()]
    if missing:
        print(
            f"{shared}: {', '.join(missing)} not found. The labelled crawl is no part of the project: nothing is "
            "measured without it. Name its folder: make evaluate SHARED=dir",
            file=sys.stderr,
        )
        return 1
    workspace = ROOT / "work" / "evaluate"
    shutil.rmtree(workspace, ignore_errors=True)
    corpus = [sys.executable, "-m", "corpus"]
    place = ["--workspace", str(workspace)]
    settings = workspace.parent / f"{workspace.name}.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    template = (ROOT / "bench" / "crawl_dev.toml").read_text(encoding="utf-8")
    settings.write_text(template.replace("../../shared", str(shared.resolve())), encoding="utf-8")
    started = time.monotonic()
    subprocess.run([*corpus, "iterate", "3", *place, "--config", str(settings)], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*corpus, "finish", *place], check=True)
    seconds = time.monotonic() - started
    labels = [str(shared / name / "labels.jsonl") for name in ("crawl_dev", "background")]
    print()
    subprocess.run([*corpus, "evaluate", *labels, *place], check=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"\n{seconds:.0f} s; peak memory of one process {peak:.0f} MB")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
