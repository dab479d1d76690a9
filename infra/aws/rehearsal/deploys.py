"""Deploys by the runbook's command, and going back: what an operator has switched stays."""

import json
import os
import subprocess
from pathlib import Path

import yaml

import emulator
from chapters import Runbook, expect, output
from emulator import aws

STAGE, STACK = "test", "stafett-test"


def adapted(root, packages, folder):
    """The template as it is written, without what the emulator does not know. Its own transform gives no values to
    parameters, so that the one list among them stands here as a list."""
    template = yaml.safe_load((root / "infra/aws/template.yaml").read_text(encoding="utf-8"))
    emulator.leave_out_unknown(template)
    template["Resources"]["HttpApi"]["Properties"]["CorsConfiguration"]["AllowOrigins"] = ["https://admin.example.se"]
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            properties = resource["Properties"]
            properties["CodeUri"] = str(packages[Path(properties["CodeUri"]).stem].resolve())
    path = Path(folder) / "template.json"
    path.write_text(json.dumps(template), encoding="utf-8")
    return path


def rehearse(root, packages, folder, say):
    describe = ["git", "describe", "--always", "--abbrev=12", "--dirty", "--exclude", "*"]
    commit = subprocess.run(describe, cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    expect(not commit.endswith("-dirty"), "a release is one of a commit: commit first")
    (Path(folder) / "commit").write_text(commit, encoding="utf-8")
    os.environ.update(STAFETT_TEMPLATE=str(adapted(root, packages, folder)), STAFETT_PACKAGES=folder,
                      STAFETT_DEPLOY_OPTIONS="--no-confirm-changeset", SAM_CLI_TELEMETRY="0")

    def deploy(*which):
        command = ["infra/aws/deploy", STAGE, *which]
        say(" ".join(command))
        done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        print("".join(f"   {line}\n" for line in done.stdout.splitlines()[-2:]), end="", flush=True)
        expect(done.returncode == 0, done.stdout)

    def state():
        memory = aws("lambda", "get-function-configuration", "--function-name", output(STACK, "ApiFunctionName"))
        stack = aws("cloudformation", "describe-stacks", "--stack-name", STACK)["Stacks"][0]
        values = {it["ParameterKey"]: it["ParameterValue"] for it in stack["Parameters"]}
        tags = {it["Key"]: it["Value"] for it in stack["Tags"]}
        found = (memory["MemorySize"], values["Sending"], tags["commit"])
        print(f"   the API's memory, Sending, the commit: {found}")
        return found

    deploy()
    expect(state() == (1024, "running", commit), "not what was deployed")
    Runbook(root, STACK, say).run("Pause all sending", 0)
    # An older release, whose API had less memory.
    release = root / "target/release.yaml"
    bucket = output("aws-sam-cli-managed-default", "SourceBucket")
    older = Path(folder) / "older.yaml"
    older.write_text(release.read_text(encoding="utf-8").replace("MemorySize: 1024", "MemorySize: 512"), encoding="utf-8")
    aws("s3", "cp", "--only-show-errors", str(older), f"s3://{bucket}/releases/0123456789ab.yaml")
    deploy("0123456789ab")
    expect(state() == (512, "paused", "0123456789ab"), "going back did more or less than it should")
    deploy(commit)
    expect(state() == (1024, "paused", commit), "forward again")
    Runbook(root, STACK, say).run("Go back", 1, COMMIT=commit)
