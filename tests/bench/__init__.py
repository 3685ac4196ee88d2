"""Benchmarks: every line is a ratio of two things measured side by side in one run, and ends in `met` or `MISSED`."""
