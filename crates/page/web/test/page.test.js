// The page in a real browser, against the real binary.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { forge, PAYLOADS } from "./forge.js";
import { Stage, text } from "./stage.js";

const root = join(import.meta.dirname, "../../../..");
const axe = join(import.meta.dirname, "../node_modules/axe-core/axe.min.js");
let stage;
let recorded;
/** What the server says of the only fork: when things happen is the simulator's business. */
let fork;
/** A moment as the page writes it. */
const moment = (micros) => `${(micros / 1_000_000).toFixed(3)} s`;
const pattern = (text) => new RegExp(text.replaceAll(".", "\\."));

before(async () => {
  stage = await Stage.open();
  await stage.run("sim", join(root, "scenarios/double-spend-across-a-partition.toml"), "--quiet");
  recorded = await stage.start("serve", "runs/latest");
  fork = await (await fetch(`${recorded}api/fork?id=0`)).json();
});

after(() => stage.close());

test("a recorded double spend tells who was where, who won, which payment lost and why", async () => {
  const page = await stage.look(recorded);
  await text(page, "#story", /All 8 nodes agree at height 15/);
  await text(page, "#verdict", /passed/);
  await page.keyboard.press("f");
  await text(page, "#story", /2 histories side by side/);
  const card = await text(page, "#fork", /Above block 12.*branches for \d+ ms/);
  assert.match(card, /followed by n0\.\.n3 and .*followed by n4\.\.n7/);
  assert.match(card, /Branch Alost.*Branch Bwon/);
  assert.match(card, /ds to bob \(38d34b37\).*lost.*its coin was spent by ds to carol \(6508ebd1\) in block 13 89380205/);
  assert.match(card, /B had 3 blocks, A 2\. n0\.\.n3 gave up 2 blocks/);
  assert.match(await page.textContent("#network-twin"), /4 nodes at height 14.*4 nodes at height 15/);
  assert.deepEqual(page.complaints, []);
});

/** Two branches, on one of which a second block is a second on its way. */
const UNEVEN = `
[network]
nodes = 4
topology = { kind = "full" }
link = { latency = "1s" }
[steps]
run = [
  { mine = 2, on = "n0" },
  { wait = "converged", height = 2, within = "1m" },
  { partition = [["n0..n1"], ["n2..n3"]], as = "split" },
  { mine = 1, on = "n0" },
  { mine = 1, on = "n2" },
  { wait = "converged", on = ["n0..n1"], height = 3, within = "1m" },
  { wait = "converged", on = ["n2..n3"], height = 3, within = "1m" },
  { mine = 1, on = "n0" },
  { wait = "converged", on = ["n0..n1"], height = 4, within = "1m" },
  { heal = "split" },
  { wait = "converged", height = 4, within = "1m" },
]
`;

test("while some nodes of a branch are on their way to its tip, the branch is up to that height", async () => {
  await stage.write("uneven.toml", UNEVEN);
  await stage.run("sim", "uneven.toml", "--quiet", "--out", "uneven");
  const link = await stage.start("serve", "uneven/latest");
  const run = await (await fetch(`${link}api/fork?id=0`)).json();
  const isUneven = ({ sides, tips, nodes }) =>
    sides.length > 1 && nodes.side.some((side, node) => side !== null && tips[nodes.tip[node]].height < sides[side].height);
  let at = run.opened_us;
  while (!isUneven(await (await fetch(`${link}api/moment?t=${at}`)).json())) {
    at += 100_000;
    assert.ok(at < run.resolved_us, "a block takes a second from one node to the other");
  }
  const page = await stage.look(`${link}?t=${at}`);
  await text(page, "#story", /n0 and n1 up to height 4; .*n2 and n3 at height 3/);
  await text(page, "#network-twin", /2 nodes up to height 4.*2 nodes at height 3/);
  await page.keyboard.press("End");
  await text(page, "#story", /All 4 nodes agree at height 4/);
  assert.deepEqual(page.complaints, []);
});

