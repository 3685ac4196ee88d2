"""The report of a cohort: its table counted in one pass, beside the published shares of the edition, on one page."""
