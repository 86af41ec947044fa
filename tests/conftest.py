"""Crawls to run the loop on, and a workspace in which it ran: built once a session, to be read only."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from corpus.config import Settings, load_settings, parse_settings, write_settings
from corpus.iterate import iterate
from corpus.stages import file_digest
from corpus.workspace import Workspace
from pipelines.collect import finish
from pipelines.fanout import fan_out_by
from pipelines.ingest import ingest
from pipelines.score import score
from sample.build import build

# A model that trains in half a second, whatever the preset is tuned to.
CLASSIFIER = {"dim": 16, "lr": 0.5, "word_ngrams": 2, "bucket": 20_000, "epoch": 5, "min_count": 2, "min_reads": 0}
SAMPLE: dict[str, dict[str, Any]] = {
    "classifier": CLASSIFIER,
    "scoring": {"evidence": False},
    "negatives": {"per_positive": 3.0},
    "recall": {"keep_tokens": [80_000]},
    "stop": {"already_collected": 1.0},
    "shards": {"shard_megabytes": 1},
    "run": {"workers": 2},
}
TINY = SAMPLE | {
    "classifier": CLASSIFIER | {"min_count": 1, "epoch": 25, "held_out": 0.25},
    "recall": {"keep_tokens": [7_000]},
    "domains": {"confidence": 0.5},
}


def pytest_make_parametrize_id(val: object) -> str | None:
    """Names for bytes: gzip puts the time into them, and parallel workers must agree on the names of all tests."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


@dataclass(frozen=True)
class Crawl:
    """A directory with crawl/*.warc.gz, a seed and benchmark.jsonl, and settings that suit its size."""

    directory: Path
    seed: str
    base: Mapping[str, Mapping[str, Any]]

    def settings_for(self, root: Path, **changes: Mapping[str, Any]) -> Settings:
        """Write root/corpus.toml, making root; `changes` are settings by section."""
        raw: dict[str, Any] = {
            "pool": {"warcs": [str(self.directory / "crawl" / "*.warc.gz")]},
            "seed": {"paths": [str(self.directory / self.seed)]},
            "decontam": {"benchmarks": [str(self.directory / "benchmark.jsonl")]},
        }
        for sections in (self.base, changes):
            for name, values in sections.items():
                raw[name] = {**raw.get(name, {}), **values}
        root.mkdir(parents=True, exist_ok=True)
        path = root / "corpus.toml"
        write_settings(path, parse_settings({"preset": "sample", **raw}, source="a test", base=root))
        return load_settings(path)


@dataclass(frozen=True)
class Finished:
    """A workspace with a corpus, and what `iterate` returned."""

    workspace: Workspace
    settings: Settings
    rows: list[dict[str, Any]]
    crawl: Crawl


def run_loop(root: Path, settings: Settings, n_rounds: int) -> list[dict[str, Any]]:
    """Ingest, rounds, corpus: what `corpus iterate` and `corpus finish` do."""
    workspace = Workspace(root)
    fan_out = fan_out_by(settings.run, workspace)
    ingest(workspace, settings, fan_out)
    rows = iterate(workspace, settings, n_rounds, partial(score, fan_out=fan_out))
    finish(workspace, settings, fan_out)
    return rows


@pytest.fixture(scope="session")
def sample_crawl(tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    """A tenth of the sample crawl: some 900 captures on 50 hosts, with its truth in truth.parquet."""
    directory = tmp_path_factory.mktemp("sample") / "crawl"
    build(directory, share=0.1)
    return Crawl(directory, "seed.parquet", SAMPLE)


@pytest.fixture(scope="session")
def finished(sample_crawl: Crawl, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Three rounds and the corpus of the sample crawl."""
    root = tmp_path_factory.mktemp("finished") / "workspace"
    settings = sample_crawl.settings_for(root)
    rows = run_loop(root, settings, 3)
    return Finished(Workspace(root), settings, rows, sample_crawl)


@pytest.fixture(scope="session")
def tiny_crawl(tmp_path_factory: pytest.TempPathFactory) -> Crawl:
    """72 pages of random sentences on 9 hosts in 3 files: a loop runs through it in seconds."""
    directory = tmp_path_factory.mktemp("tiny")
    write_tiny(directory)
    return Crawl(directory, "seed.jsonl", TINY)


MATHEMATICS = """theorem lemma proof integral matrix vector kernel polynomial prime modulus group ring field
converges derivative eigenvalue topology manifold series limit bounded continuous equation inequality"""
KITCHEN = """butter onion kettle oven recipe flour garlic simmer pastry salad lemon basil spoon market harbour
train ticket island hotel museum bicycle garden winter village bakery supper candle orchard"""
COMMON = "the of a and in with for we then is as that this one every some after before near"


def sentences(topic: str, draw: random.Random, n: int = 16) -> str:
    vocabularies = (COMMON.split(), topic.split())
    return " ".join(
        " ".join(draw.choice(vocabularies[place % 2]) for place in range(9)).capitalize() + "." for _ in range(n)
    )


def tiny_pages() -> Iterator[tuple[str, str]]:
    """(url, body): hosts of mathematics, of other things and mixed ones; a mirror; a quoted benchmark."""
    draw = random.Random(5)
    for host in range(9):
        for number in range(8):
            mathematical = host < 3 or (host < 5 and number < 5)
            topic = MATHEMATICS if mathematical else KITCHEN
            folder = "notes" if mathematical or host < 3 else "blog"
            text = f"<p>{sentences(topic, draw)}</p>"
            if (host, number) == (1, 2):
                text += f"<p>{QUESTION}</p>"
            yield f"http://host{host}.example/{folder}/page{number}.html", text
            if (host, number) == (0, 1):
                yield "http://mirror.example/notes/page1.html", text


QUESTION = "How many lemmas does a proof of nine pages hold when every page after the first holds four?"


def write_tiny(directory: Path) -> None:
    (directory / "crawl").mkdir()
    pages = list(tiny_pages())
    for file_number in range(3):
        with (directory / "crawl" / f"tiny-{file_number}.warc.gz").open("wb") as file:
            writer = WARCWriter(file, gzip=True)
            for number, (url, body) in enumerate(pages[file_number::3]):
                payload = f"<html><head><title>Page</title></head><body>{body}</body></html>".encode()
                headers = StatusAndHeaders(
                    "200 OK", [("Content-Type", "text/html; charset=utf-8")], protocol="HTTP/1.1"
                )
                named = {
                    "WARC-Date": f"2026-01-{1 + number:02d}T00:00:00Z",
                    "WARC-Record-ID": f"<urn:uuid:00000000-0000-0000-{file_number:04d}-{number:012d}>",
                }
                writer.write_record(
                    writer.create_warc_record(
                        url,
                        "response",
                        payload=BytesIO(payload),
                        length=len(payload),
                        http_headers=headers,
                        warc_headers_dict=named,
                    )
                )
    draw = random.Random(7)
    seed = [{"url": f"http://seed{n}.example/", "text": sentences(MATHEMATICS, draw)} for n in range(14)]
    (directory / "seed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in seed))
    (directory / "benchmark.jsonl").write_text(json.dumps({"benchmark": "b", "id": "q1", "question": QUESTION}) + "\n")


def digests(root: Path) -> dict[str, str]:
    """Digest of every file of a workspace but its settings, its lock and the manifests, which hold times."""
    return {
        path.relative_to(root).as_posix(): file_digest(path)
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name not in ("manifest.json", "corpus.toml", ".lock")
    }
