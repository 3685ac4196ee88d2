"""The plots over HTTP: one image for each name, named by its content, with a strict policy."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from csfinterp.plotting.panel import panel_plots
from csfinterp.service import Service
from tests.web.conftest import PanelMaker


@pytest.fixture
def panel_id(client: FlaskClient, panel: PanelMaker) -> str:
    return str(client.post("/api/v1/panels", json=panel("ms_like")).get_json()["panel_id"])


def test_offered_plots_are_images_with_their_content_as_etag(
    client: FlaskClient, service: Service, panel_id: str
) -> None:
    offered = panel_plots(service, service.panel(panel_id)).offered()
    assert "reibergram_igg" in [plot.name for plot in offered]
    for plot in offered:
        answer = client.get(f"/panels/{panel_id}/plots/{plot.name}.svg")
        assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
        assert answer.get_data(as_text=True) == plot.svg
        assert answer.headers["ETag"] == f'"{plot.digest}"'
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_reader_who_has_the_plot_gets_304_and_nothing_else(client: FlaskClient, panel_id: str) -> None:
    address = f"/panels/{panel_id}/plots/reibergram_igg.svg"
    tag = client.get(address).headers["ETag"]
    again = client.get(address, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_a_plot_of_a_version_keeps_its_address(client: FlaskClient, panel_id: str) -> None:
    assert client.get(f"/panels/{panel_id}/plots/reibergram_igg.svg?version=1").status_code == 200
    assert client.get(f"/panels/{panel_id}/plots/reibergram_igg.svg?version=2").status_code == 404
    assert client.get(f"/panels/{panel_id}/plots/reibergram_igg.svg?version=x").status_code == 404


@pytest.mark.parametrize("name", ["reibergram_xyz", "trend_csf_lactate%00", "..%2f..%2fetc%2fpasswd", "profile_"])
def test_an_unknown_name_is_a_problem_that_tells_the_names(client: FlaskClient, panel_id: str, name: str) -> None:
    answer = client.get(f"/panels/{panel_id}/plots/{name}.svg")
    assert answer.status_code == 404


def test_the_page_shows_the_reibergrams_with_their_text(client: FlaskClient, service: Service, panel_id: str) -> None:
    page = client.get(f"/panels/{panel_id}").get_data(as_text=True)
    found = panel_plots(service, service.panel(panel_id)).reibergrams()
    assert len(found) == 4
    for plot in found:
        assert f'src="/panels/{panel_id}/plots/{plot.name}.svg?version=1"' in page
        assert plot.description.split(":")[0] in page
