// Starts nakanet and a browser for the tests.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const NAKANET = process.env.NAKANET;
const CHROMIUM = process.env.CHROMIUM;
/** Only a failure takes so long. */
export const PATIENCE = 30_000;

/** A folder, a browser, and whatever is started; all of it is gone after `close`. */
export class Stage {
  #children = [];

  static async open() {
    if (!NAKANET || !CHROMIUM) throw new Error("NAKANET and CHROMIUM name the binaries; `cargo xtask test` sets them");
    const stage = new Stage();
    stage.folder = await mkdtemp(join(tmpdir(), "nakanet-page-"));
    stage.browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
    return stage;
  }

  async close() {
    await this.browser.close();
    await Promise.all(this.#children.map((child) => new Promise((ended) => {
      if (child.exitCode !== null || child.signalCode !== null) return ended();
      child.once("exit", ended);
      child.kill("SIGKILL");
    })));
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Writes a file into the folder. */
  write(name, text) {
    return writeFile(join(this.folder, name), text);
  }

  /** Runs nakanet to its end. */
  run(...args) {
    const child = spawn(NAKANET, args, { cwd: this.folder, stdio: ["ignore", "pipe", "pipe"] });
    const output = [];
    child.stdout.on("data", (data) => output.push(data));
    child.stderr.on("data", (data) => output.push(data));
    return new Promise((resolve, reject) => {
      child.on("exit", (code) => {
        const text = Buffer.concat(output).toString();
        if (code === 0) resolve(text);
        else reject(new Error(`nakanet ${args.join(" ")} ended with ${code}:\n${text}`));
      });
    });
  }

  /** Starts nakanet and waits until it says where its page is. */
  start(...args) {
    const child = spawn(NAKANET, args, { cwd: this.folder, stdio: ["ignore", "pipe", "pipe"] });
    this.#children.push(child);
    let text = "";
    return new Promise((resolve, reject) => {
      const hear = (data) => {
        text += data;
        const link = /http:\/\/127\.0\.0\.1:\d+\/\S*/.exec(text)?.[0];
        if (link) resolve(link);
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.on("exit", (code) => reject(new Error(`nakanet ${args.join(" ")} ended with ${code}:\n${text}`)));
    });
  }

  /** The processes that were started and go on. */
  pids() {
    return this.#children.map((child) => child.pid);
  }

  /** Opens a page. What its console complains about, and dialogs that open, are kept. */
  async look(link, options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "dark", reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.complaints = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") page.complaints.push(message.text());
    });
    page.on("pageerror", (error) => page.complaints.push(error.message));
    page.on("dialog", (dialog) => {
      page.complaints.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("request", (request) => {
      if (!request.url().startsWith("http://127.0.0.1:")) page.complaints.push(`a request to ${request.url()}`);
    });
    await page.goto(link);
    return page;
  }
}

/** Waits until an element's text matches, and gives the text. */
export async function text(page, selector, pattern) {
  await page.waitForFunction(
    ([selector, source]) => new RegExp(source, "s").test(document.querySelector(selector)?.textContent ?? ""),
    [selector, pattern.source],
  );
  return page.textContent(selector);
}
