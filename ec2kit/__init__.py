"""ec2kit moves an HA cluster's address on AWS: VPC routes and Elastic IPs, through the EC2 API."""

__version__ = "0.1.0"
