"""Nouns: frozen dataclasses and enums of the domain; no I/O."""
