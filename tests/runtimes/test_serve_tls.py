"""HTTPS, and what a running server reads again: its keys when their file changes, its certificate on SIGHUP."""

import shutil
import signal
import socket
import ssl
import time
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import typed
from tidegate import TidegateError
from tidegate.runtimes.serve.keys import add_key, names_in, remove_key
from tidegate.runtimes.serve.tls import Tls

from .served import Running, payment, served
from .started import FLOW, started, until

HERE = Path(__file__).parent / "tls"
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("certificate", "key", "said"),
    [
        ("none.pem", "good-key.pem", r"There is no certificate .*none\.pem\. .*--tls-cert"),
        ("good.pem", "none.pem", r"There is no private key .*none\.pem\. .*--tls-key"),
        ("good-key.pem", "good-key.pem", r"good-key\.pem is no certificate in PEM\. .*BEGIN CERTIFICATE"),
        ("good.pem", "good.pem", r"good\.pem is no private key in PEM"),
        ("good.pem", "renewed-key.pem", r"renewed-key\.pem is not that of the certificate"),
        ("good.pem", "locked-key.pem", r"is locked by a passphrase.*openssl pkey -in"),
        ("expired.pem", "good-key.pem", r"The certificate .*expired\.pem has expired\. .*UTC by this machine's clock"),
        ("early.pem", "good-key.pem", r"The certificate .*early\.pem is not valid yet"),
        ("cut.pem", "good-key.pem", r"cut\.pem and the key .* cannot be used"),
        ("folder", "good-key.pem", r"The certificate .*folder cannot be read"),
    ],
)
def test_files_that_do_not_do_are_told(tmp_path: Path, certificate: str, key: str, said: str) -> None:
    shutil.copytree(HERE, tmp_path, dirs_exist_ok=True)
    (tmp_path / "cut.pem").write_text((HERE / "good.pem").read_text()[:300] + "\n-----END CERTIFICATE-----\n")
    (tmp_path / "folder").mkdir()
    with pytest.raises(TidegateError, match=said):
        Tls(tmp_path / certificate, tmp_path / key)


