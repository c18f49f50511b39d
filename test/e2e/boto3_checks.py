"""What the boto3 scripts share: a client, archives in memory, and checks that stop the script."""

import io
import sys
import zipfile

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/lambda-role"


def connect():
    """A client of the server whose URL is the script's argument; a throttled call is not tried again."""
    return boto3.client(
        "lambda",
        endpoint_url=sys.argv[1],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


def archive(**texts):
    """A zip archive's bytes: a/b.py for each a__b=text."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        for name, text in texts.items():
            file.writestr(name.replace("__", "/") + ".py", text)
    return data.getvalue()


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def fails_with(code, call, **arguments):
    """The error's response, when the call fails with this code; stops the script otherwise."""
    try:
        call(**arguments)
    except ClientError as error:
        check(error.response["Error"]["Code"] == code, f"{code} expected, got {error}")
        return error.response
    raise AssertionError(f"{code} expected, but the call succeeded")


def done():
    print("boto3", boto3.__version__, "ok")
