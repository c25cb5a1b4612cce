/**
 * The official conformance suite's tests of servers, for each revision: against the server itself, and against `rea` with
 * that server behind it, spoken to in either era.
 *
 *   run.mjs [--rea PATH] [--installed FOLDER] [--only NAME] [--keep]
 *
 * Each run has a list of failures that are expected (`expected/`, none if there is no such file). It fails if something fails
 * that is not on its list, and if something on its list passes. One line for each run. Exit code 1 if one failed.
 */

import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { openBridge } from "./bridge.mjs";

const HERE = import.meta.dirname;
const TARGET = join(HERE, "../../target");
const REVISIONS = ["2025-11-25", "2026-07-28"];
/** What the suite talks to: the server alone, or the gateway that speaks to the server in this era. */
const BEHIND = ["direct", "legacy", "modern"];
const NAME = "suite";

const { values: options } = parseArgs({
  options: {
    rea: { type: "string", default: join(TARGET, "release/rea") },
    installed: { type: "string", default: join(TARGET, "conformance") },
    only: { type: "string", default: "" },
    keep: { type: "boolean", default: false },
  },
});
const suite = resolve(options.installed, "node_modules/@modelcontextprotocol/conformance/dist/index.js");
// Node looks for packages from where a file lies, so the server is run beside the installed ones.
const serverFolder = resolve(options.installed, "server");
cpSync(join(HERE, "server"), serverFolder, { recursive: true });
const serverFile = join(serverFolder, "main.mjs");

/** How the process is started that a conversation of this run speaks to. */
function behind(way, folder) {
  const wire = join(folder, "wire");
  if (way === "direct") return { command: process.execPath, args: [serverFile], prefix: "", wire };
  const server = { name: NAME, command: process.execPath, args: [serverFile], protocol: way };
  mkdirSync(join(folder, ".rea"));
  // JSON is YAML, and needs no rules of quoting.
  writeFileSync(join(folder, ".rea/registry.yaml"), JSON.stringify({ version: "1", servers: [server] }));
  return { command: resolve(options.rea), args: ["serve", "--root", folder], prefix: `${NAME}__`, wire };
}

/** Runs the suite; what it printed, and its exit code. */
function runSuite(url, revision, expected, folder) {
  const list = expected ? ["--expected-failures", expected] : [];
  const args = [suite, "server", "--url", url, "--suite", "all", "--spec-version", revision, "-o", join(folder, "results")];
  const child = spawn(process.execPath, [...args, ...list], { stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (printed += data));
  return new Promise((resolve) => child.on("close", (code) => resolve({ printed, code })));
}

/**
 * The entries of the list that nothing failed for. The suite itself complains of one that passes, but not of one whose
 * scenario or check it no longer has.
 */
function idle(expected, printed) {
  const entries = expected ? [...readFileSync(expected, "utf8").matchAll(/^ +- (\S+)/gm)] : [];
  const found = new Set([...printed.matchAll(/^ +~ (\S+)/gm)].map(([, entry]) => entry));
  return entries.map(([, entry]) => entry).filter((entry) => !found.has(entry));
}

async function run(revision, way) {
  const folder = mkdtempSync(join(tmpdir(), "rea-conformance-"));
  const began = Date.now();
  const list = join(HERE, `expected/${revision}.${way}.yaml`);
  const expected = existsSync(list) ? list : null;
  const bridge = await openBridge(behind(way, folder), revision);
  const { printed, code } = await runSuite(bridge.url, revision, expected, folder);
  await bridge.close();
  const unused = idle(expected, printed);
  const isRight = code === 0 && unused.length === 0;
  const summary = printed.slice(printed.indexOf("=== SUMMARY ==="));
  const count = summary.match(/^Total: .*$/m)?.[0] ?? "the suite has not come to its end";
  const seconds = ((Date.now() - began) / 1000).toFixed(1);
  console.log(`${isRight ? "ok  " : "FAIL"}  ${revision} ${way}  ${count}  ${seconds} s`);
  if (!isRight) console.log(summary.replace(/^✓.*\n/gm, ""));
  for (const entry of unused) console.log(`       expected to fail, and did not: ${entry}`);
  if (isRight && !options.keep) rmSync(folder, { recursive: true });
  else console.log(`       kept: ${folder}`);
  return isRight;
}

const runs = REVISIONS.flatMap((revision) => BEHIND.map((way) => [revision, way]));
const chosen = runs.filter((one) => one.join(" ").includes(options.only));
let failed = chosen.length === 0 ? 1 : 0;
for (const [revision, way] of chosen) {
  if (!(await run(revision, way))) failed += 1;
}
console.log(`${chosen.length - failed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
