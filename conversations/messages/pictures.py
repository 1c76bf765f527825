"""The decoding of pictures and their encoding anew, in bounded memory.

It runs in the decoding process (``decoder``), so it imports no Django.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import IO, Any

from PIL import Image, ImageOps

from conversations.messages.file_refusals import Reason, Unacceptable

DECODED_PIXELS = 16_000_000  # of all frames; four bytes each, and a few copies
# A JPEG is reduced by 2, 4 or 8 while it is decoded, so phones' largest photos are accepted.
JPEG_PIXELS = 64_000_000
JPEG_START, JPEG_SCALES = b"\xff\xd8", (1, 2, 4, 8)
SIDE_LIMIT = 4000  # 4000 x 4000 are DECODED_PIXELS
FRAMES_LIMIT = 200
PROFILE_BYTES = 16_384
THUMBNAIL_SIDE = 640
THUMBNAIL_TYPE = "image/webp"
IMAGE, THUMBNAIL = "image", "thumbnail"  # the files that are written

IMAGES = {"JPEG": "image/jpeg", "PNG": "image/png", "GIF": "image/gif", "WEBP": "image/webp"}


def opened_picture(opened: IO[bytes]) -> Image.Image | None:
    """Return the image, of which only the header has been read; ``None`` if it is none."""
    is_jpeg = opened.read(len(JPEG_START)) == JPEG_START
    opened.seek(0)
    limit = JPEG_PIXELS if is_jpeg else DECODED_PIXELS
    # Pillow also checks it for each frame of an animation, which may be larger than the first.
    Image.MAX_IMAGE_PIXELS = limit
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        picture = Image.open(opened, formats=list(IMAGES))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unacceptable(Reason.TOO_MANY_PIXELS) from None
    except Exception:  # Pillow may raise anything on a damaged header: treat it as no image.
        return None
    if picture.width * picture.height > limit:
        raise Unacceptable(Reason.TOO_MANY_PIXELS)
    if is_jpeg:
        _reduce(picture)
    return picture


def _reduce(picture: Image.Image) -> None:
    """Make the decoder itself reduce a large JPEG, so that its pixels never exist at full size."""
    width, height = picture.size
    for scale in JPEG_SCALES:
        if -(-width // scale) * -(-height // scale) <= DECODED_PIXELS:
            if scale > 1:
                picture.draft(None, (width // scale, height // scale))
            break
    if picture.width * picture.height > DECODED_PIXELS:
        raise Unacceptable(Reason.TOO_MANY_PIXELS)


def encode_anew(picture: Image.Image, folder: Path) -> tuple[str, int, int]:
    """Write the image and its thumbnail into ``folder``, and nothing else that was in the file;
    return the content type, the width and the height."""
    kind = "JPEG" if picture.format == "MPO" else str(picture.format)  # a JPEG of some phones
    try:
        moves = kind == "GIF" and _moves(picture)
        if moves:
            picture.save(folder / IMAGE, "GIF", save_all=True, comment=b"", optimize=False)
        picture.seek(0)
        ImageOps.exif_transpose(picture, in_place=True)
        if picture.mode.startswith("I;16"):
            picture = picture.convert("I").point(lambda level: level / 256).convert("L")
        picture.thumbnail((SIDE_LIMIT, SIDE_LIMIT))
        if not moves:
            _save(picture, kind, folder / IMAGE)
        width, height = picture.size
        picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        _save(picture, "WEBP", folder / THUMBNAIL)
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Unacceptable(Reason.TOO_MANY_PIXELS) from None
    except Exception:  # Pillow may raise anything on damaged data.
        raise Unacceptable(Reason.DAMAGED_PICTURE) from None
    return IMAGES[kind], width, height


def _moves(picture: Image.Image) -> bool:
    """Return whether a GIF has several frames, and all of them may be decoded. Of a larger one only
    the first is stored."""
    frames: int = getattr(picture, "n_frames", 1)
    pixels = picture.width * picture.height * frames
    return 1 < frames <= FRAMES_LIMIT and pixels <= DECODED_PIXELS


def _save(picture: Image.Image, kind: str, path: Path) -> None:
    if kind == "JPEG":
        picture = picture if picture.mode == "RGB" else picture.convert("RGB")
    elif picture.mode not in {"1", "L", "P", "RGB", "RGBA"} or kind == "WEBP":
        mode = "RGBA" if picture.has_transparency_data else "RGB"
        picture = picture if picture.mode == mode else picture.convert(mode)
    # Copy only the pixels: Pillow would write any metadata it has read.
    bare = Image.new(picture.mode, picture.size)
    if picture.mode == "P":
        palette = picture.getpalette("RGBA" if "transparency" in picture.info else "RGB")
        bare.putpalette(palette or [], "RGBA" if "transparency" in picture.info else "RGB")
    bare.paste(picture)
    options: dict[str, Any] = {"quality": 88, "optimize": True} if kind == "JPEG" else {}
    colours = picture.info.get("icc_profile") or b""  # else photos of phones turn pale
    if kind != "GIF" and 0 < len(colours) <= PROFILE_BYTES:
        options["icc_profile"] = colours
    bare.save(path, kind, **options)
