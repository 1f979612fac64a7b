// The snippets of docs/api, run as they stand there, page by page, each page against a local host of its own; and what they answer.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startLocalHost, startReceiver } from "./localHost.js";

const docs = new URL("../../docs/api/", import.meta.url);
const operator = "0123456789abcdef0123456789abcdef";

/** The receiver of webhooks that the pages show. */
const shownReceiver = "http://127.0.0.1:9000/";

/** The functions that all other snippets use: the snippet of the index that defines them. */
const functions = blocksOf("README.md").find(({ source }) => source.includes("crm()")).source;

for (const page of readdirSync(docs).filter((name) => name.endsWith(".md")).sort()) {
  test(`the snippets of docs/api/${page}`, { timeout: 300_000 }, async () => {
    const blocks = blocksOf(page);
    const answers = await run(blocks.map(({ source }) => source));
    const found = blocks.map((block, i) => block.status === undefined ? null : faultOf(block, answers[i]));
    assert.deepEqual(found.filter((fault) => fault !== null), []);
  });
}

test("the scopes in the tables of requests", async () => {
  const host = await startLocalHost();
  try {
    const requests = ["v1.md", "webhooks.md", "access.md"].flatMap(requestsOf);
    const all = [...new Set(requests.flatMap(({ scopes }) => scopes))];
    const keys = new Map();
    for (const { method, path, scopes } of requests) {
      assert.notEqual((await ask(method, path, scopes)).status, 403, `${method} ${path} with ${scopes}`);
      for (const scope of scopes) {
        const without = all.filter((each) => each !== scope && each !== scope.replace(/:read$/, ":write") && `${each}:read` !== scope);
        const answer = await ask(method, path, without);
        assert.equal(answer.status, 403, `${method} ${path} without ${scope}`);
        assert.match((await answer.json()).error.message, new RegExp(`'${scope}'`), `${method} ${path} without ${scope}`);
      }
    }

    /** Asks with a key that has these scopes alone. Scopes are looked at before anything else, so ids and bodies need not be right. */
    async function ask(method, path, scopes) {
      const name = scopes.join();
      if (!keys.has(name)) keys.set(name, (await host.post("api-keys", { name: "Any", scopes })).secret);
      const headers = { authorization: `Bearer ${keys.get(name)}`, "content-type": "application/json" };
      return fetch(host.address + path.replaceAll(/{\w+}/g, "x"), { method, headers, body: method === "GET" ? undefined : "{}" });
    }
  } finally {
    await host.stop();
  }
});

/** The requests of a page's tables that name their scopes. */
function requestsOf(page) {
  const tables = readFileSync(new URL(page, docs), "utf8").split("| Request | Scope |").slice(1).map((table) => table.split("\n\n")[0]);
  const rows = tables.flatMap((table) => [...table.matchAll(/^\| `([A-Z]+) ([^`]+)` \| ((?:`[^`]+`(?:, )?)+) \|/gm)]);
  assert.ok(rows.length > 0, page);
  return rows.map(([, method, path, scopes]) => ({ method, path, scopes: scopes.match(/[a-z_:]+/g) }));
}

/** The snippets of a page in order, each with its line, the status and the JSON that the page shows after it. */
function blocksOf(page) {
  const text = readFileSync(new URL(page, docs), "utf8");
  const answer = /^\n+Answer `(\d{3}) [^`]+`(?:\.\n|:\n\n```json\n(.*?)\n```\n)/s;
  return [...text.matchAll(/^```sh\n(.*?)^```\n/gms)].map((block) => {
    const line = text.slice(0, block.index).split("\n").length;
    const [, status, json] = answer.exec(text.slice(block.index + block[0].length)) ?? [];
    assert.ok(status || !/^(crm|curl|eventually) /m.test(block[1]), `${page}:${line}: no line "Answer \`200 OK\`:" after it`);
    return { page, line, source: block[1], status, json };
  });
}

/**
 * Runs snippets in one shell, one after the other, so that variables stay; answers what each printed, and the status of its last request.
 * The pages start from a host at its first start, with a receiver of webhooks beside it.
 */
async function run(sources) {
  const [host, receiver] = await Promise.all([startLocalHost({ NODESTASH_OPERATOR_SECRET: operator }), startReceiver()]);
  const folder = mkdtempSync(join(tmpdir(), "nodestash-snippets-"));
  try {
    const steps = sources.map((source, i) => `STEP=${i}\n{\n${source}\n} > ${i}.out 2> ${i}.err\n`);
    writeFileSync(join(folder, "all.sh"), `set -u\ncurl() { command curl -sS -D "$STEP.head" "$@"; }\n${functions}\n${steps.join("")}`);
    const env = { ...process.env, URL: host.address, KEY: host.key, RECEIVER: receiver.address, NODESTASH_OPERATOR_SECRET: operator };
    const ended = await new Promise((resolve) => execFile("bash", ["all.sh"], { cwd: folder, env, timeout: 240_000 }, (_, __, errors) => resolve(errors)));
    const read = (name) => readdirSync(folder).includes(name) ? readFileSync(join(folder, name), "utf8") : "";
    return sources.map((_, i) => ({
      status: /^HTTP\S+ (\d{3})/.exec(read(`${i}.head`))?.[1],
      output: read(`${i}.out`).trim().replaceAll(receiver.address, shownReceiver),
      errors: read(`${i}.err`) + ended,
    }));
  } finally {
    rmSync(folder, { recursive: true });
    receiver.stop();
    await host.stop();
  }
}

/** How an answer differs from what its page shows; null where it does not. */
function faultOf({ page, line, status, json }, answer) {
  const where = `${page}:${line}`;
  if (answer.errors) return `${where}: ${answer.errors}`;
  if (answer.status !== status) return `${where}: answered ${answer.status}, shown ${status}: ${answer.output}`;
  if (json === undefined) return answer.output === "" ? null : `${where}: answered ${answer.output}, shown nothing`;
  const difference = answer.output.startsWith("{") ? differenceOf(JSON.parse(json), JSON.parse(answer.output), "") : "no JSON";
  return difference && `${where}: ${difference}: ${answer.output}`;
}

/** Where two values differ in more than ids, times and what is different each time; null where they do not. */
function differenceOf(shown, answered, path) {
  if (typeof shown === "string" && typeof answered === "string") {
    const [before, cut] = plain(shown).split("…");
    const same = cut === undefined ? before === plain(answered) : plain(answered).startsWith(before);
    return same ? null : `${path} is ${answered}, shown ${shown}`;
  }

  if (shown === null || answered === null || typeof shown !== "object" || typeof answered !== "object") {
    return shown === answered || (path.endsWith(".duration_ms") && typeof answered === "number") ? null : `${path} is ${answered}, shown ${shown}`;
  }

  const names = [Object.keys(shown).join(), Object.keys(answered).join()];
  if (Array.isArray(shown) !== Array.isArray(answered) || names[0] !== names[1]) return `${path} has ${names[1]}, shown ${names[0]}`;
  for (const name of Object.keys(shown)) {
    const difference = differenceOf(shown[name], answered[name], `${path}.${name}`);
    if (difference) return difference;
  }

  return null;
}

/** A text in which ids are their prefixes, and times are all the same. */
function plain(text) {
  return text.replaceAll(/\b([a-z]{2,4}_)[0-9A-Za-z]{20}\b/g, "$1").replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, "T");
}
