"""Exports from the store: the rows of a cohort run; nobody can be found in a de-identified one; one page at a time."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import subprocess
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pyarrow.parquet
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from csfinterp.accounts import Identity, Role
from csfinterp.cli import main
from csfinterp.cohort.cells import lines
from csfinterp.cohort.table import Table
from csfinterp.errors import DocumentError
from csfinterp.exports import exporter as exporting
from csfinterp.exports.exporter import OBSERVATIONS, Exporter, IdentifiedError, Wanted, check_identified
from csfinterp.formats import panel_json
from csfinterp.operations import open_service
from csfinterp.samples import SAMPLES
from csfinterp.service import PanelFilter, Service
from csfinterp.settings import Settings
from csfinterp.web import auth, create_app
from tests.formats.contract_panels import ALL
from tests.random_panels import random_panel

IDENTIFIED = Wanted(identified=True)
RANDOM = 80


def sent() -> Iterator[dict[str, Any]]:
    """Vignettes, samples and random panels, each of a patient of its own, without what only the store may say."""
    for number, document in enumerate([*ALL.values(), *map(random_panel, range(30_000, 30_000 + RANDOM))]):
        context = {name: value for name, value in (document.get("context") or {}).items() if name != "history"}
        yield {
            **document,
            "context": context,
            "source": {"system": "LIS-EXPORT", "message_id": f"MSG-{number}"},
            "patient": {**(document.get("patient") or {}), "id": f"MRN-EXPORT-{number}"},
            "specimen": {**document["specimen"], "id": f"ACC-EXPORT-{number}"},
        }


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("exports")
    values = {"DATABASE_URL": f"sqlite:///{folder / 'csf.sqlite'}", "DATA_FOLDER": str(folder)}
    return Settings.load({f"CSFINTERP_{name}": value for name, value in values.items()})


@pytest.fixture(scope="module")
def service(settings: Settings) -> Service:
    made = open_service(settings)
    made.submit_many([panel_json.read_document(one) for one in sent()])
    return made


@pytest.fixture(scope="module")
def exporter(service: Service) -> Exporter:
    return service.exporter()


@pytest.fixture(scope="module")
def client(settings: Settings, service: Service) -> FlaskClient:
    return create_app(settings, service).test_client()


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def whole(exporter: Exporter, wanted: Wanted) -> bytes:
    return b"".join(exporter.csv(wanted))


def test_a_stored_panel_has_the_row_of_a_cohort_run(exporter: Exporter, service: Service) -> None:
    found = {row["panel_id"]: row for row in rows(whole(exporter, IDENTIFIED))}
    panels = [panel_json.read_document(one) for one in sent()]
    good = [panel for panel in panels if service.refusal(panel) is None]
    assert len(found) == len(good) > len(ALL)
    table = Table(service.core()).panels(good)
    text = ",".join(table.cells) + "\r\n" + lines(list(table.cells.values()))
    for expected in rows(text.encode()):
        row = found[expected["panel_id"]]
        assert {name: row[name] for name in expected} == expected


def test_the_columns_are_those_of_the_dictionary_and_can_be_chosen(exporter: Exporter) -> None:
    for wanted in (IDENTIFIED, Wanted(), Wanted(OBSERVATIONS), Wanted(OBSERVATIONS, identified=True)):
        header = next(csv.reader([next(exporter.csv(wanted)).decode()]))
        assert header == [row["name"] for row in rows(exporter.dictionary(wanted).encode())]
        assert header == [one["name"] for one in json.loads(exporter.table_schema(wanted))["fields"]]
    some = Wanted(columns=("lm_certainty", "csf_protein", "lm_certainty"))
    assert next(exporter.csv(some)) == b"lm_certainty,csf_protein\r\n"
    with pytest.raises(DocumentError, match="not in this table"):
        next(exporter.csv(Wanted(columns=("organism",))))


# --- nobody can be found ---


def secrets_of(documents: list[dict[str, Any]]) -> set[str]:
    """Everything in the panels that could tell who it is."""
    found = set()
    for one in documents:
        patient, specimen = one.get("patient") or {}, one["specimen"]
        found |= {str(patient.get("id")), str(patient.get("birth_date")), str(specimen["id"])}
        found |= {str((one.get("source") or {}).get("message_id")), str((one.get("source") or {}).get("system"))}
        times = [specimen.get("collected_at"), specimen.get("received_at")]
        times += [result.get(name) for result in one["observations"] for name in ("collected_at", "analyzed_at")]
        found |= {time[:10] for time in times if time} | {time[11:16] for time in times if time and "T" in time}
        found |= {result["organism"] for result in one["observations"] if result.get("organism")}
        found |= {result["note"] for result in one["observations"] if result.get("note")}
    return found - {"None"}


DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def every_export(service: Service, project: str = "default") -> Iterator[bytes]:
    exporter = service.exporter()
    yield whole(exporter, Wanted(project=project))
    yield whole(exporter, Wanted(OBSERVATIONS, project=project))
    data = b"".join(exporter.parquet(Wanted(project=project)))
    yield pyarrow.parquet.read_table(io.BytesIO(data)).to_pandas().to_csv().encode()


def test_no_identifier_birth_date_or_true_date_survives_in_an_export_of_the_demo(tmp_path: Path) -> None:
    values = {"DATABASE_URL": f"sqlite:///{tmp_path / 'demo.sqlite'}", "DATA_FOLDER": str(tmp_path)}
    service = open_service(Settings.load({f"CSFINTERP_{name}": value for name, value in values.items()}))
    documents = [sample.document() for sample in SAMPLES]
    service.submit_many([panel_json.read_document(one) for one in documents])
    secrets = secrets_of(documents)
    assert len(secrets) > 2 * len(documents)
    identified = whole(service.exporter(), IDENTIFIED) + whole(
        service.exporter(), Wanted(OBSERVATIONS, identified=True)
    )
    assert sum(text.encode() in identified for text in secrets) > len(documents)  # the test can see them
    for data in every_export(service):
        rows = list(csv.DictReader(io.StringIO(data.decode(), newline="")))
        of_panel = dict(zip(dict.fromkeys(row["panel_id"] for row in rows), documents, strict=True))  # order of arrival
        for row in rows:
            # A shifted date may by chance be a true date of somebody else's; of the panel itself it never is.
            own = secrets_of([of_panel[row["panel_id"]]])
            told = {text for text in secrets if text in own or not DATE.fullmatch(text)}
            assert [text for text in told if any(text in cell for cell in row.values())] == []


def test_the_same_project_gives_the_same_pseudonyms_and_another_others(service: Service) -> None:
    first, again, other = (list(every_export(service, project)) for project in ("a", "a", "b"))
    assert first == again
    for one, two in zip(first[:2], other[:2], strict=True):
        for name in ("panel_id", "patient_id"):
            mine, theirs = ({row[name] for row in rows(data) if row[name]} for data in (one, two))
            assert mine and not mine & theirs


def test_dates_of_a_patient_move_together_and_ages_are_capped(tmp_path: Path) -> None:
    values = {"DATABASE_URL": f"sqlite:///{tmp_path / 'p.sqlite'}", "DATA_FOLDER": str(tmp_path)}
    service = open_service(Settings.load({f"CSFINTERP_{name}": value for name, value in values.items()}))
    for number, (patient, day) in enumerate((("A", "2026-03-01"), ("A", "2026-03-11"), ("B", "2026-03-01"))):
        document = SAMPLES[0].document()
        document["source"] = {"system": "S", "message_id": str(number)}
        document["patient"] = {"id": patient, "birth_date": "1930-01-01"}
        document["specimen"] |= {"id": f"{number}", "collected_at": day, "received_at": day}
        service.submit(panel_json.read_document(document))
    found = pd.read_csv(io.BytesIO(whole(service.exporter(), Wanted())), parse_dates=["collected_at"])
    first, second, other = found["collected_at"]
    assert (second - first).days == 10 and first != other and first < pd.Timestamp("2026-03-01")
    assert found["age_years"].tolist() == [90, 90, 90]
    assert pd.read_csv(io.BytesIO(whole(service.exporter(), IDENTIFIED)))["age_years"].tolist() == [96, 96, 96]
    manifest: dict[str, Any] = dict(service.exporter().manifest(Wanted()))
    assert manifest["left_out"] and manifest["counts"] == {"panels": 3, "patients": 2}
    assert manifest["small_cells"]["groups"] == 1


def test_only_a_role_that_may_gets_an_identified_export_and_no_filter_tells_who_it_is(client: FlaskClient) -> None:
    with pytest.raises(IdentifiedError):
        check_identified(IDENTIFIED, may_identify=False)
    check_identified(IDENTIFIED, may_identify=True)
    with pytest.raises(DocumentError, match="tell who it is"):
        check_identified(Wanted(filters=PanelFilter(patient="M1")), may_identify=True)
    for query in ("patient=MRN-EXPORT-1", "columns=nothing", "flag=XX", "limit=3", "search=a"):
        answer = client.get(f"/api/v1/exports/panels.csv?{query}")
        assert answer.status_code == 422 and answer.mimetype == "application/problem+json", query


@pytest.mark.parametrize(
    ("role", "status"), [(Role.RESEARCHER, 403), (Role.STEWARD, 403), (Role.CLINICIAN, 200), (Role.LABORATORY, 200)]
)
def test_the_roles_of_identified_exports(
    role: Role, status: int, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auth, "_EVERYBODY", Identity("somebody", frozenset({role})))
    for name in ("panels.csv", "observations.csv", "panels.parquet", "manifest.json"):
        assert client.get(f"/api/v1/exports/{name}?identified=true").status_code == status, name
        expected = 403 if role is Role.STEWARD else 200
        assert client.get(f"/api/v1/exports/{name}").status_code == expected, name


# --- one file, by every way ---


def test_http_and_the_command_give_the_same_bytes(
    client: FlaskClient, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSFINTERP_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("CSFINTERP_DATA_FOLDER", str(settings.data_folder))
    for name, words in (("panels.csv", []), ("observations.csv", ["--table", "observations"]), ("panels.parquet", [])):
        done = CliRunner().invoke(main, ["export", str(tmp_path / name), *words, "--filter", "certainty=confirmed"])
        assert done.exit_code == 0, done.output
        answer = client.get(f"/api/v1/exports/{name}?certainty=confirmed")
        assert answer.status_code == 200 and answer.data == (tmp_path / name).read_bytes()
    manifest = json.loads((tmp_path / "panels.csv.manifest.json").read_bytes())
    assert manifest == client.get("/api/v1/exports/manifest.json?certainty=confirmed").json
    certainty = pd.read_csv(tmp_path / "panels.csv")["lm_certainty"]
    assert set(certainty) == {"confirmed"} and len(certainty) == manifest["counts"]["panels"]
    assert client.get("/api/v1/exports/dictionary.csv").data == (tmp_path / "panels.csv.dictionary.csv").read_bytes()


def test_pages_do_not_change_the_bytes(exporter: Exporter, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = whole(exporter, Wanted())
    monkeypatch.setattr(exporting, "PAGE", 7)
    assert whole(exporter, Wanted()) == expected


def test_memory_does_not_grow_with_the_number_of_panels(exporter: Exporter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "PAGE", 5)

    def highest(wanted: Wanted) -> int:
        tracemalloc.start()
        try:
            for _ in exporter.csv(wanted):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    highest(Wanted())
    few = replace(Wanted(), filters=PanelFilter(certainty="confirmed"))
    assert highest(Wanted()) < 1.5 * highest(few)


def test_pandas_and_pyarrow_read_the_same_values(exporter: Exporter) -> None:
    table = pd.read_csv(io.BytesIO(whole(exporter, Wanted())))
    parquet = pyarrow.parquet.read_table(io.BytesIO(b"".join(exporter.parquet(Wanted())))).to_pandas()
    assert list(table.columns) == list(parquet.columns) and len(table) == len(parquet)
    for name in ("csf_protein", "csf_leukocytes_flag", "lm_provisional", "issues", "score_lancet_tbm"):
        one, two = ([None if pd.isna(value) else value for value in frame[name]] for frame in (table, parquet))
        assert one == two, name


HOSTILE = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", '=HYPERLINK("http://x","y")', "=cmd|' /C calc'!A0", "＝1+1"]


def test_libreoffice_opens_an_export_and_runs_no_cell(tmp_path: Path) -> None:
    office = shutil.which("soffice") or shutil.which("libreoffice")
    assert office, "LibreOffice is needed: apt-get install -y --no-install-recommends libreoffice-calc"
    values = {"DATABASE_URL": f"sqlite:///{tmp_path / 'h.sqlite'}", "DATA_FOLDER": str(tmp_path)}
    service = open_service(Settings.load({f"CSFINTERP_{name}": value for name, value in values.items()}))
    for number, text in enumerate(HOSTILE):
        document = SAMPLES[0].document()
        document["source"] = {"system": "S", "message_id": str(number)}
        document["patient"]["id"], document["specimen"]["id"] = text, f"{text}{number}"
        service.submit(panel_json.read_document(document))
    wanted = Wanted(identified=True, columns=("panel_id", "patient_id", "csf_protein"))
    (tmp_path / "safe.csv").write_bytes(whole(service.exporter(), wanted))
    with (tmp_path / "raw.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["patient_id"], *([text] for text in HOSTILE)])
    # UTF-8, formulas are evaluated on opening (LibreOffice's own words for it: the last number).
    reading = "--infilter=CSV:44,34,76,1,,0,false,true,false,false,false,0,true"
    command = [
        office,
        f"-env:UserInstallation=file://{tmp_path}/profile",
        "--headless",
        reading,
        "--convert-to",
        "fods",
    ]
    files = ["--outdir", str(tmp_path / "out"), str(tmp_path / "safe.csv"), str(tmp_path / "raw.csv")]
    done = subprocess.run([*command, *files], capture_output=True, timeout=180)
    assert done.returncode == 0, done.stderr
    safe, raw = ((tmp_path / "out" / f"{name}.fods").read_text(encoding="utf-8") for name in ("safe", "raw"))
    assert "table:formula" in raw  # without our apostrophe they are run
    assert "table:formula" not in safe
    shown = {
        "".join(one.itertext()).lstrip("'") for one in ElementTree.fromstring(safe).iter() if one.tag.endswith("}p")
    }
    assert {text for text in HOSTILE if "\t" not in text} <= shown  # nothing is lost
