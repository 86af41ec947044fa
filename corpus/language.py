"""The language that a text is written in, by CLD2, whose tables are part of its package.

On 1,285 pages of 25 languages it names the language of .975, at 0.035 ms a page; py3langid .970 at 0.39,
fastText's lid.176.ftz .976 at 0.04 (no package of it can be installed beside the fastText that trains),
resiliparse .84 at 0.01. CLD2 taken at its first word names .954: menus and code are English in every country.
docs/benchmarks.md has the table, bench/language.py makes it.
"""

import re

import pycld2

READ_CHARS = 800  # half of it names .01 fewer, twice as much no more
# A page is in another language than English as soon as so much of what was recognised is: 10 to 20 do as well.
OTHER_PERCENT = 15
MIN_BYTES = 24  # of letters and the spaces between them: twenty letters of English, seven of Chinese
UNKNOWN = "unknown"  # what settings and reasons call a page whose language is not told
RENAMED = {"iw": "he", "jw": "jv"}  # as ISO 639-1 has them since 1989
LANGUAGE = re.compile(r"(?!un|xx)[a-z]{2}(-.*)?")  # of CLD2's names; un is none, xx-Qaai a script
_REFUSED = re.compile("[^\\t\\n -~\\xa0-\\ud7ff\\ue000-\\ufdcf\\ufdf0-\\ufffd\\U00010000-\\U0010fffd]")


def identify(text: str) -> str | None:
    """ISO 639-1 code of the language of the first READ_CHARS characters of `text`.

    None where they hold fewer than MIN_BYTES bytes of words, or only languages without such a code.
    """
    beginning = text[:READ_CHARS]
    try:
        _, n_bytes, found = pycld2.detect(beginning, isPlainText=True, bestEffort=True)
    except (pycld2.error, UnicodeEncodeError):  # it takes no control characters, nor half of a pair
        _, n_bytes, found = pycld2.detect(_REFUSED.sub("", beginning), isPlainText=True, bestEffort=True)
    if n_bytes < MIN_BYTES:
        return None
    told = [(code[:2], percent) for _, code, percent, _ in found if LANGUAGE.fullmatch(code)]
    others = [code for code, percent in told if code != "en" and percent >= OTHER_PERCENT]
    code = others[0] if others else told[0][0] if told else None
    return RENAMED.get(code, code) if code else None
