"""Layers, aliases and concurrency through boto3: called by boto3.test.ts with the server's URL."""

import json
import time
import urllib.request

from boto3_checks import ROLE, archive, check, connect, done, fails_with

RUNTIME = "python3.11"
READY_SECONDS_MAX = 60
HANDLER = """
import os
import greet

def handler(event, context):
    return [greet.text, os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], context.function_version]
"""


def publish_layers(client):
    """Publishes two versions and returns the ARN of the second, the only one that is left."""
    arns = []
    for text in ("hello", "good evening"):
        content = archive(python__greet=f"text = '{text}'\n")
        published = client.publish_layer_version(
            LayerName="greetings", Content={"ZipFile": content}, CompatibleRuntimes=[RUNTIME]
        )
        with urllib.request.urlopen(published["Content"]["Location"]) as response:
            check(response.read() == content, "layer content")
        arns.append(published["LayerVersionArn"])
    pages = client.get_paginator("list_layer_versions").paginate(
        LayerName="greetings", PaginationConfig={"PageSize": 1}
    )
    versions = [one["Version"] for page in pages for one in page["LayerVersions"]]
    check(versions == [2, 1], versions)
    layers = client.list_layers(CompatibleRuntime=RUNTIME)["Layers"]
    check([layer["LayerName"] for layer in layers] == ["greetings"], layers)
    client.add_layer_version_permission(
        LayerName="greetings",
        VersionNumber=1,
        StatementId="all",
        Action="lambda:GetLayerVersion",
        Principal="*",
    )
    policy = client.get_layer_version_policy(LayerName="greetings", VersionNumber=1)
    check(json.loads(policy["Policy"])["Statement"][0]["Sid"] == "all", policy)
    client.remove_layer_version_permission(
        LayerName="greetings", VersionNumber=1, StatementId="all"
    )
    client.delete_layer_version(LayerName="greetings", VersionNumber=1)
    fails_with("ResourceNotFoundException", client.get_layer_version_by_arn, Arn=arns[0])
    fails_with(
        "InvalidParameterValueException",
        client.publish_layer_version,
        LayerName="greetings",
        Content={"ZipFile": b"no archive"},
    )
    check(client.get_layer_version_by_arn(Arn=arns[1])["Version"] == 2, "by ARN")
    return arns[1]


def deploy(client, name, layer):
    """Creates the function with two versions, 1 and 2."""
    client.create_function(
        FunctionName=name,
        Runtime=RUNTIME,
        Role=ROLE,
        Handler="app.handler",
        Layers=[layer],
        Code={"ZipFile": archive(app=HANDLER)},
        Publish=True,
    )
    client.get_waiter("function_active_v2").wait(FunctionName=name)
    client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier="1")
    client.update_function_configuration(FunctionName=name, Description="changed")
    client.get_waiter("function_updated_v2").wait(FunctionName=name)
    check(client.publish_version(FunctionName=name)["Version"] == "2", "second version")


def invoke(client, name, qualifier):
    """The function's answer, which names the version that gave it."""
    response = client.invoke(FunctionName=name, Qualifier=qualifier)
    answer = json.load(response["Payload"])
    check(answer[2] == response["ExecutedVersion"], answer)
    return answer


def route(client, name):
    """Leaves the alias `live` of version 1."""
    client.create_alias(
        FunctionName=name,
        Name="live",
        FunctionVersion="1",
        RoutingConfig={"AdditionalVersionWeights": {"2": 1.0}},
    )
    check(invoke(client, name, "live") == ["good evening", "on-demand", "2"], "weighted")
    fails_with(
        "InvalidParameterValueException",
        client.update_alias,
        FunctionName=name,
        Name="live",
        RoutingConfig={"AdditionalVersionWeights": {"1": 0.5}},
    )
    revision = client.get_alias(FunctionName=name, Name="live")["RevisionId"]
    change = {"FunctionName": name, "Name": "live", "RevisionId": revision}
    client.update_alias(RoutingConfig={"AdditionalVersionWeights": {}}, **change)
    fails_with("PreconditionFailedException", client.update_alias, **change)
    check(invoke(client, name, "live") == ["good evening", "on-demand", "1"], "not weighted")
    pages = client.get_paginator("list_aliases").paginate(FunctionName=name)
    check([one["Name"] for page in pages for one in page["Aliases"]] == ["live"], "aliases")
    fails_with("ResourceConflictException", client.delete_function, FunctionName=name, Qualifier="1")


def limit(client, name):
    """Throttles the function, and leaves it with a reserve."""
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        client.invoke(FunctionName=name)
        raise AssertionError("not throttled")
    except client.exceptions.TooManyRequestsException as error:
        reason = error.response["Reason"]
        check(reason == "ReservedFunctionConcurrentInvocationLimitExceeded", reason)
        check("retry-after" in error.response["ResponseMetadata"]["HTTPHeaders"], "Retry-After")
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=3)
    reserve = client.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"]
    check(reserve == 3, reserve)


def provision(client, name):
    target = {"FunctionName": name, "Qualifier": "live"}
    put = client.put_provisioned_concurrency_config
    fails_with("InvalidParameterValueException", put, ProvisionedConcurrentExecutions=4, **target)
    check(put(ProvisionedConcurrentExecutions=2, **target)["Status"] == "IN_PROGRESS", "put")
    give_up = time.monotonic() + READY_SECONDS_MAX
    config = client.get_provisioned_concurrency_config(**target)
    while config["Status"] == "IN_PROGRESS" and time.monotonic() < give_up:
        time.sleep(0.1)
        config = client.get_provisioned_concurrency_config(**target)
    check(config["Status"] == "READY", config)
    check(config["AvailableProvisionedConcurrentExecutions"] == 2, config)
    listed = client.list_provisioned_concurrency_configs(FunctionName=name)
    arns = [one["FunctionArn"] for one in listed["ProvisionedConcurrencyConfigs"]]
    check(len(arns) == 1 and arns[0].endswith(f":{name}:live"), arns)
    check(invoke(client, name, "live")[1] == "provisioned-concurrency", "provisioned")
    client.delete_provisioned_concurrency_config(**target)
    try:
        client.get_provisioned_concurrency_config(**target)
        raise AssertionError("not deleted")
    except client.exceptions.ProvisionedConcurrencyConfigNotFoundException:
        pass


def main():
    client = connect()
    name = "layered-from-boto3"
    deploy(client, name, publish_layers(client))
    route(client, name)
    limit(client, name)
    provision(client, name)
    client.delete_alias(FunctionName=name, Name="live")
    client.delete_function_concurrency(FunctionName=name)
    client.delete_function(FunctionName=name)
    done()


main()
