"""Drawings: Reibergram, trend, profile, as SVG. Takes plain numbers; which ones, says csfinterp/plotting."""
