"""What goes out over a real connection, and what comes back: PyGithub as it is, on loopback."""

from __future__ import annotations

import base64
import gzip
import logging
import os
import ssl
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from clocks import FakeClock
from connections import shared
from integration.scripted import Reply, ScriptedServer
from package_retention import __version__
from package_retention.api.session import MAX_RESPONSE, Session
from package_retention.transport.exchange import TransportError

TOKEN = "ghp_secret"
ROOT = Path(__file__).parents[2]


def test_a_request_carries_what_github_asks_for() -> None:
    with ScriptedServer(lambda _: Reply(200, '{"a": "ä"}', {"X-Some": "Value"})) as server:
        session = Session(f"{server.url}/api/v3/", TOKEN, shared(secret=TOKEN))
        status, headers, body = session.exchange(
            "GET", "/orgs/o/packages/npm/a%2Fb/versions?per_page=100&page=2"
        )
        session.exchange("POST", "/user/packages/npm/x/restore")
        session.exchange("DELETE", f"{server.url}/organizations/7/packages/npm/x")
        session.close()
    assert (status, headers["x-some"], body) == (200, "Value", '{"a": "ä"}')
    get, post, delete = server.seen
    assert get.path == "/api/v3/orgs/o/packages/npm/a%2Fb/versions"
    assert sorted(get.target.partition("?")[2].split("&")) == ["page=2", "per_page=100"]
    assert get.headers["authorization"] == f"token {TOKEN}"
    assert get.headers["x-github-api-version"] == "2022-11-28"
    assert get.headers["user-agent"] == f"package-retention/{__version__}"
    assert get.headers["accept"] == "application/vnd.github+json"
    assert (post.method, post.path, post.headers["content-length"]) == (
        "POST",
        "/api/v3/user/packages/npm/x/restore",
        "0",
    )
    assert (delete.method, delete.path) == ("DELETE", "/organizations/7/packages/npm/x")
    assert len({seen.connection for seen in server.seen}) == 1


def test_threads_share_the_connections_and_each_gets_its_own_answer() -> None:
    paths = [f"/x/{number}" for number in range(200)]
    with ScriptedServer(lambda seen: Reply(200, f'"{seen.path}"')) as server:
        session = Session(server.url, TOKEN, shared(secret=TOKEN))
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda path: session.exchange("GET", path), paths))
        session.close()
    assert [(status, body) for status, _, body in answers] == [(200, f'"{path}"') for path in paths]
    assert len({seen.connection for seen in server.seen}) <= 4


@pytest.mark.parametrize("status", [202, 204, 301, 302, 304, 307, 308, 400, 404, 422, 429, 500, 503])
def test_every_status_comes_back_and_nothing_is_repeated(status: int) -> None:
    headers = {"Location": "/elsewhere", "Retry-After": "1"}
    with ScriptedServer(lambda _: Reply(status, "" if status in (204, 304) else "{}", headers)) as server:
        session = Session(server.url, TOKEN, shared(secret=TOKEN))
        found, told, _ = session.exchange("GET", "/x")
        session.close()
    assert (found, told["location"]) == (status, "/elsewhere")
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "reply",
    [Reply(drop=True), Reply(200, "[1, 2, 3, 4]", cut=True), Reply(200, "{}", {"X-RateLimit-Reset": "soon"})],
    ids=["dropped", "cut", "nonsense in a header"],
)
def test_drops_are_drops(reply: Reply) -> None:
    with ScriptedServer(lambda _: reply) as server:
        session = Session(server.url, TOKEN, shared(secret=TOKEN))
        with pytest.raises(TransportError) as caught:
            session.exchange("DELETE", "/x")
        session.close()
    assert caught.value.sent
    assert caught.value.retryable
    assert len(server.seen) == 1


def test_a_refused_connection_was_not_sent() -> None:
    with ScriptedServer(lambda _: Reply()) as server:
        url = server.url
    session = Session(url, TOKEN, shared(secret=TOKEN))
    with pytest.raises(TransportError, match="no connection could be made") as caught:
        session.exchange("DELETE", "/x")
    session.close()
    assert not caught.value.sent


@pytest.mark.parametrize("token", ["ghp_a\nb", "ghp_a\rb", "ghp_\u20ac"])
def test_a_token_that_cannot_be_sent_is_not_quoted(token: str) -> None:
    with ScriptedServer(lambda _: Reply(200, "{}")) as server:
        session = Session(server.url, token, shared(secret=token))
        with pytest.raises(TransportError) as caught:
            session.exchange("GET", "/x")
        session.close()
    assert not caught.value.retryable
    assert not caught.value.sent
    assert token not in "".join(traceback.format_exception(caught.value))
    assert server.seen == []


