"""Which results form a panel: patients, orders, specimens, aliquots, paired blood; and facts by our own ids."""

from __future__ import annotations

from typing import Any

import pytest

from csfinterp.errors import DocumentError
from csfinterp.formats import hl7_v2
from tests.conftest import Interpret
from tests.formats.hl7.making import (
    FOLDER,
    PID,
    PROTEIN,
    SPM,
    Document,
    document,
    documents,
    message,
    msh,
    obr,
    obx,
    read,
    sample,
)
from tests.making import flag, value

ALBUMIN, SERUM_ALBUMIN = "1746-7^Albumin CSF^LN", "1751-7^Albumin serum^LN"


def spm(identifier: str, kind: str = "CSF", collected: str = "20260301092000", parent: str = "") -> str:
    return f"SPM|1|{identifier}|{parent}|{kind}^^HL70487" + "|" * 13 + collected


def test_the_minimal_message() -> None:
    (panel,) = sample("minimal_251")
    assert panel["source"] == {"system": "LIS/LAB", "message_id": "MSG00020"}
    assert panel["patient"] == {"id": "MRN-1", "birth_date": "1974-04-23", "sex": "female"}
    assert panel["specimen"] == {
        "id": "ACC-1", "type": "csf", "site": "lumbar", "collected_at": "2026-03-01T09:20:00",
        "received_at": "2026-03-01T09:55:00",
    }  # fmt: skip


def test_serum_of_another_order_joins_with_its_own_time(interpret: Interpret) -> None:
    (panel,) = sample("paired_serum")
    assert [(one.get("specimen"), one.get("collected_at")) for one in panel["observations"]] == [
        (None, None), (None, None), ("serum", "2026-03-01T09:30:00+01:00"), ("serum", "2026-03-01T09:30:00+01:00"),
    ]  # fmt: skip
    answer = interpret(panel)
    assert value(answer, "albumin_quotient") == 13.0
    assert "pairing_assumed" not in [issue["code"] for issue in answer["issues"]]


def test_serum_behind_a_second_specimen_of_the_same_order_joins() -> None:
    (panel,) = sample("pair_in_one_order")
    assert [one.get("specimen") for one in panel["observations"]] == [None, "serum"]
    assert panel["specimen"]["id"] == "ACC-1"


def test_old_versions_name_the_specimen_in_the_order() -> None:
    (panel,) = sample("version_2_3")
    assert panel["patient"]["id"] == "MRN-9"  # PID-2
    assert panel["specimen"] == {
        "id": "FO1", "type": "csf", "site": "lumbar", "collected_at": "2006-03-01T09:20+01:00",
        "received_at": "2006-03-01T09:55+01:00", "volume": {"value": 8, "unit": "mL"},
    }  # fmt: skip
    assert [one["code"]["code"] for one in panel["observations"]] == ["LZZ", "LEIW", "SGLU"]
    assert panel["observations"][2]["specimen"] == "serum"


def test_two_patients_are_two_panels_with_message_ids_of_their_own() -> None:
    panels = sample("two_patients")
    assert [one["patient"]["id"] for one in panels] == ["MRN-1", "MRN-2"]
    assert [one["specimen"]["id"] for one in panels] == ["ACC-1", "ACC-2"]
    assert [one["source"]["message_id"] for one in panels] == ["TWO-1", "TWO-1#2"]
    assert [one["status"] for one in panels] == ["final", "preliminary"]


def test_a_patient_that_is_named_before_every_order_is_one_patient() -> None:
    again = (
        PID,
        obr(),
        obx(ALBUMIN),
        spm("A-1"),
        PID.replace("PID|1", "PID|2"),
        obr(number="FO2"),
        PROTEIN,
        spm("A-1"),
    )
    assert [len(one["observations"]) for one in documents(message(*again))] == [2]
    other = tuple(line.replace("MRN-1", "MRN-2") if line.startswith("PID|2") else line for line in again)
    assert [one["patient"]["id"] for one in documents(message(*other))] == ["MRN-1", "MRN-2"]


