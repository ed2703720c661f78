"""
Embeds an EC2 to try, test and measure against, in one process and on loopback only.

How it is built, from the wire inwards:

- `wire`      HTTP/1.1 endpoints that can be shut, and what is received and answered on them
- `ec2`       an EC2 endpoint: a request becomes a `Call`, rules disturb it, the journal records it
- `imds`      the instance metadata service (IMDSv2) of one server;  `sts`  its STS;  `proxy`  its proxy
- `authority` certificates for TLS;  `handshake`  how a connection becomes TLS
- `control`   the sandbox's own HTTP interface under /_ec2kit/
- `rules`     which calls are disturbed, each one a `rule`
- `effects`   how, as a table;  `buckets`  throttling;  `surroundings`  what an effect may look at
- `way`       effects before any request is read, a part of that table;  `announcement`  what AWS will do
- `strict`    moto's EC2 with its differences from the real one closed, as a table
- `region`    one EC2 with its lock;  `view`  what it shows;  `history`  what it showed before
- `filters`   and `pages`  cut what is shown
- `document`  writes EC2's answers as XML
- `addresses` Elastic IPs as a VPC has them
- `topology`  the example VPCs;  `memento`  puts them back as they were
- `folder`    the files that a shell needs to be one of the servers
- `world`     everything put together;  `process`  start, ready, stop
- `client`    the same from Python, for tests and demonstrations
"""
