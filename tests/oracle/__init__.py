"""The tests' oracle: a slow, obvious, plain-Python reading of the same YAML edition, one panel at a time.

It shares no code with csfinterp/steps, csfinterp/knowledge or csfinterp/formats (only the closed words of
model/context.py): the edition is read with yaml.safe_load, a panel is the plain dict of the contract, numbers are
fractions until they are rounded once.
The parts: knowledge.py (YAML, units), reading.py (cells), patient.py (age, times, context words), calculation.py
(formulas), logic.py (three values, predicates), judging.py (rows and flags), statements.py (profiles, tables).
"""

from tests.oracle.interpret import Oracle

__all__ = ["Oracle"]
