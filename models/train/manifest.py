"""Writes the last table of a pack's manifest: every file with its SHA-256.

After a card was edited by hand: `python -m models.train.manifest models/packs/<name>`.
"""

import argparse
import hashlib
from pathlib import Path

from models.pack import MANIFEST

_TABLE = "[files]\n"


def seal(folder: Path) -> None:
    """Names every file of `folder` in its manifest, with the hash it has now.

    Raises: FileNotFoundError if there is no manifest yet.
    """
    manifest = folder / MANIFEST
    head = manifest.read_text(encoding="utf-8").split(_TABLE)[0].rstrip()
    lines = [
        f'"{path.name}" = "{hashlib.sha256(path.read_bytes()).hexdigest()}"'
        for path in sorted(folder.iterdir())
        if path.is_file() and path.name != MANIFEST
    ]
    manifest.write_text("\n".join([head, "", _TABLE.strip(), *lines, ""]), encoding="utf-8")


def main() -> None:
    """Seals the folder named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    seal(parser.parse_args().folder)


if __name__ == "__main__":
    main()