def test_two_punctures_are_two_panels_and_blood_goes_with_that_of_its_day() -> None:
    first, second = sample("two_punctures")
    assert [one.get("specimen") for one in first["observations"]] == [None]
    assert [one.get("specimen") for one in second["observations"]] == [None, "serum"]


def test_orders_of_one_specimen_are_one_panel() -> None:
    panel = document(PID, obr(), obx(ALBUMIN), spm("A-1"), obr(number="FO2"), obx("2880-3^Protein^LN"), spm("A-1"))
    assert len(panel["observations"]) == 2


def test_an_order_without_a_specimen_joins_the_only_one_of_its_day() -> None:
    same_day = message(PID, obr(), obx(ALBUMIN), spm("A-1"), obr(number="FO2"), PROTEIN)
    assert [len(one["observations"]) for one in documents(same_day)] == [2]
    other_day = message(PID, obr(), obx(ALBUMIN), spm("A-1"), obr("F", "20260304", "FO2"), PROTEIN)
    assert [one["specimen"]["id"] for one in documents(other_day)] == ["A-1", "FO2"]


def test_aliquots_belong_to_the_specimen_they_were_taken_from() -> None:
    panel = document(
        PID, obr(), obx(ALBUMIN), spm("A-1.1", parent="A-1"), obr(number="FO2"), PROTEIN, spm("A-1.2", parent="A-1")
    )
    assert panel["specimen"]["id"] == "A-1"
    assert len(panel["observations"]) == 2


def test_blood_of_no_known_puncture_is_told_and_paired_with_none() -> None:
    found = read(
        message(
            PID, obr(), obx(ALBUMIN), spm("A-1"), obr("F", "20260304"), obx(ALBUMIN), spm("A-2", "CSF", "20260304"),
            obr("F", ""), obx(SERUM_ALBUMIN), spm("S-1", "SER", ""),
        )
    )  # fmt: skip
    assert [panel.specimen.type for panel in found.panels] == ["csf", "csf", "serum"]
    assert [fault.pointer for fault in found.warnings] == ["/SPM/3/17"]


