// Takes the pictures of the README: `NAKANET=... CHROMIUM=... npm run screenshots`.

import { join } from "node:path";
import { Stage, text } from "./stage.js";

const root = join(import.meta.dirname, "../../../..");
const stage = await Stage.open();
await stage.run("sim", join(root, "scenarios/double-spend-across-a-partition.toml"), "--quiet");
const link = await stage.start("serve", "runs/latest");
const fork = await (await fetch(`${link}api/fork?id=0`)).json();
for (const [name, colorScheme, width, height] of [["page-dark", "dark", 1440, 900], ["page-phone", "light", 390, 844]]) {
  const page = await stage.look(`${link}?t=${fork.widest_us + 20_000}&fork=0`, { colorScheme, viewport: { width, height } });
  await text(page, "#fork", /Branch B/);
  await text(page, "#log", /When/);
  await page.screenshot({ path: join(root, "docs", `${name}.png`) });
}
await stage.close();
