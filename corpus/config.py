"""Settings: one model per stage, one TOML file, an unknown key is an error.

Defaults are DeepSeekMath's where the paper states a value (arXiv 2402.03300,
section 2.1), else a reasoned choice; each description says which.
"""

import glob
import json
import os
import tomllib
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from corpus.errors import SettingsError
from corpus.tables import replacing

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Language = Annotated[str, Field(pattern="^([a-z]{2,3}|unknown)$")]


class Section(BaseModel):
    # Lists are tuples, so that a model is frozen throughout; ints pass for floats, nothing else is coerced.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Pool(Section):
    """Pages: which records of which WARC files (stage ingest)"""

    warcs: tuple[str, ...] = Field(
        (), description="files, folders, globs or addresses that fsspec opens (s3://, https://)"
    )
    crawl: str = Field("unknown", description="crawl name where a file has no isPartOf of its own")
    min_chars: int = Field(
        200, ge=0, description="shorter cheap text is dropped as too_short; OpenWebMath's floor is near"
    )
    languages: tuple[Language, ...] = Field(
        (), description='ISO 639-1 codes to keep, or "unknown"; empty: all. The paper keeps all it finds'
    )
    exclude_languages: tuple[Language, ...] = Field((), description='ISO 639-1 codes to drop, or "unknown"')
    max_page_bytes: Count = Field(10_000_000, description="a longer decoded page is cut and marked truncated")
    page_seconds: float = Field(10.0, gt=0, description="a page that takes longer is dropped as timeout")
    page_megabytes: int = Field(2_000, ge=256, description="a page that needs more memory is dropped as memory")


class Unique(Section):
    """Duplicates in the pool (stage pool/unique)"""

    near: bool = Field(
        True, description="MinHash near dedup; URL and exact dedup always run. The paper names no method"
    )
    ngram: Count = Field(5, description="words a shingle; datatrove's and FineWeb's value")
    permutations: Count = Field(120, description="MinHash values a page")
    bands: Count = Field(
        20, description="LSH bands; 20 of 6 found all of 1,591 injected pairs above 0.8, 16 of 8 99.6 %"
    )
    rows: Count = Field(6, description="values a band; bands x rows <= permutations")
    verify: Literal["exact", "signature"] = Field(
        "exact", description="what decides a proposed pair: its shingles, or the share of equal MinHash values"
    )
    partitions: Count = Field(16, description="tasks over the band tables; more need less memory each")
    threshold: float = Field(
        0.95,
        gt=0,
        le=1,
        description="exact Jaccard of near duplicates; cheap text holds menus that pages of a site share",
    )

    @model_validator(mode="after")
    def bands_fit(self) -> "Unique":
        if self.bands * self.rows > self.permutations:
            raise ValueError(f"bands x rows is {self.bands * self.rows}, more than permutations ({self.permutations})")
        return self


class Dedup(Unique):
    """Duplicates among the collected pages, on their main text (stage finish/unique)"""

    threshold: float = Field(0.8, gt=0, le=1, description="exact Jaccard of near duplicates")
    against: tuple[str, ...] = Field(
        (), description="Parquet corpora (files, folders or globs) that the corpus is not to repeat"
    )


class Seed(Section):
    """Positives (stage seed)"""

    paths: tuple[str, ...] = Field(
        (), description="JSONL or Parquet with text and optional url (hf:// too), or WARC files of pages"
    )
    max_docs: Count = Field(500_000, description="random positives a round, at most; 500,000 in the paper")


class Negatives(Section):
    """Negatives (stage seed)"""

    paths: tuple[str, ...] = Field((), description="files as for the seed; empty: random pool pages, as in the paper")
    per_positive: float = Field(1.0, gt=0, description="random negatives for each positive; 1 in the paper")
    exclude_collected: bool = Field(
        True, description="draw no pool page that the round before collected; not in the paper"
    )


class Scoring(Section):
    """What a page is ranked by (stages marks and evidence)"""

    evidence: bool = Field(
        False,
        description="formulas, words and place together, as a probability, and negatives that are unlikely by it; "
        "false: the fastText score, as in the paper. AP .987 against .933 on a labelled crawl, see docs/evaluation.md",
    )


