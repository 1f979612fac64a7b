import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** A local host on a folder of its own, built before: `dotnet build -c Release`, or Debug. */
export async function startLocalHost(settings = {}) {
  const program = ["Release", "Debug"].map((each) => join(root, `src/LocalHost/bin/${each}/net10.0/nodestash.dll`)).find(existsSync);
  if (!program) throw new Error("src/LocalHost is not built: dotnet build -c Release");
  const folder = mkdtempSync(join(tmpdir(), "nodestash-peers-"));
  const data = join(folder, "data");
  const host = spawn("dotnet", [program, "--urls", "http://127.0.0.1:0", "--data", data], { env: { ...process.env, ...settings }, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => host.once("exit", resolve));
  const address = await new Promise((resolve, reject) => {
    let output = "";
    host.stdout.on("data", (chunk) => {
      output += chunk;
      const found = /listens on (http:\/\/\S+)/.exec(output);
      if (found) resolve(found[1]);
    });
    host.once("exit", () => reject(new Error(`The local host ended: ${output}`)));
  });
  const key = readFileSync(join(data, "api-key"), "utf8").trim();

  return {
    address,
    key,
    async post(path, body) {
      const answer = await fetch(`${address}/v1/${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return (await answer.json()).data.attributes;
    },
    async stop() {
      host.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

/** A receiver of webhooks on a free port. */
export async function startReceiver() {
  const deliveries = [];
  const waiting = [];
  const server = createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const delivery = { headers: request.headers, body: Buffer.concat(chunks) };
      (waiting.shift() ?? ((each) => deliveries.push(each)))(delivery);
      response.end();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));

  return {
    address: `http://127.0.0.1:${server.address().port}/`,
    /** The next delivery. */
    next: () => (deliveries.length > 0 ? Promise.resolve(deliveries.shift()) : new Promise((resolve) => waiting.push(resolve))),
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
