"""Deploys and invokes through boto3, unmodified: called by clients.test.ts with the endpoint's URL."""

import base64
import io
import json
import sys
import zipfile

import boto3
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/lambda-role"


def archive(text):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("app.py", text)
    return data.getvalue()


def check(condition, message):
    if not condition:
        raise AssertionError(message)


def fails_with(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        check(error.response["Error"]["Code"] == code, f"{code} expected, got {error}")
        return error.response
    raise AssertionError(f"{code} expected, but the call succeeded")


def main(endpoint):
    client = boto3.client(
        "lambda",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    name = "from-boto3"
    created = client.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": archive("def handler(event, context):\n    return {'one': event}\n")},
        Tags={"team": "a"},
    )
    check(created["State"] == "Pending", created)
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    fails_with(
        "ResourceConflictException",
        client.create_function,
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": archive("")},
    )

    answer = client.invoke(FunctionName=name, Payload=b'{"a": 1}', LogType="Tail")
    check(answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST", answer)
    check(json.load(answer["Payload"]) == {"one": {"a": 1}}, "payload")
    check("REPORT RequestId" in base64.b64decode(answer["LogResult"]).decode(), "log tail")
    check(client.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204, "dry run")

    published = client.publish_version(FunctionName=name, Description="first")
    check(published["Version"] == "1", published)
    client.update_function_code(
        FunctionName=name, ZipFile=archive("def handler(event, context):\n    return 'two'\n")
    )
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
    check(json.load(client.invoke(FunctionName=name)["Payload"]) == "two", "new code")
    old = client.invoke(FunctionName=name, Qualifier="1", Payload=b"{}")
    check(old["ExecutedVersion"] == "1" and json.load(old["Payload"]) == {"one": {}}, "old code")

    configuration = client.get_function_configuration(FunctionName=name)
    fails_with(
        "PreconditionFailedException",
        client.update_function_configuration,
        FunctionName=name,
        RevisionId="00000000-0000-0000-0000-000000000000",
        Timeout=5,
    )
    client.update_function_configuration(
        FunctionName=name, RevisionId=configuration["RevisionId"], Timeout=5
    )
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
    check(client.get_function(FunctionName=name)["Configuration"]["Timeout"] == 5, "timeout")

    arn = configuration["FunctionArn"]
    client.tag_resource(Resource=arn, Tags={"stage": "test"})
    client.untag_resource(Resource=arn, TagKeys=["team"])
    check(client.list_tags(Resource=arn)["Tags"] == {"stage": "test"}, "tags")
    pages = client.get_paginator("list_versions_by_function").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 1}
    )
    versions = [version["Version"] for page in pages for version in page["Versions"]]
    check(versions == ["$LATEST", "1"], versions)
    check(client.get_account_settings()["AccountUsage"]["FunctionCount"] >= 1, "account usage")
    client.delete_function(FunctionName=name)
    fails_with("ResourceNotFoundException", client.get_function, FunctionName=name)
    print("boto3", boto3.__version__, "ok")


main(sys.argv[1])
