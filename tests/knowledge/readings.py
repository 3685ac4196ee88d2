"""A small set of readings (patterns, cautions, statements, recommendations, scores) for tests of their laws."""

from __future__ import annotations

from pathlib import Path

PATTERNS = """\
patterns:
  - id: test_meningitis
    rule: P-TEST
    name: Test meningitis
    k: 2
    required: [Z2]
    items:
      - id: Z0
        kind: decisive
        when: {is: {input: csf_culture, in: [positive]}}
        text: culture positive
        citations: [csfinterp_rule]
        status: ours
      - id: Z1
        kind: core
        when: {any: [{holds: pleocytosis}, {holds: Z3}]}
        text: leukocytes raised
        citations: [csfinterp_rule]
        status: ours
      - id: Z2
        kind: core
        when: {above: {quantity: csf_lactate, limit: DL-LAC}}
        text: lactate raised
        citations: [csfinterp_rule]
        status: ours
      - id: Z3
        kind: alarm
        when: {above: {quantity: csf_leukocytes, limit: "500 /uL"}}
        text: many leukocytes
        citations: [csfinterp_rule]
        status: ours
    raises:
      - {id: Z10, when: {holds: Z3}, grade: partly_fits}
    open_if:
      - {reason: alarm_value, when: {holds: Z3}}
    shown_if: {holds: {id: test_meningitis, at_least: partly_fits}}
    emergency: [established, fits]
    texts:
      established: An organism was found.
      fits: The values fit.
      partly_fits: The values fit partly.
      does_not_fit: The values do not show this pattern; it is not excluded.
      not_evaluable: Not evaluable because {reason}.
    lines:
      - id: Z20
        when: {holds: {id: eano_esmo, at_least: probable}}
        text: Leptomeningeal metastasis remains possible at {csf_leukocytes}.
        citations: [csfinterp_rule]
        status: ours
    citations: [csfinterp_rule]
    status: ours
  - id: test_rule
    rule: P-PLAIN
    name: A pattern without core items
    when: {not: {holds: pleocytosis}}
    texts: {fits: Normal., does_not_fit: Not normal., not_evaluable: Not evaluable.}
    citations: [csfinterp_rule]
    status: ours
"""

CAUTIONS = """\
cautions:
  - id: PC90
    group: PC
    when: {holds: {id: test_meningitis, at_least: fits}}
    text: Lactate {csf_lactate} alone does not tell.
    citations: [csfinterp_rule]
    status: ours
  - id: FP90
    group: FP
    when: {known: csf_lactate}
    text: A pointer.
    citations: [csfinterp_rule]
    status: ours
  - id: EC90
    group: EC
    name: after_first
    when: {all: [{holds: PC90}, {holds: {id: hematologic_cns, at_least: shown_by_cytology}}]}
    text: A second caution.
    silent_if: [pleocytosis]
    citations: [csfinterp_rule]
    status: ours
differential:
  when: {is: {input: mri, in: [linear]}}
  trigger: Linear enhancement.
  notes: ["One note."]
  groups:
    - id: infectious
      leptomeningeal: [tuberculosis]
      pachymeningeal: [syphilis]
      tests: [culture]
      citations: [csfinterp_rule]
      status: ours
  citations: [csfinterp_rule]
  status: ours
"""

STATEMENTS = """\
liquid_biopsy:
  - id: test_dna
    when: {is: {input: csf_ctdna, in: [detected]}}
    text: Tumor DNA was found.
    citations: [csfinterp_rule]
    status: ours
"""

RECOMMENDATIONS = """\
recommendations:
  - id: test_call
    rule: R-I99
    when: {holds: {id: test_meningitis, at_least: partly_fits}}
    text: "{test} positive: {organism}. Call now."
    audience: [lab, clinician]
    priority: critical
    citations: [csfinterp_rule]
    status: ours
  - id: bacterial_alarm_value
    rule: R-I98
    when: {holds: bacterial_alarm_value}
    text: "{value} is an alarm value."
    audience: [clinician]
    priority: urgent
    silent_if: [test_call]
    citations: [csfinterp_rule]
    status: ours
  - id: test_context
    rule: R-T99
    when: {all: [{holds: PC90}, {holds: test_dna}, {holds: test_call}]}
    text: For the team.
    audience: [team]
    priority: context
    citations: [csfinterp_rule]
    status: ours
"""

SCORES = """\
scores:
  - id: test_score
    rule: S99
    name: A score
    function: pan_2018
    population: adults
    default_on: false
    asked_if: {is: {input: question, in: [lm]}}
    needed: [csf_protein, csf_cytology_best]
    refusals: [{reason: not lumbar, when: {is: {input: site, in: [ventricular]}}}]
    unknown_refusals: [{reason: age, when: {below: {quantity: age_years, limit: "16 a"}}}]
    constants:
      ends: [0, 3]
      shift: "0.1 mmol/L"
      items:
        - {id: protein, points: 1, of: [csf_protein], at_least: "80 mg/dL", text: protein}
        - {id: positive, points: 2, is: csf_cytology, in: [positive], text: cytology}
    texts: {total: "Total {value} of 13: {class}."}
    citations: [csfinterp_rule]
    status: ours
"""

FILES = {
    "patterns.yaml": PATTERNS,
    "cautions.yaml": CAUTIONS,
    "statements.yaml": STATEMENTS,
    "recommendations.yaml": RECOMMENDATIONS,
    "scores.yaml": SCORES,
}
DERIVED = """\
- id: test_ferritin_limit
  name: Limit of ferritin in CSF
  kind: helper
  function: site_limit
  inputs: [csf_ferritin]
  unit: ug/L
  decimals: 0
  formula: limit of the site's assay
  citations: [csfinterp_rule]
  status: ours
- id: test_ctc_limit
  name: Limit of tumor cells
  kind: helper
  function: platform_limit
  inputs: [csf_ctc]
  unit: /mL
  decimals: 1
  constants: {cellsearch: 1}
  formula: limit of the platform
  citations: [csfinterp_rule]
  status: ours
"""


def put_readings(folder: Path) -> None:
    """Replaces the readings of an edition by those of this module."""
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    with (folder / "derived.yaml").open("a", encoding="utf-8") as file:
        file.write(DERIVED)
