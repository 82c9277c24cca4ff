#!/usr/bin/env python3
"""Renders icon.svg and icon-small.svg to every size that the bundles need.

Needs rsvg-convert (Debian: librsvg2-bin). Run it after changing an SVG and commit the results.
"""

import struct
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
SMALL_UP_TO = 48


def png(size: int) -> bytes:
    """Returns the icon as an RGBA PNG of size x size pixels."""
    source = "icon-small.svg" if size <= SMALL_UP_TO else "icon.svg"
    command = ["rsvg-convert", "--width", str(size), "--height", str(size), source]
    return subprocess.run(command, cwd=HERE, check=True, capture_output=True).stdout


def ico(sizes: list[int]) -> bytes:
    """Packs PNGs into a Windows icon: a directory of 16-byte entries, then the images."""
    images = [png(size) for size in sizes]
    directory = struct.pack("<HHH", 0, 1, len(sizes))
    offset = len(directory) + 16 * len(sizes)
    for size, image in zip(sizes, images):
        edge = size % 256  # 0 stands for 256
        directory += struct.pack("<BBBBHHII", edge, edge, 0, 0, 1, 32, len(image), offset)
        offset += len(image)
    return directory + b"".join(images)


def icns(entries: dict[str, int]) -> bytes:
    """Packs PNGs into a macOS icon: a total length, then typed, length-prefixed images."""
    body = b""
    for kind, size in entries.items():
        image = png(size)
        body += kind.encode() + struct.pack(">I", len(image) + 8) + image
    return b"icns" + struct.pack(">I", len(body) + 8) + body


def main() -> None:
    for name, size in {"32x32": 32, "128x128": 128, "128x128@2x": 256, "icon": 512}.items():
        (HERE / f"{name}.png").write_bytes(png(size))
    (HERE / "icon.ico").write_bytes(ico([16, 24, 32, 48, 64, 256]))
    mac = {"ic11": 32, "ic12": 64, "ic07": 128, "ic08": 256, "ic09": 512, "ic10": 1024}
    (HERE / "icon.icns").write_bytes(icns(mac))


if __name__ == "__main__":
    main()
