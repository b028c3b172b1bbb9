"""Tests of the polar code: encoder, frozen places, list decoder and its block error."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from watermark.errors import PayloadError
from watermark.payload.polar import CODE_LENGTH, INFORMATION_SIZES, decode, encode, information_places

SIZES = st.sampled_from(INFORMATION_SIZES)
SEEDS = st.integers(0, 2**32 - 1)


def random_words(words: int, size: int, seed: int) -> NDArray[np.uint8]:
    """Bits of shape (words, size)."""
    return np.random.default_rng(seed).integers(0, 2, (words, size), dtype=np.uint8)


def awgn(code_words: NDArray[np.uint8], bit_error_rate: float, seed: int) -> NDArray[np.float64]:
    """LLRs of antipodal signalling in Gaussian noise whose hard decisions err at ``bit_error_rate``."""
    sigma = -1 / NormalDist().inv_cdf(bit_error_rate)
    received = 1.0 - 2.0 * code_words + sigma * np.random.default_rng(seed).standard_normal(code_words.shape)
    return 2 * received / sigma**2


def block_error(size: int, bit_error_rate: float, words: int = 2000, seed: int = 1) -> float:
    """Share of words missing from the list of 8."""
    information = random_words(words, size, seed)
    candidates, _ = decode(awgn(encode(information), bit_error_rate, seed + 1), size)
    return 1 - float((candidates == information[:, None]).all(axis=2).any(axis=1).mean())


def log_phi(mean: float) -> float:
    """Logarithm of phi, Chung, Richardson and Urbanke (2001), in their two-piece approximation."""
    if mean < 10:
        return min(0.0, -0.4527 * math.pow(mean, 0.86) + 0.0218)
    return 0.5 * math.log(math.pi / mean) - mean / 4 + math.log1p(-10 / (7 * mean))


def check_mean(mean: float) -> float:
    """Mean LLR after a check of two: phi^-1(1 - (1 - phi(mean))^2) by bisection, as phi falls."""
    target = log_phi(mean) + math.log(2 - math.exp(log_phi(mean)))
    low, high = 0.0, mean
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if log_phi(middle) > target else (low, middle)
    return low


@pytest.mark.parametrize(("size", "sigma"), [(64, 1.6), (96, 1.44), (160, 1.03)])
def test_places_follow_from_the_gaussian_approximation(size: int, sigma: float) -> None:
    """The frozen masks are what their derivation gives, with room for rounding at the boundary."""
    means = [2 / sigma**2]
    for _ in range(8):
        means = [after for mean in means for after in (check_mean(mean), 2 * mean)]
    ranked = np.argsort(means, kind="stable")
    np.testing.assert_array_equal(np.flatnonzero(information_places(size)), np.sort(ranked[-size:]))
    assert means[ranked[-size]] > 1.003 * means[ranked[-size - 1]]  # no platform rounds that away


@pytest.mark.parametrize("size", INFORMATION_SIZES)
def test_encode_is_the_kronecker_product(size: int) -> None:
    """An oracle that shares nothing with the butterfly: the matrix product mod 2."""
    matrix = np.ones((1, 1), dtype=np.int64)
    for _ in range(8):
        matrix = np.kron(matrix, np.array([[1, 0], [1, 1]]))
    information = random_words(20, size, 3)
    expected = information @ matrix[information_places(size)] % 2
    np.testing.assert_array_equal(encode(information), expected)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (64, "3b77a7e402e46188bf3f23ac86ace5c04cffd06c756c16003748abdb0edb6db7"),
        (96, "018a2ec9edf598ecb20a9246f4208e36cd492ec67463cdb681366db66db6db6c"),
        (160, "410499ecf8b701dbc2dacd6d1d00000002fbe380c0000000edb6db6db6db6db7"),
    ],
)
def test_vectors(size: int, expected: str) -> None:
    """The word whose bit i is 1 where i is divisible by 3."""
    information = (np.arange(size) % 3 == 0).astype(np.uint8)[None]
    assert np.packbits(encode(information)).tobytes().hex() == expected


@given(size=SIZES, seed=SEEDS)
@settings(max_examples=30, deadline=None)
def test_encode_is_linear(size: int, seed: int) -> None:
    """The sum of two words encodes to the sum of their code words."""
    first, second = random_words(2, size, seed)[:, None]
    np.testing.assert_array_equal(encode(first ^ second), encode(first) ^ encode(second))


@given(size=SIZES, seed=SEEDS, list_size=st.integers(1, 16))
@settings(max_examples=40, deadline=None)
def test_noiseless_words_come_back_first(size: int, seed: int, list_size: int) -> None:
    """Without noise the word leads its list, with no penalty."""
    information = random_words(3, size, seed)
    candidates, metrics = decode(1.0 - 2.0 * encode(information), size, list_size)
    assert candidates.shape == (3, list_size, size)
    assert metrics.shape == (3, list_size)
    np.testing.assert_array_equal(candidates[:, 0], information)
    np.testing.assert_array_equal(metrics[:, 0], 0)


@given(size=SIZES, seed=SEEDS)
@settings(max_examples=20, deadline=None)
def test_candidates_are_distinct_and_sorted_by_discrepancy(size: int, seed: int) -> None:
    """The metric gathered along the tree is the discrepancy of the whole code word."""
    llr = np.random.default_rng(seed).standard_normal((2, CODE_LENGTH))
    candidates, metrics = decode(llr, size)
    for word, found, metric in zip(llr, candidates, metrics, strict=True):
        assert len(np.unique(found, axis=0)) == 8
        discrepancy = np.where(encode(found) != (word < 0), np.abs(word), 0).sum(axis=1) / np.abs(word).max()
        np.testing.assert_allclose(metric, discrepancy, rtol=1e-4)
        assert (np.diff(metric) >= 0).all()


@pytest.mark.parametrize("scale", [1e-300, 2.0**-20, 7.3, 1e300])
def test_scale_does_not_matter(scale: float) -> None:
    """Neither candidates nor metrics follow the unit of the ratios."""
    llr = awgn(encode(random_words(20, 96, 5)), 0.16, 6)
    candidates, metrics = decode(llr, 96)
    scaled_candidates, scaled_metrics = decode(scale * llr, 96)
    np.testing.assert_array_equal(scaled_candidates, candidates)
    np.testing.assert_allclose(scaled_metrics, metrics, rtol=1e-4)


def test_words_do_not_depend_on_their_batch() -> None:
    """A word decodes alone as it does among others, across chunks."""
    llr = awgn(encode(random_words(150, 64, 7)), 0.15, 8).astype(np.float32)
    together, _ = decode(llr, 64)
    alone = np.concatenate([decode(word[None], 64)[0] for word in llr])
    np.testing.assert_array_equal(together[:, 0], alone[:, 0])


@pytest.mark.parametrize(("size", "bit_error_rate"), [(64, 0.20), (96, 0.16), (160, 0.065)])
def test_block_error_is_at_most_two_percent(size: int, bit_error_rate: float) -> None:
    """2000 words each; a word counts as read when it is anywhere in the list of 8."""
    assert block_error(size, bit_error_rate) <= 0.02


def test_nothing_in_nothing_out() -> None:
    """No words are a valid batch."""
    assert encode(np.zeros((0, 96), np.uint8)).shape == (0, CODE_LENGTH)
    candidates, metrics = decode(np.zeros((0, CODE_LENGTH)), 96)
    assert candidates.shape == (0, 8, 96)
    assert metrics.shape == (0, 8)


def test_erased_word_still_gives_a_list() -> None:
    """All-zero ratios neither divide by zero nor repeat a candidate."""
    candidates, metrics = decode(np.zeros((1, CODE_LENGTH)), 96)
    assert len(np.unique(candidates[0], axis=0)) == 8
    np.testing.assert_array_equal(metrics, 0)


@pytest.mark.parametrize("shape", [(1, 95), (1, 256), (96,), (1, 1, 96)])
def test_encode_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    """Only (W, 64), (W, 96) and (W, 160) are encoded."""
    with pytest.raises(PayloadError, match="information"):
        encode(np.zeros(shape, np.uint8))


def test_encode_refuses_what_is_not_a_bit() -> None:
    """A 2 is refused rather than reduced."""
    with pytest.raises(PayloadError, match="bits 0 and 1"):
        encode(np.full((1, 96), 2, np.uint8))


@pytest.mark.parametrize("shape", [(1, 255), (256,), (1, 1, 256)])
def test_decode_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    """Only (W, 256) is decoded."""
    with pytest.raises(PayloadError, match="shape"):
        decode(np.zeros(shape), 96)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_decode_refuses_what_is_not_finite(value: float) -> None:
    """One bad ratio in one word is enough."""
    llr = np.ones((2, CODE_LENGTH))
    llr[1, 17] = value
    with pytest.raises(PayloadError, match="finite"):
        decode(llr, 96)


def test_decode_refuses_other_sizes_and_an_empty_list() -> None:
    """128 bits are no size of this code, and a list holds at least 1."""
    with pytest.raises(PayloadError, match="information bits, not 128"):
        decode(np.ones((1, CODE_LENGTH)), 128)
    with pytest.raises(PayloadError, match="at least 1"):
        decode(np.ones((1, CODE_LENGTH)), 96, 0)
