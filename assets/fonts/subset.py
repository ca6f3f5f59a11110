#!/usr/bin/env python3
"""Makes serif.otf and sans.otf from the fonts of Debian's package fonts-noto-cjk.

    apt-get install fonts-noto-cjk
    npm pack lxgw-wenkai-lite-webfont && tar xzf lxgw-wenkai-lite-webfont-*.tgz    # 1.7.0: only as a list of characters
    pip install fonttools brotli
    assets/fonts/subset.py package/files

The serif has all of GB 2312 and what LXGW WenKai Lite has besides, which includes the List of Commonly Used Standard Chinese
Characters (通用规范汉字表); the sans serif, for headings, has GB 2312.
"""

import glob
import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

NOTO = "/usr/share/fonts/opentype/noto/Noto{}CJK-Regular.ttc"
SIMPLIFIED_CHINESE = 2


def gb2312():
    for row in range(0xA1, 0xF8):
        for cell in range(0xA1, 0xFF):
            try:
                yield ord(bytes([row, cell]).decode("gb2312"))
            except UnicodeDecodeError:
                pass


def is_han(c):
    return 0x3400 <= c < 0xA000 or c >= 0x20000


SYMBOLS = [(0x20, 0x7F), (0xA0, 0x100), (0x2010, 0x2028), (0x2030, 0x203C), (0x2150, 0x218A), (0x2190, 0x219A),
           (0x2200, 0x2270), (0x2460, 0x2500), (0x25A0, 0x2650), (0x3000, 0x3040), (0x3200, 0x3400), (0xFF00, 0xFFF0)]
others = {c for first, end in SYMBOLS for c in range(first, end)} | set(map(ord, "℃℉№✓✔✗€℡"))
# GB 2312 has kana and Cyrillic too, which no report needs.
gb = {c for c in gb2312() if not 0x3040 <= c < 0x3100 and not 0x400 <= c < 0x460} | others
wenkai = {c for file in glob.glob(sys.argv[1] + "/lxgwwenkailite-regular-subset-*.woff2") for c in TTFont(file).getBestCmap()}

for name, characters in [("Serif", gb | set(filter(is_han, wenkai))), ("Sans", gb)]:
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True, font_number=SIMPLIFIED_CHINESE,
                             name_IDs=[1, 2, 3, 4, 5, 6, 13, 14])
    options.drop_tables += ["BASE", "VORG", "vhea", "vmtx", "GSUB", "GPOS", "DSIG"]
    font = subset.load_font(NOTO.format(name), options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=characters)
    subsetter.subset(font)
    subset.save_font(font, Path(__file__).parent / f"{name.lower()}.otf", options)
