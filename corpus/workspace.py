"""A workspace on disk: the stages of a corpus, and where each lies.

WS/corpus.toml                          settings the next run will use
   pool/parts  signatures  unique       pages; what makes them comparable; which remain
   seed/                                documents that a person gave, as the classifier reads them
   rounds/01/seed model scores recalled domains expanded
             annotations.csv            a person's say: never rewritten by a stage
   finish/extracted boilerplate signatures unique contaminated
   corpus/                              shards, statistics, dataset card
   exports/NAME/                        tokenized shards
"""

from dataclasses import dataclass
from pathlib import Path

from corpus.errors import WorkspaceError
from corpus.stages import Stages, parts
from corpus.tables import sql_list


@dataclass
class Workspace(Stages):
    """A workspace directory. It is created by `init`; opening one that is none raises WorkspaceError."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.settings_path.is_file():
            raise WorkspaceError(
                f"{self.root} is no workspace: it holds no corpus.toml. Make one: corpus init -w {self.quoted}"
            )

    @property
    def settings_path(self) -> Path:
        return self.root / "corpus.toml"

    def command(self) -> str:
        return f"corpus iterate {max(1, self.rounds_built())} -w {self.quoted}"

    def round(self, number: int, stage: str) -> str:
        """Name of a round's stage."""
        return f"rounds/{number:02d}/{stage}"

    def annotations(self, number: int) -> Path:
        return self.root / "rounds" / f"{number:02d}" / "annotations.csv"

    def pages(self) -> str:
        """The pool's unique pages (columns of schema.PAGE) as a table in DuckDB's SQL."""
        captures, kept = sql_list(parts(self.path("pool/parts"))), sql_list(parts(self.path("pool/unique"), "kept"))
        return (
            f"(SELECT p.* FROM read_parquet({captures}) p SEMI JOIN read_parquet({kept}) k "
            "USING (page_id, warc_filename, warc_record_offset))"
        )

    def rounds_built(self) -> int:
        """How many rounds were completed, counted from the first, current or not."""
        number = 0
        while self.manifest(self.round(number + 1, "expanded")) is not None:
            number += 1
        return number

    def rounds_done(self, stage: str = "expanded") -> int:
        """How many rounds are current as far as a stage, the last without it, counted from the first."""
        number = 0
        while self.is_current(self.round(number + 1, stage)):
            number += 1
        return number
