/** One direction of one connection through the fault proxy: bytes in, the same bytes out, as late and as broken as the faults say. */
import type { Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';

/** What happens to bytes on their way. All fields at rest: they pass at once and whole. */
export interface TrafficShape {
  /** Each byte arrives this much later, milliseconds. */
  readonly delayMs: number;
  /** Throughput of one connection; 0 means no limit. */
  readonly bytesPerSecond: number;
  /** Largest piece handed on at once; 1 splits every character and line ending. 0 means as it comes. */
  readonly chunkBytes: number;
}

export interface PipeFaults {
  /** Asked for every chunk, so that a change reaches connections that are open. */
  shape(): TrafficShape;
  /** Settles when bytes, ends and resets may pass. */
  gate(): Promise<void>;
  /** How many of the coming bytes may still pass; the connection is cut after them. */
  allowance(): number;
  /** Told after each piece; may cut the connection. */
  passed(bytes: number): void;
}

/** Held back at most for a delay; beyond it the sender has to wait. */
const MAX_DELAYED_BYTES = 1024 * 1024;

/** Settles when the direction is over, in whatever way; never rejects. An end is handed on as an end, a reset as a reset. */
export async function pipeWithFaults(from: Socket, to: Socket, faults: PipeFaults): Promise<void> {
  let line = Promise.resolve();
  let delayedBytes = 0;
  try {
    for await (const bytes of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const { delayMs } = faults.shape();
      const dueMs = performance.now() + delayMs;
      delayedBytes += bytes.length;
      line = line.then(async () => {
        await waitUntil(dueMs);
        await forward(bytes, to, faults);
        delayedBytes -= bytes.length;
      });
      // Without a delay nothing is read ahead: a stalled reader is felt by the sender, as on a real wire.
      if (delayMs === 0 || delayedBytes > MAX_DELAYED_BYTES) await line;
    }
    await line;
    await faults.gate();
    to.end();
  } catch {
    await faults.gate();
    if (!isOver(to)) to.resetAndDestroy();
  }
}

function isOver(socket: Socket): boolean {
  return socket.destroyed || socket.writableEnded;
}

async function waitUntil(dueMs: number): Promise<void> {
  const restMs = dueMs - performance.now();
  if (restMs > 0) await setTimeout(restMs);
}

async function forward(bytes: Buffer, to: Socket, faults: PipeFaults): Promise<void> {
  for (let start = 0; start < bytes.length && !isOver(to); ) {
    await faults.gate();
    const { bytesPerSecond, chunkBytes } = faults.shape();
    const piece = bytes.subarray(
      start,
      start + Math.min(pieceBytes(bytesPerSecond, chunkBytes), faults.allowance()),
    );
    await write(to, piece);
    start += piece.length;
    faults.passed(piece.length);
    if (bytesPerSecond > 0) await setTimeout((1000 * piece.length) / bytesPerSecond);
    else if (chunkBytes > 0) await setImmediate();
  }
}

/** A throttled connection brings a piece about 50 times a second. */
function pieceBytes(bytesPerSecond: number, chunkBytes: number): number {
  const perTick =
    bytesPerSecond > 0 ? Math.max(1, Math.floor(bytesPerSecond / 50)) : Number.POSITIVE_INFINITY;
  return Math.min(perTick, chunkBytes > 0 ? chunkBytes : Number.POSITIVE_INFINITY);
}

/** Settles when the bytes have left this process; a socket that is gone takes them too. */
function write(to: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => to.write(bytes, () => resolve()));
}
