"""Large nonsense is answered in linear time: what repeats without end, nests, or asks for one answer a byte."""

from __future__ import annotations

import time

import pytest

from csfinterp.formats import hl7_v2
from tests.formats.hl7.making import SPM, message, msh, obr, obx

SECONDS = 20  # far above what any of these take; linear against quadratic is minutes apart
MANY = 300_000


def rows(*kinds: str) -> list[str]:
    return [obx(code, str(at), kind="ST", sub_id=f"{at}.1") for code in kinds for at in range(900)]


@pytest.mark.parametrize(
    "data",
    [
        message(obr(), obx("T^Test^L", "a~" * MANY, kind="ST"), SPM),
        message(obr(), obx("T^Test^L", "^" * MANY, kind="CWE"), SPM),
        message(obr(), obx("T^Test^L", "\\X41" * MANY, kind="ST"), SPM),
        message(msh(), *["A"] * MANY),
        message(msh(), *["NTE"] * MANY),
        message(*["MSH"] * MANY),
        message(msh(), "OBX|" + "a|" * MANY),
        message(msh("x" * MANY)),
        message(*[line for at in range(900) for line in (obr(number=str(at)), obx("T^Test^L"), f"SPM|1|{at}||CSF")]),
        message(*[line for at in range(900) for line in (obr("F", f"2026030{at % 9 + 1}", str(at)), obx("T^Test^L"))]),
        message(obr(), *rows("T^Test^L", "organism^^99CSFI"), SPM),
        message(obr(), *rows("T^Test^L", "variant_gene^^99CSFI"), SPM),
        message(obr(), obx("T^Test^L"), *rows("stated^^99CSFI"), SPM),
    ],
    ids=["repetitions", "components", "escapes", "lines", "comments", "headers", "fields", "control_id", "specimens",
         "orders", "attributes", "variants", "facts"],
)  # fmt: skip
def test_large_messages_are_answered_in_linear_time(data: bytes) -> None:
    started = time.monotonic()
    for item in hl7_v2.split_batch(data):
        try:
            assert hl7_v2.read_message(item).panels
        except hl7_v2.MessageError as error:
            assert error.faults
    assert time.monotonic() - started < SECONDS
