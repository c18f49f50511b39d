"""Deploys and invokes through boto3, unmodified: called by boto3.test.ts with the server's URL."""

import base64
import json

from boto3_checks import ROLE, archive, check, connect, done, fails_with


def check_signing(client, name):
    config = client.create_code_signing_config(
        AllowedPublishers={
            "SigningProfileVersionArns": [
                "arn:aws:signer:us-east-1:000000000000:/signing-profiles/boto3/0123456789"
            ]
        },
        CodeSigningPolicies={"UntrustedArtifactOnDeployment": "Enforce"},
    )["CodeSigningConfig"]["CodeSigningConfigArn"]
    client.put_function_code_signing_config(FunctionName=name, CodeSigningConfigArn=config)
    pages = client.get_paginator("list_functions_by_code_signing_config").paginate(
        CodeSigningConfigArn=config
    )
    users = [arn.rpartition(":")[2] for page in pages for arn in page["FunctionArns"]]
    check(users == [name], users)
    fails_with(
        "CodeVerificationFailedException",
        client.update_function_code,
        FunctionName=name,
        ZipFile=archive(app="def handler(event, context):\n    return 'three'\n"),
    )
    check(json.load(client.invoke(FunctionName=name)["Payload"]) == "two", "deployed code runs on")
    fails_with(
        "ResourceConflictException", client.delete_code_signing_config, CodeSigningConfigArn=config
    )
    client.delete_function_code_signing_config(FunctionName=name)
    client.delete_code_signing_config(CodeSigningConfigArn=config)


def check_settings(client, name):
    client.put_runtime_management_config(
        FunctionName=name, Qualifier="1", UpdateRuntimeOn="FunctionUpdate"
    )
    mode = client.get_runtime_management_config(FunctionName=name, Qualifier="1")
    check(mode["UpdateRuntimeOn"] == "FunctionUpdate", mode)
    client.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    loop = client.get_function_recursion_config(FunctionName=name)
    check(loop["RecursiveLoop"] == "Allow", loop)


def main():
    client = connect()
    name = "from-boto3"
    created = client.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": archive(app="def handler(event, context):\n    return {'one': event}\n")},
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
        Code={"ZipFile": archive(app="")},
    )

    answer = client.invoke(FunctionName=name, Payload=b'{"a": 1}', LogType="Tail")
    check(answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST", answer)
    check(json.load(answer["Payload"]) == {"one": {"a": 1}}, "payload")
    check("REPORT RequestId" in base64.b64decode(answer["LogResult"]).decode(), "log tail")
    check(client.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204, "dry run")

    published = client.publish_version(FunctionName=name, Description="first")
    check(published["Version"] == "1", published)
    client.update_function_code(
        FunctionName=name, ZipFile=archive(app="def handler(event, context):\n    return 'two'\n")
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
    url_config(client, name, arn)
    event_invoke_config(client, name, arn)
    event_source_mapping(client, name, arn)
    client.tag_resource(Resource=arn, Tags={"stage": "test"})
    client.untag_resource(Resource=arn, TagKeys=["team"])
    check(client.list_tags(Resource=arn)["Tags"] == {"stage": "test"}, "tags")
    added = client.add_permission(
        FunctionName=name,
        StatementId="s3",
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::bucket",
    )
    policy = client.get_policy(FunctionName=name)
    statements = json.loads(policy["Policy"])["Statement"]
    check(statements == [json.loads(added["Statement"])], statements)
    client.remove_permission(
        FunctionName=name, StatementId="s3", RevisionId=policy["RevisionId"]
    )
    fails_with("ResourceNotFoundException", client.get_policy, FunctionName=name)
    pages = client.get_paginator("list_versions_by_function").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 1}
    )
    versions = [version["Version"] for page in pages for version in page["Versions"]]
    check(versions == ["$LATEST", "1"], versions)
    check(client.get_account_settings()["AccountUsage"]["FunctionCount"] >= 1, "account usage")
    check_signing(client, name)
    check_settings(client, name)
    client.delete_function(FunctionName=name)
    fails_with("ResourceNotFoundException", client.get_function, FunctionName=name)
    done()


