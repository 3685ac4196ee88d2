"""Cohorts: the answers of single panels as a table, from file to file (run) or from DataFrame to DataFrame (frame)."""