test("before the reorg the counts are those of then, and the address shows it to others", async () => {
  const before = fork.stays[0].stays[0].to_us - 1;
  const page = await stage.look(`${recorded}?t=${before}&fork=0`);
  await text(page, "#story", pattern(moment(before)));
  const card = await text(page, "#fork", /At \S+ s 4 nodes: n0\.\.n3.*At \S+ s 4 nodes: n4\.\.n7/);
  assert.match(card, /won/);
  const tips = await page.locator(".row .tips").allTextContents();
  assert.deepEqual(tips, ["4 tips n0..n3", "4 tips n4..n7"]);
  await page.keyboard.press("End");
  await text(page, "#fork", /At \S+ s nobody.*At \S+ s 8 nodes: n0\.\.n7/);
  await page.waitForFunction(() => location.search === "?fork=0");
  assert.deepEqual(await page.locator(".row .tips").allTextContents(), ["8 tips n0..n7"]);
  assert.deepEqual(page.complaints, []);
});

test("events are filtered, and a click shows their moment", async () => {
  const page = await stage.look(recorded);
  await page.selectOption("#filter-kind", "reorg");
  // The rows of all kinds are there until the filter has been answered.
  await page.waitForFunction(() => {
    const rows = [...document.querySelectorAll("#log tbody tr")];
    return rows.length > 0 && rows.every((row) => row.textContent.includes("reorg"));
  });
  await page.locator("#log tbody tr", { hasText: "n0" }).getByRole("button").first().click();
  await page.waitForFunction((time) => location.search.startsWith(`?t=${time}`), fork.stays[0].stays[0].to_us);
  await page.fill("#filter-text", "no such thing");
  await text(page, "#log", /No such event/);
  await page.click("#tab-transactions");
  assert.match(await text(page, "#log", /carol/), /ds to bob \(38d34b37\)/);
  await page.click("#tab-steps");
  assert.match(await text(page, "#log", /confirmed-once/), /partition = \[\["n0\.\.n3"\], \["n4\.\.n7"\]\]/);
  await page.click("#tab-nodes");
  assert.equal(await page.locator("#log tbody tr").count(), 8);
  await page.click("#spread-table-switch");
  assert.match(await text(page, "#spread", /90 %/), /3581f40d/);
  assert.deepEqual(page.complaints, []);
});

test("keys step from event to event, play, and change the theme", async () => {
  const page = await stage.look(`${recorded}?t=0`);
  await text(page, "#now", /^0\.000 s/);
  await page.keyboard.press("ArrowRight");
  await text(page, "#now", /^0\.[1-9]\d\d s/);
  await page.keyboard.press("ArrowLeft");
  await text(page, "#now", /^0\.000 s/);
  await page.keyboard.press("p");
  await text(page, "#story", /The network is cut \(split\)/);
  await page.keyboard.press("Space");
  await text(page, "#play", /Pause/);
  // It plays to the end by itself.
  await text(page, "#play", /Play/);
  await text(page, "#now", /^(\S+ s) of \1$/);
  await page.keyboard.press("t");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
  await page.keyboard.press("?");
  assert.match(await text(page, "#keys", /next fork/), /next reorg/);
  assert.deepEqual(page.complaints, []);
});

