"""A Python function that builds the clients that Stafett's functions build, and asks for work: what its start costs."""

import os
import urllib.request

import boto3

clients = [boto3.client("dynamodb"), boto3.client("sqs")]
url = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation/next"
urllib.request.urlopen(url)
