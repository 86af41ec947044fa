"""The small web: which host shows which packages, in which dress, and what its pages are about.

Every host is under `.example`, the top-level domain that is reserved for this.
A subject is what a section's modules document; a page's own label also depends on
its content (see `pages.label`).
"""

from dataclasses import dataclass
from typing import Literal

from sample.markup import Markup

Subject = Literal["math", "applied", "other"]
Template = Literal["docs", "blog", "forum", "encyclopedia", "bare"]

SHARED_HOST = "campus.example"  # one registered domain, a /~user/ each


@dataclass(frozen=True)
class Section:
    """Pages under one path of a host: at most n_pages of what `modules` document."""

    path: str  # begins and ends with a slash
    subject: Subject  # math; applied: formulas in another field, or array programming; other
    n_pages: int
    modules: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    host: str
    title: str
    template: Template
    markup: Markup
    sections: tuple[Section, ...]


def _section(path: str, subject: Subject, n_pages: int, modules: str) -> Section:
    return Section(path, subject, n_pages, tuple(modules.split()))


SITES = (
    # Mathematics.
    Site("functions.handbook.example", "Handbook of Functions", "docs", "mathml", (
        _section("/chapters/", "math", 110, "mpmath.function_docs scipy.special"),)),
    Site("www.numbers.example", "Numbers Every Day", "encyclopedia", "mathjax", (
        _section("/wiki/", "math", 75, "sympy.ntheory sympy.functions.combinatorial sympy.crypto"),)),
    Site("blog.grapheon.example", "Grapheon", "blog", "dollars", (
        _section("/posts/", "math", 130, "networkx.algorithms"),)),
    Site("www.graphwiki.example", "Graphwiki", "encyclopedia", "script", (
        _section("/wiki/", "math", 130, "networkx.algorithms networkx.generators networkx.linalg"),)),
    Site("polynomials.example", "Polynomial Club", "forum", "mathjax", (
        _section("/questions/", "math", 140, "sympy.polys numpy.polynomial"),)),
    Site("statlab.example", "Statistics Laboratory", "docs", "katex", (
        _section("/theory/", "math", 130, "scipy.stats"),)),
    Site("matrix.example", "The Matrix Pages", "encyclopedia", "katex", (
        _section("/entry/", "math", 90, "sympy.matrices scipy.linalg numpy.linalg mpmath.matrices"),)),
    Site("quadrature.blogs.example", "Under the Curve", "blog", "wordpress", (
        _section("/notes/", "math", 80, "scipy.integrate mpmath.calculus sympy.integrals"),)),
    Site("permutations.example", "Permutations and Groups", "bare", "dollars", (
        _section("/groups/", "math", 100, "sympy.combinatorics sympy.liealgebras"),)),
    Site("optimum.blogs.example", "Steepest Descent", "blog", "wordpress", (
        _section("/essays/", "math", 60, "scipy.optimize sympy.calculus"),)),
    Site("ask.equations.example", "Ask about Equations", "forum", "mathjax", (
        _section("/questions/", "math", 110, "sympy.solvers sympy.series sympy.concrete sympy.holonomic"),)),
    Site("geometria.example", "Geometria", "encyclopedia", "script", (
        _section("/articles/", "math", 90, "sympy.geometry sympy.diffgeom sympy.vector scipy.spatial"),)),
    Site("chance.example", "Games of Chance", "blog", "katex", (
        _section("/archive/", "math", 110, "scipy.stats sympy.stats statistics"),)),
    Site("lectures.sets.example", "Lectures on Sets", "bare", "mathml", (
        _section("/lecture/", "math", 60, "sympy.sets sympy.logic sympy.categories sympy.assumptions"),)),
    # Hosts where only one path holds mathematics.
    Site(SHARED_HOST, "Campus", "bare", "mathjax", (
        _section("/~hedvig/analysis/", "math", 90, "sympy.functions.elementary sympy.functions.special"
                 " mpmath.functions"),
        _section("/~bruno/python/", "other", 70, "typing enum abc dataclasses contextlib functools collections types"),
        _section("/~mila/mail/", "other", 60, "email smtplib imaplib poplib mailbox"),)),
    Site("ask.crossroads.example", "Crossroads", "forum", "dollars", (
        _section("/math/questions/", "math", 90, "sympy.polys networkx.algorithms scipy.interpolate"),
        _section("/unix/questions/", "other", 90, "subprocess os shutil pathlib glob tempfile argparse getpass"),
        _section("/office/questions/", "other", 50, "calendar csv xml plistlib configparser"),)),
    Site("www.gazette.example", "The Gazette", "blog", "katex", (
        _section("/columns/mathematics/", "math", 60, "mpmath.function_docs sympy.ntheory"),
        _section("/columns/networks/", "other", 70, "socket socketserver ssl selectors http urllib"),
        _section("/columns/culture/", "other", 60, "datetime zoneinfo locale gettext unicodedata dateutil babel"),)),
    Site("tutorials.workshop.example", "Workshop Tutorials", "docs", "script", (
        _section("/linear-algebra/", "math", 60, "scipy.linalg scipy.sparse.linalg numpy.linalg"),
        _section("/arrays/", "applied", 130, "numpy._core numpy.lib"),)),
    Site("www.openpedia.example", "Openpedia", "encyclopedia", "mathml", (
        _section("/mathematics/", "math", 90, "sympy.functions sympy.simplify sympy.concrete networkx.generators"),
        _section("/computing/", "other", 160, "pydoc_data.topics"),
        _section("/libraries/", "other", 80, "pygments charset_normalizer"),)),
    # Formulas in the service of other fields.
    Site("signals.example", "Signals and Systems", "docs", "mathjax", (
        _section("/reference/", "applied", 180, "scipy.signal scipy.fft scipy.ndimage"),)),
    Site("mechanics.example", "Workbench Mechanics", "docs", "katex", (
        _section("/manual/", "applied", 220, "sympy.physics"),)),
    Site("arrays.example", "Array Cookbook", "blog", "dollars", (
        _section("/recipes/", "applied", 150, "numpy.ma numpy.lib numpy.matrixlib numpy.fft"),)),
    Site("wiki.clusters.example", "Cluster Wiki", "encyclopedia", "mathjax", (
        _section("/page/", "applied", 120, "scipy.cluster scipy.sparse datasketch rensa"),)),
    # Everything else.
    Site("docs.serpent.example", "Serpent Manual", "docs", "mathjax", (
        _section("/library/", "other", 260, "ast dis inspect tokenize importlib pkgutil runpy symtable code codeop"
                 " traceback linecache warnings types copy pprint reprlib weakref gc"),)),
    Site("async.example", "Waiting Well", "blog", "dollars", (
        _section("/log/", "other", 170, "asyncio concurrent threading queue sched anyio selectors"),)),
    Site("mail.postroom.example", "Postroom", "docs", "mathjax", (
        _section("/guide/", "other", 110, "email mailcap mimetypes smtplib mailbox nntplib"),)),
    Site("help.hosting.example", "Hosting Help", "forum", "mathjax", (
        _section("/t/", "other", 140, "http urllib urllib3 requests wsgiref xmlrpc ftplib webbrowser"),)),
    Site("models.hub.example", "Model Hub Handbook", "docs", "mathjax", (
        _section("/docs/", "other", 300, "huggingface_hub"),)),
    Site("columns.example", "Columns", "docs", "mathjax", (
        _section("/api/", "other", 170, "pyarrow fsspec"),)),
    Site("ducks.example", "Duck Pond", "encyclopedia", "mathjax", (
        _section("/pond/", "other", 170, "duckdb sqlite3 dbm shelve pickle"),)),
    Site("shape.validators.example", "Validators", "docs", "dollars", (
        _section("/concepts/", "other", 190, "pydantic pydantic_core annotated_types"),)),
    Site("terminal.example", "Terminal Times", "blog", "wordpress", (
        _section("/issue/", "other", 190, "rich typer click curses cmd readline shellingham tqdm"),)),
    Site("threads.terminals.example", "Terminal Forum", "forum", "dollars", (
        _section("/thread/", "other", 90, "click rich tty pty"),)),
    Site("scraping.example", "Scraper's Notebook", "blog", "katex", (
        _section("/entries/", "other", 130, "trafilatura lxml html courlan htmldate justext warcio"),)),
    Site("pipelines.example", "Pipelines", "docs", "mathjax", (
        _section("/blocks/", "other", 110, "datatrove tokenizers"),)),
    Site("dates.example", "On Dates", "encyclopedia", "dollars", (
        _section("/topic/", "other", 120, "babel dateparser dateutil pytz tzlocal"),)),
    Site("testers.example", "Testers' Corner", "forum", "dollars", (
        _section("/q/", "other", 120, "unittest doctest pdb bdb trace profile cProfile timeit"),)),
    Site("logs.example", "Log Keepers", "blog", "dollars", (
        _section("/journal/", "other", 110, "logging loguru syslog warnings"),)),
    Site("packers.example", "Packers", "docs", "mathjax", (
        _section("/handbook/", "other", 200, "setuptools pip packaging pkg_resources venv zipapp"),)),
    Site("old.archive.example", "Old Archive", "bare", "dollars", (
        _section("/files/", "other", 110, "tarfile zipfile gzip bz2 lzma zlib shutil filecmp fileinput"),)),
    Site("colours.example", "Colours of Code", "encyclopedia", "mathjax", (
        _section("/lexer/", "other", 120, "pygments"),)),
    Site("stones.example", "Stepping Stones", "blog", "mathjax", (
        _section("/story/", "other", 110, "tkinter turtle turtledemo colorsys"),)),
    Site("parsers.example", "Parsers", "forum", "mathjax", (
        _section("/ask/", "other", 120, "argparse optparse getopt re json xml html csv regex ply pycparser"),)),
    Site("processes.example", "Many Hands", "docs", "dollars", (
        _section("/multi/", "other", 150, "multiprocessing multiprocess subprocess signal dill filelock"),)),
    Site("secrets.example", "Keepers of Secrets", "encyclopedia", "dollars", (
        _section("/lemma/", "other", 60, "hashlib hmac secrets ssl ipaddress uuid certifi idna"),)),
    Site("ciphertext.blogs.example", "Strings Attached", "blog", "wordpress", (
        _section("/2024/", "other", 80, "string textwrap difflib codecs encodings base64 struct"),)),
    Site("symbols.example", "Symbols at Work", "docs", "mathjax", (
        _section("/internals/", "applied", 240, "sympy.core sympy.printing sympy.utilities sympy.codegen"
                 " sympy.plotting sympy.parsing sympy.interactive sympy.strategies sympy.unify"),)),
    Site("tensors.example", "Index Gymnastics", "blog", "script", (
        _section("/drills/", "applied", 90, "sympy.tensor sympy.assumptions sympy.algebras sympy.matrices"),)),
    Site("sourcebook.example", "Sourcebook", "docs", "mathjax", (
        _section("/networks/", "applied", 130, "networkx.classes networkx.readwrite networkx.drawing networkx.utils"
                 " networkx.convert networkx.convert_matrix"),)),
    Site("labtools.example", "Lab Tools", "docs", "dollars", (
        _section("/tools/", "applied", 150, "scipy.io scipy.ndimage scipy.odr scipy.interpolate scipy.constants"
                 " scipy._lib numpy.f2py"),)),
)  # fmt: skip

