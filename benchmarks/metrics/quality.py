"""How far two images of one size are apart: what a formula says, without learned weights."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

Image = NDArray[np.uint8]

LOCAL_WINDOW = 16  # side in pixels
_SSIM_WINDOW = 11
# Wang et al. 2003, from the finest scale to the coarsest
_SCALE_EXPONENTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
SMALLEST_MS_SSIM = _SSIM_WINDOW * 2 ** (len(_SCALE_EXPONENTS) - 1)  # short side in pixels
_NO_LUMINANCE = 1e9  # as K1, makes the luminance term 1, which leaves contrast and structure


def psnr(reference: Image, test: Image) -> float:
    """Peak signal-to-noise ratio over all three channels, peak 255, in dB; infinite if the images are equal.

    Args:
        reference: RGB, uint8, shape (H, W, 3).
        test: the same.

    Raises:
        ValueError: the images are not of that form, or differ in size.
    """
    check_pair(reference, test)
    with np.errstate(divide="ignore"):  # equal images
        return float(peak_signal_noise_ratio(reference, test, data_range=255))


def ssim(reference: Image, test: Image) -> float:
    """Structural similarity (Wang et al. 2004), at most 1: Gaussian window of 11 pixels, mean over R, G and B.

    At full size. ``Marked.ssim`` is another number: luma, square window of 7 pixels, at a short side of 512.

    Args:
        reference: RGB, uint8, shape (H, W, 3), short side at least 11.
        test: the same.

    Raises:
        ValueError: the images are not of that form, or differ in size.
    """
    check_pair(reference, test, _SSIM_WINDOW)
    return float(np.mean(_similarity(reference, test)))


def ms_ssim(reference: Image, test: Image) -> float:
    """Multi-scale structural similarity (Wang, Simoncelli and Bovik 2003), 0 to 1: five scales, mean over R, G and B.

    Contrast and structure of every scale and luminance of the coarsest, each to its published exponent; a mean below 0
    counts as 0. Scales are halved by averages of 2 x 2 pixels; an odd last row or column is left out.

    Args:
        reference: RGB, uint8, shape (H, W, 3), short side at least 176.
        test: the same.

    Raises:
        ValueError: the images are not of that form, differ in size, or are too small for five scales.
    """
    check_pair(reference, test, SMALLEST_MS_SSIM)
    before, after = reference.astype(np.float64), test.astype(np.float64)
    product = np.ones(3)
    for exponent in _SCALE_EXPONENTS[:-1]:
        product *= np.maximum(_similarity(before, after, _NO_LUMINANCE), 0) ** exponent
        before, after = _halved(before), _halved(after)
    product *= np.maximum(_similarity(before, after), 0) ** _SCALE_EXPONENTS[-1]
    return float(product.mean())


def ciede2000(reference: Image, test: Image) -> float:
    """Mean CIEDE2000 colour difference over the pixels (CIE 142-2001; Sharma et al. 2005); about 1 is just noticeable.

    That holds for large patches: pixel by pixel it overstates fine noise, which the eye averages. sRGB, D65, 2 degrees.

    Args:
        reference: RGB, uint8, shape (H, W, 3).
        test: the same.

    Raises:
        ValueError: the images are not of that form, or differ in size.
    """
    check_pair(reference, test)
    return float(deltaE_ciede2000(rgb2lab(reference), rgb2lab(test)).mean())


def local_error(reference: Image, test: Image) -> float:
    """Largest mean absolute error of any window of 16 x 16 pixels and three channels, in grey levels of 255.

    It finds the one visible patch that a mean over the image hides.

    Args:
        reference: RGB, uint8, shape (H, W, 3), short side at least 16.
        test: the same.

    Raises:
        ValueError: the images are not of that form, or differ in size.
    """
    check_pair(reference, test, LOCAL_WINDOW)
    errors = cv2.absdiff(reference, test).mean(axis=2)
    window = (LOCAL_WINDOW, LOCAL_WINDOW)
    means = cv2.blur(errors, window, anchor=(0, 0))[: 1 - LOCAL_WINDOW, : 1 - LOCAL_WINDOW]
    return float(means.max())


def check_pair(reference: Image, test: Image, smallest_side: int = 1) -> None:
    """Refuse what is no pair of RGB images of one size.

    Raises:
        ValueError: the images are not uint8 of shape (H, W, 3), differ in size, or are smaller than ``smallest_side``.
    """
    for image in (reference, test):
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
            raise ValueError(f"an RGB image is uint8 of shape (H, W, 3), not {image.dtype} of shape {image.shape}")
    if reference.shape != test.shape:
        sizes = " and ".join(f"{image.shape[1]} x {image.shape[0]}" for image in (reference, test))
        raise ValueError(f"the images are {sizes}; only images of one size can be compared")
    if min(reference.shape[:2]) < smallest_side:
        raise ValueError(f"the short side must be at least {smallest_side} px, not {min(reference.shape[:2])}")


def _similarity(
    reference: NDArray[np.generic], test: NDArray[np.generic], luminance_constant: float = 0.01
) -> NDArray[np.float64]:
    """SSIM of each channel, shape (3,)."""
    return np.array(
        [
            structural_similarity(
                reference[..., channel],
                test[..., channel],
                data_range=255,
                gaussian_weights=True,
                sigma=1.5,
                use_sample_covariance=False,
                K1=luminance_constant,
            )
            for channel in range(3)
        ]
    )


def _halved(image: NDArray[np.float64]) -> NDArray[np.float64]:
    height, width = image.shape[0] // 2, image.shape[1] // 2
    half: NDArray[np.float64] = image[: 2 * height, : 2 * width].reshape(height, 2, width, 2, 3).mean(axis=(1, 3))
    return half
