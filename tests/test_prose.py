"""The prose of the package reads as plain English: a docstring is a sentence, and says who does what."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "ec2kit"

WORDS = "words"
"""The modules beside the rooms."""

VERBS = frozenset(
    """
    Accept Add Adopt Agree Allocate Allow Answer Append Apply Ask Assign Associate Be Begin Bind Break Bring Build
    Call Carry Change Check Choose Claim Clean Clear Close Collect Combine Compare Complete Confirm Copy Correct Count
    Create Cut Decide Declare Delete Deliver Describe Disassociate Disturb Do Draw Drop Empty End Enter
    Examine Execute Exit
    Expect Explain Extend Fetch Fill Find Follow Forget Format Gather Give Go Hand Handle Hide Hold Identify Ignore
    Insist Install Join Judge Keep Kill Leave Let List Listen Load Lock Log Look Make Mark Mask Measure Migrate Modify
    Move Note Notify Observe Offer Open Parse Pass Pause Plan Point Prepare Print Probe Protect Prove Put Quote Raise
    Reach Read Recall Receive Recognize Record Recover Refuse Register Relate Release Reload Remember Remove Rename
    Render Repair Repeat Replace Report Require Reset Resolve Restore Return Rewrite Run Save Say See Select Send
    Serve Set Show Shut Skip Sort Split Start Stay Stop Store Suggest Switch Take Tell Translate Treat Try Turn Undo
    Unextend Uninstall Update Use Verify Wait Walk Warn Watch Weigh Withdraw Withhold Wrap Write Yield
    """.split()
)
"""First words of a function's docstring, in the base form."""

CLAUSE = re.compile(
    r"(What|Whether|Where|Who|Whoever|Whose|Whom|How|Why|That|When|If|Which|Whatever|Unless|Until|None|Raises)\b"
)
"""A docstring that begins with one of these is a clause, or a section without its sentence."""

VAGUE = re.compile(r"(?i)\b(nobody|somebody|whoever|whatever|mend(?:s|ed|ing)?)\b")
MOST_VAGUE = 2
"""Vague words in one room, at most."""

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _files() -> Iterator[tuple[str, Path]]:
    """Yield each file of the package, with its room."""
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE).parts
        yield inside[0] if len(inside) > 1 else WORDS, path


def _docstrings(path: Path) -> Iterator[tuple[str, Documented, str]]:
    """Yield each docstring's place, what it documents, and its first paragraph on one line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, Documented) and (text := ast.get_docstring(node)):
            place = f"{path.relative_to(PACKAGE)}: {getattr(node, 'name', 'module')}"
            yield place, node, " ".join(text.split("\n\n")[0].split())


def _prose(path: Path) -> Iterator[str]:
    """Yield all comments and texts of a file."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.string


def test_every_docstring_is_a_sentence() -> None:
    """A function's docstring says in the imperative what it does; none is a clause, and each has a full stop."""
    offenders = []
    for _, path in _files():
        for place, node, text in _docstrings(path):
            is_deed = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            has_verb = not is_deed or text.split()[0] in VERBS
            if CLAUSE.match(text) or not has_verb or text[-1] not in ".:":
                offenders.append(f"{place}: {text}")
    assert not offenders, "\n".join(offenders)


def test_prose_names_who_and_what() -> None:
    """Comments, docstrings and messages name the server, the caller or the program, and say fix."""
    found = Counter((room, word.lower()) for room, path in _files() for text in _prose(path) for word in _vague(text))
    per_room = Counter(room for room, _ in found.elements())
    assert {room: count for room, count in per_room.items() if count > MOST_VAGUE} == {}, found


def _vague(text: str) -> list[str]:
    return VAGUE.findall(text)
