"""A set of 64-bit hashes that says fast what it does not hold: the kernels behind `lookup.Table`."""

import numba
import numpy as np

from corpus.kernels.words import _STEP, mixed

COUNT_BITS = 24
_COUNT = np.uint64(COUNT_BITS)
_COUNTS = np.uint64((1 << COUNT_BITS) - 1)
_1, _3, _7, _64 = np.uint64(1), np.uint64(3), np.uint64(7), np.uint64(64)


@numba.njit(cache=True)
def fill(keys, first, slots, seen):  # type: ignore[no-untyped-def]
    """Put keys with their postings, first[n] to first[n + 1], into zeros: see `lookup.Table`."""
    mask = np.uint64(len(slots) - 1)
    shift = _shift(seen)
    for n in range(len(keys)):
        bit = keys[n] >> shift
        seen[bit >> _3] |= np.uint8(1 << (bit & _7))
        place = keys[n] & mask
        while slots[place, 1]:
            place = (place + _1) & mask
        slots[place, 0] = keys[n]
        slots[place, 1] = np.uint64(first[n]) << _COUNT | np.uint64(first[n + 1] - first[n])


@numba.njit(cache=True)
def _shift(seen):  # type: ignore[no-untyped-def]
    """By how much a hash is shifted to be the number of its bit."""
    shift, size = _64 - _3, len(seen)
    while size > 1:
        size >>= 1
        shift -= _1
    return shift


@numba.njit(cache=True)
def possible(key, seen, shift):  # type: ignore[no-untyped-def]
    bit = key >> shift
    return (seen[bit >> _3] >> np.uint8(bit & _7)) & 1


@numba.njit(cache=True)
def find(key, slots):  # type: ignore[no-untyped-def]
    """Where the postings of a key begin and end; (-1, -1) where there is no such key."""
    mask = np.uint64(len(slots) - 1)
    place = key & mask
    while slots[place, 1]:
        if slots[place, 0] == key:
            first = np.int64(slots[place, 1] >> _COUNT)
            return first, first + np.int64(slots[place, 1] & _COUNTS)
        place = (place + _1) & mask
    return np.int64(-1), np.int64(-1)


@numba.njit(cache=True)
def run_hash(values, start, n):  # type: ignore[no-untyped-def]
    """Hash of n values from start on: their order counts."""
    run = np.uint64(n)
    for place in range(start, start + n):
        run = run * _STEP + np.uint64(values[place])
    return mixed(run)


@numba.njit(cache=True)
def run_hashes(values, n, out):  # type: ignore[no-untyped-def]
    """run_hash of every run of n values, as uint64; how many. A polynomial: each comes from the one before."""
    top = np.uint64(1)
    for _ in range(n):
        top *= _STEP
    run, begin = np.uint64(0), np.uint64(n) * top
    for stop in range(len(values)):
        run = run * _STEP + np.uint64(values[stop])
        if stop >= n:
            run -= np.uint64(values[stop - n]) * top
        if stop >= n - 1:
            out[stop - n + 1] = mixed(begin + run)
    return max(0, len(values) - n + 1)


@numba.njit(cache=True)
def pair_hash(one, other):  # type: ignore[no-untyped-def]
    """Hash of two values, in either order."""
    low, high = min(one, other), max(one, other)
    return mixed(np.uint64(low) * _STEP + np.uint64(high))


@numba.njit(cache=True)
def known(hashes, n, places, table, firsts, lasts):  # type: ignore[no-untyped-def]
    """Of the first n hashes those that a table has: postings into firsts and lasts; how many.

    What is found moves to the front of hashes and places. Three loops, so that reads of memory overlap, and without
    branches, which a processor would guess wrongly.
    """
    slots, seen = table
    shift, m, k = _shift(seen), 0, 0
    for i in range(n):
        hashes[m], places[m] = hashes[i], places[i]
        m += possible(hashes[i], seen, shift)
    for i in range(m):
        firsts[i], lasts[i] = find(hashes[i], slots)
    for i in range(m):
        hashes[k], places[k], firsts[k], lasts[k] = hashes[i], places[i], firsts[i], lasts[i]
        k += firsts[k] >= 0
    return k


@numba.njit(cache=True)
def grouped(owners):  # type: ignore[no-untyped-def]
    """The order that brings what has one owner together, and leaves its own order as it is."""
    keys = np.empty(len(owners), np.int64)
    for place in range(len(owners)):
        keys[place] = (np.int64(owners[place]) << 32) | place
    keys.sort()
    return keys & 0xFFFFFFFF