# The seed: sites of other people. Mostly special functions, calculus and statistics; the
# pool's graphs, groups and numbers are left for later rounds to find.
SEED = (
    Site("specialfunctions.example", "Special Functions", "bare", "dollars", (
        _section("/text/", "math", 60, "scipy.special mpmath.function_docs"),)),
    Site("besselnotes.example", "Notes on Bessel", "bare", "dollars", (
        _section("/text/", "math", 50, "scipy.special mpmath.functions"),)),
    Site("zeta.example", "Around Zeta", "bare", "dollars", (
        _section("/text/", "math", 60, "mpmath.function_docs sympy.functions"),)),
    Site("statreader.example", "Statistics Reader", "bare", "dollars", (
        _section("/text/", "math", 50, "scipy.stats"),)),
    Site("inference.example", "Inference", "bare", "dollars", (
        _section("/text/", "math", 60, "scipy.stats sympy.stats"),)),
    Site("calculus.example", "Calculus", "bare", "dollars", (
        _section("/text/", "math", 50, "mpmath.calculus sympy.integrals"),)),
    Site("odes.example", "Differential Equations", "bare", "dollars", (
        _section("/text/", "math", 60, "sympy.solvers scipy.integrate"),)),
    Site("limits.example", "Limits", "bare", "dollars", (
        _section("/text/", "math", 50, "sympy.series sympy.solvers"),)),
    Site("algebra.example", "School of Algebra", "bare", "dollars", (
        _section("/text/", "math", 40, "numpy.polynomial sympy.polys"),)),
    Site("vectors.example", "Vectors", "bare", "dollars", (
        _section("/text/", "math", 40, "scipy.linalg sympy.matrices"),)),
    Site("approximation.example", "Approximation", "bare", "dollars", (
        _section("/text/", "math", 40, "scipy.interpolate numpy.polynomial"),)),
)  # fmt: skip

# Two mirrors that republish pages of other hosts, a copy of the whole page each.
MIRRORS = ("mirror.readers-digest.example", "cached.textvault.example")
