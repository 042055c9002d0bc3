"""Where the token goes: to the API's own host, as it was given, and into no log, redirect or `.netrc`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from emulator import exchange, steps
from emulator.messages import Request
from emulator.server import EmulatedGitHub
from emulator.world import World
from main_job import Job, fill, job, numbered, texts
from scripted_server import Reply, ScriptedServer, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Job]:
    with job(tmp_path) as found:
        yield found


def test_debug_logs_tell_each_request_and_no_header(made: Job) -> None:
    made.filled(count=4)
    quiet = made.step(min_versions_to_keep=3, dry_run="true")
    assert "::debug::" not in quiet.log
    made.world.requests.clear()
    made.variables = {**made.variables, "RUNNER_DEBUG": "1"}
    ran = made.step(min_versions_to_keep=3, report_file="report.jsonl")
    lines = re.findall(
        r"^::debug::(GET|POST|DELETE) (\S+): (\d{3}) \((E0A1:[0-9A-F]+:[0-9A-F]+), \d+ ms\)$",
        ran.log,
        re.MULTILINE,
    )
    assert len(lines) == len(made.world.requests)
    told = {(method, path.partition("?")[0], int(status)) for method, path, status, _ in lines}
    assert told == {(one.method, one.path, one.status) for one in made.world.requests}
    for word in ("authorization", "bearer", "user-agent", "x-oauth", "accept:", "x-github-api-version"):
        assert word not in ran.log.lower()


def test_the_token_is_masked_before_anything_else_is_said(made: Job) -> None:
    made.filled()
    ran = made.step(token=f"  {steps.TOKEN}\n", min_versions_to_keep=3)
    assert ran.log.splitlines()[0] == f"::add-mask::{steps.TOKEN}"


def test_a_token_in_the_wrong_input_is_not_shown(made: Job) -> None:
    made.refused(package_type=steps.TOKEN, older_than=steps.TOKEN, owner=f"{steps.TOKEN}!")
    ran = made.refused(package_name=steps.TOKEN, versions="*", report_file="report.jsonl")
    assert "package-name: contains the token" in ran.log
    assert made.world.requests == []


def test_no_netrc_takes_the_tokens_place(tmp_path: Path) -> None:
    world = World()
    world.add_org("octo")
    world.add_token(steps.TOKEN)
    package = world.add_package("octo", "npm", "lib")
    fill(world, package, range(1, 6))
    home = tmp_path / "home"
    home.mkdir()
    for name in (".netrc", "_netrc"):
        (home / name).write_text(
            "machine 127.0.0.1 login mallory password hunter2\ndefault login x password y\n"
        )
        (home / name).chmod(0o600)
    with EmulatedGitHub(world) as github:
        ran = steps.run_process(
            github,
            tmp_path,
            variables={"HOME": str(home), "NETRC": str(home / ".netrc")},
            package_type="npm",
            package_name="lib",
            min_versions_to_keep=3,
        )
    assert ran.status == 0, ran.log
    assert {request.token_kind for request in world.requests} == {"classic"}
    assert texts(package) == numbered(3, 4, 5)


@pytest.fixture
def stranger() -> Iterator[ScriptedServer]:
    """Somebody else's server, which remembers what arrives there."""
    with ScriptedServer(lambda _: Reply(200, b"[]")).running() as other:
        yield other


@pytest.mark.parametrize("where", ["{url}", "//{host}", "{api}@{host}", "{url}\\@{own}", "https://{own}"])
def test_a_link_to_another_host_is_not_followed(made: Job, stranger: ScriptedServer, where: str) -> None:
    package = made.filled(count=150)
    api = made.github.api_url
    own, host = api.removeprefix("http://"), stranger.url.removeprefix("http://")
    # The world writes its links with its own URL: now another's.
    made.world.api_url = where.format(url=stranger.url, host=host, api=api, own=own)
    ran = made.step(status=1, min_versions_to_keep=3)
    assert stranger.seen == []
    assert len(package.active()) == 150
    assert made.changes() == []
    assert "another host" in ran.log


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_no_redirect_leads_to_another_host(
    made: Job, stranger: ScriptedServer, status: int, method: str
) -> None:
    package = made.filled()

    def front(seen: Seen) -> Reply:
        if seen.method == method and "/npm/lib/versions" in seen.path:
            return Reply(status, b'{"message": "Moved"}', {"Location": f"{stranger.url}/elsewhere"})
        query = {name: values[0] for name, values in seen.query.items()}
        sent = exchange.serve(made.world, Request(seen.method, seen.path, query, seen.headers, seen.body))
        assert sent.answer
        return Reply(sent.answer.status, sent.answer.body, sent.headers)

    with ScriptedServer(front).running() as moved:
        made.variables = {**made.variables, "GITHUB_API_URL": moved.url}
        made.step(status=1, min_versions_to_keep=3)
    assert stranger.seen == []
    assert len(package.active()) == 12
    assert made.changes() == []
