"""
A situation is what was observed, wanted and made so far, and what must come of it; each is one readable file.

    route-table/ elastic-ip/   the files
    lines                      how a file is written: fields and entries, read strictly
    shown                      what EC2 shows, one class for each scenario: route_table, elastic_ip
    situation, record          what was recorded; the whole file with its expected half
    replay                     what the scenario makes of it now

`make situations` writes the expected halves anew; then look at `git diff`.
"""
