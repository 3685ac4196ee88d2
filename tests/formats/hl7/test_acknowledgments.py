"""Acknowledgments: sides swapped, control id given back, AR for what is not ours, AE for what can be mended."""

from __future__ import annotations

from datetime import UTC, datetime

import hl7
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from csfinterp.errors import ConflictError, DocumentError, Fault
from csfinterp.formats import hl7_v2
from tests.formats.hl7.making import PID, PROTEIN, SPM, message, msh, obr, obx, read

NOW = datetime(2026, 3, 1, 10, 30, tzinfo=UTC)
GOOD = message(PID, obr(), PROTEIN, SPM)


def answer(data: bytes, code: str | None = None) -> bytes:
    """What a door answers: AA, or what the error says."""
    try:
        found = read(data)
    except hl7_v2.MessageError as error:
        code, condition, text, faults = hl7_v2.verdict(error)
        return hl7_v2.acknowledge(error.header, code, faults, text, control_id="A-1", now=NOW, condition=condition)
    return hl7_v2.acknowledge(found.header, code or "AA", found.warnings, control_id="A-1", now=NOW)


def test_a_stored_message_is_accepted() -> None:
    assert answer(GOOD) == (
        b"MSH|^~\\&|CSFINTERP|HOSP|LIS|LAB|20260301103000+0000||ACK^R01^ACK|A-1|P|2.5.1\rMSA|AA|M-1\r"
    )


@pytest.mark.parametrize(
    ("expected", "data"),
    [
        (("AR", "200", "MSH^1^9"), message(msh(kind="ADT^A01"), PID)),
        (("AR", "201", "MSH^1^9^1^2"), message(msh(kind="ORU^R30"), PID)),
        (("AR", "203", "MSH^1^12"), message(msh(version="2.2"), PID)),
        (("AR", "203", "MSH^1^12"), message(msh(version="3.0"), PID)),
        (("AR", "202", "MSH^1^11"), message(msh(processing="T"), PID)),
        (("AR", "100", ""), b"hello"),
        (("AR", "100", ""), b""),
        (("AR", "200", "MSH^1^9"), b"MSH|^~\\&|A"),
        (("AR", "102", ""), GOOD + GOOD),
        (("AE", "101", "OBX^1"), message(PID, obr())),
        (("AE", "100", "DSC^1^1"), message(PID, obr(), PROTEIN, SPM, "DSC|NEXT")),
    ],
)
def test_what_cannot_be_used_is_answered_with_code_condition_and_place(
    expected: tuple[str, str, str], data: bytes
) -> None:
    found = hl7.parse(answer(data).decode())
    error = found.segment("ERR")
    assert (str(found.segment("MSA")[1]), str(error[3][0][0]), str(error[2]).rstrip("^")) == expected
    assert str(error[4]) == "E"
    assert str(error[8])


@pytest.mark.parametrize("version", ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8"])
def test_versions_from_2_3_to_2_8_are_read_and_answered_in_kind(version: str) -> None:
    found = hl7.parse(answer(message(msh(version=version), PID, obr(), PROTEIN, SPM)).decode())
    assert (str(found.segment("MSA")[1]), str(found.segment("MSH")[12])) == ("AA", version)


def test_test_messages_are_read_where_the_caller_allows_them() -> None:
    data = message(msh(processing="T"), PID, obr(), PROTEIN, SPM)
    assert len(hl7_v2.read_message(data, processing_ids=("P", "T")).panels) == 1
    assert hl7_v2.read_header(data).processing_id == "T"


def test_the_answer_is_valid_in_strict_2_5_1() -> None:
    for data in (GOOD, message(msh(kind="ADT^A01"), PID), message(PID, obr(), obx("T^Test^L", status=""), SPM)):
        text = answer(data).decode()
        assert parse_message(text, validation_level=VALIDATION_LEVEL.STRICT).validate()


def test_remarks_of_an_accepted_message_are_warnings() -> None:
    found = hl7.parse(answer(message(PID, obr(status=""), obx("T^Test^L", status=""), SPM)).decode())
    assert str(found.segment("MSA")[1]) == "AA"
    assert (str(found.segment("ERR")[2]), str(found.segment("ERR")[4])) == ("OBX^1^11", "W")


def test_delimiters_names_and_character_set_are_given_back_as_sent() -> None:
    data = "MSH#*!?+#LÄB?S?1*1.2*ISO#F+1#X#Y###ORU*R01#ID?F?7#P#2.5######8859/1\r".encode("latin-1")
    found = answer(data)
    assert found.startswith("MSH#*!?+#X#Y#LÄB?S?1*1.2*ISO#F+1#".encode("latin-1"))
    assert b"\rMSA#AE#ID?F?7#" in found


def test_commit_codes_of_enhanced_mode() -> None:
    assert [hl7_v2.commit(code) for code in ("AA", "AE", "AR", "CA")] == ["CA", "CE", "CR", "CA"]
    head = read(message(msh() + "|||AL|NE", PID, obr(), PROTEIN, SPM)).header
    assert (head.accept_ack, head.application_ack) == ("AL", "NE")
    assert b"MSA|CA|M-1" in hl7_v2.acknowledge(head, "CA", control_id="A-1", now=NOW)


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        (("AE", "102"), DocumentError("no CSF test", (Fault("", "no CSF test"),))),
        (("AE", "205"), ConflictError("came before", "message_id_reused")),
        (("AE", "207"), ConflictError("busy", "busy")),
        (("AE", "207"), RuntimeError("patient MRN-1 not found")),
    ],
)
def test_errors_of_the_service_have_their_code(expected: tuple[str, str], error: Exception) -> None:
    code, condition, text, faults = hl7_v2.verdict(error)
    assert (code, condition) == expected
    assert "MRN-1" not in text + "".join(fault.message for fault in faults)


def test_no_text_can_break_the_answer() -> None:
    head = read(GOOD).header
    found = hl7_v2.acknowledge(
        head, "AE", [Fault("/x|y", "a|b\r\nMSA|AA")] * 50, "c\rd|e" * 99, control_id="A\r", now=NOW
    )
    lines = found.decode().rstrip("\r").split("\r")
    assert [line[:4] for line in lines] == ["MSH|", "MSA|", *["ERR|"] * 20]
