"""Where things lie: the checkout, and the recordings that may lie beside it."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
"""The checkout."""
SHARED: Final = ROOT.parent / "shared" / "data"
"""Recordings and teachers; they may be missing."""
