"""The emulator ministack, and what it does not know of CloudFormation."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

REGION = "eu-north-1"


def aws(*arguments):
    """Calls the AWS CLI; gives its answer."""
    answer = subprocess.run(["aws", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
    try:
        return json.loads(answer)
    except ValueError:
        return answer


@contextlib.contextmanager
def running(log):
    """Runs it, and turns this process's environment to it: the AWS CLI and all that it calls."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    tools = Path(sys.executable).parent
    commands = tempfile.TemporaryDirectory()
    command = Path(commands.name) / "aws"
    # Version 1 of the command line, which is the one that pip has, does not turn to AWS_ENDPOINT_URL with SQS.
    command.write_text(f'#!/bin/sh\nexec "{tools}/aws" --endpoint-url "{url}" "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    os.environ["PATH"] = os.pathsep.join([commands.name, str(tools), os.environ["PATH"]])
    os.environ.update(
        AWS_ENDPOINT_URL=url, AWS_ACCESS_KEY_ID="000000000000", AWS_SECRET_ACCESS_KEY="rehearsal",
        AWS_DEFAULT_REGION=REGION, AWS_REGION=REGION, AWS_PAGER="", AWS_DEFAULT_OUTPUT="json",
    )
    # Its own default is to listen on every interface. Functions call back to the same address.
    own = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LOG_LEVEL": "INFO"}
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "wb") as lines:
        process = subprocess.Popen([tools / "ministack"], env={**os.environ, **own}, stdout=lines, stderr=lines)
    try:
        wait_for(lambda: answers(f"{url}/_ministack/health"), 60, f"the emulator does not answer, see {log}", process)
        yield
    finally:
        process.terminate()
        process.wait(30)
        commands.cleanup()


def answers(url):
    try:
        urllib.request.urlopen(url, timeout=2)
    except OSError:
        return False
    return True


def wait_for(holds, seconds, failure, process=None):
    """Waits until something holds; gives it."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > end or process and process.poll() is not None:
            raise SystemExit(failure)
        time.sleep(0.3)
    return found


def leave_out_unknown(template):
    """Takes out of a template what ministack 1.5 refuses; gives the names by what it is. What it takes and does nothing
    about stays: roles and policies are not enforced, RecursiveLoop is not kept, data protection masks nothing, and
    throttling does not throttle."""
    resources, out = template["Resources"], {}
    for name, resource in list(resources.items()):
        if resource["Type"] == "AWS::Logs::QueryDefinition":
            out.setdefault("saved queries", []).append(name)
        elif resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]:
            out.setdefault("alarms over several metrics", []).append(name)
        else:
            continue
        del resources[name]
    for name, resource in list(resources.items()):
        if resource["Type"] == "AWS::ApiGatewayV2::Api":
            write_out(resources, name, resource["Properties"])
            out.setdefault("descriptions of APIs, which are written out as resources", []).append(name)
    return out


def write_out(resources, api, properties):
    """Makes routes, integrations, an authorizer and CORS of an HTTP API's OpenAPI body, which is how SAM describes it."""
    body = properties.pop("Body")
    properties.update(Name=api, ProtocolType="HTTP", CorsConfiguration=body["x-amazon-apigateway-cors"])
    for name, scheme in body["components"]["securitySchemes"].items():
        authorizer = scheme["x-amazon-apigateway-authorizer"]
        jwt = authorizer["jwtConfiguration"]
        resources[f"{api}{name}"] = {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {
            "ApiId": {"Ref": api}, "Name": name, "AuthorizerType": "JWT",
            "IdentitySource": [authorizer["identitySource"]],
            "JwtConfiguration": {"Issuer": jwt["issuer"], "Audience": jwt["audience"]}}}
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            number = len(resources)
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            integration = operation["x-amazon-apigateway-integration"]
            [security] = operation["security"]
            [scheme] = security
            resources[f"{api}Integration{number}"] = {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {
                "ApiId": {"Ref": api}, "IntegrationType": "AWS_PROXY", "IntegrationUri": integration["uri"],
                "PayloadFormatVersion": integration["payloadFormatVersion"]}}
            route = {"ApiId": {"Ref": api}, "RouteKey": f"{verb} {path}",
                     "Target": {"Fn::Sub": f"integrations/${{{api}Integration{number}}}"}}
            if scheme != "NONE":
                route.update(AuthorizationType="JWT", AuthorizerId={"Ref": f"{api}{scheme}"})
            resources[f"{api}Route{number}"] = {"Type": "AWS::ApiGatewayV2::Route", "Properties": route}
