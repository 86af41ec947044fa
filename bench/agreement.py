"""How far an extractor's text agrees with the text that the page's author or an annotator wrote."""

from collections import defaultdict
from pathlib import Path

from extractors import Extractor
from gold import SPLITS, WordScore, gold_pages, mean, prose_words, word_score
from report import Table, share
from tex import formulas, matched, verbatim

NOTE = (
    "Bags of words of the prose, formulas left out on both sides; means over pages. Precision is one minus noise: the "
    "share of the text's words that the gold text has. Gold texts are sources (LaTeX, PreTeXt, Markdown) or annotated "
    "Markdown; sources hold notes, indices and macros that no page shows, so no extractor reaches 1. Formulas: the "
    "share of the gold's formulas that stand between delimiters in the text, verbatim; macros of the source that the "
    "page has expanded are lost to all."
)


def agreement(extraction: Path, compared: list[Extractor]) -> list[Table]:
    """Word scores and formulas by extractor, all sites and held-out ones; word F1 by kind of gold."""
    pages = gold_pages(extraction)
    scores: dict[str, list[tuple[str, bool, WordScore]]] = defaultdict(list)
    kept: dict[str, list[tuple[bool, int]]] = defaultdict(list)
    for page in pages:
        expected = [verbatim(tex) for tex in page.formulas]
        for extractor in compared:
            text = extractor.run(page.html, page.url)[0] or ""
            kept[extractor.name].append((page.held_out, matched(expected, map(verbatim, formulas(text)))))
            if page.words:
                score = word_score(page.words, prose_words(text))
                scores[extractor.name].append((page.kind, page.held_out, score))
    names = [extractor.name for extractor in compared]
    columns, rows = ["extractor"], [[name] for name in names]
    for split, holds in SPLITS.items():
        columns += [f"F1, {split}", "precision", "recall", "formulas"]
        known = sum(len(page.formulas) for page in pages if holds(page.held_out))
        for row in rows:
            chosen = [score for _, held_out, score in scores[row[0]] if holds(held_out)]
            row += [f"{mean(getattr(score, name) for score in chosen):.3f}" for name in ("f1", "precision", "recall")]
            row.append(share(sum(count for held_out, count in kept[row[0]] if holds(held_out)), known))
    kinds = sorted({page.kind for page in pages if page.words})
    by_kind = [
        [kind, str(sum(page.kind == kind for page in pages))]
        + [f"{mean(score.f1 for of, _, score in scores[name] if of == kind):.3f}" for name in names]
        for kind in kinds
    ]
    n_held_out = sum(page.held_out for page in pages)
    return [
        Table(
            f"Main text and formulas, {len(pages)} pages with gold, {n_held_out} of them held out", NOTE, columns, rows
        ),
        Table("Word F1 by kind of gold", "", ["gold", "pages", *names], by_kind),
    ]
