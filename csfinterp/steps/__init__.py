"""Verbs: numpy only; each step takes columns and gives new columns.
pipeline.py shows the whole medicine on one screen."""