def test_nothing_is_logged_even_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with ScriptedServer(lambda _: Reply(200, '"hostile ::add-mask::"')) as server:
        session = Session(server.url, TOKEN, shared(secret=TOKEN))
        session.exchange("GET", "/x")
        session.close()
    assert TOKEN not in caplog.text
    assert "hostile" not in caplog.text
    assert "uthorization" not in caplog.text


EXCHANGE = """
import sys
from connections import shared
from package_retention.api.session import Session
from package_retention.transport.exchange import TransportError
session = Session(sys.argv[1], "ghp_secret", shared(secret="ghp_secret"))
try:
    print(session.exchange("GET", "/x")[0])
except TransportError as error:
    print(error.why, error.retryable, error.hint)
session.close()
"""


def in_environment(url: str, **environ: str) -> str:
    """Ask once, in a process of its own: the environment is read by libraries and not by us."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if "proxy" not in name.lower() and name not in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    }
    done = subprocess.run(
        [sys.executable, "-c", EXCHANGE, url],
        env={**inherited, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def test_no_netrc_replaces_the_token(tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login thief password other\ndefault login thief password other\n")
    netrc.chmod(0o600)
    with ScriptedServer(lambda _: Reply(200, "{}")) as server:
        assert in_environment(server.url, HOME=str(tmp_path), NETRC=str(netrc)) == "200"
    assert server.seen[0].headers["authorization"] == "token ghp_secret"


def test_a_proxy_from_the_environment_is_used() -> None:
    with ScriptedServer(lambda _: Reply(200, "{}")) as proxy:
        assert in_environment("http://api.example.invalid", HTTP_PROXY=proxy.url) == "200"
        assert in_environment(
            "http://api.example.invalid", http_proxy=proxy.url, NO_PROXY="example.invalid"
        ).startswith("no connection")
    assert [seen.target for seen in proxy.seen] == ["http://api.example.invalid:80/x"]


def test_a_private_ca_from_the_environment_is_trusted_and_no_other(tmp_path: Path) -> None:
    bundle = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle)
    with ScriptedServer(lambda _: Reply(200, "{}"), context) as server:
        assert in_environment(server.url, REQUESTS_CA_BUNDLE=str(bundle)) == "200"
        told = in_environment(server.url)
    assert told.startswith("the server's certificate is not trusted False")
    assert "REQUESTS_CA_BUNDLE" in told
    assert len(server.seen) == 1


def certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    bundle = folder / "loopback.pem"
    bundle.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return bundle


def test_a_body_is_bounded_after_decompression_and_in_time() -> None:
    bomb = gzip.compress(b" " * (MAX_RESPONSE + 1))
    with ScriptedServer(lambda _: Reply(200, bomb, {"Content-Encoding": "gzip"})) as server:
        session = Session(server.url, TOKEN, shared(secret=TOKEN))
        with pytest.raises(TransportError, match="more than 32 MiB"):
            session.exchange("GET", "/x")
        session.close()

    class Ticking(FakeClock):
        def monotonic(self) -> float:
            self.advance(40)
            return super().monotonic()

    with ScriptedServer(lambda _: Reply(200, b" " * 200_000)) as server:
        session = Session(server.url, TOKEN, shared(Ticking()))
        with pytest.raises(TransportError, match="took too long"):
            session.exchange("GET", "/x")
        session.close()


def test_no_secret_comes_back_from_a_server_that_repeats_it() -> None:
    encoded = base64.b64encode(f"x:{TOKEN}".encode()).decode()
    with ScriptedServer(lambda _: Reply(403, f"{TOKEN} {encoded}", {"X-Echo": TOKEN})) as server:
        session = Session(server.url, TOKEN, shared(secret=TOKEN))
        _, headers, body = session.exchange("GET", "/x")
        session.close()
    assert headers["x-echo"] == "***"
    assert TOKEN not in body
    assert encoded not in body


def test_a_bundle_of_certificates_that_is_not_there_is_said_so_at_once(tmp_path: Path) -> None:
    told = in_environment("https://127.0.0.1:9", REQUESTS_CA_BUNDLE=str(tmp_path / "absent.pem"))
    assert told.startswith("the file that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names is not there False")
    assert "/github/workspace" in told
