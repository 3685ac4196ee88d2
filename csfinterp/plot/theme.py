"""Colors of the drawings, each with a light and a dark shade. Color only ever repeats what shape or words say."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass


@dataclass(frozen=True)
class Shade:
    """One role. `marker`: what matplotlib draws with; `svg` puts the light shade and the class `name` in its place."""

    name: str
    marker: str
    light: str
    dark: str


def _shades() -> dict[str, Shade]:
    roles = {
        "paper": ("#ffffff", "#14191f"),
        "ink": ("#16212b", "#e8edf2"),
        "soft": ("#566573", "#a9b5c0"),
        "line": ("#d3dbe2", "#3a4652"),
        "wash": ("#e9eff4", "#212c37"),
        "band": ("#dbe7ef", "#24384a"),
        "accent": ("#0f5c70", "#62c3dd"),
        "path": ("#4a6b8a", "#93b5d8"),
    }
    # Colors that nothing else draws with: 1, 2, 3 ... in the blue byte.
    return {
        name: Shade(name, f"#fe01{number:02x}", light, dark)
        for number, (name, (light, dark)) in enumerate(roles.items(), 1)
    }


SHADES = _shades()
PAPER, INK, SOFT, LINE, WASH, BAND, ACCENT, PATH = (shade.marker for shade in SHADES.values())
BY_MARKER = {shade.marker: shade for shade in SHADES.values()}


def style() -> str:
    """The style sheet of a drawing: dark shades where the reader's page is dark; on paper always light."""
    rules = "".join(
        f".f-{shade.name}{{fill:{shade.dark}}}.s-{shade.name}{{stroke:{shade.dark}}}" for shade in SHADES.values()
    )
    return f"@media screen and (prefers-color-scheme:dark){{{rules}}}"


def policy() -> str:
    """The Content-Security-Policy of a drawing: its own style sheet and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"
