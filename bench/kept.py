"""Which known formulas of a page stand in the text that an extractor makes of it, by kind of markup."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from extractors import Extractor
from gold import SPLITS, rendered_pages
from report import Table, share
from tex import by_tokens, formulas, matched, verbatim

NO_TEX = ("mathml", "mjx3")  # kinds that carry no TeX
BARE = "none"  # the kind whose pages have no formulas left
NOTE = (
    "45 pages, each with its known formulas written in every kind of markup. A formula is kept where it stands between "
    "delimiters in the text, each as often as the page has it. Compared verbatim, without white space and without what "
    "only says how a formula is set (delimiters, an equation environment or `\\displaystyle` around it); "
    "`mathml` and `mjx3` carry no TeX and are compared by tokens (see bench/tex_tokens.py)."
)


def kept_formulas(extraction: Path, compared: list[Extractor]) -> list[Table]:
    """Recall by kind, a table a split of the sites; precision; formulas on pages that have none."""
    n_pages: Counter[tuple[str, str]] = Counter()  # by split and kind
    known: Counter[tuple[str, str]] = Counter()
    kept: Counter[tuple[str, str, str]] = Counter()  # and by extractor
    found: Counter[tuple[str, str, str]] = Counter()
    for page in rendered_pages(extraction):
        key: Callable[[str], str] = by_tokens if page.kind in NO_TEX else verbatim
        expected = [] if page.kind == BARE else [key(tex) for tex in page.formulas]
        splits = [split for split, holds in SPLITS.items() if holds(page.held_out)]
        for split in splits:
            n_pages[split, page.kind] += 1
            known[split, page.kind] += len(expected)
        for extractor in compared:
            shown = [key(tex) for tex in formulas(extractor.run(page.html, None)[0] or "")]
            for split in splits:
                kept[split, page.kind, extractor.name] += matched(expected, shown)
                found[split, page.kind, extractor.name] += len(shown)
    names = [extractor.name for extractor in compared]
    kinds = sorted({kind for _, kind in known} - {BARE}, key=lambda kind: (kind in NO_TEX, kind))

    def recall(split: str) -> Table:
        rows = [[kind, *(share(kept[split, kind, name], known[split, kind]) for name in names)] for kind in kinds]
        title = f"Formulas kept, {split} ({n_pages[split, BARE]} pages and {known[split, kinds[0]]} formulas a kind)"
        return Table(title, NOTE if split == "held out" else "", ["kind", *names], rows)

    def precision(split: str, name: str) -> str:
        return share(sum(kept[split, kind, name] for kind in kinds), sum(found[split, kind, name] for kind in kinds))

    invented = Table(
        "Formulas invented",
        "Precision: the share of the formulas in the text that the page has, over all kinds. Invented: formulas a page "
        f"in the text of pages that have none left (kind `{BARE}`).",
        ["extractor", *(f"precision, {split}" for split in SPLITS), "invented"],
        [
            [
                name,
                *(precision(split, name) for split in SPLITS),
                f"{found['all', BARE, name] / n_pages['all', BARE]:.2f}",
            ]
            for name in names
        ],
    )
    return [*(recall(split) for split in SPLITS), invented]
