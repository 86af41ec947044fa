"""Questions verified in the windows of a page, and found by runs: the loops behind `strict`."""

import numba
import numpy as np

from corpus.kernels.lookup import find, grouped, known, run_hashes


@numba.njit(cache=True)
def numbered(hashes, slots, out):  # type: ignore[no-untyped-def]
    """The number of each token in a vocabulary, from 1; 0 for others."""
    for i in range(len(hashes)):
        first, _ = find(hashes[i], slots)
        out[i] = first + 1


@numba.njit(cache=True)
def aligned(one, other, weights, skip, unknown):  # type: ignore[no-untyped-def]
    """(bits, start, stop): most weight of tokens common in order, less skip * weight of what is passed by in `other`
    between them, and where in `other` they stand."""
    best, begins = np.zeros(len(other) + 1), np.zeros(len(other) + 1, np.int64)
    top, start, stop = 0.0, 0, 0
    for token in one:
        diagonal, begin = 0.0, 0
        for j in range(1, len(other) + 1):
            above, above_begin = best[j], begins[j]
            if token > 0 and other[j - 1] == token and diagonal + weights[token] > best[j]:
                best[j], begins[j] = diagonal + weights[token], begin if diagonal > 0 else j - 1
                if best[j] > top:
                    top, start, stop = best[j], begins[j], j
            passed = best[j - 1] - skip * (weights[other[j - 1]] if other[j - 1] else unknown)
            if passed > best[j]:
                best[j], begins[j] = passed, begins[j - 1]
            diagonal, begin = above, above_begin
    return top, start, stop


@numba.njit(cache=True)
def present(text, window, weights, is_number, seen):  # type: ignore[no-untyped-def]
    """(weight of a text's tokens, of those in the window, of its different numbers, of those in the window).

    Bounds the alignment from above in linear time. seen: zeros, one a token, and zeros again afterwards.
    """
    for token in window:
        seen[token] = 1
    seen[0] = 0
    total, there, numbers, numbers_there = 0.0, 0.0, 0.0, 0.0
    for token in text:
        total += weights[token]
        if seen[token] & 1:
            there += weights[token]
        if is_number[token] and not seen[token] & 2:
            numbers += weights[token]
            if seen[token] & 1:
                numbers_there += weights[token]
            seen[token] |= 2
    for token in window:
        seen[token] = 0
    for token in text:
        seen[token] = 0
    return total, there, numbers, numbers_there


@numba.njit(cache=True)
def verify_windows(windows, page, tokens, ends, weights, is_number, skip, unknown, prior, least, cells, seen):  # type: ignore[no-untyped-def]
    """Rows (text, first, stop, hits, share present, share aligned, score) of windows that score `least`; how many
    were left out.

    score: pair bits * share of the text's weight that is aligned * share of its numbers squared, the numbers with
    `prior` bits on either side. cells: of alignments, after which windows are left out.
    """
    rows, n, n_left_out = np.empty((len(windows), 7)), 0, 0
    for row in windows:
        text, first, last, pair_bits = int(row[0]), int(row[1]), int(row[2]), row[3]
        question = tokens[ends[text - 1] if text else 0 : ends[text]]
        slack = len(question) // 4 + 2
        start, stop = max(0, first - slack), min(len(page), last + slack + 5)
        window = page[start:stop]
        total, there, numbers, numbers_there = present(question, window, weights, is_number, seen)
        share = (numbers_there + prior) / (numbers + 2 * prior)
        if pair_bits * share * share * there < least * total:
            continue
        if cells < len(question) * len(window):
            n_left_out += 1
            continue
        cells -= len(question) * len(window)
        aligned_bits, from_, to = aligned(question, window, weights, skip, unknown)
        alignment = aligned_bits / total
        score = pair_bits * share * share * alignment
        if score >= least:
            facts = [text, start + from_, start + to, row[4], there / total, alignment, score]
            rows[n] = np.array(facts, np.float64)
            n += 1
    return rows[:n], n_left_out


@numba.njit(cache=True)
def page_runs(tokens, n, table, postings):  # type: ignore[no-untyped-def]
    """(text, place, diagonal) of the runs of n known tokens of a page that texts hold, by (text, offset) postings."""
    hashes, at = np.empty(len(tokens), np.uint64), np.empty(len(tokens), np.int32)
    run_hashes(tokens, n, hashes)
    m, unknown = 0, -1
    for i in range(len(tokens)):
        if tokens[i] == 0:
            unknown = i
        elif i - n >= unknown:
            hashes[m], at[m] = hashes[i - n + 1], i - n + 1
            m += 1
    firsts, lasts = np.empty(m, np.int64), np.empty(m, np.int64)
    m = known(hashes, m, at, table, firsts, lasts)
    size = 0
    for x in range(m):
        size += lasts[x] - firsts[x]
    found, places, diagonals = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.int32)
    k = 0
    for x in range(m):
        for posting in range(firsts[x], lasts[x]):
            found[k], places[k] = postings[posting].text, at[x]
            diagonals[k] = at[x] - postings[posting].offset
            k += 1
    return found, places, diagonals


@numba.njit(cache=True)
def verify_runs(found, places, diagonals, page, tokens, ends, weights, is_number, skip, unknown, least, cells, seen):  # type: ignore[no-untyped-def]
    """Rows (text, first, stop, hits, share present, share aligned, bits aligned) of texts aligned by `least` of their
    weight, in the window where most of their runs stand; those left out."""
    order = grouped(found)
    rows, n, n_left_out, i = np.empty((len(found), 7)), 0, 0, 0
    while i < len(order):
        low, text = i, found[order[i]]
        question = tokens[ends[text - 1] if text else 0 : ends[text]]
        size = len(question)
        slack = size // 4 + 3
        hits, diagonal = 0, 0
        while i < len(order) and found[order[i]] == text:
            while places[order[i]] - places[order[low]] > size + slack:
                low += 1
            if i - low + 1 > hits:
                hits, diagonal = i - low + 1, diagonals[order[i]]
            i += 1
        start, stop = max(0, diagonal - slack), min(len(page), diagonal + size + slack)
        window = page[start:stop]
        total, there, _, _ = present(question, window, weights, is_number, seen)
        if there < least * total:
            continue
        if cells < size * len(window):
            n_left_out += 1
            continue
        cells -= size * len(window)
        bits, from_, to = aligned(question, window, weights, skip, unknown)
        if bits >= least * total:
            facts = [text, start + from_, start + to, hits, there / total, bits / total, bits]
            rows[n] = np.array(facts, np.float64)
            n += 1
    return rows[:n], n_left_out
