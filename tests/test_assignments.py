"""A shell file that is read as a shell would, and never executed."""

from __future__ import annotations

import shlex
import string
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ec2kit.assignments import in_text

from .patience import HANGS


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("A=1", {"A": "1"}, id="plain"),
        pytest.param("export A=1", {"A": "1"}, id="export"),
        pytest.param("  A=1  # why", {"A": "1"}, id="comment"),
        pytest.param("A=1#x", {"A": "1#x"}, id="hash-within"),
        pytest.param("# A=1", {}, id="commented-out"),
        pytest.param("A='a b'\"c d\"e", {"A": "a bc de"}, id="pieces"),
        pytest.param("A='it'\\''s'", {"A": "it's"}, id="escaped-quote"),
        pytest.param('A="say \\"x\\" \\\\ \\n"', {"A": 'say "x" \\ \\n'}, id="escapes-in-quotes"),
        pytest.param("A=", {"A": ""}, id="empty"),
        pytest.param("A=1;", {"A": "1"}, id="semicolon"),
        pytest.param("A=x=y", {"A": "x=y"}, id="equals-within"),
        pytest.param("A=1\nA=2", {"A": "2"}, id="last-wins"),
        pytest.param("A=1\nB=$A/${A}x", {"A": "1", "B": "1/1x"}, id="reference"),
        pytest.param("B='$A'", {"B": "$A"}, id="single-quotes-keep-dollar"),
        pytest.param("B=\\$A", {"B": "$A"}, id="escaped-dollar"),
        pytest.param('A=1\nB="\\$A"', {"A": "1", "B": "$A"}, id="escaped-dollar-in-quotes"),
        pytest.param("A=$UNSET-x", {"A": "-x"}, id="unset-is-empty"),
        pytest.param("A=`id`", {}, id="backticks-skipped"),
        pytest.param("A=$(id)", {}, id="command-skipped"),
        pytest.param('A="x $(id)"', {}, id="command-in-quotes-skipped"),
        pytest.param("A=${X:-y}", {}, id="expansion-that-only-a-shell-knows-skipped"),
        pytest.param("A=1 command", {}, id="for-one-command-skipped"),
        pytest.param("A=1 B=2 command", {}, id="several-for-one-command-skipped"),
        pytest.param("A=1 B=$A", {"A": "1", "B": "1"}, id="several-from-left-to-right"),
        pytest.param("A=0\nexport A=1 B=$A", {"A": "1", "B": "0"}, id="export-expands-all-words-first"),
        pytest.param("export A B=2", {"B": "2"}, id="export-of-a-name"),
        pytest.param("declare -x A=1\nreadonly B=2", {"A": "1", "B": "2"}, id="other-ways-to-declare"),
        pytest.param("export -n A=1", {}, id="option-that-only-a-shell-knows-skipped"),
        pytest.param("A=1;B=2; export C=3", {"A": "1", "B": "2", "C": "3"}, id="several-commands"),
        pytest.param("A=1 && B=2", {"A": "1", "B": "2"}, id="one-after-the-other"),
        pytest.param("false && A=1", {}, id="only-if-a-command-succeeds-skipped"),
        pytest.param("if x; then A=1; B=2; fi", {}, id="only-if-skipped"),
        pytest.param("A=1 | cat\nB=2 >x\n(C=3)\nD=4 &", {}, id="in-another-shell-skipped"),
        pytest.param("A=1 || B=2", {}, id="one-or-the-other-skipped"),
        pytest.param("export A=1 \\\n  B=2\nC=3", {"A": "1", "B": "2", "C": "3"}, id="continued"),
        pytest.param("A=x\\\ny B='x\\\ny'", {"A": "xy", "B": "x\\\ny"}, id="continued-within-words"),
        pytest.param("# why \\\nA=1 # why \\\nB=2", {"A": "1", "B": "2"}, id="comment-is-not-continued"),
        pytest.param("A=1\\", {}, id="continued-by-nothing-skipped"),
        pytest.param("HOME=/h\nA=~/x B='~/x' C=a~", {"HOME": "/h", "A": "/h/x", "B": "~/x", "C": "a~"}, id="tilde"),
        pytest.param("A=~somebody/x\nB=/x:~/y\nC=~/x", {}, id="home-that-only-a-shell-knows-skipped"),
        pytest.param("A+=1", {}, id="appended-skipped"),
        pytest.param("A='open", {}, id="open-quote-skipped"),
        pytest.param("A =1", {}, id="space-before-equals"),
        pytest.param("1A=1", {}, id="no-name"),
        pytest.param("if true; then", {}, id="other-shell"),
    ],
)
def test_in_text_line_is_read_as_a_shell_would_or_skipped(line: str, expected: dict[str, str]) -> None:
    """Assignments are understood; what only a shell could tell is skipped and never executed."""
    assert in_text(line) == expected


def test_in_text_environment_is_known_to_references() -> None:
    """A reference may name what the environment has."""
    assert in_text("PATH=/x:$PATH", {"PATH": "/bin"}) == {"PATH": "/x:/bin"}


@given(st.text() | st.text("A=B'\"\\$`(){}#;& \n\texport", max_size=60))
def test_in_text_any_text_never_raises(text: str) -> None:
    """Whatever stands in the file, reading it raises nothing and names are names."""
    for name in in_text(text):
        assert name.isidentifier()


VALUES = st.text(string.ascii_letters + string.digits + " ./:@%+,=_-#$\"'\\;&|<>()*?~!^[]{}", max_size=30)


def _in_double_quotes(text: str) -> str:
    return '"' + "".join(f"\\{each}" if each in '"\\$`' else each for each in text) + '"'


def _with_backslashes(text: str) -> str:
    return "".join(each if each.isalnum() else f"\\{each}" for each in text)


WORDS = VALUES.flatmap(
    lambda value: st.sampled_from([shlex.quote, _in_double_quotes, _with_backslashes]).map(lambda quote: quote(value))
)


CONTINUED = " \\\n\t"


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "export "]),
            WORDS,
            st.sampled_from(["\n", "  \n", " # why\n", "; ", ";", " && ", "&&", " ", CONTINUED]),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_in_text_simple_values_agree_with_sh(assignments: list[tuple[str, str, str]]) -> None:
    """/bin/sh reads the same values, however they are quoted, and however many stand in a command or a line."""
    text, begins = "", True
    for place, (export, word, separator) in enumerate(assignments):
        text += f"{export if begins else ''}V{place}={word}{separator}"
        begins = separator not in (" ", CONTINUED)
    text += "LAST=1\n"
    names = [*(f"V{place}" for place in range(len(assignments))), "LAST"]
    script = text + "printf '%s\\0' " + " ".join(f'"${name}"' for name in names)
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True, env={}, timeout=HANGS)
    assert in_text(text) == dict(zip(names, done.stdout.decode().split("\0"), strict=False))


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028"])
def test_in_text_character_that_ends_lines_for_python_only_ends_none(character: str) -> None:
    """A shell's line ends with a line feed; a comment cannot become an assignment by another character."""
    assert in_text(f"# see{character}EC2_ENDPOINT_URL=http://elsewhere\nA='x{character}y'") == {"A": f"x{character}y"}
