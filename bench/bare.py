"""Ask for the route tables of a VPC once with the least that boto3 takes: a cut model, and nothing more."""

import sys

import boto3
import botocore.session
from botocore.config import Config

from ec2kit.ec2.model import Loader

vpc_id, block = sys.argv[1:]
filters = [
    {"Name": "vpc-id", "Values": [vpc_id]},
    {"Name": "route.destination-cidr-block", "Values": [block]},
]
session = botocore.session.get_session()
session.register_component("data_loader", Loader(session.get_component("data_loader")))
once = Config(retries={"total_max_attempts": 1, "mode": "standard"})
client = boto3.session.Session(botocore_session=session).client("ec2", config=once)
assert client.describe_route_tables(Filters=filters)["RouteTables"]
