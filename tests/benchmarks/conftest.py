"""What tests of measuring share."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import pytest
import torch


@pytest.fixture
def threads_restored() -> Iterator[None]:
    """Measuring sets one thread; the other tests get back what they had."""
    threads, cv_threads = torch.get_num_threads(), cv2.getNumThreads()
    yield
    torch.set_num_threads(threads)
    cv2.setNumThreads(cv_threads)
