"""EXIF blocks taken apart into tags and put together again; elsewhere they are bytes carried verbatim."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image, TiffImagePlugin, TiffTags

from watermark.imaging.quiet import QUIET

EXIF_LABEL = b"Exif\0\0"
"""What comes before the TIFF header of an EXIF block in a JPEG."""
TIFF_XMP_TAG, TIFF_ICC_TAG, TIFF_MANIFEST_TAG = 700, 34675, 0xCD41

# Tags that describe how pixels are laid out, plus those carried otherwise or, the manifest, not at all.
_TIFF_LAYOUT_TAGS = {
    *(254, 255, 256, 257, 258, 259, 262, 263, 264, 265, 266, 273, 277, 278, 279, 280, 281, 284, 288, 289, 290, 291),
    *(292, 293, 301, 317, 318, 319, 320, 321, 322, 323, 324, 325, 330, 332, 333, 334, 336, 338, 339, 340, 341, 342),
    *(347, *range(512, 522), 529, 530, 531, 532, TIFF_XMP_TAG, TIFF_ICC_TAG, TIFF_MANIFEST_TAG),
}


def parse_exif(exif: bytes) -> dict[int, Any] | None:
    """The tags of an EXIF block, ready for a TIFF directory.

    Args:
        exif: the block from its TIFF header on; may be empty.

    Returns:
        Values by tag, those of sub-directories (Exif, GPS) being such dictionaries themselves; None if the block
        is damaged.
    """
    tags = Image.Exif()
    with QUIET:
        try:
            tags.load(EXIF_LABEL + exif if exif else b"")
            return _whole(tags)
        except Exception:  # damaged blocks make Pillow raise nearly anything
            return None


def tiff_exif(data: bytes) -> bytes | None:
    """The tags of a TIFF but those of its pixel layout, as an EXIF block from its TIFF header on.

    Returns:
        The block, empty if there are no such tags; None if they are damaged.
    """
    with QUIET:
        try:
            with TiffImagePlugin.TiffImageFile(io.BytesIO(data)) as image:
                tags = {tag: value for tag, value in _whole(image.getexif()).items() if tag not in _TIFF_LAYOUT_TAGS}
            block = Image.Exif()  # made anew because that of a BigTIFF would be a BigTIFF too
            for tag, value in tags.items():
                if isinstance(value, dict):
                    block.get_ifd(tag).update(value)
                else:
                    block[tag] = value
            return block.tobytes().removeprefix(EXIF_LABEL) if tags else b""
        except Exception:  # damaged tags make Pillow raise nearly anything
            return None


def _whole(tags: Image.Exif) -> dict[int, Any]:
    """All tags with their sub-directories, seen to be writable."""
    whole = {tag: tags.get_ifd(tag) if tag in TiffTags.TAGS_V2_GROUPS else value for tag, value in tags.items()}
    trial = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in whole.items():
        trial[tag] = value
    trial.tobytes()
    return whole
