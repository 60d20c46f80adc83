// SPDX-License-Identifier: Apache-2.0
// Generates text with node-llama-cpp:
//
//     node generate.mjs FOLDER MODEL [THREADS]
//
// FOLDER is where npm has installed it. The prompt is fixed, and so are the 16 tokens that follow.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, modelPath, threads = "1"] = process.argv.slice(2);
if (!modelPath || !(Number(threads) >= 1)) {
    console.error("usage: node generate.mjs FOLDER MODEL [THREADS]");
    process.exit(2);
}
const index = resolve(folder, "node_modules/node-llama-cpp/dist/index.js");
for (const [file, remedy] of [
    [index, `npm install --ignore-scripts --prefix ${folder} node-llama-cpp@3.22.1`],
    [resolve(modelPath), "python3 build-support/model/fetch_model.py target/real-model"],
]) {
    if (!existsSync(file)) {
        console.error(`generate.mjs: ${file} is missing: ${remedy}`);
        process.exit(1);
    }
}
const library = pathToFileURL(index);
const { getLlama, LlamaCompletion } = await import(library);

const llama = await getLlama({
    gpu: false,
    build: "never",
    maxThreads: Number(threads),
    progressLogs: false,
    logLevel: "warn",
});
const model = await llama.loadModel({ modelPath: resolve(modelPath) });
const context = await model.createContext({ contextSize: 256, threads: Number(threads) });
const completion = new LlamaCompletion({ contextSequence: context.getSequence() });
const prompt = "The capital of France is";
const options = { maxTokens: 16, temperature: 0 };
console.log(`text: ${prompt}${await completion.generateCompletion(prompt, options)}`);
await context.dispose();
await model.dispose();
await llama.dispose();