class Classifier(Section):
    """fastText, supervised (stage model)"""

    dim: Count = Field(256, description="size of a vector; 256 in the paper")
    lr: float = Field(0.1, gt=0, description="learning rate; 0.1 in the paper")
    word_ngrams: Count = Field(3, description="longest word n-gram; 3 in the paper")
    min_count: Count = Field(3, description="occurrences a word needs; 3 in the paper")
    epoch: Count = Field(3, description="passes over the training text; 3 in the paper")
    min_reads: int = Field(
        0, ge=0, description="documents read over all passes, at least: few documents get up to 50; not in the paper"
    )
    bucket: Count = Field(2_000_000, description="hash buckets for n-grams; fastText's default")
    max_chars: Count = Field(
        20_000, description="characters of a page that are read; 10,000 ranked worse (AP .90 against .93)"
    )
    threads: Count = Field(1, description="more trains faster, and no longer gives the same model twice")
    held_out: float = Field(0.1, gt=0, lt=1, description="share of domains kept out of training, to measure on")
    random_seed: int = Field(1, description="draws the samples, and seeds fastText")


class Recall(Section):
    """How much of the ranked pool a round collects (stage recalled): exactly one of the four"""

    keep_tokens: tuple[Count, ...] = Field(
        (40_000_000_000,),
        description="token budget of each round, the last one repeats; 40 billion in round 1 of the paper",
    )
    keep_share: float | None = Field(None, gt=0, le=1, description="share of the scored pages, instead of a budget")
    min_score: float | None = Field(
        None, ge=0, le=1, description="every page with this score, or posterior with scoring.evidence"
    )
    precision: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="estimated without labels, needs scoring.evidence: pages are kept while their mean posterior is "
        "no less. .95, .9, .85 had precision .98, .96, .94 and recall .89, .93, .95 on a labelled crawl",
    )

    @model_validator(mode="after")
    def one_rule(self) -> "Recall":
        given = [key for key in type(self).model_fields if getattr(self, key) not in (None, ())]
        if len(given) != 1:
            raise ValueError(
                "give exactly one of keep_tokens, keep_share, min_score and precision, not "
                f"{' and '.join(given) or 'none'}"
            )
        return self

    def budget(self, number: int) -> int | None:
        """Token budget of a round (from 1); None where another rule holds."""
        return self.keep_tokens[min(number, len(self.keep_tokens)) - 1] if self.keep_tokens else None


class Domains(Section):
    """Math domains, their URL prefixes, and who decides (stages domains and expanded)"""

    min_share: Share = Field(
        0.1, description="a domain is math if more than this share was collected; 0.1 in the paper"
    )
    confidence: float = Field(
        0.95,
        ge=0,
        lt=1,
        description="that a share is above min_share, by a one-sided bound, and that a prefix differs from its site; "
        "0: the share itself counts, as in the paper",
    )
    prefix_depth: int = Field(
        4,
        ge=0,
        le=6,
        description="path segments of a prefix, at most; it is as long as it has to be to tell pages apart",
    )
    accept_share: Share = Field(
        0.5,
        description="the auto rule accepts a prefix of which at least this share was collected, and of which pages "
        "enough to be sure that min_share was",
    )
    annotate: Literal["auto", "manual"] = Field(
        "auto", description='"manual" stops each round until a person has decided; the paper\'s way'
    )


class Stop(Section):
    """When the loop ends early"""

    already_collected: Share = Field(
        0.98,
        description="share, by pages and tokens, that the round before had already: the round is the last; 0.98 there",
    )
    on_drift: bool = Field(
        False,
        description="end with a round that leaves its subject: held-out precision fell, or prefixes flood the seed",
    )


class Extract(Section):
    """Text of the collected pages (stage extracted)"""

    format: Literal["plain", "markdown"] = Field(
        "plain", description="Markdown marks headings, emphasis and code too; lists and tables look alike in both"
    )


class Boilerplate(Section):
    """Lines that many pages of a host repeat: menus, licences, notices (stage finish/boilerplate)"""

    action: Literal["off", "count", "remove"] = Field(
        "count", description="remove: later stages read the texts without them; the paper says nothing of it"
    )
    min_pages: Count = Field(10, description="pages of the host that have the line; at 5 lines of programs went")
    min_share: Share = Field(
        0.2, description="share of the host's pages; from .05 to .2 lines of programs and titles of other pages went"
    )
    min_words: Count = Field(
        10, description='words of a run of such lines; "(a)", "Answer." and `import numpy as np` are repeated too'
    )
    partitions: Count = Field(16, description="tasks over the lines; more need less memory each")


