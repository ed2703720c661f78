"""
Opens the one door to AWS: operations, requests, client, error codes, pace, shared answer; boto3 stays behind it.
"""
