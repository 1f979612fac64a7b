// The receivers of docs/webhooks.md, as they stand there, and what they make of the test vectors.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const docs = new URL("../../docs/", import.meta.url);
const guide = readFileSync(new URL("webhooks.md", docs), "utf8");
const vectors = JSON.parse(readFileSync(new URL("webhook-test-vectors.json", docs), "utf8"));
const expected = vectors.map(({ name, genuine }) => ({ name, genuine }));

const snippet = (language) => new RegExp("```" + language + "\n(.*?)```", "s").exec(guide)[1];

test("the snippet for TypeScript", async () => {
  const { isGenuine } = await import("data:text/javascript," + encodeURIComponent(compiled(snippet("ts"))));
  const found = vectors.map((v) => ({ name: v.name, genuine: isGenuine(v.secret, v.id, v.timestamp, v.signatures, Buffer.from(v.body), v.now) }));
  assert.deepEqual(found, expected);
});

test("the snippet for Python", () => {
  const program = `${snippet("python")}
import json, sys
print(json.dumps([{"name": v["name"], "genuine": is_genuine(v["secret"], v["id"], v["timestamp"], v["signatures"], v["body"].encode(), v["now"])} for v in json.load(sys.stdin)]))`;
  assert.deepEqual(JSON.parse(execFileSync("python3", ["-c", program], { input: JSON.stringify(vectors) })), expected);
});

/** What the compiler makes of a module, in which it must find nothing wrong. */
function compiled(source) {
  const options = { strict: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, types: ["node"] };
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  const file = fileURLToPath(new URL("receiver.mts", import.meta.url));
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, version) => (name === file ? ts.createSourceFile(name, source, version) : getSourceFile(name, version));
  let script;
  host.writeFile = (_, text) => (script = text);

  const program = ts.createProgram([file], options, host);
  assert.deepEqual(ts.getPreEmitDiagnostics(program).map((each) => ts.flattenDiagnosticMessageText(each.messageText, "\n")), []);
  program.emit();
  return script;
}
