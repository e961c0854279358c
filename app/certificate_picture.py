"""The certificate as a picture, drawn with the Chinese font that the set-up brings along."""

import os
from datetime import datetime
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from app.words import course_pages as words

SIZE = (1080, 1440)
PAPER, INK, BRAND, GOLD = "#fffaf2", "#2e2925", "#9c4a2f", "#c08a2a"
FONT_PACKAGE = "paperang_p2_fonts_cjk"
"""WenQuanYi Micro Hei as package data; only its file is used."""
FONT_FILE = "fonts/wqy-microhei.ttc"
SYSTEM_FONTS = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
)


class PictureImpossible(Exception):
    """No Chinese font is here; the text says where one was looked for."""


@cache
def font_path() -> Path:
    """The font's file. Raises PictureImpossible."""
    try:
        packaged = Path(str(files(FONT_PACKAGE).joinpath(FONT_FILE)))
    except ModuleNotFoundError:
        packaged = Path()
    for path in (packaged, *map(Path, SYSTEM_FONTS)):
        if path.is_file():
            return path
    looked = ", ".join((FONT_PACKAGE, *SYSTEM_FONTS))
    raise PictureImpossible(f"no Chinese font: neither of {looked}")


def draw(name: str | None, code: str, issued_at: datetime, check_url: str) -> bytes:
    """A PNG of 1080 × 1440 with the name, the number and the address to check it.

    Raises PictureImpossible.
    """
    picture = Image.new("RGB", SIZE, PAPER)
    canvas = ImageDraw.Draw(picture)
    width, height = SIZE
    canvas.rectangle((36, 36, width - 36, height - 36), outline=GOLD, width=6)
    canvas.rectangle((54, 54, width - 54, height - 54), outline=GOLD, width=2)
    _petals(canvas, width // 2, 240)
    _centred(canvas, 400, words.CERTIFICATE, 96, BRAND)
    who, *lines, day = words.certificate_lines(name, issued_at)
    _centred(canvas, 580, who, 64, INK)
    for number, line in enumerate(lines):
        _centred(canvas, 700 + 70 * number, line, 44, INK)
    _centred(canvas, 1010, day, 40, INK)
    code_line, issuer = words.certificate_foot(code)
    square = _qr(check_url)
    picture.paste(square, ((width - square.width) // 2, 1085))
    _centred(canvas, 1085 + square.height + 14, code_line, 32, INK)
    _centred(canvas, 1085 + square.height + 60, issuer, 32, BRAND)
    kept = BytesIO()
    picture.convert("P", palette=Image.Palette.ADAPTIVE, colors=64).save(kept, "PNG", optimize=True)
    return kept.getvalue()


def _centred(canvas: ImageDraw.ImageDraw, top: int, text: str, size: int, colour: str) -> None:
    # A long name is drawn smaller, never cut.
    while size > 20 and canvas.textlength(text, font=_font(size)) > SIZE[0] - 160:
        size -= 4
    canvas.text((SIZE[0] // 2, top), text, font=_font(size), fill=colour, anchor="ma")


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(os.fspath(font_path()), size)


def _petals(canvas: ImageDraw.ImageDraw, x: int, y: int) -> None:
    """The flower of the progress page, all seven petals open."""
    petal = Image.new("L", (400, 400), 0)
    flower = Image.new("L", (400, 400), 0)
    ImageDraw.Draw(petal).ellipse((165, 40, 235, 180), fill=255)
    for number in range(7):
        turned = petal.rotate(-number * 360 / 7, resample=Image.Resampling.BICUBIC)
        flower.paste(255, mask=turned)
    small = flower.resize((260, 260), Image.Resampling.LANCZOS)
    canvas.bitmap((x - 130, y - 130), small, fill="#d9653b")
    canvas.ellipse((x - 26, y - 26, x + 26, y + 26), fill="#e8b04a", outline=GOLD, width=3)


def _qr(url: str) -> Image.Image:
    kept = BytesIO()
    segno.make(url, error="m").save(kept, kind="png", scale=5, border=2, light=PAPER)
    kept.seek(0)
    return Image.open(kept).convert("RGB")
