"""The floor under every sandbox: the same answers in-process and on a port, faults, state that survives."""

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from connectors.sandbox import Fault, Request, Response, Sandbox
from connectors.serving import serving


class Counter(Sandbox):
    """A system that counts what is posted to it."""

    system = "counter"

    def reset(self):
        self.count = 0

    def dump(self):
        return {"count": self.count}

    def load(self, state):
        self.count = int(state["count"])

    def respond(self, request: Request) -> Response:
        if request.path == "/broken":
            raise ZeroDivisionError("the sandbox is broken")
        if request.method == "POST":
            self.count += 1
            self.touch()
        return Response(200, str(self.count).encode())


@pytest.fixture(params=["in-process", "port"])
def client(request):
    sandbox = Counter()
    if request.param == "in-process":
        with httpx.Client(transport=sandbox.transport(), base_url="http://counter") as one:
            yield one
    else:
        with serving(sandbox) as address, httpx.Client(base_url=address) as one:
            yield one


def switch_on(client, **fault):
    assert client.post("/_sandbox/faults", json=[fault]).status_code == 200


def test_a_lost_answer_leaves_the_write_behind(client):
    switch_on(client, kind="lost", method="POST")
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/", content=b"x")
    assert client.get("/").text == "1"


def test_a_refused_connection_leaves_nothing_behind(client):
    switch_on(client, kind="refused", method="POST")
    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/", content=b"x")
    assert client.get("/").text == "0"


def test_a_status_fault_answers_before_the_commit_as_often_as_asked(client):
    switch_on(client, kind="status", status=429, retry_after=7, method="POST", times=2)
    answers = [client.post("/", content=b"x") for _ in range(3)]
    assert [one.status_code for one in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"
    assert client.get("/").text == "1"


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "lost", "when": "always"}, "when"),
        ({"kind": "asleep"}, "no fault is called 'asleep'"),
        ({"kind": "lost", "every": 0}, "every is 0"),
        ({}, "kind"),
    ],
)
def test_an_unknown_fault_is_refused_in_words(client, fault, words):
    answer = client.post("/_sandbox/faults", json=[fault])
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_a_fault_may_hit_each_third_request_only(client):
    switch_on(client, kind="status", status=429, method="POST", every=3, times=2)
    assert [client.post("/", content=b"x").status_code for _ in range(10)] == [200, 200, 429] * 2 + [200] * 4
    (fault,) = client.get("/_sandbox/faults").json()
    assert (fault["seen"], fault["times"]) == (6, 0)


def test_a_fault_that_is_not_due_lets_the_next_one_have_its_turn(client):
    faults = [{"kind": "status", "status": 429, "every": 2, "times": -1}, {"kind": "status", "status": 503}]
    assert client.post("/_sandbox/faults", json=faults).status_code == 200
    assert [client.post("/", content=b"x").status_code for _ in range(4)] == [503, 429, 200, 429]


def test_a_late_answer_comes_after_the_commit_and_lets_others_in_meanwhile(monkeypatch):
    waited, go_on = [], threading.Event()
    monkeypatch.setattr("connectors.sandbox.time.sleep", lambda seconds: waited.append(seconds) or go_on.wait(10))
    sandbox = Counter()
    sandbox.faults = [Fault("late", method="POST", seconds=7)]
    with ThreadPoolExecutor() as pool, httpx.Client(transport=sandbox.transport()) as client:
        late = pool.submit(client.post, "http://counter/", content=b"x")
        while client.get("http://counter/").text == "0":
            assert not late.done()
        assert not late.done()
        go_on.set()
        assert late.result().text == "1"
    assert waited == [7]


def test_a_control_that_nobody_knows_is_answered_with_those_that_there_are(client):
    answer = client.post("/_sandbox/place", json={})
    assert (answer.status_code, answer.json()["error"]) == (404, "no POST 'place' here: state, faults, reset")


def test_methods_that_nobody_knows_and_chunked_bodies_reach_the_sandbox(client):
    assert client.request("FOO", "/").text == "0"
    assert client.post("/", content=iter([b"a", b"b"])).text == "1"
    assert client.head("/").content == b""


def test_state_survives_a_restart_and_a_reset_is_kept(tmp_path):
    file = tmp_path / "state.json"
    first = Counter(state_file=file)
    with httpx.Client(transport=first.transport(), base_url="http://counter") as client:
        client.post("/", content=b"x")
    assert json.loads(file.read_text()) == {"count": 1}
    second = Counter(state_file=file)
    assert second.count == 1
    with httpx.Client(transport=second.transport(), base_url="http://counter") as client:
        client.post("/_sandbox/reset")
    assert Counter(state_file=file).count == 0


def test_a_fault_of_the_sandbox_itself_is_told_to_its_client():
    with serving(Counter()) as address:
        answer = httpx.get(f"{address}/broken")
    assert answer.status_code == 500
    assert "the sandbox is broken" in answer.text


def test_a_path_that_cannot_be_parsed_is_answered():
    with serving(Counter()) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as raw:
            raw.sendall(b"GET /\x01 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            assert b" 400 " in raw.recv(100)
