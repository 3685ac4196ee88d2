"""`python -m tests.bench NAME [--check]`: prints one line per aim; with --check exits 1 if one is missed."""

from __future__ import annotations

import argparse
import importlib
import sys

NAMES = ("cohort", "core", "doors", "fhir_door", "page")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("--check", action="store_true", help="exit 1 if an aim is missed")
    chosen = parser.parse_args()
    missed = False
    for line in importlib.import_module(f"tests.bench.{chosen.name}").lines():
        print(line, flush=True)
        missed |= not line.met
    return int(chosen.check and missed)


if __name__ == "__main__":
    sys.exit(main())
