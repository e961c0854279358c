"""A photograph as families are shown it: small, upright, and nothing in it but the picture.

A telephone writes into a photograph where it was taken: for a visitor, often at home.
"""

import io

MOST_PIXELS = 24_000_000
"""A telephone's photograph; a file of few bytes can say that it has a thousand times as many."""
LONGEST_SIDE = 640
KINDS = ("JPEG", "PNG", "WEBP")


def plain(content: bytes) -> bytes | None:
    """The picture anew, as a JPEG; None for what is no picture of these kinds, or too large."""
    # Late: few web workers are ever handed one.
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=KINDS) as picture:
            width, height = picture.size
            # Only a JPEG can be read at an eighth of its size.
            if width * height > MOST_PIXELS // (1 if picture.format == "JPEG" else 2):
                return None
            picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        return None
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    made = io.BytesIO()
    upright.save(made, "JPEG", quality=85)
    return made.getvalue()
