// SPDX-License-Identifier: Apache-2.0
// The first system's client from the command line, for tests in another language.
//
//   first_cli.mjs URL publish AGENT TYPE FEATURE     the report on stdin; prints its id
//   first_cli.mjs URL fetch AGENT TYPE FEATURE       prints the report's bytes; 3 when there is none
import { readFileSync } from "node:fs";
import { FirstClient } from "./first_client.mjs";

const [, , url, word, agent, taskType, featureName] = process.argv;
const client = await FirstClient.connect(url);
await client.initialize();
if (word === "publish") {
    const reportContent = readFileSync(0, "utf8");
    console.log(await client.publishReport({ agent, taskType, featureName, reportContent }));
} else {
    const found = await client.fetchReport({ agent, taskType, featureName });
    process.exitCode = found ? 0 : 3;
    process.stdout.write(found?.content ?? "");
}
await client.nc.close();
