"""Pages: which documentation stands at which address, what it is about, and its HTML."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sample import docs, render
from sample.markup import WRITERS
from sample.sites import SEED, SITES, Section, Site
from sample.templates import TEMPLATES, Link

MIN_TEXT = 450  # characters of a page's own text
MAX_SEEN_SHARE = 0.25  # of a page's 8-word windows, that other pages have too
MIN_FORMULAS = 3

_TERM = re.compile(
    r"\b(?:theorem|lemma|proof|conjecture|polynomial|matri(?:x|ces)|integral|integer|prime|graph|vert(?:ex|ices)|edge"
    r"|eigenvalue|permutation|group|subgroup|ring|field|ideal|finite|derivative|converge|convergence|distribution"
    r"|probability|variance|coefficient|equation|inequality|root|zero|modulo|divisor|factorial|binomial|rational"
    r"|irrational|algebraic|symmetric|orthogonal|bipartite|planar|isomorphism|homomorphism|cycle|path|tree|clique"
    r"|coloring|determinant|triangle|circle|ellipse|angle|polygon|asymptotic|infinite|series|recurrence|theory|denote"
    r"|defined|satisfy|satisfies|complex|dimension|vector)s?\b",
    re.IGNORECASE,
)
_PROGRAMMING = re.compile(
    r"\b(?:self|argument|parameter|keyword|class|method|subclass|instance|object|python|sympy|numpy|scipy|ndarray|array"
    r"|deprecated|callback|stdout|dtype|callable|iterator|alias|helper|implementation|subroutine|cython|tuple|dict)(?:e?s)?\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Page:
    """A page of the pool or of the seed, before it is dressed by its site's template."""

    site: Site
    path: str
    title: str
    label: str  # math, not_math or borderline
    blocks: list[render.Block] = field(repr=False)

    @property
    def url(self) -> str:
        scheme = "http" if self.site.template == "bare" else "https"
        return f"{scheme}://{self.site.host}{self.path}"


def collect(share: float, report: Callable[[str, int, int], None]) -> tuple[list[Page], list[Page]]:
    """Pages of the pool and of the seed, no text in two of them.

    share: of each section's pages, in (0, 1]; at least two of each.
    """
    claims = _claims()
    novelty = docs.Novelty(MAX_SEEN_SHARE)
    found: dict[bool, list[Page]] = {True: [], False: []}
    every = [(site, section) for site in (*SEED, *SITES) for section in site.sections]
    for number, (site, section) in enumerate(every):
        report("documentation", number, len(every))
        wanted = max(2, round(section.n_pages * share))
        for page in _section_pages(site, section, claims, novelty):
            found[site in SEED].append(page)
            wanted -= 1
            if wanted == 0:
                break
    docs.entries.cache_clear()
    return found[False], found[True]


def _claims() -> dict[str, list[str]]:
    """The hosts that show each module prefix: they divide its objects among themselves."""
    claims: dict[str, list[str]] = {}
    for site in (*SEED, *SITES):
        for section in site.sections:
            for prefix in section.modules:
                claims.setdefault(prefix, []).append(site.host + section.path)
    return claims


def _section_pages(site: Site, section: Section, claims: dict[str, list[str]], novelty: docs.Novelty) -> Iterator[Page]:
    """Every page that the section could have; an object's text goes to one claimant by its name."""
    sources = sorted(
        {(module, path, prefix) for prefix in section.modules for module, path in docs.modules(prefix)},
        key=lambda source: (docs.order(source[0]), source[0], source[2]),
    )
    taken: set[str] = set()
    for module, path, prefix in sources:
        owners = claims[prefix]
        mine = [
            entry
            for entry in docs.entries(module, path)
            if owners[docs.order(entry.name + "?") % len(owners)] == site.host + section.path
        ]
        for title, blocks in _gathered(mine, section, site):
            slug = _slug(title, site)
            text = render.to_text(blocks)
            about = label(section, blocks)
            if section.subject == "math" and about == "borderline" and (site in SEED or docs.order(slug) % 4):
                continue  # a site about mathematics has some such pages, not half of them
            if novelty.add(text):
                if slug in taken:
                    slug += f"-{docs.order(text):x}"
                taken.add(slug)
                yield Page(site, _address(site, section, slug), title, about, blocks)


def _gathered(entries: list[docs.Entry], section: Section, site: Site) -> Iterator[tuple[str, list[render.Block]]]:
    """(title, blocks) of pages; entries of a module with little text share one."""
    mathematical = section.subject != "other"
    pending: list[render.Block] = []
    title = ""
    for entry in entries:
        blocks = render.parse(entry.text, mathematical)
        if section.subject == "math":
            blocks = render.prose(blocks)
        elif entry.signature and site.template == "docs":
            blocks = [render.Block("code", entry.signature), *blocks]
        if not pending:
            title = _title(entry, blocks)
        pending += [render.Block("heading", _title(entry, blocks)), *blocks] if pending else blocks
        if len(render.to_text([block for block in pending if block.kind != "code"])) >= MIN_TEXT:
            yield title, pending
            pending = []


