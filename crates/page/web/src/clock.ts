// The one clock of the page: what time all panels show, and how it runs on.

export type Listener = () => void;

export const SPEEDS = [0.01, 0.1, 0.25, 0.5, 1, 2, 5, 10, 100, 1_000, 10_000];

export class Clock {
  /** The moment shown, in microseconds. */
  time = 0;
  /** The last moment there is. */
  end = 0;
  speed = 1;
  playing = false;
  /** Stays at the end as it moves on: what a live run is watched with. */
  following = true;
  private last = 0;
  private listeners: Listener[] = [];

  onChange(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** The log has been read up to here. */
  extend(end: number): void {
    if (end === this.end) return;
    this.end = end;
    if (this.following) this.time = end;
    this.changed();
  }

  /** Shows a moment. */
  seek(time: number): void {
    this.time = Math.min(Math.max(0, Math.round(time)), this.end);
    this.following = false;
    this.changed();
  }

  /** Shows the last moment there is, also when there is a later one. */
  follow(): void {
    this.following = true;
    this.playing = false;
    this.time = this.end;
    this.changed();
  }

  toggle(): void {
    if (this.playing) {
      this.playing = false;
    } else {
      if (this.time >= this.end) this.time = 0;
      this.playing = true;
      this.following = false;
      this.last = performance.now();
      requestAnimationFrame(this.tick);
    }
    this.changed();
  }

  setSpeed(speed: number): void {
    this.speed = speed;
    this.changed();
  }

  /** The next faster or slower speed. */
  shift(by: 1 | -1): void {
    const at = SPEEDS.indexOf(this.speed);
    this.setSpeed(SPEEDS[Math.min(Math.max(0, at + by), SPEEDS.length - 1)] as number);
  }

  private tick = (now: number): void => {
    if (!this.playing) return;
    const passed = now - this.last;
    this.last = now;
    this.time = Math.min(this.end, this.time + passed * 1_000 * this.speed);
    if (this.time >= this.end) this.playing = false;
    this.changed();
    requestAnimationFrame(this.tick);
  };

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}
