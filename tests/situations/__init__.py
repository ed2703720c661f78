"""
A situation is what was observed, wanted and made so far, and what must come of it; each is one readable file.

    route-table/ elastic-ip/ …   the files
    files                        where they are

`ec2kit.scenarios.situation` reads and writes them. `make situations` writes the expected halves anew; then look at
`git diff`.
"""
