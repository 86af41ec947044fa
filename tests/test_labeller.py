"""A model that labels an audit, behind a real HTTP server on the loopback."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from test_audit import cells_of, rewrite

from corpus.audit_file import COLUMNS
from corpus.errors import InputError
from corpus.labeller import PROMPT, TRIES, label_audit, label_of

Answer = tuple[int, str] | tuple[int, str, dict[str, str]]
Asked = list[tuple[str, str | None, dict[str, Any]]]


@contextmanager
def endpoint(answer: Callable[[int, str], Answer]) -> Iterator[tuple[str, Asked]]:
    """Serves POST /v1/chat/completions; answer: of the number of the request, and what it asks, status and text."""
    asked: Asked = []

    class Chat(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((self.path, self.headers.get("Authorization"), body))
            status, text, *more = answer(len(asked), body["messages"][-1]["content"])
            said = {"choices": [{"message": {"role": "assistant", "content": text}}]}
            data = json.dumps(said).encode() if status == 200 else text.encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **(more[0] if more else {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Chat) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Five rows; the second is labelled already."""
    rows = [
        {**dict.fromkeys(COLUMNS, ""), "page_id": f"p{n}", "url": f"http://a.example/{n}", "excerpt": f"text {n}"}
        for n in range(5)
    ]
    rows[1] |= {"label": "unsure", "by": "me"}
    rewrite(tmp_path / "a.csv", rows)
    return tmp_path / "a.csv"


def said(path: Path) -> list[tuple[str, str]]:
    return [(row["label"], row["by"]) for row in cells_of(path)]


def by_number(_: int, question: str) -> Answer:
    return 200, "math" if "text 0" in question or "text 3" in question else "Not math."


def test_blank_rows_are_labelled_and_those_of_a_person_stay(path: Path) -> None:
    with endpoint(by_number) as (url, asked):
        told = label_audit(path, url, "m")
    assert said(path) == [("math", "m"), ("unsure", "me"), ("not_math", "m"), ("math", "m"), ("not_math", "m")]
    counts = {"math": 2, "not_math": 2, "unsure": 0}
    assert told == {"n_blank": 4, "n_labelled": 4, "n_wrong": 0, "labels": counts}
    assert {(way, key) for way, key, _ in asked} == {("/v1/chat/completions", None)}
    _, _, body = asked[0]
    assert body["model"] == "m" and body["temperature"] == 0
    assert body["messages"][0] == {"role": "system", "content": PROMPT}
    assert "http://a.example/0" in body["messages"][1]["content"] and "text 0" in body["messages"][1]["content"]


def test_what_a_person_writes_while_a_model_answers_stays(path: Path) -> None:
    def answer(number: int, question: str) -> Answer:
        if number == 1:
            rows = cells_of(path)
            rows[3] |= {"label": "not_math", "by": "me", "note": "menu"}
            rewrite(path, rows)
        return by_number(number, question)

    with endpoint(answer) as (url, _):
        told = label_audit(path, url, "m")
    assert said(path)[0] == ("math", "m") and said(path)[3] == ("not_math", "me")
    assert cells_of(path)[3]["note"] == "menu"
    assert (told["n_blank"], told["n_labelled"], told["n_wrong"]) == (4, 3, 0)


def test_the_address_may_be_that_of_the_endpoint_itself(path: Path) -> None:
    with endpoint(by_number) as (url, asked):
        label_audit(path, f"{url}/chat/completions/", "m")
    assert {way for way, _, _ in asked} == {"/v1/chat/completions"}


def test_the_key_comes_from_the_named_variable_and_from_nowhere_else(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "another")
    monkeypatch.setenv("MY_KEY", "secret")
    with endpoint(by_number) as (url, asked):
        label_audit(path, url, "m", "MY_KEY")
    assert {key for _, key, _ in asked} == {"Bearer secret"}
    with pytest.raises(InputError, match="the environment variable NO_KEY is empty"):
        label_audit(path, url, "m", "NO_KEY")


def test_answers_that_are_no_label_are_counted_and_their_rows_stay_blank(path: Path) -> None:
    with endpoint(lambda n, _: (200, ["math", "It depends.", "", "unsure"][n - 1])) as (url, _):
        told = label_audit(path, url, "m")
    assert (told["n_labelled"], told["n_wrong"]) == (2, 2)
    assert [label for label, _ in said(path)] == ["math", "unsure", "", "", "unsure"]
    with endpoint(by_number) as (url, asked):
        label_audit(path, url, "m")
    assert len(asked) == 2


def test_trouble_is_tried_again_after_longer_and_longer_waits(path: Path) -> None:
    waits: list[float] = []

    def answer(n: int, question: str) -> Answer:
        if n in (1, 2):
            return 503, "busy"
        return (429, "slow down", {"Retry-After": "7"}) if n == 3 else by_number(n, question)

    with endpoint(answer) as (url, asked):
        told = label_audit(path, url, "m", wait=waits.append)
    assert told["n_labelled"] == 4 and len(asked) == 7
    assert waits == [1, 2, 7]


def test_what_was_labelled_before_an_end_is_kept_and_the_same_command_goes_on(path: Path) -> None:
    waits: list[float] = []
    with (
        endpoint(lambda n, question: by_number(n, question) if n <= 2 else (500, "out of\nmemory")) as (url, asked),
        pytest.raises(InputError, match="did not answer \\(status 500: out of memory\\).*goes on there"),
    ):
        label_audit(path, url, "m", wait=waits.append)
    assert len(asked) == 2 + TRIES and len(waits) == TRIES - 1
    assert [label for label, _ in said(path)] == ["math", "unsure", "not_math", "", ""]
    with endpoint(by_number) as (url, asked):
        assert label_audit(path, url, "m")["n_labelled"] == 2
    assert [body["messages"][1]["content"].count("text 3") for _, _, body in asked] == [1, 0]


def test_a_refusal_is_not_tried_again(path: Path) -> None:
    with (
        endpoint(lambda *_: (401, "no such key")) as (url, asked),
        pytest.raises(InputError, match="status 401: no such"),
    ):
        label_audit(path, url, "m", wait=lambda _: pytest.fail("it waited"))
    assert len(asked) == 1


def test_an_endpoint_that_is_not_there_or_is_another_thing_is_said_so(path: Path) -> None:
    with endpoint(by_number) as (url, _):
        pass
    waits: list[float] = []
    with pytest.raises(InputError, match="did not answer .*Connect"):
        label_audit(path, url, "m", wait=waits.append)
    assert waits == [1, 2, 4, 8, 16]

    with endpoint(lambda *_: (202, "")) as (url, _), pytest.raises(InputError, match="status 202"):
        label_audit(path, url, "m")


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("math", "math"),
        (" **Not-Math**.\n", "not_math"),
        ("Unsure.", "unsure"),
        ("<think>it is math? no</think>\n\nnot_math", "not_math"),
        ("It is math", None),
        ("math or not_math", None),
        ("<think>math", None),
        ("", None),
    ],
)
def test_an_answer_is_one_word_after_what_was_thought(answer: str, label: str | None) -> None:
    assert label_of(answer) == label


@pytest.mark.parametrize("address", ["localhost:8000/v1", "ftp://localhost/v1", ""])
def test_an_endpoint_that_is_no_address_is_refused_at_once(address: str, path: Path) -> None:
    with pytest.raises(InputError, match="an endpoint is an address such as http://"):
        label_audit(path, address, "m", wait=lambda _: pytest.fail("it was tried again"))
