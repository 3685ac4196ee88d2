"""Local codes of a sender: the map of the site names them by the sender that stands in MSH-3 and MSH-4."""

from __future__ import annotations

from pathlib import Path

import pytest

from csfinterp.formats import hl7_v2
from csfinterp.operations import stateless_service
from csfinterp.service import Service
from csfinterp.settings import Settings
from tests.formats.hl7.making import FOLDER, Document

MAP = """
id: lab
source: LIS/LAB
codes: {"LZZ": csf_leukocytes, "LEIW": csf_protein, "SGLU": serum_glucose, "LZYT": csf_cytology}
words: {csf_cytology: {"keine malignen Zellen (Färbung Pappenheim)": negative}}
decimal_comma: false
default_units: {}
"""


@pytest.fixture
def service(tmp_path: Path) -> Service:
    """A service whose site has mapped the codes of the sender LIS/LAB."""
    (tmp_path / "code_maps").mkdir()
    (tmp_path / "code_maps" / "lab.yaml").write_text(MAP, encoding="utf-8")
    (tmp_path / "site.yaml").write_text("id: site\noptions: []\ncode_maps: [lab]\n", encoding="utf-8")
    values = {"CONFIG_FOLDER": tmp_path, "SITE_RULES": tmp_path / "site.yaml", "ALLOW_DRAFT": "true"}
    return stateless_service(Settings.load({f"CSFINTERP_{name}": str(value) for name, value in values.items()}))


def answer(service: Service, name: str) -> Document:
    return service.interpret(hl7_v2.read((FOLDER / f"{name}.hl7").read_bytes())[0])


def test_local_codes_of_an_old_sender_are_read_with_their_specimen(service: Service) -> None:
    found = {entry["analyte"]: entry["flag"] for entry in answer(service, "version_2_3")["results"]}
    assert (found["csf_leukocytes"], found["csf_protein"]) == ("H", "H")
    assert "serum_glucose" in found


def test_a_code_with_a_system_of_its_own_is_mapped_too(service: Service) -> None:
    found = answer(service, "codes_and_units")
    assert "csf_protein" in {entry["analyte"] for entry in found["results"]}


def test_words_of_the_laboratory_are_mapped(service: Service) -> None:
    (cytology,) = [entry for entry in answer(service, "latin1")["results"] if entry["analyte"] == "csf_cytology"]
    assert cytology["value"] == "negative"
