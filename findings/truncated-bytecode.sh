#!/usr/bin/env bash
# On a full disk CPython leaves half a file of bytecode behind, and each later import of that module fails, also when
# the disk has room again. In a command of click the failure reads "Aborted!", as after Ctrl-C.
#
# Seen with CPython 3.10.13, 3.11.7, 3.12.1 and 3.13.0, and click 8.1.7: the import system writes NAME.pyc by one call of
# write(), does not look at how much was written, and renames the file into its place. The module that is imported first
# works, since its code is in memory. The next process reads the file: "EOFError: marshal data too short". click takes any
# EOFError for the end of the terminal's input: "Aborted!", exit status 1, without a traceback.
#
# A limit on the size of files (ulimit -f) stands in for the full disk here: both let write() write less than asked.
#
# ec2kit: its launcher runs Python with -B, and its command sets sys.dont_write_bytecode, so that neither writes bytecode;
# pip and `make setup` compile all modules, when the disk has room.
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX
python3 -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check click==8.1.7
cd "$place"

{
    echo 'import click'
    for number in $(seq 60); do echo "def help_$number(a=$number, b='text $number'): return a, b"; done
    echo '@click.command()'
    echo 'def command(): click.echo("done")'
} >large.py
cat >program.py <<'PROGRAM'
import sys
import click

class Lazy(click.Group):
    def get_command(self, ctx, name):
        sys.path.insert(0, ".")
        import large
        return large.command

Lazy("program")()
PROGRAM

python() { "$place/venv/bin/python" "$@" 2>&1; }
"$place/venv/bin/python" --version
with_full_disk=$(ulimit -f 1 && python program.py run)
size=$(stat -c %s __pycache__/large.*.pyc)
status=0
with_room_again=$(python program.py run) || status=$?
with_room_again=${with_room_again//$'\n'/}
cause=$(python -c 'import sys; sys.path.insert(0, "."); import large' | tail -n 1) || :

printf '%s\n' "disk full: $with_full_disk" "bytes of bytecode left: $size" \
    "room again: $with_room_again (exit status $status)" "cause: $cause"
[ "$with_full_disk" = "done" ] && [ "$size" = 1024 ] && [ "$with_room_again" = "Aborted!" ] && [ "$status" = 1 ] &&
    [ "$cause" = "EOFError: marshal data too short" ] || { echo "this has changed"; exit 1; }
echo "as described"
