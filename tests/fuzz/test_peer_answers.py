"""Whatever another server answers: only its plain "not in service here" lets recover take the address."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.actions import probe, recover
from ec2kit.deadline import Deadline
from ec2kit.errors import Ec2KitError, RemoteRefused, RemoteSilent
from ec2kit.messages import catalogue
from ec2kit.peers.answer import QUESTIONS, answer
from ec2kit.peers.ask import ask
from ec2kit.state import probed
from ec2kit.state.intention import Direction

from ..builders import ENI_A, ENI_B, Desk, a_desk, a_resource
from .hostile import arguments, as_bytes, json_values, mutilated, spoilt, times

YES = {"protocol": 1, "version": "0.1.0", "server": "server-b", "known": True, "in_service": True, "state": "ISP"}
NO = {**YES, "in_service": False, "state": "OSU"}
SAYS_NO = as_bytes(NO)

answers = (
    st.sampled_from([as_bytes(YES), SAYS_NO, b"", b"[" * 100_000, b"Welcome!\n" + SAYS_NO, SAYS_NO + b"\n\n"])
    | mutilated(as_bytes(YES))
    | mutilated(SAYS_NO)
    | spoilt(YES).map(as_bytes)
    | spoilt(NO).map(as_bytes)
    | json_values.map(as_bytes)
    | st.binary()
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Server-a asks server-b, whose answer is a file."""
    desk = a_desk(tmp_path_factory.mktemp("peer"), a_resource())
    desk.peer_answers(f"cat {desk.folder}/answer")
    return desk


def in_service(desk: Desk) -> None:
    """Server-a has the resource in service, whatever an example before did, and EC2 says that server-b has it."""
    desk.registry.remove("ec2-vip1")
    desk.registry.store(a_resource())
    desk.registry.mark_in_service("ec2-vip1")
    desk.action().intentions.declare(Direction.UP, Deadline(5))
    desk.ec2.routes = {"rtb-1": ENI_B}


def says_no(answer: bytes) -> bool:
    """Whether it is what server-b of this protocol says where the resource is not in service."""
    told: Any = {}
    for line in answer.decode(errors="replace").split("\n"):
        with suppress(ValueError, RecursionError):
            told = json.loads(line[line.index('{"protocol"') :])
    if "error" in told:
        return False
    return bool(told.get("protocol") == 1 and told.get("server") == "server-b" and told.get("in_service") is False)


@times(2)
@given(answers)
def test_recover_takes_the_address_only_from_who_says_no(desk: Desk, answer: bytes) -> None:
    """An answer that is cut, spoilt or none is no permission."""
    (desk.folder / "answer").write_bytes(answer)
    in_service(desk)
    try:
        recover.recover(desk.action("recover"))
    except Ec2KitError as error:
        if error.message is not catalogue.TAKEN_OVER:
            raise
    assert desk.ec2.routes["rtb-1"] == (ENI_A if says_no(answer) else ENI_B)


@times(2)
@given(answers)
def test_ask_any_answer_is_one_or_silence(desk: Desk, answer: bytes) -> None:
    """What is no answer has an error of one line that names the server."""
    (desk.folder / "answer").write_bytes(answer)
    said = "server-b"
    try:
        told = ask(desk.action(), "server-b", ["state", "ec2-vip1"], seconds=20)
        assert told["server"] == "server-b"
    except (RemoteSilent, RemoteRefused) as error:
        said = str(error)
    assert "server-b" in said
    assert len(said.splitlines()) == 1


REACHED = {"protocol": 1, "server": "server-b", "outcome": "reached", "milliseconds": 0.5, "detail": ""}


@times(2)
@given(answers | mutilated(as_bytes(REACHED)) | spoilt(REACHED).map(as_bytes))
def test_probe_with_any_answer_is_noted_and_shown(desk: Desk, answer: bytes) -> None:
    """Only an answer that says so is a packet that was answered, and no answer stops the probe."""
    (desk.folder / "answer").write_bytes(answer)
    in_service(desk)
    desk.ec2.routes = {"rtb-1": ENI_A}
    done = probe.on_demand(desk.action("probe"))
    was_reached = done.last.servers["server-b"].outcome is probed.Outcome.REACHED
    assert not was_reached or b'"reached"' in answer
    assert all(len(line.splitlines()) == 1 for line in probe.shown(desk.resource, done))
    json.dumps(done.last.as_dict(0.0), allow_nan=False)
    assert probed.recall(desk.settings.run_dir, "ec2-vip1") == done.last


@times(2)
@given(arguments, arguments)
def test_ask_any_question_is_one_word_for_the_way(desk: Desk, one: str, other: str) -> None:
    """What is asked arrives at the other server's shell as it was said, whatever it has in it."""
    script = Path(desk.folder, "echo")
    script.write_text(f'#!/bin/sh\neval "set -- $2"\nshift 2\nprintf "%s\\0" "$@" >{desk.folder}/seen\n')
    action = desk.action()
    action = action._replace(settings=action.settings._replace(remote_command=f"/bin/sh {script}"))
    with suppress(RemoteSilent):
        ask(action, "server-b", [one, other], seconds=20)
    seen = (desk.folder / "seen").read_bytes()
    assert seen == b"".join(word.encode(errors="surrogateescape") + b"\0" for word in (one, other))


@times(2)
@given(st.sampled_from([*QUESTIONS, "", "nonsense"]), st.data())
def test_answer_any_question_gives_json_or_an_error(desk: Desk, question: str, data: st.DataObject) -> None:
    """What another server asks is answered or refused, and no question harms this server's other resources."""
    neighbour = a_resource(tag="ec2-vip2", address="10.1.0.20")
    shutil.rmtree(desk.settings.state_dir)
    for resource in (a_resource(), neighbour):
        desk.registry.store(resource)
    definition = data.draw(spoilt(a_resource().as_dict()) | json_values)
    texts = data.draw(st.sampled_from([json.dumps(definition), "[" * 100_000, ""]))
    for asked in (question, "describe"):
        told: Any = {}
        with suppress(Ec2KitError):
            told = answer(desk.action("peer"), [asked, texts, texts], QUESTIONS)
        assert json.loads(json.dumps(told)) == told
    assert desk.registry.load("ec2-vip2") == neighbour
