"""WARC files to scored pages: this pipeline against the stock datatrove chain, on the same files in one run.

Usage: python bench/pipeline.py [WARC ...]        default: the sample crawl

Stock chain: WarcReader, Trafilatura, FastTextClassifierFilter, one process. Ours: ingest and score of one part at a
time, page limits and language included. Both with one model, trained by the sample's first round (make iterate). CPU
seconds of each side with all its children; the ratio is what counts.
"""

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "work" / "sample" / "rounds" / "01" / "model" / "model.bin"
CRAWL = ROOT / "work" / "sample-crawl" / "crawl"


def ours(files: list[str]) -> int:
    """Pages scored by corpus."""
    from corpus.classify import score_part
    from corpus.config import Pool
    from corpus.pool import ingest_part
    from corpus.schema import KEPT
    from corpus.tables import read_rows, write_rows
    from corpus.workspace import part

    n_pages = 0
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for rank, file in enumerate(files):
            ingest_part(file, Path(file).name, rank, directory, Pool())
            kept, scores = part(directory, rank, "kept"), part(directory, rank, "scores")
            write_rows(kept, read_rows(part(directory, rank), KEPT.names), KEPT)
            score_part(part(directory, rank), kept, MODEL, scores, max_chars=20_000)
            n_pages += sum(1 for _ in read_rows(scores))
    return n_pages


def stock(files: list[str]) -> int:
    """Pages scored by datatrove's own blocks."""
    import pylibmagic  # noqa: F401 - puts libmagic where python-magic finds it
    from datatrove.pipeline.extractors import Trafilatura
    from datatrove.pipeline.filters import FastTextClassifierFilter
    from datatrove.pipeline.readers import WarcReader
    from loguru import logger

    logger.disable("datatrove")
    FastTextClassifierFilter._requires_dependencies = []  # it looks for a distribution of another name
    documents = None
    for folder in sorted({str(Path(file).parent) for file in files}):
        names = [Path(file).name for file in files if str(Path(file).parent) == folder]
        for name in names:
            reader = WarcReader(folder, glob_pattern=name)
            documents = reader.run(documents, rank=0, world_size=1)
    extracted = Trafilatura(timeout=10).run(documents)
    return sum(1 for _ in FastTextClassifierFilter(str(MODEL), keep_labels=("math", 0.0)).run(extracted))


def main(files: list[str]) -> None:
    if not MODEL.exists():
        sys.exit(f"{MODEL} is missing: it is the model that both sides score with. Type: make iterate ROUND=1")
    rows = []
    for side in ("corpus", "stock datatrove"):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, __file__, f"--{side.split()[0]}", *files]
        n_pages = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        rows.append((side, n_pages, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    print(f"{'':<16}  pages  CPU s  pages per CPU s")
    for side, n_pages, seconds in rows:
        print(f"{side:<16}  {n_pages:>5}  {seconds:>5.1f}  {n_pages / seconds:>15.0f}")
    ratio = rows[0][1] / rows[0][2] / (rows[1][1] / rows[1][2])
    print(f"ratio             {ratio:.1f} x")


if __name__ == "__main__":
    side, *files = sys.argv[1:] or [""]
    if side in ("--corpus", "--stock"):
        print(ours(files) if side == "--corpus" else stock(files))
    else:
        main(sys.argv[1:] or sorted(map(str, CRAWL.glob("*.warc.gz"))))