test("on a cluster that goes on a fork appears without reload, made by hand from the page", async () => {
  const link = await stage.start("up", "-n", "4", "--mine-interval", "off", "--serve");
  const page = await stage.look(link);
  await text(page, "#live", /live/);
  assert.equal(await page.evaluate(() => location.hash), "", "the token does not stay in the address");
  await text(page, "#fork", /No fork so far/);
  await page.evaluate(() => {
    window.unreloaded = true;
  });
  const step = async (step, said) => {
    await page.fill("#step", step);
    await page.keyboard.press("Enter");
    await text(page, ".said", said);
  };
  await step("mine = 1, on = \"n9\"", /n9/);
  await step("{ partition = [[\"n0..n1\"], [\"n2..n3\"]], as = \"hand\" }", /links? down/);
  await step("mine = 1, on = \"n0\"", /1 block mined, height 1/);
  await step("mine = 2, on = \"n2\"", /2 blocks mined, height 2/);
  const card = await text(page, "#fork", /Branch A.*Branch B.*It has not ended/);
  assert.match(card, /Above block 0/);
  await text(page, "#story", /2 histories side by side: .*The network is cut \(hand\)/);
  await step("heal = \"hand\"", /links? up/);
  await text(page, "#story", /All 4 nodes agree at height 2/);
  await text(page, "#fork", /Branch A.*lost.*Branch B.*won/);
  assert.equal(await page.evaluate(() => window.unreloaded), true);
  // The refusal of the step with a node that is not there is the only thing to complain of.
  assert.deepEqual(page.complaints.filter((complaint) => !/422/.test(complaint)), []);
});

test("threat H6: hostile texts are shown as text", async () => {
  const folder = join(stage.folder, "forged");
  await forge(folder);
  const link = await stage.start("serve", folder);
  for (const tab of ["events", "nodes", "transactions", "steps"]) {
    const page = await stage.look(`${link}?tab=${tab}&select=${encodeURIComponent(PAYLOADS[0])}&text=`);
    await text(page, "#scenario", /onerror/);
    await text(page, "#log", /<script>alert\(1\)<\/script>/);
    await text(page, "#story", /<\/title><script>/);
    await text(page, "#fork", /<script>alert\(1\)<\/script>/);
    // What the page is made of, and nothing that came with the run.
    const strangers = await page.evaluate(() => document.querySelectorAll("body script:not([src]), iframe, #log img, #fork img, #story img, math, template, #log style").length);
    assert.equal(strangers, 0);
    await page.locator("#network").hover();
    await page.keyboard.press("f");
    await text(page, "#fork", /Branch A/);
    assert.deepEqual(page.complaints, [], tab);
    await page.context().close();
  }
});

for (const [colorScheme, tabs] of [["dark", ["events", "nodes"]], ["light", ["transactions", "steps"]]]) {
  test(`axe finds nothing serious (${colorScheme})`, async () => {
    const page = await stage.look(`${recorded}?t=${fork.widest_us}`, { colorScheme, bypassCSP: true });
    await text(page, "#fork", /Branch B/);
    await page.addScriptTag({ path: axe });
    for (const tab of tabs) {
      await page.click(`#tab-${tab}`);
      await page.waitForFunction(() => document.querySelectorAll("#log td").length > 0);
      const found = await page.evaluate(() => globalThis.axe.run());
      const serious = found.violations.filter((violation) => violation.impact === "serious" || violation.impact === "critical");
      assert.deepEqual(serious.map((violation) => `${violation.id}: ${violation.nodes.map((node) => `${node.target} ${node.failureSummary}`).join("; ")}`), [], tab);
    }
  });
}

for (const [width, height] of [[390, 844], [820, 1180], [3840, 2160]]) {
  test(`nothing is cut off at ${width} x ${height}`, async () => {
    const page = await stage.look(`${recorded}?t=${fork.widest_us}`, { viewport: { width, height } });
    await text(page, "#fork", /Branch B/);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.equal(wide, 0, "the page scrolls sideways");
    assert.deepEqual(page.complaints, []);
  });
}

test("the page loads nothing but its own four files", async () => {
  const page = await readFile(join(root, "crates/page/dist/index.html"), "utf8");
  const loaded = [...page.matchAll(/(?:src|href)="([^"#]+)"/g)].map((match) => match[1]);
  assert.deepEqual([...new Set(loaded)].sort(), ["./icon.svg", "./page.css", "./page.js"]);
});
