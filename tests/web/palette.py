"""Writes the PNG files of one folder into another with a palette: a quarter of the size, the same to look at.

Files of the second folder that the first one does not have are removed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

COLOURS = 128


def main() -> None:
    source, target = (Path(name) for name in sys.argv[1:])
    target.mkdir(parents=True, exist_ok=True)
    names = {path.name for path in source.glob("*.png")}
    for name in sorted(names):
        with Image.open(source / name) as image:
            reduced = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
            reduced.save(target / name, optimize=True)
    for path in target.glob("*.png"):
        if path.name not in names:
            path.unlink()


if __name__ == "__main__":
    main()
