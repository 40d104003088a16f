// Where nodes stand in the picture of the network: each part that is cut off from the others in a disc of its own.

export interface Place {
  x: number;
  y: number;
}

export interface Disc extends Place {
  radius: number;
  members: number[];
}

export interface Places {
  nodes: Place[];
  discs: Disc[];
  /** Half the width and height of all of it, around 0. */
  width: number;
  height: number;
}

/** Between two neighbours. */
const GAP = 1;
const GOLDEN = Math.PI * (3 - Math.sqrt(5));

/** Places for nodes that belong to groups by number; none belongs to a group of all others. */
export function place(groups: (number | null)[], wide: boolean): Places {
  const members = new Map<number, number[]>();
  groups.forEach((group, node) => {
    const key = group ?? -1;
    const list = members.get(key);
    if (list) list.push(node);
    else members.set(key, [node]);
  });
  const discs = [...members.keys()]
    .sort((a, b) => a - b)
    .map((key): Disc => {
      const list = members.get(key) as number[];
      return { x: 0, y: 0, radius: discRadius(list.length), members: list };
    });
  arrange(discs, wide);
  const nodes: Place[] = groups.map(() => ({ x: 0, y: 0 }));
  for (const disc of discs) {
    disc.members.forEach((node, index) => {
      nodes[node] = within(disc, index);
    });
  }
  const reach = (side: "x" | "y") => Math.max(1, ...discs.map((disc) => Math.abs(disc[side]) + disc.radius));
  return { nodes, discs, width: reach("x"), height: reach("y") };
}

/** Few nodes stand on a ring, many fill the disc. */
function onRing(count: number): boolean {
  return count <= 24;
}

function discRadius(count: number): number {
  if (count === 1) return 0.9 * GAP;
  return onRing(count) ? ringRadius(count) + 0.8 * GAP : 0.62 * GAP * Math.sqrt(count) + 0.8 * GAP;
}

function ringRadius(count: number): number {
  return Math.max(0.9, (count * 1.25 * GAP) / (2 * Math.PI));
}

function within(disc: Disc, index: number): Place {
  const count = disc.members.length;
  if (count === 1) return { x: disc.x, y: disc.y };
  if (onRing(count)) {
    const angle = (index / count) * 2 * Math.PI - Math.PI / 2;
    const radius = ringRadius(count);
    return { x: disc.x + radius * Math.cos(angle), y: disc.y + radius * Math.sin(angle) };
  }
  const radius = 0.62 * GAP * Math.sqrt(index + 0.5);
  return { x: disc.x + radius * Math.cos(index * GOLDEN), y: disc.y + radius * Math.sin(index * GOLDEN) };
}

/** Two or three discs side by side (or above each other), more of them on a ring. */
function arrange(discs: Disc[], wide: boolean): void {
  if (discs.length <= 3) {
    const total = discs.reduce((sum, disc) => sum + 2 * disc.radius + GAP, -GAP);
    let at = -total / 2;
    for (const disc of discs) {
      if (wide) disc.x = at + disc.radius;
      else disc.y = at + disc.radius;
      at += 2 * disc.radius + GAP;
    }
    return;
  }
  const around = discs.reduce((sum, disc) => sum + 2 * disc.radius + GAP, 0);
  const radius = around / (2 * Math.PI) + Math.max(...discs.map((disc) => disc.radius)) * 0.3;
  let along = 0;
  for (const disc of discs) {
    const angle = ((along + disc.radius + GAP / 2) / around) * 2 * Math.PI - Math.PI / 2;
    disc.x = radius * Math.cos(angle);
    disc.y = radius * Math.sin(angle);
    along += 2 * disc.radius + GAP;
  }
}
