"""csfinterp: one structured, explained, cited interpretation of a cerebrospinal fluid (CSF) panel."""

__version__ = "0.1.0"
