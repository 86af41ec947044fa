"""The command line: each verb is one call of a public function."""

from corpus.cli import annotate, audit, benchmarks, loop, tools
from corpus.cli.base import app, root, run

__all__ = ["annotate", "app", "audit", "benchmarks", "loop", "main", "root", "tools"]


def main() -> None:
    """Entry point of the console script."""
    run()
