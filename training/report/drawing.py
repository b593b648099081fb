"""Diagrams as SVG inside the page: they take the page's text colour and font, and refer to nothing outside."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

from markupsafe import escape
from matplotlib import rc_context
from matplotlib.figure import Figure

from training.report.parts import Picture

COLOURS: Final = ("#2f7fc1", "#d9772b", "#2d9a6b", "#a566b8", "#cf4f5f", "#8b8f3d", "#5f87a8", "#b07a4f")
"""In the order of use: each at about 3 : 1 against a white and against a nearly black page."""
FAINT: Final = "#80868f"
"""Grid and reference lines."""
SIZE_INCHES: Final = (4.0, 2.9)
"""Width and height: at 9 points the letters are still read on a phone 360 pixels wide."""
TEXT: Final = "#010203"
"""Stands for the page's text colour until the drawing is in the page."""
_STYLE: Final[Any] = {  # Any: matplotlib's own names of settings, of which every release has others
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "legend.fontsize": 8,
    "legend.framealpha": 0.0,
    "legend.edgecolor": "none",
    "text.color": TEXT,
    "axes.labelcolor": TEXT,
    "axes.edgecolor": FAINT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": TEXT,
    "ytick.color": TEXT,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.alpha": 0.25,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}
_numbers = count(1)


@contextmanager
def sketch(size: tuple[float, float] = SIZE_INCHES) -> Iterator[Figure]:
    """An empty figure in the page's style; draw on it and call `picture` while the style lasts."""
    with rc_context(_STYLE):
        yield Figure(figsize=size, layout="constrained")


def picture(figure: Figure, *, alt: str, caption: str) -> Picture:
    """Takes what was drawn as one `<svg>` that scales with the page."""
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    # One page holds many drawings, and each numbers its parts anew.
    name = f"drawing{next(_numbers)}-"
    svg = re.sub(r'\bid="', f'id="{name}', svg)
    svg = re.sub(r'(href="|url\()#', rf"\1#{name}", svg)
    svg = svg.replace(TEXT, "currentColor").replace("'DejaVu Sans'", "system-ui, 'DejaVu Sans'")
    opening = re.search(r'viewBox="[^"]*"', svg)
    assert opening is not None, "matplotlib writes a viewBox"
    head = f'<svg xmlns:xlink="http://www.w3.org/1999/xlink" {opening[0]} role="img" aria-label="{escape(alt)}">'
    svg = head + svg[svg.index(">") + 1 :].strip()
    return Picture(svg, alt, caption)