def label(section: Section, blocks: list[render.Block]) -> str:
    """math: mathematics makes up the page; borderline: formulas, or a program for mathematics; not_math.

    A page of a mathematical section is math if it has formulas enough for its length, or
    one at least and many mathematical terms, or very many terms, and speaks little of programs.
    """
    plain = render.to_text([block for block in blocks if block.kind != "code"])
    code = sum(len(block.text) for block in blocks if block.kind == "code")
    n_words = max(1, len(re.findall(r"\w+", plain)))
    n_terms = len(_TERM.findall(plain))
    n_formulas = sum(len(tex) > 1 for tex in render.formulas(blocks))
    if section.subject == "math":
        dense = n_formulas >= MIN_FORMULAS and n_formulas / n_words >= 0.012
        worded = n_terms / n_words >= (0.055 if n_formulas else 0.085) and n_terms >= 8
        technical = len(_PROGRAMMING.findall(plain)) / n_words > (0.04 if dense else 0.025) or code > len(plain)
        return "math" if (dense or worded) and not technical else "borderline"
    if n_formulas >= MIN_FORMULAS or (section.subject == "applied" and (n_formulas or n_terms / n_words >= 0.025)):
        return "borderline"
    return "not_math"


def _title(entry: docs.Entry, blocks: list[render.Block]) -> str:
    """The object's name in words, with what its first sentence says of it where that is short."""
    parts = [part for part in entry.name.split(".") if part.strip("_")]
    name = " ".join(parts[-1:] if not parts[-1].isdigit() else parts[-2:]).strip("_").replace("_", " ")
    first = next((block.text for block in blocks if block.kind == "paragraph"), "")
    sentence = re.split(r"(?<=\w)[.:](?:\s|$)", " ".join(first.split()), maxsplit=1)[0]
    if 12 <= len(sentence) <= 70 and not re.search(r"[`$|*:<>\\=]", sentence):
        return f"{name[:1].upper()}{name[1:]}: {sentence[:1].lower()}{sentence[1:]}"
    parent = parts[-2].strip("_").replace("_", " ") if len(parts) > 1 and not parts[-1].isdigit() else ""
    return f"{name[:1].upper()}{name[1:]} ({parent})" if parent else name[:1].upper() + name[1:]


def _slug(title: str, site: Site) -> str:
    words = re.findall(r"[a-z0-9]+", title.lower())[:9]
    joined = ("_" if site.template == "encyclopedia" else "-").join(words) or "page"
    return joined.capitalize() if site.template == "encyclopedia" else joined


def _address(site: Site, section: Section, slug: str) -> str:
    number = docs.order(site.host + slug)
    match site.template:
        case "forum":
            return f"{section.path}{10_000 + number % 90_000}/{slug}"
        case "blog":
            return f"{section.path}{2015 + number % 11}/{1 + number // 11 % 12:02}/{slug}/"
        case "encyclopedia":
            return f"{section.path}{slug}"
        case "docs" | "bare":
            return f"{section.path}{slug}.html"


def dress(pages: list[Page], added: dict[str, str]) -> Iterator[tuple[Page, str]]:
    """Each page with its HTML: its site's template, links to neighbours and to other hosts.

    added: HTML to put at the end of a page's body, by URL.
    """
    of_site: dict[str, list[Page]] = {}
    for page in pages:
        of_site.setdefault(page.site.host, []).append(page)
    for page in pages:
        siblings = of_site[page.site.host]
        at = docs.order(page.url)
        related = [Link(other.url, other.title) for other in
                   (siblings[(at + step) % len(siblings)] for step in (0, 1, 7)) if other is not page]  # fmt: skip
        elsewhere = [Link(other.url, other.title) for other in (pages[at % len(pages)], pages[at // 7 % len(pages)])]
        body = render.to_html(page.blocks, WRITERS[page.site.markup]) + added.get(page.url, "")
        yield page, TEMPLATES[page.site.template](page.site, page.title, body, related, elsewhere, at)


def front(site: Site, pages: list[Page]) -> str:
    """HTML of the site's front page: a list of what it has."""
    items = "".join(f"<li>{Link(page.url, page.title).html}</li>\n" for page in pages)
    intro = f"<p>Welcome to {site.title}. Below is everything that was published here, newest last.</p>"
    return TEMPLATES[site.template](site, site.title, f"{intro}\n<ul>\n{items}</ul>", [], [], docs.order(site.host))
