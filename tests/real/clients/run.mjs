/**
 * Runs a programme with one of the SDK's lines, and prints what it has observed as one JSON object.
 *
 *   run.mjs '{"line": 1, "programme": "everything", "era": "legacy", "prefix": "", "command": [...]}'
 */
import * as programmes from "./everything.mjs";

const EVERYTHING = { sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true } };

const wanted = JSON.parse(process.argv[2]);
const capabilities = wanted.programme === "bare" ? {} : EVERYTHING;
const { peer } = await import(`./line${wanted.line}.mjs`);
const seen = await programmes[wanted.programme](peer({ ...wanted, capabilities }), wanted.prefix);
process.stdout.write(JSON.stringify(seen) + "\n");
process.exit(0);
