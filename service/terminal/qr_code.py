"""A QR code of an address, as text: two modules in each character, dark on light on any terminal."""

import io


def qr_code(text: str) -> str:
    """Returns lines of half blocks with their quiet zone, which a phone's camera reads from a screen."""
    import segno  # noqa: PLC0415 - only where there is a page

    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(out=drawn, compact=True)
    return drawn.getvalue().rstrip("\n")
