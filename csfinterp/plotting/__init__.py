"""What the drawings of csfinterp/plot show: curves from the edition by the core's formulas, points from answers."""