class Decontam(Section):
    """Benchmarks (stage contaminated)"""

    benchmarks: tuple[str, ...] = Field((), description="JSONL or Parquet files, folders or globs")
    columns: tuple[str, ...] = Field(
        ("question",), min_length=1, description="columns that are protected, where a row has them"
    )
    rules: tuple[Literal["deepseekmath", "qwen", "strict"], ...] = Field(
        ("strict",),
        min_length=1,
        description="any of deepseekmath (shared n-gram; the paper's), qwen (13-gram and alignment), strict (ours)",
    )
    action: Literal["page", "segment", "flag"] = Field(
        "page",
        description="what goes: the page, as in the paper; the lines that hold the match; or nothing, it is only told",
    )
    protect: Literal["question", "question_and_solution"] = Field(
        "question", description="what has to be found: the question, or also its answer or solution"
    )
    ngram: Count = Field(10, description="deepseekmath: any shared n-gram; 10 in the paper. Chinese: half as many more")
    min_ngram: Count = Field(
        3, description="deepseekmath: shorter texts match whole down to this many words; 3 in the paper"
    )
    min_score: float = Field(
        28.0,
        gt=0,
        description="strict: bits of evidence in a reworded question; 15, 20, 28, 35, 50 caught 82, 81, 77, 71, 58 % "
        "of rewrites and 3, 0, 0, 0, 0 of 3,409 clean pages",
    )
    min_share: Share = Field(
        0.65, description="strict: share of a question that is aligned; .75 halved flags on mathematics, and cost 2 %"
    )
    allow: tuple[str, ...] = Field(
        (), description="CSV files of pages that stay: page_id or url, benchmark, item_id, who, when, why"
    )

    @model_validator(mode="after")
    def ordered(self) -> "Decontam":
        if self.min_ngram > self.ngram:
            raise ValueError(f"min_ngram ({self.min_ngram}) must not exceed ngram ({self.ngram})")
        return self


class Shards(Section):
    """The corpus (stage corpus)"""

    shard_megabytes: Count = Field(256, description="text of a shard, uncompressed")


class Run(Section):
    """Where the work is done; nothing here changes a result"""

    executor: Literal["local", "ray", "slurm"] = Field("local", description="datatrove's executors")
    workers: int = Field(0, ge=0, description="tasks at a time; 0: one a core (local) or no limit")
    ray_address: str = Field("", description='"" starts Ray on this machine; "auto" or host:port joins a cluster')
    slurm_partition: str = Field("", description="required for slurm")
    slurm_time: str = Field("24:00:00", description="time limit of a task")
    task_gigabytes: Count = Field(4, description="memory a task asks for (ray, slurm)")


PRESETS: dict[str, dict[str, Any]] = {
    "deepseekmath": {},
    # One machine and some thousand pages: a model of the paper's kind that trains in seconds. Learning rate and
    # passes suit negatives that the evidence has cleaned; without it they learn by heart what random negatives hold
    # of what is sought, and lr 0.1 with 3 passes does better.
    "sample": {
        "classifier": {"dim": 16, "word_ngrams": 2, "bucket": 200_000, "lr": 0.3, "min_reads": 25_000},
        "seed": {"max_docs": 5_000},
        "negatives": {"per_positive": 2.0},
        "scoring": {"evidence": True},
        "recall": {"keep_tokens": [], "precision": 0.9},
        "shards": {"shard_megabytes": 1},
    },
}


class Settings(Section):
    preset: Literal["deepseekmath", "sample"] = "deepseekmath"
    pool: Pool = Pool()
    unique: Unique = Unique()
    seed: Seed = Seed()
    negatives: Negatives = Negatives()
    scoring: Scoring = Scoring()
    classifier: Classifier = Classifier()
    recall: Recall = Recall()
    domains: Domains = Domains()
    stop: Stop = Stop()
    extract: Extract = Extract()
    boilerplate: Boilerplate = Boilerplate()
    dedup: Dedup = Dedup()
    decontam: Decontam = Decontam()
    shards: Shards = Shards()
    run: Run = Run()

    @model_validator(mode="after")
    def precision_is_estimated(self) -> "Settings":
        if self.recall.precision is not None and not self.scoring.evidence:
            raise ValueError(
                "recall.precision needs scoring.evidence = true, which estimates it; or give recall.keep_tokens"
            )
        return self