def url_config(client, name, arn):
    cors = {"AllowOrigins": ["https://www.example.com"], "AllowMethods": ["GET"], "MaxAge": 60}
    made = client.create_function_url_config(FunctionName=name, AuthType="NONE", Cors=cors)
    check(made["FunctionArn"] == arn and made["Cors"] == cors, made)
    check(".lambda-url.us-east-1.localhost:" in made["FunctionUrl"], made)
    fails_with(
        "ResourceConflictException",
        client.create_function_url_config,
        FunctionName=name,
        AuthType="NONE",
    )
    client.update_function_url_config(
        FunctionName=name, AuthType="AWS_IAM", InvokeMode="RESPONSE_STREAM", Cors={}
    )
    found = client.get_function_url_config(FunctionName=name)
    check(found["FunctionUrl"] == made["FunctionUrl"] and "Cors" not in found, found)
    pages = client.get_paginator("list_function_url_configs").paginate(FunctionName=name)
    listed = [config["AuthType"] for page in pages for config in page["FunctionUrlConfigs"]]
    check(listed == ["AWS_IAM"], listed)
    client.delete_function_url_config(FunctionName=name)
    fails_with(
        "ResourceNotFoundException", client.delete_function_url_config, FunctionName=name
    )


def settled(client, uuid):
    """The mapping in a state that lasts, which takes a few milliseconds; None once it is gone."""
    while True:
        try:
            found = client.get_event_source_mapping(UUID=uuid)
        except client.exceptions.ResourceNotFoundException:
            return None
        if found["State"] in ("Enabled", "Disabled"):
            return found


def event_source_mapping(client, name, arn):
    queue = "arn:aws:sqs:us-east-1:000000000000:orders"
    made = client.create_event_source_mapping(FunctionName=name, EventSourceArn=queue)
    check(made["State"] == "Creating" and made["FunctionArn"] == arn, made)
    uuid = made["UUID"]
    found = settled(client, uuid)
    check(found["State"] == "Enabled" and found["BatchSize"] == 10, found)
    fails_with(
        "ResourceConflictException",
        client.create_event_source_mapping,
        FunctionName=name,
        EventSourceArn=queue,
    )
    client.update_event_source_mapping(UUID=uuid, Enabled=False, BatchSize=5)
    found = settled(client, uuid)
    check(found["State"] == "Disabled" and found["BatchSize"] == 5, found)
    pages = client.get_paginator("list_event_source_mappings").paginate(FunctionName=name)
    listed = [mapping["UUID"] for page in pages for mapping in page["EventSourceMappings"]]
    check(listed == [uuid], listed)
    client.tag_resource(Resource=made["EventSourceMappingArn"], Tags={"team": "a"})
    tags = client.list_tags(Resource=made["EventSourceMappingArn"])["Tags"]
    check(tags == {"team": "a"}, tags)
    check(client.delete_event_source_mapping(UUID=uuid)["State"] == "Deleting", "deleting")
    check(settled(client, uuid) is None, "deleted")


def event_invoke_config(client, name, arn):
    queue = {"Destination": "arn:aws:sqs:us-east-1:000000000000:failures"}
    made = client.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": queue}
    )
    check(made["FunctionArn"] == arn + ":$LATEST", made)
    check(made["DestinationConfig"] == {"OnSuccess": {}, "OnFailure": queue}, made)
    check(made["LastModified"].year >= 2026, made)
    client.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60)
    found = client.get_function_event_invoke_config(FunctionName=name)
    check(found["MaximumRetryAttempts"] == 0 and found["MaximumEventAgeInSeconds"] == 60, found)
    client.put_function_event_invoke_config(
        FunctionName=name, Qualifier="1", MaximumEventAgeInSeconds=90
    )
    pages = client.get_paginator("list_function_event_invoke_configs").paginate(
        FunctionName=name, PaginationConfig={"PageSize": 1}
    )
    ages = [
        config["MaximumEventAgeInSeconds"]
        for page in pages
        for config in page["FunctionEventInvokeConfigs"]
    ]
    check(ages == [60, 90], ages)
    fails_with(
        "InvalidParameterValueException",
        client.update_function_event_invoke_config,
        FunctionName=name,
        DestinationConfig={"OnSuccess": {"Destination": arn}},
    )
    client.delete_function_event_invoke_config(FunctionName=name)
    fails_with(
        "ResourceNotFoundException", client.get_function_event_invoke_config, FunctionName=name
    )


main()
