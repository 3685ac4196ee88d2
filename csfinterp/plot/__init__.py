"""Drawings: Reibergram, trend, profile, cohort, as SVG. Takes plain numbers; which ones, says csfinterp/plotting.

In a notebook: `csfinterp.plot.reibergram(frame)` draws the table of `csfinterp.interpret_frame` (plotting/frame.py).
"""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """What notebooks use is loaded when it is first asked for."""
    if name == "reibergram":
        return import_module("csfinterp.plotting.frame").reibergram
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