# Settings that name files; relative ones are taken from the folder of the settings file.
PATHS = (
    ("pool", "warcs"),
    ("seed", "paths"),
    ("negatives", "paths"),
    ("dedup", "against"),
    ("decontam", "benchmarks"),
    ("decontam", "allow"),
)


def load_settings(path: Path) -> Settings:
    """Read a settings file; a preset's values hold where the file says nothing.

    Raises SettingsError naming the key, what was found and what is allowed.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such settings file. `corpus init` writes one with every default.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not TOML: {error}") from None
    return parse_settings(raw, source=str(path), base=path.absolute().parent)


def parse_settings(raw: dict[str, Any], *, source: str, base: Path) -> Settings:
    """Settings of a parsed TOML document; relative paths are taken from `base`."""
    preset = raw.get("preset", "deepseekmath")
    merged = dict(raw)
    for name, values in PRESETS.get(preset if isinstance(preset, str) else "", {}).items():
        given = raw.get(name, {})
        if isinstance(given, dict):
            merged[name] = {**values, **given}
    recall = raw.get("recall")
    if isinstance(recall, dict) and recall.keys() & Recall.model_fields.keys():  # a rule replaces the default one
        merged["recall"] = {"keep_tokens": [], **recall}
    try:
        # By way of JSON: strict, yet a list is taken for a tuple and an int for a float.
        settings = Settings.model_validate_json(json.dumps(merged, default=str), strict=True)
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(source, problem) for problem in error.errors())) from None
    return _absolute(settings, base)


def _absolute(settings: Settings, base: Path) -> Settings:
    changed: dict[str, Section] = {}
    for section, key in PATHS:
        model = changed.get(section, getattr(settings, section))  # of which another key may be absolute already
        paths = tuple(map(partial(_below, base), getattr(model, key)))
        changed[section] = model.model_copy(update={key: paths})
    return settings.model_copy(update=changed)


def _below(base: Path, pattern: str) -> str:
    """A path or pattern as seen from `base`, whose own characters mean nothing in a pattern."""
    if "://" in pattern:
        return pattern
    root = glob.escape(str(base)) if glob.has_magic(pattern) else str(base)
    return os.path.normpath(root / Path(pattern).expanduser())


def _explain(source: str, problem: Any) -> str:
    """One line for a person: where, what was found, what is allowed."""
    *sections, key = [str(part) for part in problem["loc"]] or [""]
    if not key:
        return f"{source}: {problem['msg'].removeprefix('Value error, ')}"
    where = f"{source}: {'.'.join([*sections, key])}"
    found = problem["input"]
    if problem["type"] == "extra_forbidden":
        fields = Settings.model_fields if not sections else Settings.model_fields[sections[0]].annotation.model_fields  # type: ignore[union-attr]
        return f"{where}: unknown key (found {found!r}); allowed here: {', '.join(fields)}"
    return f"{where}: {problem['msg'].removeprefix('Value error, ')} (found {found!r})"


def write_settings(path: Path, settings: Settings) -> None:
    """Write every setting with its meaning and source; values that equal the preset's stand commented out."""
    preset = parse_settings({"preset": settings.preset}, source="preset", base=Path())
    lines = [
        "# Settings of this workspace. A line that is commented out shows the value that holds;",
        "# remove the # to change it. Relative paths are taken from the folder of this file.",
        "",
        "# A set of defaults: " + " or ".join(PRESETS),
        f"preset = {_toml(settings.preset)}",
    ]
    for name, info in Settings.model_fields.items():
        section = getattr(settings, name)
        if not isinstance(section, Section):
            continue
        assert info.annotation is not None
        lines += ["", f"# {section.__doc__}", f"[{name}]"]
        for key, field in type(section).model_fields.items():
            value = getattr(section, key)
            choices = get_args(field.annotation) if str(field.annotation).startswith("typing.Literal") else ()
            allowed = f" ({' | '.join(choices)})" if choices else ""
            lines.append(f"#   {field.description}{allowed}")
            if value is None:
                lines.append(f"# {key} = (not set)")
            else:
                unchanged = value == getattr(getattr(preset, name), key)
                lines.append(f"{'# ' if unchanged else ''}{key} = {_toml(value)}")
    with replacing(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _toml(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case tuple():
            return "[" + ", ".join(map(_toml, value)) + "]"
        case int():
            return f"{value:_}"
        case _:
            return repr(value)
