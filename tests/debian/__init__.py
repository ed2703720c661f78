"""Root file systems with the programs of a release of Debian, for the labs that run these programs."""
