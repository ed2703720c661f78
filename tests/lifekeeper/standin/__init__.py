"""
A stand-in of LifeKeeper's core, for tests: LifeKeeper itself cannot be had here.

What passes on it was tested "on the stand-in", never "on LifeKeeper". It follows LifeKeeper's public documents where
there are any; each behaviour in these modules has a mark:

    [confirmed]  a public document says so; the document's short name follows
    [inferred]   follows from what is confirmed, no document says it literally
    [assumed]    had to be decided; LifeKeeper may differ

The documents, all SIOS's and public (man pages are of LifeKeeper for Linux 7.5 unless "Windows" is said):

    LCD, LCDI-instances, LCDI-relationship, LCDI-resource_type, LCDI-flag, LRACI-perform_action, sendevent   man pages
    LCDI-applications, LCDI-systems, ins-remove, eqv-create                                   the Windows edition's
    resources, delete scripts, restore scripts, basic behaviours, log levels, quickCheck ALRM  guides, support notes
    genapp      the vendor's published sample scripts, which show the lists' fields

In short. Confirmed: names and flags of the commands; exit statuses; states; where scripts are found and that they get
`-t TAG -i ID`; children before parents in restore, and what it does on the other server; that an equivalency appears
on both servers; fields 5 and 6 of ins_list, 2 and 3 of eqv_list; the line format of the log; 001047 and 004788.
Inferred: parents before children in remove; that the next server by priority takes over. Assumed, and to be looked at
first where a real LifeKeeper surprises: what lists say where nothing fits; the fields after those; the environment of
a script; what starts a recovery (see `recovery`, three ways); the state after a failed remove; what is left of a
process that is interrupted; everything that is not about one command: failover, power, switchback.

Left out, since the kit does not meet it: communication paths, admin locks, the reservation of a resource that is
being recovered (RESRVRECTIMEOUT), global pre and post scripts, policies (lkpolicy), quorum and fencing, the GUI, the
wizard's programs.

The modules: `commands` finds a command's function in `types`, `instances`, `relations`, `flags`, `systems`,
`actions`, `events`, `checks`, `power`; `failover` and `power` move whole hierarchies; `server` is one server,
`database` what it knows, `process` what runs on it, `log` what it says; `install` lays it all out. One process is one
command: it runs with `python -I -S`, so that it costs some 25 ms, and imports nothing of the kit.
"""