def test_both_may_be_one_file(tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_text((HERE / "good-key.pem").read_text() + (HERE / "good.pem").read_text())
    tls = Tls(both, both)
    assert tls.names == ("localhost", "127.0.0.1") and tls.until.year == 2126


def seen(url: str, trusted: ssl.SSLContext) -> int:
    """The serial number of the certificate that a new connection gets."""
    at = httpx.URL(url)
    with (
        socket.create_connection((at.host, at.port or 0), 10) as plain,
        trusted.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        found = secure.getpeercert()
        assert found and secure.version() in ("TLSv1.2", "TLSv1.3")
        return int(found["serialNumber"], 16)


def test_https_is_served_and_a_renewed_certificate_taken(tmp_path: Path) -> None:
    for name in ("good.pem", "good-key.pem"):
        shutil.copy(HERE / name, tmp_path / name)
    given = f"tls_cert={tmp_path / 'good.pem'}", f"tls_key={tmp_path / 'good-key.pem'}"
    with served(tmp_path / "s.db", *given) as server:
        assert server.url.startswith("https://127.0.0.1:")
        first = server.decide(payment(1))
        assert first.status_code == 200 and first.json()["outcome"] == "approve"
        chunked = server.client.post("/decisions", content=iter([b"{}"]), headers=JSON)
        assert chunked.status_code == 422
        many = b"\n".join(httpx.Request("POST", "http://x", json=payment(n)).content for n in range(2, 500))
        answers = server.client.post("/decisions", content=many, headers={"content-type": "application/x-ndjson"})
        assert answers.status_code == 200 and len(answers.text.splitlines()) == 498
        with pytest.raises(httpx.HTTPError):
            httpx.post(server.url.replace("https", "http") + "/decisions", json=payment(1), timeout=10)
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(server.url + "/health")
        trusted = ssl.create_default_context(cafile=HERE / "good.pem")
        trusted.load_verify_locations(HERE / "renewed.pem")
        old = seen(server.url, trusted)
        shutil.copy(HERE / "renewed.pem", tmp_path / "good.pem")
        server.process.send_signal(signal.SIGHUP)  # the key is still the old one: nothing changes
        time.sleep(0.3)
        assert seen(server.url, trusted) == old
        shutil.copy(HERE / "renewed-key.pem", tmp_path / "good-key.pem")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: seen(server.url, trusted) != old, what="the renewed certificate was not taken")
        assert server.decide(payment(500)).status_code == 200  # on the connection of before
        status, said = server.stop()
    assert status == 0 and "is not that of the certificate" in said and "was read again" in said
    assert "Traceback" not in said, said


def test_a_key_that_is_taken_away_stops_working(tmp_path: Path) -> None:
    file = tmp_path / "keys.txt"
    one, other = add_key(file, "one"), add_key(file, "other")

    def works(server: Running, key: str) -> bool:
        answer = server.decide(payment(1), headers={"authorization": f"Bearer {key}"})
        assert answer.status_code in (200, 401)
        return answer.status_code == 200

    with served(tmp_path / "s.db", f"keys={file}") as server:
        assert works(server, one) and works(server, other) and not works(server, "tg_x")
        remove_key(file, "one")
        assert names_in(file) == ["other"]
        until(lambda: not works(server, one), what="a key that was taken away works")
        assert works(server, other)
        third = add_key(file, "third")
        until(lambda: works(server, third), what="a new key does not work")
        file.write_text(file.read_text() + "a slip of the pen\n")
        server.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        assert works(server, other) and works(server, third)
        file.unlink()
        time.sleep(1.5)
        assert works(server, other)
        file.write_text("# nobody\n")
        until(lambda: not works(server, other) and not works(server, third), what="an empty file lets someone in")
        status, said = server.stop()
    assert status == 0 and "is no key" in said and "There is no key file" in said and "there are 0" in said


def test_keys_on_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "keys.txt"
    assert typed("keys", "add", "shop-1", "--file", file).exit_code == 0
    assert typed("keys", "add", "shop-2", "--file", file).exit_code == 0
    assert typed("keys", "list", "--file", file).stdout.split() == ["shop-1", "shop-2"]
    with pytest.raises(TidegateError, match=r"no key 'shop-3'\. Did you mean shop-\d\?"):
        remove_key(file, "shop-3")
    file.chmod(0o600)
    assert typed("keys", "remove", "shop-1", "--file", file).exit_code == 0
    assert typed("keys", "list", "--file", file).stdout.split() == ["shop-2"] and file.stat().st_mode & 0o777 == 0o600


def test_the_command_says_how_safe_it_is(tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(FLOW)
    add_key(tmp_path / "keys.txt", "one")
    on = ("serve", "flow.py", "--port", "0", "--host", "0.0.0.0", "--keys", "keys.txt")

    def said(*words: str) -> tuple[int, str]:
        process = started(tmp_path, *on, *words)
        assert process.stderr is not None
        heard = ""
        while "Ready on" not in heard and (line := process.stderr.readline()):
            heard += line
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        heard += process.communicate(timeout=100)[1]
        return process.returncode, " ".join(heard.split())

    status, heard = said()
    assert status == 0 and "No TLS on 0.0.0.0" in heard and "--tls-cert" in heard and "http://localhost:" in heard
    status, heard = said("--tls-cert", str(HERE / "good.pem"), "--tls-key", str(HERE / "good-key.pem"))
    assert status == 0 and "No TLS" not in heard and "https://localhost:" in heard
    assert "The certificate is for localhost, 127.0.0.1, until 2126-" in heard
    status, heard = said("--tls-cert", str(HERE / "good.pem"))
    assert status == 2 and "TLS takes a certificate and its private key" in heard and "--tls-key" in heard
    status, heard = said("--tls-cert", str(HERE / "expired.pem"), "--tls-key", str(HERE / "good-key.pem"))
    assert status == 2 and "has expired" in heard and "Traceback" not in heard
