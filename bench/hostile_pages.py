"""Pages made to break extractors: one piece of markup again and again."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hostile:
    """before, then `piece` again and again; {n} in it is the number of the piece."""

    piece: str
    before: str = ""

    def page(self, n_bytes: int) -> str:
        """A page of about so many bytes that holds one sound formula, so that careful text takes its whole way."""
        start = f"<html><body><p>Let $x^2$ be a square of some number.</p><p>{self.before}"
        n_pieces = (n_bytes - len(start)) // len(self.piece.format(n=0))
        return start + "".join(self.piece.format(n=n) for n in range(n_pieces))


ASCIIMATH = '<script src="MathJax.js?config=AM_HTMLorMML"></script>'
PAGES = {
    "$": Hostile("$a "),
    "$ in braces": Hostile("$a{{ "),
    "$$": Hostile("$$", "one $ "),
    "$$ far": Hostile("word ", "$$ "),
    "\\(": Hostile("\\(a "),
    "\\[": Hostile("\\[a "),
    "\\begin{equation}": Hostile("\\begin{{equation}}a "),
    "\\begin of many": Hostile("\\begin{{align}}a \\begin{{gather}} "),
    "\\newcommand": Hostile("\\(\\newcommand "),
    "\\\\": Hostile("\\\\"),
    "{": Hostile("{{"),
    "`": Hostile("`"),
    "` with AsciiMath": Hostile("`x ", ASCIIMATH),
    "`` with AsciiMath": Hostile("`", ASCIIMATH),
    "`( with AsciiMath": Hostile("`((((((((((((((((`", ASCIIMATH),
    "<div>": Hostile("<div>"),
    "<b>": Hostile("<b>"),
    "<b>a": Hostile("<b>a"),
    "<a>": Hostile("<a href=#x>a"),
    "<sub>": Hostile("x<sub>"),
    "<sub>2</sub>": Hostile("x<sub>2</sub>"),
    "<i>$": Hostile("<i>$a</i> "),
    "<p>": Hostile("<p>a"),
    "<p>$x$": Hostile("<p>$x_{{1}}$"),
    "<br>": Hostile("a<br>"),
    "<li>": Hostile("<li>a"),
    "<ul><li>": Hostile("<ul><li>a"),
    "<table>": Hostile("<table><tr><td>"),
    "<td>": Hostile("<td>a", "<table><tr>"),
    "<form>": Hostile("<form>a</form>"),
    "<article>": Hostile("<article>$x$</article>"),
    "<select>": Hostile("<option>a", "<select>"),
    "<font>": Hostile("<font><p>"),
    "</p>": Hostile("</p>"),
    "</div>": Hostile("</div>"),
    "<unknown>": Hostile("<t{n}>"),
    "&amp;": Hostile("&amp;"),
    "&": Hostile("&"),
    "&amp": Hostile("&amp"),
    "&#": Hostile("&#36;"),
    "<": Hostile("<"),
    "< ": Hostile("< "),
    "<!--": Hostile("<!--"),
    "<!-- -->": Hostile("<!---->"),
    "<![CDATA[": Hostile("<![CDATA["),
    "<?": Hostile("<?"),
    "<script>": Hostile("<script>"),
    "<script></script>": Hostile("<script>a</script>"),
    "<style>": Hostile("<style>"),
    "<textarea>": Hostile("<textarea>"),
    "<svg>": Hostile("<svg>"),
    "<script math>": Hostile('<script type="math/tex">x_{{1}}</script> '),
    "<script math> unclosed": Hostile('<script type="math/tex">x '),
    "<math>": Hostile("<math>"),
    "<mrow>": Hostile("<mrow>", "<math>"),
    "<mi>": Hostile("<mi>x</mi>", "<math>"),
    "<mo>(": Hostile("<mo>(</mo>", "<math>"),
    "<mo>(</mo>)": Hostile("<mo>(</mo><mo>)</mo>", "<math>"),
    "<msup>": Hostile("<msup><mi>x</mi>", "<math>"),
    "<mfrac>": Hostile("<mfrac><mn>1</mn>", "<math>"),
    "<mtable>": Hostile("<mtable><mtr><mtd>", "<math>"),
    "<mtd>": Hostile("<mtd><mi>x</mi></mtd>", "<math><mtable><mtr>"),
    "<mtext>": Hostile("a", "<math><mtext>"),
    "<math><mi>": Hostile("<math><mi>x</mi></math> "),
    "<img alt=$>": Hostile('<img alt="$">'),
    "<img alt=$x^2$>": Hostile('<img alt="$x^2$">'),
    "<img class=tex>": Hostile('<img class="latex" alt="x_{n}">'),
    "<span class=math>": Hostile("<span class=math>"),
    "<span class=math> closed": Hostile('<span class="math">x_1</span> '),
    "<span class=katex>": Hostile('<span class="katex">'),
    "<span class=katex-html>": Hostile('<span class="katex-html">a'),
    "<mjx-container>": Hostile("<mjx-container data-latex=x>"),
    "<span MathJax_Preview>": Hostile('<span class="MathJax_Preview">a</span>'),
    "data-tex": Hostile("<i data-tex=x_1>"),
    "quotes": Hostile('"'),
    "quotes in a tag": Hostile('"', "<p a="),
    "<p ": Hostile("<p "),
    '<p a="': Hostile('<p a="'),
    "attributes": Hostile("a ", "<p "),
    "attributes of many names": Hostile("a{n}=1 ", "<p "),
    "class of many names": Hostile("c{n} ", '<p class="math '),
    "href": Hostile("a", '<a href="#'),
    "a word": Hostile("a"),
    "spaces": Hostile(" "),
    "newlines": Hostile("\n"),
    "form feeds": Hostile("\f"),
    "control characters": Hostile("\x01"),
    "bidi marks": Hostile("\u202e"),
    "words": Hostile("some words of a sentence. "),
}
