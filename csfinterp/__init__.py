"""csfinterp: one structured, explained, cited interpretation of a cerebrospinal fluid (CSF) panel.

In a notebook: `csfinterp.interpret(panel_document)` and `csfinterp.interpret_frame(frame)`, see csfinterp/cohort;
`csfinterp.plot.reibergram(frame)`.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
_NOTEBOOK = ("interpret", "interpret_frame")


def __getattr__(name: str) -> Any:
    """What notebooks use is loaded when it is first asked for, so that `import csfinterp` stays cheap."""
    if name in _NOTEBOOK:
        return getattr(import_module("csfinterp.cohort.frame"), name)
    if name == "plot":
        return import_module("csfinterp.plot")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
