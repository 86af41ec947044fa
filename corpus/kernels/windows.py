"""Pairs of tokens gathered to windows of a page where a question may stand: the loose way of `strict`."""

import numba
import numpy as np

from corpus.kernels.lookup import known, pair_hash
from corpus.kernels.words import mixed


@numba.njit(cache=True)
def text_pairs(tokens, ends, is_number, reach):  # type: ignore[no-untyped-def]
    """(hash, text) of each pair of different tokens of a text, at most `reach` apart, not both numbers."""
    n = 0
    for write in range(2):  # counted in the first turn
        hashes, texts = np.empty(n, np.uint64), np.empty(n, np.int32)
        n, start = 0, 0
        for text in range(len(ends)):
            for i in range(start, ends[text]):
                for j in range(i + 1, min(i + reach + 1, ends[text])):
                    one, other = tokens[i], tokens[j]
                    if one != other and not (is_number[one] and is_number[other]):
                        if write:
                            hashes[n], texts[n] = pair_hash(one, other), text
                        n += 1
            start = ends[text]
    return hashes, texts


@numba.njit(cache=True)
def page_pairs(page, reach, table):  # type: ignore[no-untyped-def]
    """Pairs of different known tokens of a page, at most `reach` apart, that texts hold: the places of the two tokens
    of each, and where its postings begin and end."""
    hashes, places = np.empty(reach * len(page), np.uint64), np.empty(reach * len(page), np.int64)
    n = 0
    for i in range(len(page)):
        if page[i]:
            for j in range(i + 1, min(i + reach + 1, len(page))):
                if page[j] and page[j] != page[i]:
                    hashes[n], places[n] = pair_hash(page[i], page[j]), np.int64(i) << 32 | j
                    n += 1
    firsts, lasts = np.empty(n, np.int64), np.empty(n, np.int64)
    n = known(hashes, n, places, table, firsts, lasts)
    return places[:n] >> 32, places[:n] & 0xFFFFFFFF, firsts[:n], lasts[:n]


@numba.njit(cache=True)
def repeats(keys):  # type: ignore[no-untyped-def]
    """Of each key the place of the same before it, or -1, and behind it, or how many keys there are."""
    size = 4
    while size < 2 * len(keys):
        size *= 2
    last_of = np.full(size, -1, np.int32)
    before, behind = np.empty(len(keys), np.int32), np.full(len(keys), len(keys), np.int32)
    for x in range(len(keys)):
        slot = np.int64(mixed(np.uint64(keys[x]))) & (size - 1)
        while last_of[slot] >= 0 and keys[last_of[slot]] != keys[x]:
            slot = (slot + 1) & (size - 1)
        before[x] = last_of[slot]
        if last_of[slot] >= 0:
            behind[last_of[slot]] = x
        last_of[slot] = x
    return before, behind


@numba.njit(cache=True)
def by_texts(firsts, lasts, postings, texts):  # type: ignore[no-untyped-def]
    """(texts, ends, pairs, bits): the pairs of a page grouped by the texts that hold them, each group up to its end.

    Texts whose pairs have fewer bits on the whole page than are needed are left out. postings: (text, bits) of each.
    texts: (needed, bits, group) of each, the last two zeros and zeros again afterwards.
    """
    size, m, n_groups, reached = (lasts - firsts).sum(), 0, 0, False
    found, pairs, bits = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.float32)
    for x in range(len(firsts)):
        for posting in range(firsts[x], lasts[x]):
            text = postings[posting].text
            found[m], pairs[m], bits[m] = text, x, postings[posting].bits
            m += 1
            texts[text].bits += postings[posting].bits
            reached |= texts[text].bits >= texts[text].needed
    m = 0
    if reached:
        for x in range(size):
            found[m], pairs[m], bits[m] = found[x], pairs[x], bits[x]
            m += texts[found[x]].bits >= texts[found[x]].needed
    groups, ends = np.empty(m, np.int32), np.zeros(m + 1, np.int32)
    for x in range(m):
        text = found[x]
        if texts[text].group == 0:
            groups[n_groups] = text
            n_groups += 1
            texts[text].group = n_groups
        ends[texts[text].group] += 1
    for group in range(1, n_groups):
        ends[group] += ends[group - 1]
    grouped_pairs, grouped_bits = np.empty(m, np.int32), np.empty(m, np.float32)
    for x in range(m):
        group = texts[found[x]].group - 1
        grouped_pairs[ends[group]], grouped_bits[ends[group]] = pairs[x], bits[x]
        ends[group] += 1
    for x in range(len(firsts)):
        for posting in range(firsts[x], lasts[x]):
            texts[postings[posting].text].bits = 0
            texts[postings[posting].text].group = 0
    return groups[:n_groups], ends, grouped_pairs, grouped_bits


@numba.njit(cache=True)
def best_windows(page, reach, table, postings, texts, spans, weights, least_weight, seen):  # type: ignore[no-untyped-def]
    """Rows (text, first place, last place, pair bits, pairs): of each text the window with most bits of pairs.

    Each pair counts once. A window spans spans[text] tokens of the page; below least_weight of supported tokens, or
    the pair bits needed, there is none. seen: zeros, one a token, and zeros again afterwards.
    """
    ones, others, firsts, lasts = page_pairs(page, reach, table)
    found, ends, pairs, bits = by_texts(firsts, lasts, postings, texts)
    windows, n, begin = np.empty((len(found), 5)), 0, 0
    if not len(found):
        return windows
    before, behind = repeats(firsts)
    for group in range(len(found)):
        text, end, low = found[group], ends[group], begin
        held, n_pairs, best, best_pairs, best_low, best_last = 0.0, 0, 0.0, 0, 0, 0
        for x in range(begin, end):
            pair = pairs[x]
            while ones[pair] - ones[pairs[low]] > spans[text]:
                if behind[pairs[low]] >= pair:
                    held -= bits[low]
                    n_pairs -= 1
                low += 1
            if before[pair] < pairs[low]:
                held += bits[x]
                n_pairs += 1
            if held > best:
                best, best_pairs, best_low, best_last = held, n_pairs, low, x
        begin = end
        if best < texts[text].needed:
            continue
        weight = 0.0
        for pair in pairs[best_low : best_last + 1]:
            for token in (page[ones[pair]], page[others[pair]]):
                weight += 0.0 if seen[token] else weights[token]
                seen[token] = 1
        for pair in pairs[best_low : best_last + 1]:
            seen[page[ones[pair]]], seen[page[others[pair]]] = 0, 0
        if weight >= least_weight:
            first, last = ones[pairs[best_low]], ones[pairs[best_last]]
            windows[n] = np.array([text, first, last, best, best_pairs], np.float64)
            n += 1
    return windows[:n]
