"""Writers that share a commit: each is answered after it, each stands alone, and nothing is lost between them."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest
from sqlalchemy import Connection, event, insert, select

from csfinterp.errors import DocumentError
from csfinterp.store import RaceError, Store
from csfinterp.store.groups import Groups
from csfinterp.store.schema import searches

WHO: ContextVar[str] = ContextVar("who", default="nobody")


def tokens(store: Store) -> set[str]:
    with store.engine.connect() as connection:
        return set(connection.execute(select(searches.c.token)).scalars())


def write(connection: Connection, token: str) -> None:
    connection.execute(insert(searches), {"token": token, "parameters": WHO.get(), "created_at": "now"})


def together(store: Store, groups: Groups, names: list[str]) -> dict[str, BaseException | None]:
    """Writes these while another writer holds the turn, so that they share one commit. `refused` and `broken` raise."""
    begun, go = threading.Event(), threading.Event()

    def first(connection: Connection) -> None:
        write(connection, "first")
        begun.set()
        go.wait(20)

    def one(name: str) -> BaseException | None:
        def work(connection: Connection) -> None:
            write(connection, name)
            if name == "refused":
                raise DocumentError("no")
            if name == "broken":
                raise ZeroDivisionError

        WHO.set(name)
        try:
            groups.write(work)
        except Exception as error:
            return error
        assert name in tokens(store), "answered before it was durable"
        return None

    with ThreadPoolExecutor(len(names) + 1) as pool:
        leader = pool.submit(groups.write, first)
        begun.wait(20)
        found = {name: pool.submit(one, name) for name in names}
        time.sleep(0.3)
        go.set()
        leader.result(20)
        return {name: future.result(20) for name, future in found.items()}


def test_those_that_wait_share_one_commit_and_keep_their_own_context(store: Store) -> None:
    commits: list[object] = []
    event.listen(store.engine, "commit", commits.append)
    names = [f"t{number}" for number in range(8)]
    assert set(together(store, Groups(store.engine), names).values()) == {None}
    assert tokens(store) == {"first", *names}
    assert len(commits) == 2
    with store.engine.connect() as connection:
        rows = connection.execute(select(searches.c.token, searches.c.parameters)).all()
    assert all(token == who for token, who in rows if token != "first")


def test_what_one_may_not_write_is_undone_without_the_others(store: Store) -> None:
    found = together(store, Groups(store.engine), ["a", "refused", "first", "b"])
    assert isinstance(found["refused"], DocumentError)
    assert isinstance(found["first"], RaceError)  # the row exists by now
    assert (found["a"], found["b"], tokens(store)) == (None, None, {"first", "a", "b"})


def test_after_a_fault_nobody_is_told_that_it_is_stored_and_the_next_can_write(store: Store) -> None:
    groups = Groups(store.engine)
    found = together(store, groups, ["a", "broken", "b"])
    assert all(error is not None for error in found.values())
    assert tokens(store) == {"first"}
    groups.write(lambda connection: write(connection, "next"))
    with pytest.raises(ZeroDivisionError):
        groups.write(lambda connection: 1 / 0)
    assert tokens(store) == {"first", "next"}
