"""Search of DiagnosticReport and Observation over the stored panels. What is not understood is refused, not ignored."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from flask import request

from csfinterp.errors import DocumentError, Fault
from csfinterp.formats import fhir_r4
from csfinterp.formats.fhir_names import CATEGORY, OBSERVATION_STATUS, PANEL, REPORT, REPORT_CODE, REPORT_STATUS
from csfinterp.formats.report_words import part, parts, text
from csfinterp.service import PanelFilter
from csfinterp.web.fhir_answers import Resource
from csfinterp.web.hall import hall, settings
from csfinterp.web.paging import ExpiredError, Pages
from csfinterp.web.problems import Problem

# Panels that one page looks through at most; a page may be short, its `next` goes on.
SCANNED = 200
_PATIENT, _SPECIMEN = (
    tuple(name + form for name in names for form in ("", ":identifier", ".identifier"))
    for names in (("patient", "subject"), ("specimen",))
)
_IGNORED = ("_format", "_pretty")
_PRIVATE = ("patient", "subject", "specimen")
LONGEST = 200
_NAMES = ("_id", "_count", "_lastUpdated", "_sort", "date", "status", "category", "code")
PARAMETERS = ("_id", "_count", "_lastUpdated", "_sort", "category", "code", "date", "patient", "specimen", "status")
_DATE = re.compile(r"(eq|ge|gt|le|lt)?([0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:T[0-9:.]{5,15}(?:Z|[+-][0-9:]{5})?)?)?)?)")
_BEFORE, _AFTER = ("le", "lt", "eq"), ("ge", "gt", "eq")
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Query:
    """What was asked: filters of the store, codes of Observations (None: all), rows per page, where to go on."""

    filters: PanelFilter
    codes: tuple[str, ...] | None
    observation: str | None
    count: int
    after: str | None
    nothing: bool = False


def searchset(kind: str, sent: list[tuple[str, str]]) -> Resource:
    """One page of a search as a Bundle. Raises Problem `parameter-refused` naming the parameter."""
    base = f"{request.url_root.rstrip('/')}/fhir/r4/{kind}"
    try:
        pages = Pages(base, [pair for pair in sent if pair[0] not in _IGNORED], "_page", "_after", _PRIVATE)
    except ExpiredError as error:
        raise _wrong("_page", error.advice) from None
    query = _query(kind, pages.asked, pages.after)
    found: list[Resource] = []
    following = None
    try:
        if not query.nothing:
            found, following = _reports(query) if kind == "DiagnosticReport" else _results(query)
    except DocumentError as error:  # a cursor that the store did not write
        raise _wrong("_after", error.message) from None
    links: list[Resource] = [{"relation": "self", "url": pages.address(query.after)}]
    if following is not None:
        links.append({"relation": "next", "url": pages.address(following)})
    entries = [{"fullUrl": f"{base}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in found]
    page: Resource = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return page | ({"entry": entries} if entries else {})


def _reports(query: Query) -> tuple[list[Resource], str | None]:
    page = hall().search(query.filters, query.count, query.after)
    found = [fhir_r4.served_report(hall().panel(item.panel_id, item.version).document) for item in page.items]
    return found, page.next


def _results(query: Query) -> tuple[list[Resource], str | None]:
    """Observations panel by panel; the cursor names the panel to begin behind and how many of the next were told."""
    cursor, _, told = (query.after or "").partition(".")
    if told and not (told.isascii() and told.isdecimal() and len(told) < 6):
        raise _wrong("_after", "Follow the link `next` of the page before, or start without it.")
    skip = int(told or 0)
    found: list[Resource] = []
    for _ in range(SCANNED):
        page = hall().search(query.filters, 1, cursor or None)
        own = list(_wanted(query, page.items[0].panel_id, page.items[0].version)) if page.items else []
        room = query.count - len(found)
        found += own[skip : skip + room]
        if len(own) > skip + room:
            return found, f"{cursor}.{skip + room}"
        if page.next is None:
            return found, None
        cursor, skip = page.next, 0
        if len(found) == query.count:
            break
    return found, f"{cursor}.0"


def _wanted(query: Query, panel_id: str, version: int) -> Iterator[Resource]:
    for one in fhir_r4.served_observations(hall().panel(panel_id, version).document):
        codings = parts(part(one, "code"), "coding")
        names = {text(coding, "code") for coding in codings}
        names |= {f"{text(coding, 'system')}|{text(coding, 'code')}" for coding in codings}
        if (query.codes is None or names & set(query.codes)) and query.observation in (None, one["id"]):
            yield one


def _query(kind: str, sent: list[tuple[str, str]], after: str | None) -> Query:
    if after is not None and not 0 < len(after) <= LONGEST:
        raise _wrong("_after", "Follow the link `next` of the page before, or start without it.")
    query = Query(PanelFilter(), None, None, settings().page_size, after)
    seen: set[str] = set()
    for name, value in sent:
        known = name in (*_NAMES, *_PATIENT, *_SPECIMEN) or (name == "identifier" and kind == "DiagnosticReport")
        if not known:
            raise _wrong(name, f"This parameter is not supported. Send {', '.join(PARAMETERS)}.")
        if not value.strip() or "\x00" in value or len(value) > LONGEST:
            raise _wrong(name, f"Send a value of at most {LONGEST} characters, or leave the parameter out.")
        if name in seen and name not in ("date", "_lastUpdated"):
            raise _wrong(name, "Send this parameter once; several codes go in one, by commas.")
        seen.add(name)
        query = _with(query, kind, name, value)
    return query


def _with(query: Query, kind: str, name: str, value: str) -> Query:
    filters, last = query.filters, value.rpartition("|")[2]
    if name in _PATIENT:
        return replace(query, filters=replace(filters, patient=last.removeprefix("Patient/")))
    if name in _SPECIMEN:
        return replace(query, filters=replace(filters, specimen=last.removeprefix("Specimen/")))
    if name in ("date", "_lastUpdated"):
        return replace(query, filters=_dated(filters, name, value))
    if name == "identifier":
        return replace(query, filters=replace(filters, panel_id=last), nothing=query.nothing or _other(value, PANEL))
    if name == "status":
        return replace(query, filters=replace(filters, statuses=_statuses(kind, value)))
    if name == "category":
        match = last in ("laboratory", "LAB") and ("|" not in value or last == "LAB" or not _other(value, CATEGORY))
        return replace(query, nothing=query.nothing or not match)
    if name == "code":
        codes = tuple(value.split(","))
        if kind == "Observation":
            return replace(query, codes=codes)
        ours = {REPORT_CODE, f"{REPORT}|{REPORT_CODE}"}
        return replace(query, nothing=query.nothing or not ours & set(codes))
    if name == "_id":
        observation = value if kind == "Observation" else None
        panel_id = value.partition("-")[0] if kind == "Observation" else value
        return replace(query, filters=replace(filters, panel_id=panel_id), observation=observation)
    if name == "_sort":
        if value != "-_lastUpdated":
            raise _wrong(name, "Reports come latest arrival first. Send _sort=-_lastUpdated or leave it out.")
        return query
    return replace(query, count=_count(value))


def _other(value: str, system: str) -> bool:
    return "|" in value and value.rpartition("|")[0] != system


def _count(value: str) -> int:
    if not (value.isascii() and value.isdecimal() and int(value[:6]) > 0 and len(value) <= 6):
        raise _wrong("_count", "Send a whole number from 1.")
    return min(int(value), settings().page_size_max)


def _statuses(kind: str, value: str) -> tuple[str, ...]:
    """Our four statuses have the same words in FHIR; its other ones are never there."""
    words = tuple(value.rpartition("|")[2].split(","))
    known: Mapping[str, object] = REPORT_STATUS if kind == "DiagnosticReport" else OBSERVATION_STATUS
    if not set(words) <= set(known):
        raise _wrong("status", f"Send codes of {kind}.status: {', '.join(known)}.")
    return words


def _dated(filters: PanelFilter, name: str, value: str) -> PanelFilter:
    """A day, month or year is all of it; `gt` begins after its end, `lt` ends before its start."""
    found = _DATE.fullmatch(value)
    span = _span(found[2]) if found else None
    if found is None or span is None:
        raise _wrong(name, "Send a date such as ge2026-03-01 or lt2026-03-01T09:20:00+01:00 (eq, ge, gt, le, lt).")
    sign, (first, last) = found[1] or "eq", span
    step = _TICK if isinstance(first, datetime) else timedelta(days=1)
    if sign in _AFTER:
        filters = _bound(filters, name, "from", last + step if sign == "gt" else first)
    if sign in _BEFORE:
        filters = _bound(filters, name, "to", first - step if sign == "lt" else last)
    return filters


def _bound(filters: PanelFilter, name: str, end: str, bound: date) -> PanelFilter:
    if getattr(filters, f"collected_{end}" if name == "date" else f"stored_{end}") is not None:
        raise _wrong(name, "Send each end of a period once.")
    if name == "date":
        return replace(filters, collected_from=bound) if end == "from" else replace(filters, collected_to=bound)
    stored = _stamp(bound, end)
    return replace(filters, stored_from=stored) if end == "from" else replace(filters, stored_to=stored)


def _stamp(bound: date, end: str) -> str:
    """The end of a period as the store writes times."""
    if not isinstance(bound, datetime):
        day = datetime(bound.year, bound.month, bound.day, tzinfo=UTC)
        bound = day if end == "from" else day + timedelta(days=1) - _TICK
    return bound.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _span(said: str) -> tuple[date, date] | None:
    """First and last moment of what is said, or None if there is no such date. A time without zone is UTC."""
    try:
        if "T" in said:
            moment = datetime.fromisoformat(said)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            whole = "." in said
            span: tuple[date, date] = (moment, moment if whole else moment + timedelta(seconds=1) - _TICK)
        elif len(said) == 10:
            span = (date.fromisoformat(said), date.fromisoformat(said))
        elif len(said) == 7:
            first = date.fromisoformat(said + "-01")
            span = (first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))
        else:
            span = (date(int(said), 1, 1), date(int(said), 12, 31))
    except ValueError:
        return None
    return span if span[0].year >= 1800 and span[1].year < 2300 else None


def _wrong(name: str, message: str) -> Problem:
    shown = name if re.fullmatch(r"[A-Za-z_:.-]{1,40}", name) else "of this request"
    return Problem("parameter-refused", f"The search parameter {shown} cannot be used. {message}",
                   [Fault("", f"{shown}: {message}")])  # fmt: skip
