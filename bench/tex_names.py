"""Names of LaTeX that `tex_tokens` reads over or knows by another name: what changes at most how a formula looks."""


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pairs(text: str) -> dict[str, str]:
    """One pair a comma: "a b, c d" gives {"a": "b", "c": "d"}."""
    return dict(pair.split() for pair in text.split(","))


DROPPED = _names(
    r"""\; \: \! \> \quad \qquad \enspace \thinspace \medspace \thickspace \negthinspace \displaystyle \textstyle
    \scriptstyle \scriptscriptstyle \limits \nolimits \nonumber \notag \hline \centering \strut \mathstrut \allowbreak
    \nobreak \relax \hfill \noindent \protect \big \Big \bigg \Bigg \bigl \Bigl \biggl \Biggl \bigr \Bigr \biggr \Biggr
    \bigm \Bigm \biggm \Biggm \normalsize \small \large \Large \ ~ \space \null \- \/"""
) | {"\\,", "\\ "}
DROPPED_WITH_ARGUMENT = _names(
    r"""\label \tag \tag* \hspace \hspace* \vspace \phantom \hphantom \vphantom \color \mspace \require \cline \ref
    \eqref \intertext"""
)
LENGTHS = _names(r"\kern \mkern \hskip \mskip")  # a length stands behind them without braces
TRANSPARENT = _names(
    r"""\mathop \mathrel \mathbin \mathord \mathopen \mathclose \mathpunct \mathinner \smash \fbox \ensuremath
    \mathsurround \mathchoice \hbox"""
)
ALIASES = _pairs(
    r"""\le \leq, \ge \geq, \ne \neq, \to \rightarrow, \gets \leftarrow, \land \wedge, \lor \vee, \lnot \neg,
    \implies \Longrightarrow, \impliedby \Longleftarrow, \iff \Longleftrightarrow, \dots ..., \ldots ..., \cdots ...,
    \dotsc ..., \dotsb ..., \dotsm ..., \dotsi ..., \dotso ..., \vert |, \mid |, \lvert |, \rvert |, \Vert \|,
    \parallel \|, \lVert \|, \rVert \|, \lbrace \{, \rbrace \}, \lbrack [, \rbrack ], \lt <, \gt >, \ast *, \colon :,
    \varnothing \emptyset, \bot \perp, \Box \square, \owns \ni, \dfrac \frac, \tfrac \frac, \cfrac \frac, \dbinom
    \binom, \tbinom \binom, \stackrel \overset, \Bbb \mathbb, \bm \boldsymbol, \pmb \boldsymbol, \bold \mathbf,
    \mathscr \mathcal, \operatorname \mathrm, \operatorname* \mathrm, \cr \\, \newline \\, \textrm \text, \mbox \text,
    \textnormal \text, \textup \text, \hslash \hbar, \vartriangle \triangle, \bigtriangleup \triangle, \models \vDash,
    \cdotp \cdot, \centerdot \cdot, \restriction \upharpoonright, \doublecap \Cap, \leadsto \rightsquigarrow,
    \emph \textit, \textdollar \$, \sb _, \sp ^, \frak \mathfrak, \dag \dagger, \ddag \ddagger, \nsubset \not\subset,
    \lhd \triangleleft, \rhd \triangleright, \vartriangleleft \triangleleft, \vartriangleright \triangleright,
    \unlhd \trianglelefteq, \doteqdot \Doteq, \dprime \prime, \intop \int, \lparen (, \rparen ), \mathnormal \mathit,
    − -"""
)
SEVERAL = {"\\degree": ["^", "{", "\\circ", "}"], "\\coloneqq": [":", "="]}
FONTS = _names(
    r"""\mathrm \mathbf \mathit \mathbb \mathcal \mathfrak \mathsf \mathtt \boldsymbol
    \text \textbf \textit \textsf \texttt \textsc \textsl"""
)
FONT_SWITCHES = _pairs(r"\rm \mathrm, \bf \mathbf, \it \mathit, \cal \mathcal, \sf \mathsf, \tt \mathtt")
FONTLESS = _names(r"{ } _ ^ & \\ - + = ( ) [ ] , . | : ; * / < > ' \prime !")
ARITIES = dict.fromkeys(_names(r"\frac \binom \overset \underset"), 2) | dict.fromkeys(
    _names(
        r"""\sqrt \boxed \cancel \bcancel \xcancel \substack \hat \widehat \bar \overline \underline \vec \tilde
        \widetilde \dot \ddot \dddot \check \breve \acute \grave \mathring \overbrace \underbrace \overrightarrow
        \overleftarrow \overleftrightarrow \xrightarrow \xleftarrow \pmod \overarc \wideparen"""
    ),
    1,
)
INFIX = _pairs(r"\choose \binom, \over \frac, \atop \atop, \brack \brack")
FUNCTIONS = {
    f"\\{name}": name
    for name in _names(
        """arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log
        max min Pr sec sin sinh sup tan tanh injlim projlim mod"""
    )
} | {r"\bmod": "mod"}
ENVIRONMENTS = _pairs(
    """align aligned, split aligned, eqnarray aligned, alignat aligned, alignedat aligned, flalign aligned,
    gather gathered, multline gathered, dcases cases, smallmatrix matrix"""
) | dict.fromkeys(("equation", "displaymath", "math"), "")
NEGATED = _pairs(
    r"""\in \notin, = \neq, \subseteq \nsubseteq, \leq \nleq, \geq \ngeq, < \nless, > \ngtr, \sim \nsim, | \nmid,
    \exists \nexists, \| \nparallel"""
)
