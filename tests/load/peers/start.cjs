// A Node function that builds the clients that Stafett's functions build, and asks for work: what its start costs.
const http = require("node:http");
const { DynamoDBClient } = require("@aws-sdk/client-dynamodb");
const { SQSClient } = require("@aws-sdk/client-sqs");

const clients = [new DynamoDBClient({}), new SQSClient({}), new http.Agent({ keepAlive: true })];
const url = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/next`;
http.get(url, { agent: clients[2] }).on("error", () => process.exit(1));
