"""What a missing answer means, and what the hooks may see."""

import socket

import httpx
import pytest
import trustme

from connectors.errors import InDoubt, NeedsPerson, TryLater
from connectors.http import MASK, Http, masked_url
from connectors.sandbox import Fault, Request, Response, Sandbox
from connectors.serving import serving
from connectors.session import Session


class Echo(Sandbox):
    """A system that answers what it was sent."""

    system = "echo"

    def reset(self):
        self.seen = []

    def dump(self):
        return {"seen": self.seen}

    def load(self, state):
        self.seen = state["seen"]

    def respond(self, request: Request) -> Response:
        self.seen.append(request.method)
        if request.path == "/away":
            return Response(302, b"", [("Location", "http://elsewhere.test/")])
        return Response(200, request.body)


@pytest.fixture
def sandbox():
    return Echo()


@pytest.fixture
def http(sandbox):
    return Http(Session(transport=sandbox.transport()), "Echo")


def test_a_lost_answer_leaves_a_write_in_doubt_and_a_read_for_later(sandbox, http):
    sandbox.faults = [Fault("lost", times=2)]
    with pytest.raises(InDoubt, match="its answer was lost"):
        http.send("POST", "http://echo/")
    with pytest.raises(TryLater, match="no complete answer"):
        http.send("GET", "http://echo/")


def test_a_request_for_a_token_writes_nothing_whatever_its_method(sandbox, http):
    sandbox.faults = [Fault("lost")]
    with pytest.raises(TryLater):
        http.send("POST", "http://echo/", writes=False)


def test_nobody_there_is_for_later_even_for_a_write():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with pytest.raises(TryLater, match="cannot be reached"):
        Http(Session(), "Echo").send("POST", f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("address", ["ftp://echo/", "echo", "http://", "http://echo:port/"])
def test_an_address_that_cannot_be_used_is_said_in_words(http, address):
    with pytest.raises(NeedsPerson) as caught:
        http.send("GET", address)
    assert "Correct the address" in caught.value.hint


def test_a_redirect_is_an_answer_and_not_followed(sandbox, http):
    assert http.send("GET", "http://echo/away").status_code == 302
    assert sandbox.seen == ["GET"]


def test_a_certificate_is_trusted_only_with_its_authority(tmp_path):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    issued = authority.issue_cert("localhost")
    (tmp_path / "chain.pem").write_bytes(issued.cert_chain_pems[0].bytes())
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    with serving(Echo(), certificate=(tmp_path / "chain.pem", tmp_path / "key.pem")) as address:
        trusting = Http(Session(verify=str(tmp_path / "authority.pem")), "Echo")
        assert trusting.send("GET", address).status_code == 200
        with pytest.raises(NeedsPerson, match="certificate is not trusted"):
            Http(Session(), "Echo").send("GET", address)
        trusting.close()


def test_hooks_see_the_call_without_its_secrets(sandbox):
    calls = []
    session = Session(transport=sandbox.transport(), after=calls.append)
    http = Http(session, "Echo", auth=("KEY123", ""))
    http.send("POST", "http://user:word@echo/x?ws_key=KEY123&limit=1", content=b"body", headers={"Cookie": "KEY123"})
    (call,) = calls
    assert (call.method, call.status, call.request_body, call.response_body) == ("POST", 200, b"body", b"body")
    assert call.request_headers["cookie"] == MASK
    assert "limit=1" in call.url
    assert "KEY123" not in repr(call)
    assert "word" not in repr(call)


def test_a_hook_may_hold_a_call_back(sandbox):
    def hold(call):
        raise TryLater("Slow down.")

    with pytest.raises(TryLater, match="Slow down"):
        Http(Session(transport=sandbox.transport(), before=hold), "Echo").send("POST", "http://echo/")
    assert sandbox.seen == []


def test_a_failed_call_reaches_the_hook_too(sandbox):
    calls = []
    sandbox.faults = [Fault("lost")]
    with pytest.raises(InDoubt):
        Http(Session(transport=sandbox.transport(), after=calls.append), "Echo").send("POST", "http://echo/")
    assert calls[0].status is None
    assert "disconnected" in calls[0].error


def test_an_address_without_secrets_stays_as_it_is():
    assert masked_url(httpx.URL("http://echo/a?filter[id]=[1|2]")) == "http://echo/a?filter[id]=[1|2]"
