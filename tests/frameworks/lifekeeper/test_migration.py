"""What is taken out of an info, and what stays: byte for byte, without LifeKeeper and without AWS."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ec2kit.frameworks.lifekeeper.commands import Instance
from ec2kit.frameworks.lifekeeper.migration import without_keys
from ec2kit.frameworks.lifekeeper.registry import to_info
from ec2kit.messages.masking import clean

from ...builders import a_resource

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
OTHER_KEY, OTHER_SECRET = "AKIAI44QH8DHBEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"
SESSION = "ASIAIOSFODNN7EXAMPLE"


@pytest.mark.parametrize(
    ("info", "expected"),
    [
        pytest.param(f"a\x01{KEY}\x01{SECRET}\x01b\x01\x01", "a\x01\x01\x01b\x01\x01", id="by place"),
        pytest.param(f"{KEY}\x01{SECRET}\x01b", "\x01\x01b", id="by place, first"),
        pytest.param(f"a b\x01{KEY}\x01{SECRET}", "a b\x01\x01", id="by place, last"),
        pytest.param(f"a\x01{SECRET}\x01{KEY}\x01b", "a\x01\x01\x01b", id="by place, secret first"),
        pytest.param(f"a {KEY} {SECRET} b", "a b", id="blank"),
        pytest.param(f"{KEY} {SECRET} a  b ", "a  b ", id="blank, first"),
        pytest.param(f"a  b {KEY} {SECRET}", "a  b", id="blank, last"),
        pytest.param(f"a {SECRET} {KEY} b", "a b", id="blank, secret first"),
        pytest.param(f"{KEY} {SECRET}", "", id="nothing else"),
        pytest.param(f"a {SESSION} {SECRET} b", "a b", id="key of a session"),
        pytest.param(f"a=1 access_key={KEY} secret_key={SECRET} b=2", "a=1 access_key= secret_key= b=2", id="named"),
        pytest.param(
            f"AWS_SECRET_ACCESS_KEY={SECRET};a=1;AWS_ACCESS_KEY_ID={KEY}",
            "AWS_SECRET_ACCESS_KEY=;a=1;AWS_ACCESS_KEY_ID=",
            id="named, apart, other separators",
        ),
        pytest.param(
            f"""SecretKey='{SECRET}'\x01a\x01AccessKey="{KEY}"\x01b""",
            """SecretKey=''\x01a\x01AccessKey=""\x01b""",
            id="named, in quotes",
        ),
    ],
)
def test_each_stored_form_loses_its_key_and_keeps_the_rest(info: str, expected: str) -> None:
    """Places stay places, words stay words, names stay names; doing it again changes nothing."""
    assert without_keys(info) == expected
    assert without_keys(expected) == expected


FIELD = st.text(
    st.characters(codec="ascii", exclude_characters="\x00\x01\n =", categories=["L", "N", "P"]), max_size=12
)


@given(before=st.lists(FIELD), after=st.lists(FIELD), form=st.sampled_from(["\x01", " "]))
def test_any_other_fields_stay_byte_for_byte(before: list[str], after: list[str], form: str) -> None:
    """Whatever stands around a key is there afterwards, in its order and with its separators."""
    info = form.join([*before, KEY, SECRET, *after])
    middle = ["", ""] if form == "\x01" else []
    assert without_keys(info) == form.join([*before, *middle, *after])


@pytest.mark.parametrize(
    "info",
    [
        pytest.param("", id="empty"),
        pytest.param("us-east-1\x01eth1\x01eni-0123456789abcdef0\x01203.0.113.1", id="by place"),
        pytest.param("us-east-1\x01\x01\x01eth1", id="emptied"),
        pytest.param("access_key= secret_key= region=us-east-1", id="emptied names"),
        pytest.param("0123456789abcdef0123456789abcdef01234567 a", id="a checksum"),
        pytest.param("zone=/hostedzone/Z0123456789ABCDEFGHIJKLMNO name=日本", id="not ASCII"),
        pytest.param(to_info(a_resource(ip_resource="X" * 20 + "y" * 20)), id="ec2kit's own"),
    ],
)
def test_an_info_without_a_key_is_left_alone(info: str) -> None:
    """What was migrated, or never had a key, is the same afterwards."""
    assert without_keys(info) == info


@pytest.mark.parametrize(
    "info",
    [
        pytest.param(f"a\x01{KEY}\x01b", id="only the key"),
        pytest.param(f"a\x01{SECRET}\x01b", id="only the secret"),
        pytest.param(f"a access_key={KEY}", id="only the named key"),
        pytest.param(f"secret_key={SECRET} a", id="only the named secret"),
        pytest.param(f"{KEY}\x01{SECRET}\x01{OTHER_KEY}\x01{OTHER_SECRET}", id="two pairs"),
        pytest.param(f"{KEY} {SECRET} {OTHER_SECRET}", id="two secrets"),
        pytest.param(f"{KEY} {OTHER_KEY} {SECRET}", id="two keys"),
        pytest.param(f"{OTHER_SECRET} {KEY} {SECRET}", id="a secret on each side"),
        pytest.param(f"access_key={KEY} secret_key={SECRET} old_secret={OTHER_SECRET}", id="two named secrets"),
        pytest.param(f"{KEY} {SECRET} access_key={OTHER_KEY} secret_key={OTHER_SECRET}", id="two forms"),
        pytest.param(f"{KEY}\x01a\x01{SECRET}", id="apart"),
        pytest.param(f"{KEY}  {SECRET}", id="two blanks between"),
        pytest.param(f"a\x01{KEY} {SECRET}\x01b", id="two separators"),
        pytest.param(f"{KEY},{SECRET},a", id="another separator"),
        pytest.param(f"{KEY} {SECRET}x a", id="a secret too long"),
        pytest.param(f"{KEY}0 {SECRET} a", id="a key too long"),
        pytest.param(f"access_key={KEY} secret_key=Kx9!encrypted", id="a secret in another form"),
        pytest.param(f"{KEY} secret_key={SECRET}", id="one by place, one by name"),
        pytest.param(f"a {KEY} {SECRET} é", id="not ASCII"),
        pytest.param(f"a {KEY} {SECRET} \ufffd", id="bytes that are no text"),
    ],
)
def test_what_is_not_certain_is_refused_without_quoting_it(info: str) -> None:
    """One without the other, several, or a form that nobody knows: no guess is made about somebody's info."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the text is looked at below
        without_keys(info)
    assert not any(part in str(refused.value) for part in (KEY, SECRET, OTHER_KEY, OTHER_SECRET, "encrypted"))


def test_an_instance_does_not_show_its_info() -> None:
    """A traceback or a log that shows an instance shows no key."""
    assert SECRET not in repr(Instance("node1", "comm", "ec2", "ec2-vip1", "id", f"{KEY} {SECRET}", "OSU"))


@pytest.mark.parametrize("text", [f"bad {KEY} {SECRET}.", f"bad {SECRET}\x01{KEY}.", f"no {KEY} {SECRET}"])
def test_clean_takes_access_keys_out_of_any_message(text: str) -> None:
    """What another program prints is no way for a key into the log, either."""
    assert not any(part in clean(text) for part in (KEY, SECRET))
