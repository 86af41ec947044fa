"""Five dresses for a page: documentation theme, blog, forum, encyclopedia, and a bare page of the 1990s."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape

from sample.markup import Markup
from sample.sites import Site, Template

_HEAD: dict[Markup, str] = {
    "mathjax": '<script async src="/static/mathjax/tex-chtml.js"></script>\n',
    "script": '<script async src="/static/mathjax/MathJax.js?config=TeX-AMS_HTML"></script>\n',
    "katex": '<link rel="stylesheet" href="/static/katex/katex.min.css">\n',
    "mathml": "",
    "wordpress": "",
    "dollars": "<script>MathJax = {tex: {inlineMath: [['$', '$']]}};</script>\n",
}
_NAMES = ("Agnes", "Bo", "Carla", "Dinesh", "Edda", "Farid", "Gwen", "Henk", "Ines", "Juri", "Kaya", "Lior")
_ASKED = ("I have read the introduction twice and still cannot place this. Who can explain",
          "Our study group got stuck here last week. Could somebody say more about",
          "Short question before the weekend. What should a beginner know about",
          "I am writing my notes again from scratch and want to be sure about")  # fmt: skip
_OFFERS = ("Membership costs $5 a month or $49 a year.", "The printed edition is $12, postage included.",
           "Stickers are back in the shop: $3 each, $7 for three.")  # fmt: skip


@dataclass(frozen=True)
class Link:
    url: str
    title: str

    @property
    def html(self) -> str:
        return f'<a href="{escape(self.url)}">{escape(self.title, quote=False)}</a>'


Dress = Callable[[Site, str, str, list[Link], list[Link], int], str]


def docs(site: Site, title: str, body: str, related: list[Link], elsewhere: list[Link], number: int) -> str:
    return _whole(
        site,
        title,
        f"""<nav class="topbar"><a href="/">{site.title}</a> <a href="/search.html">Search</a></nav>
<div class="wrapper">
<div class="sidebar" role="navigation"><p class="caption">Contents</p>
{_list(related)}
</div>
<main role="main"><div class="body" itemprop="articleBody">
<h1>{escape(title, quote=False)}<a class="headerlink" href="#top" title="Permalink">¶</a></h1>
{body}
{f'<div class="seealso"><p>See also</p>{_list(elsewhere)}</div>' if elsewhere else ""}
</div></main></div>
<footer><p>© {2014 + number % 12} {site.title}. Built from source.</p></footer>""",
    )


def blog(site: Site, title: str, body: str, related: list[Link], elsewhere: list[Link], number: int) -> str:
    return _whole(
        site,
        title,
        f"""<div id="cookie-banner" class="cookie">We use cookies. <button>Accept</button></div>
<header class="site-header"><a href="/">{site.title}</a>
<ul class="menu"><li><a href="/about/">About</a></li><li><a href="/archive/">Archive</a></li></ul></header>
<article class="post"><h1 class="entry-title">{escape(title, quote=False)}</h1>
<p class="meta">{_NAMES[number % 12]}, {1 + number % 28}.{1 + number // 28 % 12}.{2015 + number % 11}</p>
<div class="entry-content">
{body}
</div></article>
<aside class="widget"><p>{_OFFERS[number % 3]}</p>
<h3>Recent posts</h3>{_list(related)}<h3>Blogroll</h3>{_list(elsewhere)}</aside>
<footer class="site-footer"><p>{site.title} – {number % 90} comments</p></footer>""",
    )


def forum(site: Site, title: str, body: str, related: list[Link], elsewhere: list[Link], number: int) -> str:
    asker, answerer = _NAMES[number % 12], _NAMES[(number // 12 + 5) % 12]
    name = escape(title.partition(":")[0].partition(" (")[0], quote=False)
    return _whole(
        site,
        title,
        f"""<div class="topbar"><a href="/">{site.title}</a> <a href="/login">Log in</a></div>
<div id="question"><h1>{escape(title, quote=False)}</h1>
<div class="post-text"><p>{_ASKED[number % 4]} <em>{name}</em>?</p></div>
<div class="user">asked by {asker}, {number % 900} views</div></div>
<div id="answers"><h2>1 answer</h2><div class="votes">{number % 40}</div>
<div class="answer post-text">
{body}
</div><div class="user">answered by {answerer}</div></div>
<div class="sidebar"><h4>Related</h4>{_list(related)}<h4>Elsewhere</h4>{_list(elsewhere)}</div>
<div id="footer">{site.title} · help · privacy</div>""",
    )


def encyclopedia(site: Site, title: str, body: str, related: list[Link], elsewhere: list[Link], number: int) -> str:
    return _whole(
        site,
        title,
        f"""<div id="siteNotice">Give {number % 3 + 2} € to keep {site.title} running.</div>
<div id="content" class="mw-body"><h1 id="firstHeading">{escape(title, quote=False)}</h1>
<div id="bodyContent"><div id="mw-content-text">
{body}
<h2>External links</h2>
{_list(elsewhere)}
</div></div></div>
<div id="mw-navigation"><h3>Navigation</h3>{_list(related)}</div>
<div id="footer"><p>Last edited on {1 + number % 28} May {2012 + number % 14}.</p></div>""",
    )


def bare(site: Site, title: str, body: str, related: list[Link], elsewhere: list[Link], number: int) -> str:
    return f"""<HTML><HEAD><TITLE>{escape(title, quote=False)}</TITLE>
<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=utf-8">
{_HEAD[site.markup]}</HEAD><BODY BGCOLOR="#ffffff">
<CENTER><H1>{escape(title, quote=False)}</H1></CENTER><HR>
{body}
<HR>{" | ".join(link.html for link in (*related, *elsewhere))}
<P><I>You are visitor {1000 + number % 90000}.</I> <A HREF="/">Up</A></BODY></HTML>
"""


TEMPLATES: dict[Template, Dress] = {
    "docs": docs,
    "blog": blog,
    "forum": forum,
    "encyclopedia": encyclopedia,
    "bare": bare,
}


def _list(links: list[Link]) -> str:
    return "<ul>" + "".join(f"<li>{link.html}</li>" for link in links) + "</ul>"


def _whole(site: Site, title: str, inside: str) -> str:
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<title>{escape(title, quote=False)} – {site.title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
{_HEAD[site.markup]}</head>
<body>
{inside}
</body></html>
"""