def test_facts_of_the_specimen() -> None:
    (panel,) = sample("specimen_facts")
    assert panel["specimen"] == {
        "id": "ACC-7", "type": "csf", "site": "ventricular", "collected_at": "2026-03-01T09:20:00.1234+02:00",
        "received_at": "2026-03-01T09:55:00+01:00", "volume": {"value": 2.5, "unit": "mL"},
        "condition": ["clotted", "hemolyzed"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("expected", "kind"),
    [
        ("csf", "CSF^^HL70487"), ("csf", "LIQ^Liquor^99LAB"), ("csf", "258450006^^SCT"), ("serum", "SER"),
        ("plasma", "PLAS"), ("blood", "119297000^Blood specimen^SCT"), ("serum", "X^^L^SER^Serum^HL70487"),
        (None, "PUNKT^Punktat^99LAB"), (None, ""),
    ],
)  # fmt: skip
def test_types_of_specimens(expected: str | None, kind: str) -> None:
    panel = document(PID, obr(), PROTEIN, f"SPM|1|A-1||{kind}")
    assert panel["specimen"].get("type") == expected


@pytest.mark.parametrize(
    ("expected", "site"),
    [("lumbar", "LUMB^lumbar^L"), ("ventricular", "^Ventricular drain^L"), ("cisternal", "cisternal"),
     (None, "ARM^left arm^L"), (None, "^lumbar or ventricular^L"), ("unknown", "UNK^unknown^L")],
)  # fmt: skip
def test_sites_of_puncture(expected: str | None, site: str) -> None:
    told = read(message(PID, obr(), PROTEIN, f"SPM|1|A-1||CSF||||{site}"))
    specimen: Any = told.panels[0].document["specimen"]
    assert specimen.get("site") == expected
    assert bool(told.warnings) == (expected is None)


@pytest.mark.parametrize(
    ("expected", "sent"),
    [
        ("2026-03-01", "20260301"),
        ("2026-03-01", "2026030109"),
        ("2026-03-01T09:20", "202603010920"),
        ("2026-03-01T09:20:30+01:00", "20260301092030+0100"),
        ("2026-03-01T09:20:30.5", "20260301092030.5"),
        (None, "202603"),
        (None, '""'),
    ],
)
def test_times_are_as_exact_as_they_were_sent(expected: str | None, sent: str) -> None:
    panel = document(PID, obr("F", ""), PROTEIN, spm("A-1", "CSF", sent))
    assert panel["specimen"].get("collected_at") == expected


@pytest.mark.parametrize(
    ("pointer", "segments"),
    [
        ("/SPM/1/17", (PID, obr(), PROTEIN, spm("A-1", "CSF", "20261301"))),
        ("/PID/1/7", (PID.replace("19740423", "19740231"), obr(), PROTEIN, SPM)),
        ("/OBX/1/14", (PID, obr(), PROTEIN + "|||yesterday", SPM)),
        ("/SPM/1/2", (PID, obr(number=""), PROTEIN, "SPM|1|||CSF")),
        ("/OBX/1", (PID, obr(), PROTEIN.replace("|F", "|O"), SPM)),
        ("/OBR/1/25", (PID, obr("Z"), PROTEIN, SPM)),
        ("/OBX/2/5", (PID, obr(), PROTEIN, obx("mri^^99CSFI", "sideways", kind="ST"), SPM)),
        ("/OBX/1/6", (PID, obr(), obx("T^Test^L", unit="m" * 300), SPM)),
    ],
)
def test_faults_are_told_where_they_stand(pointer: str, segments: tuple[str, ...]) -> None:
    (error,) = read(message(*segments)).panels
    assert isinstance(error, hl7_v2.MessageFaulty)
    assert [fault.pointer for fault in error.faults] == [pointer]
    assert error.code == "AE"


def test_one_bad_panel_stops_no_other() -> None:
    found = read(
        message(PID, obr(), PROTEIN, SPM, "PID|2||MRN-2|||||", obr("F", "20261399"), PROTEIN, "SPM|1|A-2||CSF")
    )
    assert [isinstance(panel, DocumentError) for panel in found.panels] == [False, True]


def test_context_and_further_facts_by_our_own_ids() -> None:
    (panel,) = sample("context")
    assert panel["context"] == {
        "tumor": {"class": "solid", "primary": "breast"}, "clinical_signs": "typical", "mri": "linear",
        "immunosuppressed": False, "stated": ["fever", "seizure"], "symptom_duration_days": 12,
    }  # fmt: skip
    assert (panel["specimen"]["position"], panel["specimen"]["tube_count"]) == ("lateral", 3)


def test_a_fact_sent_twice_with_two_values_is_a_fault() -> None:
    twice = (obx("mri^^99CSFI", "linear", kind="ST"), obx("mri^^99CSFI", "normal", kind="ST"))
    (error,) = read(message(PID, obr(), PROTEIN, *twice, SPM)).panels
    assert isinstance(error, hl7_v2.MessageFaulty)
    assert [fault.pointer for fault in error.faults] == ["/OBX/3/5"]


def test_words_of_a_laboratory_are_not_taken_for_our_context() -> None:
    panel = document(PID, obr(), PROTEIN, obx("alert^Alert status^L", "calm", kind="ST"), SPM)
    assert "context" not in panel
    assert len(panel["observations"]) == 2


def test_organisms_and_targets_belong_to_the_result_of_their_sub_id(interpret: Interpret) -> None:
    (panel,) = sample("organisms")
    named = [(one["value"], one.get("organism"), one.get("organism_class")) for one in panel["observations"]]
    assert named == [
        ("positive", "Listeria monocytogenes", "bacterial"), ("negative", "Herpes simplex virus 1", None),
    ]  # fmt: skip
    assert flag(interpret(panel), "csf_culture")[0] == "AA"


def test_every_organism_of_a_culture_is_kept(interpret: Interpret) -> None:
    culture = obx("606-4^Culture^LN", "positive", kind="ST", unit="", sub_id="1")
    named = [
        obx(f"{name}^^99CSFI", text, kind="ST", unit="", sub_id="1").replace("OBX|1", f"OBX|{at}")
        for at, (name, text) in enumerate(
            [("organism", "A"), ("organism_class", "viral"), ("organism", "B"), ("organism_class", "bacterial")], 2
        )
    ]
    panel = document(PID, obr(), culture, *named, SPM)
    assert [(one["organism"], one["organism_class"]) for one in panel["observations"]] == [
        ("A", "viral"), ("B", "bacterial"),
    ]  # fmt: skip
    assert {entry["organism"] for entry in interpret(panel)["results"] if entry["analyte"] == "csf_culture"} == {
        "A",
        "B",
    }


def test_tumor_dna_by_the_genomics_codes(interpret: Interpret) -> None:
    (panel,) = sample("tumor_dna")
    (found,) = panel["observations"]
    assert found["value"] == "detected"
    assert found["variants"] == [
        {"gene": "ERBB2", "hgvs": "p.V777L", "vaf_pct": 12.5}
    ]  # the germline one is not listed
    assert interpret(panel)["liquid_biopsy"]["variants"][0]["gene"] == "ERBB2"


@pytest.mark.parametrize(
    ("expected", "calls"),
    [
        ("detected", ("Present", "Absent")), ("not_detected", ("Absent", "Absent")), ("failed", ("No call",)),
        ("Indeterminate", ("Indeterminate",)), ("absent, no call", ("Absent", "No call")),
    ],
)  # fmt: skip
def test_calls_of_variants_as_one_result(expected: str, calls: tuple[str, ...]) -> None:
    rows = [
        obx("69548-6^Variant^LN", f"^{call}^LN", kind="CWE", unit="", sub_id=str(at)) for at, call in enumerate(calls)
    ]
    (found,) = document(PID, obr(), *rows, SPM)["observations"]
    assert found["value"] == expected


@pytest.mark.parametrize(
    ("expected", "number", "unit"), [("12.5", "0.125", "1"), ("12.5", "12.5", "%"), (None, "12.5", "")]
)
def test_an_allele_fraction_without_a_unit_is_not_guessed(expected: str | None, number: str, unit: str) -> None:
    rows = (
        obx("69548-6^Variant^LN", "^Present^LN", kind="CWE", unit=""),
        obx("48018-6^Gene^LN", "^ERBB2^HGNC", kind="CWE", unit=""),
        obx("81258-6^Fraction^LN", number, unit=unit),
    )
    (variant,) = document(PID, obr(), *rows, SPM)["observations"][0]["variants"]
    assert (str(variant["vaf_pct"]) if "vaf_pct" in variant else None) == expected


def test_a_batch_is_read_item_by_item() -> None:
    data = (FOLDER / "batch.hl7").read_bytes()
    found = list(hl7_v2.read_many(data))
    assert [isinstance(one, DocumentError) for one in found] == [False, True, False]
    assert len(hl7_v2.split_batch(data)) == 3


def test_specimens_of_another_kind_are_left_out_and_told() -> None:
    urine = (obr(number="FO9"), obx("2888-6^Protein urine^LN"), spm("U-1", "UR"))
    found = read(message(PID, obr(), PROTEIN, SPM, *urine))
    assert [panel.specimen.id for panel in found.panels] == ["ACC-1"]
    assert [fault.pointer for fault in found.warnings] == ["/SPM/2/4"]
    (alone,) = read(message(PID, *urine)).panels
    assert isinstance(alone, hl7_v2.MessageFaulty)


def test_results_without_a_patient_or_an_order_are_kept() -> None:
    panel = document(PROTEIN, SPM)
    assert "patient" not in panel
    assert panel["specimen"]["id"] == "ACC-1"


@pytest.mark.parametrize(
    ("expected", "application", "facility"),
    [("LIS/LAB", "LIS", "LAB"), ("LIS", "LIS", ""), ("LAB", "", "LAB"), (None, "", ""), ("1.2.3", "^1.2.3^ISO", "")],
)
def test_the_source_system_is_the_sender(expected: str | None, application: str, facility: str) -> None:
    head = msh().replace("|LIS|LAB|", f"|{application}|{facility}|")
    panel: Document = document(head, PID, obr(), PROTEIN, SPM)
    assert panel["source"].get("system") == expected
