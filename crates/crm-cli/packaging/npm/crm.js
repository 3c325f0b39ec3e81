#!/usr/bin/env node
// Starts the program of the package for this platform, and ends as it does.
"use strict";

const { spawn } = require("node:child_process");

const platform = `crm-contacts-${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "crm.exe" : "crm";
let program;
try {
  program = require.resolve(`${platform}/bin/${file}`);
} catch {
  console.error(
    `error: the program is missing: the package ${platform} is not installed\n\n` +
      `Install crm-contacts without --omit=optional. If there is no such package, there is no program\n` +
      `for this platform: build it with \`cargo install crm-cli\`.`,
  );
  process.exit(1);
}

const child = spawn(program, process.argv.slice(2), { stdio: "inherit" });
// A terminal interrupts both, and the program then ends in its own time; other senders know this
// process alone.
const passed = { SIGINT: () => {}, SIGTERM: () => child.kill("SIGTERM"), SIGHUP: () => child.kill("SIGHUP") };
for (const [signal, pass] of Object.entries(passed)) process.on(signal, pass);
child.on("error", (error) => {
  console.error(`error: ${program} cannot be started: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code);
  for (const [name, pass] of Object.entries(passed)) process.off(name, pass);
  process.kill(process.pid, signal);
});
