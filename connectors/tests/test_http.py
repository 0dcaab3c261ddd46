"""What a missing answer means, and what the hooks may see."""

import gzip
import socket
import threading

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
            return Response(302, b"", [("Location", f"http://elsewhere.test{request.target}"), ("Set-Cookie", "a=b")])
        if request.path == "/large":
            return Response(200, gzip.compress(b" " * int(request.query["bytes"])), [("Content-Encoding", "gzip")])
        if "cookie" in request.headers:
            self.seen.append("cookie")
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
    with pytest.raises(TryLater, match="no complete answer") as caught:
        http.send("GET", "http://echo/")
    assert caught.value.outage


def test_a_request_for_a_token_writes_nothing_whatever_its_method(sandbox, http):
    sandbox.faults = [Fault("lost")]
    with pytest.raises(TryLater):
        http.send("POST", "http://echo/", writes=False)


def test_nobody_there_is_for_later_even_for_a_write():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    with pytest.raises(TryLater, match="cannot be reached") as caught:
        Http(Session(), "Echo").send("POST", f"http://127.0.0.1:{port}/")
    assert caught.value.outage


@pytest.mark.parametrize("address", ["ftp://echo/", "echo", "http://", "http://echo:port/"])
def test_an_address_that_cannot_be_used_is_said_in_words(http, address):
    with pytest.raises(NeedsPerson) as caught:
        http.send("GET", address)
    assert "Correct the address" in caught.value.hint


def test_a_redirect_is_an_answer_and_not_followed(sandbox, http):
    assert http.send("GET", "http://echo/away").status_code == 302
    assert sandbox.seen == ["GET"]


def test_a_redirect_that_repeats_a_key_is_masked_for_the_hook(sandbox):
    calls = []
    http = Http(Session(transport=sandbox.transport(), after=calls.append), "Echo")
    answer = http.send("GET", "http://echo/away?ws_key=KEY123&limit=1")
    assert "KEY123" in answer.headers["Location"]
    assert "KEY123" not in repr(calls)
    assert "limit=1" in calls[0].response_headers["location"]


def test_a_session_that_an_answer_opens_is_not_carried_on(sandbox, http):
    http.send("GET", "http://echo/away")
    http.send("GET", "http://echo/")
    assert sandbox.seen == ["GET", "GET"]


@pytest.mark.parametrize("transport", ["in-process", "port"])
def test_an_answer_without_end_is_cut_off(sandbox, transport):
    with serving(sandbox) as address:
        http = Http(Session(transport=sandbox.transport() if transport == "in-process" else None), "Echo")
        assert len(http.send("GET", f"{address}/large?bytes=1000000").content) == 1_000_000
        with pytest.raises(TryLater, match="larger than 32 MB") as caught:
            http.send("GET", f"{address}/large?bytes=40000000")
        assert not caught.value.outage
        with pytest.raises(InDoubt, match="larger than 32 MB"):
            http.send("POST", f"{address}/large?bytes=40000000")
        http.close()


def test_an_answer_that_trickles_in_is_cut_off():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stop = threading.Event()
        threading.Thread(target=trickle, args=(listening, stop), daemon=True).start()
        http = Http(Session(), "Echo", timeout=0.2)
        with pytest.raises(TryLater, match="takes too long") as caught:
            http.send("GET", f"http://127.0.0.1:{listening.getsockname()[1]}/")
        assert caught.value.outage
        http.close()
        stop.set()


def trickle(listening, stop):
    client, _ = listening.accept()
    with client:
        client.recv(1000)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not stop.wait(0.05):
            try:
                client.sendall(b"x")
            except OSError:
                return


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
