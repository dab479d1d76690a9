// The API guide's walk (functions/api/README.md), with the types that openapi-typescript makes of its description.

import { readFile } from "node:fs/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type NewSend = components["schemas"]["NewSend"];
type Send = components["schemas"]["Send"];
type Corrections = components["schemas"]["Corrections"];

const stafett = process.env.STAFETT ?? "http://127.0.0.1:3000";
const fixtures = new URL("../../fixtures/", import.meta.url);
const fixture = async (name: string) => JSON.parse(await readFile(new URL(name, fixtures), "utf8"));

const scope = "sends:write history:read history:personal";
const asked = new URLSearchParams({ organisation_number: "5567044268", scope });
const given: unknown = await (await fetch(`${stafett}/local/token?${asked}`)).json();
assert(typeof given === "object" && given && "token" in given, "a token");
// A client that reads JSON. Where the API has another form too, such as a page of CSV, its types are those of JSON.
const client = createClient<paths, "application/json" | "application/problem+json">({
  baseUrl: stafett,
  headers: { Authorization: `Bearer ${given.token}` },
});

function assert(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

async function ended(id: string): Promise<Send> {
  let etag = "";
  for (;;) {
    const params = { path: { send: id }, header: etag ? { "If-None-Match": etag } : {} };
    const { data, error, response } = await client.GET("/v1/sends/{send}", { params });
    assert(response.status === 304 || data, `${response.status}: ${JSON.stringify(error)}`);
    if (data && !["receiving", "queued", "running"].includes(data.status)) return data;
    etag = response.headers.get("etag") ?? etag;
    await new Promise((resume) => setTimeout(resume, 1000 * Number(response.headers.get("retry-after") ?? 1)));
  }
}

const maths: NewSend = await fixture("prov-matematik.json");
const checked = await client.POST("/v1/validations", { body: maths });
assert(checked.data?.valid, "the send is valid");
for (const rule of checked.data.rules) console.log(`${rule.severity} ${rule.code} (${rule.count}): ${rule.sv}`);

const key = `walk-${Date.now()}`;
const sent = await client.POST("/v1/sends", {
  params: { header: { "Idempotency-Key": `${key}-1` } },
  body: maths,
});
assert(sent.data && "jobs" in sent.data, `sent: ${JSON.stringify(sent.error)}`);
const failed = await ended(sent.data.id);
assert(failed.status === "failed", failed.status);

const job = await client.GET("/v1/sends/{send}/jobs/{stage}", {
  params: { path: { send: failed.id, stage: "users" } },
});
for (const cause of job.data?.causes ?? []) {
  console.log(`${cause.count}: ${cause.guidance.meaning.sv} ${cause.guidance.action.sv} (${cause.guidance.who})`);
}
assert(job.data?.causes[0]?.firstRecordIds.length === 1, "one record has the cause");

const refused = { path: { send: failed.id, stage: "users" }, query: { outcome: "error" } };
const rows = await client.GET("/v1/sends/{send}/jobs/{stage}/records", { params: refused });
assert(rows.data, `rows: ${JSON.stringify(rows.error)}`);
for (const row of rows.data.items) {
  assert("civicNo" in row, "a row of users");
  console.log(`${row.outcomeLabel.sv}: ${row.name}, ${row.role}`);
}

const sheet = await client.GET("/v1/sends/{send}/jobs/{stage}/records", {
  params: refused,
  headers: { Accept: "text/csv" },
  parseAs: "text",
});
assert(sheet.data?.split("\r\n").length === rows.data.items.length + 2, "as CSV the same rows, below their headings");

const unknown = await fetch(`${stafett}/v1/sends?stage=users`, { headers: { Authorization: `Bearer ${given.token}` } });
assert(unknown.status === 400, "a parameter that the list does not have");

const corrections: Corrections = await fixture("prov-matematik-rattad.json");
const resumed = await client.POST("/v1/sends/{send}/resume", {
  params: { path: { send: failed.id }, header: { "Idempotency-Key": `${key}-2` } },
  body: corrections,
});
assert(resumed.data, `resumed: ${JSON.stringify(resumed.error)}`);
const done = await ended(resumed.data.id);
assert(done.status === "succeeded" || done.status === "succeededWithWarnings", done.status);

const activities = await client.GET("/v1/activities", { params: { query: { testCode: "GRGRMAT01_6" } } });
const latest = activities.data?.items[0];
assert(latest?.latestSend.id === done.id, "the activity's latest send is the resumed one");
console.log(`${latest.displayName}: ${latest.latestSend.statusLabel.sv}`);
