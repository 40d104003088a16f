// Asks one question at a time, always for what is wanted now: answers to older wishes are never shown after newer ones.

/** Fetches for a key; while one fetch goes on, only the last wish that came meanwhile is kept. */
export class Latest<T> {
  private busy = false;
  private wanted: string | null = null;
  private shown: string | null = null;

  constructor(
    private readonly fetch: (key: string) => Promise<T>,
    private readonly show: (answer: T, key: string) => void,
    private readonly fail: (error: unknown) => void,
  ) {}

  /** Wants what a key stands for. */
  want(key: string): void {
    this.wanted = key;
    if (!this.busy && key !== this.shown) void this.run();
  }

  private async run(): Promise<void> {
    this.busy = true;
    while (this.wanted !== null && this.wanted !== this.shown) {
      const key = this.wanted;
      try {
        const answer = await this.fetch(key);
        this.shown = key;
        this.show(answer, key);
      } catch (error) {
        this.shown = key;
        this.fail(error);
      }
    }
    this.busy = false;
  }
}
