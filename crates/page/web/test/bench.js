// How the page does with a long run: `NAKANET=... CHROMIUM=... npm run bench -- FOLDER`. docs/PERFORMANCE.md has the results.

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { Stage, text } from "./stage.js";

/** Moments that are asked for. */
const SEEKS = 100;
/** Frames that are counted while something is moved. */
const FRAMES = 180;

const folder = resolve(process.argv[2] ?? "runs/latest");
const stage = await Stage.open();
const begun = performance.now();
const link = await stage.start("serve", folder);
console.log(`read and served after ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
await server();
await browser();
console.log(`memory of the server: ${await memory("VmRSS")} MB now, ${await memory("VmHWM")} MB at most`);
await stage.close();

/** Sizes and times of what a page asks for when it shows another moment. */
async function server() {
  const news = await sized("news");
  const { end_us } = JSON.parse(news.text);
  const forks = JSON.parse(news.text).marks.filter((mark) => mark.kind === "fork");
  console.log(`begin: ${kilobytes(news.size + (await sized("run")).size)} of names and marks, ${forks.length} forks`);
  const [times, sizes, slowest] = [[], [], {}];
  for (let seek = 0; seek < SEEKS; seek += 1) {
    // Spread over the run, the same ones each time.
    const t = Math.floor(((seek * 0.618_033_988) % 1) * end_us);
    const before = forks.findLast((mark) => mark.from_us <= t) ?? forks[0];
    const asked = [`moment?t=${t}`, `tree?t=${t}&rows=500`, `spread?t=${t}`, `events?t=${t}`, ...(before ? [`fork?t=${t}&id=${before.fork}`] : [])];
    const start = performance.now();
    let size = 0;
    for (const question of asked) {
      const one = performance.now();
      size += (await sized(question)).size;
      const name = question.split("?")[0];
      slowest[name] = Math.max(slowest[name] ?? 0, performance.now() - one);
    }
    times.push(performance.now() - start);
    sizes.push(size);
  }
  times.sort((a, b) => a - b);
  console.log(`another moment: half within ${times[SEEKS / 2].toFixed(0)} ms, p95 ${times[Math.floor(SEEKS * 0.95)].toFixed(0)} ms; at most ${kilobytes(Math.max(...sizes))}`);
  console.log(`slowest: ${Object.entries(slowest).map(([name, time]) => `${name} ${time.toFixed(0)} ms`).join(", ")}`);
}

/** Rows that are drawn, and frames while the tree is scrolled and the network dragged. */
async function browser() {
  const page = await stage.look(link, { reducedMotion: "no-preference" });
  await text(page, "#story", /height/);
  await page.waitForFunction(() => document.querySelectorAll(".row").length > 0);
  const rows = await page.evaluate(() => document.querySelectorAll("#tree .row").length);
  console.log(`rows of the tree in the document: ${rows}`);
  const frames = (move) =>
    page.evaluate(
      ([source, count]) =>
        new Promise((done) => {
          const move = new Function("frame", source);
          let [frame, start] = [0, performance.now()];
          const step = () => {
            move(frame);
            frame += 1;
            if (frame < count) requestAnimationFrame(step);
            else done((count / (performance.now() - start)) * 1_000);
          };
          requestAnimationFrame(step);
        }),
      [move, FRAMES],
    );
  const scrolled = await frames("const tree = document.getElementById('tree'); tree.scrollTop = (frame * 97) % Math.max(1, tree.scrollHeight)");
  await page.locator("#network").scrollIntoViewIfNeeded();
  const dragged = await frames(`
    const canvas = document.getElementById("network");
    const box = canvas.getBoundingClientRect();
    const at = { clientX: box.x + box.width / 2 + 40 * Math.sin(frame / 9), clientY: box.y + box.height / 2, bubbles: true, view: window };
    if (frame === 0) canvas.dispatchEvent(new MouseEvent("mousedown", at));
    else window.dispatchEvent(new MouseEvent("mousemove", at));
  `);
  console.log(`frames a second: ${scrolled.toFixed(0)} scrolling the tree, ${dragged.toFixed(0)} dragging the network`);
}

async function sized(question) {
  const answer = await fetch(`${link}api/${question}`);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${question}: ${text}`);
  return { size: text.length, text };
}

async function memory(what) {
  const status = await readFile(`/proc/${stage.pids()[0]}/status`, "utf8");
  return Math.round(Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)[1]) / 1_000);
}

function kilobytes(bytes) {
  return `${(bytes / 1_000).toFixed(0)} kB`;
}
