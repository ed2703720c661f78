"""Ask for the route tables of a VPC once, with plain boto3."""

import sys

import boto3

vpc_id, block = sys.argv[1:]
filters = [
    {"Name": "vpc-id", "Values": [vpc_id]},
    {"Name": "route.destination-cidr-block", "Values": [block]},
]
assert boto3.client("ec2").describe_route_tables(Filters=filters)["RouteTables"]
