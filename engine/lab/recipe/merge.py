"""An adapter written into the weights it was trained on: `python -m engine.lab.recipe.merge FOLDER ADAPTER OUT`.

The merging itself is the product's (`engine.backbone.merging`); what 4 bit make of the sum is measured
(`engine.lab.recipe.measure`), not argued.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from engine.backbone.merging import merge
from engine.errors import InvalidInput

__all__ = ["merge"]


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m engine.lab.recipe.merge", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    try:
        merge(options.folder, options.adapter, options.out)
    except InvalidInput as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
