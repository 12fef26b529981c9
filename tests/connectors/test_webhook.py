"""Alarms go out signed, and what a receiver answers decides what becomes of them."""

import base64
import hashlib
import hmac
import os

import pytest

from tests.connectors.receiver import receiving
from tidegate.actions.document import Document, time_of
from tidegate.actions.sink import Gone, Rejected, UnavailableError
from tidegate.connectors.webhook import Webhook, secret_of
from tidegate.errors import TidegateError

SECRET = b"k" * 32


def alarms(*ids: str) -> list[Document]:
    return [
        Document(seq=seq, id=id, at=time_of(seq), us=seq, kind="P", outcome="decline", alarm=True)
        for seq, id in enumerate(ids, 1)
    ]


def test_it_is_signed_as_the_standard_says() -> None:
    # The example of Standard Webhooks 1.0, "Verifying signatures".
    secret = secret_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    from tidegate.connectors.webhook import signature

    body = b'{"test": 2432232314}'
    assert signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_what_arrives_can_be_verified() -> None:
    with receiving() as receiver:
        hook = Webhook(receiver.address, SECRET)
        assert hook.send(alarms("a", "ü/ß 1")) == []
        hook.close()
    for headers, body in receiver.came:
        signed = b".".join((headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body))
        mac = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{mac}" and headers["content-type"] == "application/json"
    assert [body["id"] for body in receiver.bodies()] == ["a", "ü/ß 1"]
    assert receiver.ids() == ["a", "%C3%BC/%C3%9F%201"]


@pytest.mark.parametrize("status", [500, 503, 429, 401, 404, 410, 301, 307])
def test_what_may_change_is_sent_again(status: int) -> None:
    with receiving(lambda id, before: 200 if before else status) as receiver:
        hook = Webhook(receiver.address, SECRET)
        with pytest.raises(UnavailableError) as error:
            hook.send(alarms("a", "b"))
        assert str(status) in str(error.value)
        with pytest.raises(UnavailableError):
            hook.send(alarms("a", "b"))
        assert hook.send(alarms("a", "b")) == []
        assert receiver.ids() == ["a", "a", "b", "a", "b"]
        hook.close()


def test_a_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with receiving(lambda id, before: 0 if id == "b" and not before else 200) as receiver:
        hook = Webhook(receiver.address, SECRET)
        assert hook.send(alarms("a", "b", "c")) == []
        assert receiver.ids() == ["a", "b", "b", "c"]
        hook.close()


def test_one_that_is_known_already_is_no_fault_and_one_that_is_refused_is_held() -> None:
    with receiving(lambda id, before: {"known": 409, "bad": 422, "large": 413}.get(id, 200)) as receiver:
        hook = Webhook(receiver.address, SECRET)
        held = hook.send(alarms("known", "bad", "fine", "large"))
        hook.close()
    assert held == [Rejected("bad", "422 because"), Rejected("large", "413 because")]
    assert receiver.accepted == ["fine"]


def test_an_erased_alarm_is_told_under_an_id_of_its_own() -> None:
    with receiving(lambda id, before: 422 if id.startswith("b") else 204) as receiver:
        hook = Webhook(receiver.address, SECRET)
        hook.forget([Gone(1, "a", 5), Gone(2, "b", 6)])  # b's receiver does not know what that is
        hook.close()
    assert receiver.ids() == ["a#erased", "b#erased"]
    assert receiver.bodies()[0] == {"seq": 1, "id": "a", "erased": True}


def test_a_receiver_that_hangs_or_is_not_there_is_unavailable() -> None:
    with receiving(lambda id, before: -200) as receiver:
        hook = Webhook(receiver.address, SECRET, timeout=0.3)
        with pytest.raises(UnavailableError, match="cannot be reached"):
            hook.send(alarms("a"))
        hook.close()
    with pytest.raises(UnavailableError, match="cannot be reached"):
        Webhook("http://127.0.0.1:9/x", SECRET).send(alarms("a"))


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_AAAA", "not base64!", base64.b64encode(b"short").decode()])
def test_a_secret_that_is_none_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(TidegateError, match="random bytes") as error:
        secret_of(text)
    assert len(text) < 7 or text not in str(error.value)
    assert secret_of("whsec_" + base64.b64encode(os.urandom(24)).decode())


@pytest.mark.parametrize("address", ["ftp://x/y", "https://", "https://user:secret@host/x"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(TidegateError) as error:
        Webhook(address, SECRET)
    assert "secret" not in str(error.value)
