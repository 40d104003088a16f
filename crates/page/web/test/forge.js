// A run folder whose every text is hostile, as somebody else may have sent it. nakanet itself refuses such names in scenarios.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Texts that are more than text to whoever takes them for markup. */
export const PAYLOADS = [
  "<script>alert(1)</script>",
  "<img src=x onerror=alert(1)>",
  "<svg onload=alert(1)>",
  "\"><iframe src=javascript:alert(1)>",
  "'-alert(1)-'",
  "javascript:alert(1)",
  "<a href=javascript:alert(1)>x</a>",
  "</title><script>alert(1)</script>",
  "${alert(1)}",
  "{{constructor.constructor('alert(1)')()}}",
  "<style>*{display:none}</style>",
  "<math><mi xlink:href=javascript:alert(1)>",
  "<template><script>alert(1)</script></template>",
  "&lt;script&gt;alert(1)&lt;/script&gt;",
  "\u202Eevil",
  "<details open ontoggle=alert(1)>",
  "__proto__",
  "constructor",
];

const hex = (number) => number.toString(16).padStart(64, "0");

/** Writes the folder; says what its payloads' places are. */
export async function forge(folder) {
  await mkdir(folder, { recursive: true });
  const names = PAYLOADS;
  const lines = [];
  const tell = (t_us, node, kind, fields) => lines.push(JSON.stringify({ v: 1, seq: lines.length, t_us, node, nseq: null, kind, ...fields }));
  const work = (height) => hex(2 * height + 2);
  const block = (number, parent, height) => ({ block: hex(number), parent: hex(parent), height, chain_work: work(height), time: 1, txs: 2, bytes: 300 });
  tell(0, null, "run_started", {
    tool_version: PAYLOADS[0],
    scenario: PAYLOADS[1],
    file: PAYLOADS[2],
    scenario_sha256: "",
    seed: PAYLOADS[3],
    set: [],
    engine: PAYLOADS[4],
    detail: "full",
    participants: names.map((name) => ({ name, hashrate: "1000", strategy: PAYLOADS[5] })),
    parameters: {},
    genesis: hex(1),
  });
  for (const name of names) tell(1, name, "node_started", { peer_id: "", addrs: [], restored: 0, strategy: PAYLOADS[5], hashrate: "1000" });
  tell(2, names[0], "peer_connected", { peer: names[1], outbound: true, agent: PAYLOADS[0] });
  const payments = [{ txid: hex(100), label: `${PAYLOADS[0]} to ${PAYLOADS[1]}` }, { txid: hex(101), label: PAYLOADS[2] }];
  tell(3, null, "step", { step: 0, line: 1, text: PAYLOADS[0], state: "passed", found: PAYLOADS[1], took_us: 1, payments });
  tell(4, null, "partition", { id: PAYLOADS[7], groups: [[names[0]], names.slice(1)], silent: false, confirmed: true });
  tell(5, names[0], "tx_submitted", { txid: hex(100) });
  tell(5, names[1], "tx_submitted", { txid: hex(101) });
  const coin = [{ txid: hex(99), index: 0 }];
  for (const [at, node, number, tx] of [[6, 0, 2, 100], [7, 1, 3, 101]]) {
    tell(at, names[node], "block_mined", block(number, 1, 1));
    tell(at, names[node], "block_connected", block(number, 1, 1));
    tell(at, null, "block_transactions", { block: hex(number), transactions: [{ txid: hex(tx), inputs: coin }] });
    tell(at, names[node], "tip_changed", { old: { block: hex(1), height: 0, chain_work: work(0) }, new: { block: hex(number), height: 1, chain_work: work(1) }, how: "extend" });
  }
  const branches = [[0, 2], [1, 3]].map(([id, tip]) => ({ id, tip: hex(tip), tip_height: 1, blocks: 1, chain_work: work(1), miners: [names[id]], nodes: [names[id]], hash_power: "1000" }));
  tell(7, null, "fork_opened", { fork: 0, fork_point: hex(1), height: 0, branches });
  tell(8, names[2], "tx_rejected", { txid: hex(101), from: names[3], reason: PAYLOADS[0], detail: PAYLOADS[1], conflicts_with: null });
  tell(9, null, "step", { step: 1, line: 2, text: PAYLOADS[3], state: "failed", expected: PAYLOADS[8], found: PAYLOADS[9], took_us: 1 });
  tell(10, null, "run_ended", { reason: PAYLOADS[0], ok: false, totals: { blocks: 2, stale: 1, forks: 1, reorgs: 0, messages: 0, bytes: 0 } });
  await writeFile(join(folder, "events-0000.jsonl.zst"), frame(Buffer.from(`${lines.join("\n")}\n`)));
}

/** A zstd frame that stores its content as it is: RFC 8878, section 3.1.1, raw blocks of at most 128 KiB. */
function frame(content) {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(content.length);
  const parts = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xa0]), size];
  for (let at = 0; at < content.length; at += 1 << 17) {
    const block = content.subarray(at, at + (1 << 17));
    const last = at + block.length === content.length ? 1 : 0;
    const head = Buffer.alloc(3);
    head.writeUIntLE(last | (block.length << 3), 0, 3);
    parts.push(head, block);
  }
  return Buffer.concat(parts);
}
