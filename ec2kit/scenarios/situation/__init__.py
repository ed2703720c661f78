"""
Writes what was observed, wanted and made so far, and what must come of it, as one readable file, and reads it again.

    lines              how a file is written: fields and entries, read strictly
    shown              what AWS shows, one class for each kind of address, which stands with its kind
    situation, file    what was recorded; the whole file with its expected half
    replay             what the kind makes of it now
"""
