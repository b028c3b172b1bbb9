"""Every error the toolkit raises on purpose, as one tree.

::

    WatermarkError                 1   anything below
    ├── UsageError                 2   the call cannot work as written
    │   ├── PayloadError           2   payload of the wrong size or form
    │   ├── KeyFileError           2   key file missing, malformed or already there
    │   ├── SettingsError          2   training settings unknown or out of range
    │   └── OutputExists           2   would overwrite a file
    ├── ImageError                 3   the picture cannot be used
    │   ├── UnreadableImage        3   truncated, hostile or unknown file
    │   ├── UnsupportedImage       3   readable, but of a kind not handled
    │   ├── ImageTooSmall          3   short side under the minimum
    │   └── CredentialPresent      3   carries a signed C2PA manifest
    ├── WeightsError               3   weights missing, damaged or of another shape
    └── NotReadBack                3   the mark could not be read from what was written

The number is the exit code of the command line: 2 for usage, 3 for "could not decide".
Each message says what was expected, what came and what to do.
"""

from __future__ import annotations


class WatermarkError(Exception):
    """Base of all errors of the toolkit; ``exit_code`` is what the command line returns."""

    exit_code = 1


class UsageError(WatermarkError):
    """The call cannot work as written, whatever the image."""

    exit_code = 2


class PayloadError(UsageError):
    """A payload of the wrong size or form."""


class KeyFileError(UsageError):
    """A key file that is missing, malformed, or already there."""


class SettingsError(UsageError):
    """Training settings that are unknown or out of range."""


class OutputExists(UsageError):
    """The output file exists and overwriting was not asked for."""


class ImageError(WatermarkError):
    """The picture cannot be used."""

    exit_code = 3


class UnreadableImage(ImageError):
    """A file that is truncated, hostile or of an unknown format."""


class UnsupportedImage(ImageError):
    """A readable picture of a kind that is not handled."""


class ImageTooSmall(ImageError):
    """A picture whose short side is under the minimum.

    Args:
        height: height of the picture in pixels.
        width: width of the picture in pixels.
        minimum: smallest short side handled, in pixels.
    """

    def __init__(self, height: int, width: int, minimum: int) -> None:
        self.height, self.width, self.minimum = height, width, minimum
        super().__init__(
            f"the short side must be at least {minimum} px, but the image is {width} x {height}; "
            "use a larger version of it"
        )

    def __reduce__(self) -> tuple[type[ImageTooSmall], tuple[int, int, int]]:
        return type(self), (self.height, self.width, self.minimum)  # so that workers can raise it


class CredentialPresent(ImageError):
    """The file carries a signed C2PA manifest, which embedding would invalidate."""


class WeightsError(WatermarkError):
    """Weights that are missing, damaged or of another shape."""

    exit_code = 3


class NotReadBack(WatermarkError):
    """The mark could not be read from the very bytes that were to be written."""

    exit_code = 3
