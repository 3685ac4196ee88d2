"""Who may do what: one table, endpoint and method -> roles. What is not in the table is refused to everybody.

GET stands for HEAD, too. A test walks every route of the application with every role and with none.
"""

from __future__ import annotations

from collections.abc import Mapping

from csfinterp.accounts import Role

Roles = frozenset[Role] | None

PUBLIC: Roles = None  # everybody, without an account: nothing of a patient is behind it
SIGNED_IN: frozenset[Role] = frozenset(Role)
SENDS = frozenset({Role.LABORATORY})
READS = frozenset({Role.LABORATORY, Role.CLINICIAN})
JUDGES = frozenset({Role.CLINICIAN})
# Which case a held message belongs to is settled by those who know specimens, or who keep the service.
SETTLES = frozenset({Role.LABORATORY, Role.ADMINISTRATOR})
# Nothing is stored and nothing is read of the store.
TRIES = frozenset({Role.LABORATORY, Role.CLINICIAN, Role.RESEARCHER, Role.STEWARD})
KNOWS = TRIES | {Role.ADMINISTRATOR}

# A researcher gets de-identified exports only: web/exports.py asks `may_identify`.
EXPORTS = READS | {Role.RESEARCHER}

ACCESS: Mapping[tuple[str, str], Roles] = {
    # panels
    ("panels.submit", "POST"): SENDS,
    ("batch.submit", "POST"): SENDS,
    ("panels.reinterpret", "POST"): SENDS,
    ("panels.interpret", "POST"): TRIES,
    ("panels.search", "GET"): READS,
    ("panels.read", "GET"): READS,
    ("panels.versions", "GET"): READS,
    ("panels.changes", "GET"): READS,
    ("panels.interpretation", "GET"): READS,
    ("panels.put_context", "PUT"): JUDGES,
    ("panels.acknowledge", "POST"): READS,  # the laboratory calls, the clinician reads back: either may write it down
    ("plots.svg", "GET"): READS,
    ("held.listed", "GET"): SETTLES,
    ("held.show", "GET"): SETTLES,
    ("held.release", "POST"): SETTLES,
    ("held.discard", "POST"): SETTLES,
    # exports
    ("exports.panels", "GET"): EXPORTS,
    ("exports.observations", "GET"): EXPORTS,
    ("exports.parquet", "GET"): EXPORTS,
    ("exports.dictionary", "GET"): KNOWS,
    ("exports.manifest", "GET"): EXPORTS,
    # HL7 v2
    ("hl7.send", "POST"): SENDS,
    # FHIR R4
    ("fhir.metadata", "GET"): PUBLIC,
    ("fhir.operation", "GET"): PUBLIC,
    ("fhir.receive", "POST"): SENDS,
    ("fhir.receive_with_slash", "POST"): SENDS,
    ("fhir.interpret", "POST"): TRIES,
    ("fhir.report", "GET"): READS,
    ("fhir.history", "GET"): READS,
    ("fhir.observation", "GET"): READS,
    ("fhir.search", "GET"): READS,
    ("fhir.search_by_post", "POST"): READS,
    # CDS Hooks
    ("cds_hooks.discovery", "GET"): PUBLIC,
    ("cds_hooks.cards", "POST"): JUDGES,
    ("cds_hooks.feedback", "POST"): JUDGES,
    # knowledge
    ("knowledge.editions", "GET"): KNOWS,
    ("knowledge.edition", "GET"): KNOWS,
    ("knowledge.analytes", "GET"): KNOWS,
    # pages
    ("pages.index", "GET"): READS,
    ("pages.panel", "GET"): READS,
    ("worklist.find", "POST"): READS,
    ("patient.page", "GET"): READS,
    ("callback.page", "GET"): READS,
    ("callback.save", "POST"): READS,
    ("context_form.page", "GET"): JUDGES,
    ("context_form.save", "POST"): JUDGES,
    ("context_form.again", "POST"): READS,
    ("versions.page", "GET"): READS,
    ("editions.index", "GET"): KNOWS,
    ("editions.page", "GET"): KNOWS,
    ("editions.compare", "GET"): KNOWS,
    ("help.index", "GET"): PUBLIC,
    ("help.guide", "GET"): PUBLIC,
    ("plots.report", "GET"): READS,
    ("pages.problem", "GET"): PUBLIC,
    ("docs.page", "GET"): PUBLIC,
    ("docs.asset", "GET"): PUBLIC,
    ("static", "GET"): PUBLIC,
    ("api-docs.openapi_json", "GET"): PUBLIC,
    # signing in
    ("login.page", "GET"): PUBLIC,
    ("login.sign_in", "POST"): PUBLIC,
    ("login.sign_out", "POST"): SIGNED_IN,
    ("login.account", "GET"): SIGNED_IN,
    ("login.new_password", "POST"): SIGNED_IN,
    # operations
    ("operations.healthz", "GET"): PUBLIC,
    ("operations.readyz", "GET"): PUBLIC,
    ("metrics.metrics", "GET"): frozenset({Role.MONITOR, Role.ADMINISTRATOR}),
}
REFUSED: frozenset[Role] = frozenset()


def allowed(endpoint: str, method: str) -> Roles:
    """The roles that may use a method of an endpoint; None: everybody; empty: nobody."""
    if method == "OPTIONS":  # says the methods, which the documentation says, too
        return PUBLIC
    return ACCESS.get((endpoint, "GET" if method == "HEAD" else method), REFUSED)
